"""One value in one file: the text of a document, compressed as gzip does."""

from __future__ import annotations

import os
import uuid
import zlib
from pathlib import Path
from typing import Any

from skq.exceptions import SerializationError
from skq.serialization.document import dumps, loads
from skq.serialization.limits import BYTES_A_VALUE, LEAST_ROOM, MAX_BYTES

#: First bytes of a gzip stream, and how zlib is asked for one.
_MAGIC, _GZIP = b"\x1f\x8b", 16 + zlib.MAX_WBITS
_LEVEL = 6


def save(obj: object, path: str | os.PathLike[str]) -> None:
    """Write a value to a file, whole or not at all.

    The file is the text of `dumps`, compressed (RFC 1952): what base64 adds to arrays goes away
    again. It is written beside `path` first, and then takes its place: a crash leaves either the
    old file or the new one. The same value gives the same bytes with the same zlib library.

    Parameters
    ----------
    obj : object
        Anything that `to_document` takes.
    path : str or path-like
        The file; an existing one is replaced.
    """
    target = Path(path)
    data = zlib.compress(dumps(obj).encode("ascii"), _LEVEL, wbits=_GZIP)
    temporary = target.with_name(f".{target.name}.{uuid.uuid4().hex}.tmp")
    try:
        with open(temporary, "xb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        os.replace(temporary, target)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise


def load(
    path: str | os.PathLike[str],
    expected: type | tuple[type, ...] | None = None,
    *,
    max_bytes: int = MAX_BYTES,
) -> Any:
    """Read a value from a file that `save` wrote; nothing in the file is executed.

    Parameters
    ----------
    path : str or path-like
        The file; that of a text from `dumps` is read too.
    expected : type or tuple of types, optional
        What the value has to be an instance of.
    max_bytes : int, default=2**32
        Most bytes that the arrays of the file may take together.

    Raises
    ------
    SerializationError
        If the file is not a valid skq document. The message names the file and the place.
    OSError
        If the file cannot be read.
    """
    data = Path(path).read_bytes()
    try:
        if data.startswith(_MAGIC):
            data = _decompressed(data, max_bytes)
        return loads(data.decode("utf-8"), expected, max_bytes=max_bytes)
    except UnicodeDecodeError as error:
        raise SerializationError(f"{os.fspath(path)}: not a text file: {error}") from error
    except SerializationError as error:
        raise SerializationError(f"{os.fspath(path)}: {error}") from error


def _decompressed(data: bytes, max_bytes: int) -> bytes:
    """The text of a compressed file; a SerializationError where its values would take too much."""
    room = max(max_bytes, LEAST_ROOM)
    unpacker = zlib.decompressobj(wbits=_GZIP)
    try:
        text = unpacker.decompress(data, 2 * room + 1)
    except zlib.error as error:
        raise SerializationError(f"the file is damaged: {error}") from error
    n_values = sum(text.count(sign) for sign in (b",", b"[", b"{"))
    if len(text) > 2 * room or n_values * BYTES_A_VALUE > room:
        raise SerializationError(
            f"the file holds more than the limit of {max_bytes} bytes allows. "
            "Pass a larger max_bytes if you trust it."
        )
    if not unpacker.eof or unpacker.unused_data:
        raise SerializationError("the file is damaged: it was cut off, or something was appended")
    return text
