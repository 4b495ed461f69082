"""One value in one file: the text of a document, compressed with gzip."""

from __future__ import annotations

import os
import zlib
from collections.abc import Container
from typing import Any

from skq.exceptions import SerializationError
from skq.serialization.document import dumps, loads
from skq.serialization.limits import BYTES_A_VALUE, LEAST_ROOM, MAX_BYTES

#: First bytes of a gzip stream, and the `wbits` with which zlib writes and reads one.
_MAGIC, _GZIP = b"\x1f\x8b", 16 + zlib.MAX_WBITS
_LEVEL = 6
#: Each value of a document follows one of these, so their number bounds the number of values.
_SIGNS = (b",", b"[", b"{")


def save(obj: object, path: str | os.PathLike[str]) -> None:
    """Write a value to a file, whole or not at all.

    The file is the text of `dumps`, compressed with gzip (RFC 1952), which also removes the
    overhead of base64. It is written to a temporary file in the same folder first, which then
    replaces `path`: a crash leaves either the old file or the new one. The same value gives the
    same bytes with the same zlib library.

    Parameters
    ----------
    obj : object
        Anything that `to_document` takes.
    path : str or path-like
        The file. An existing file is replaced; its permissions do not change. If `path` is a
        symbolic link, the file that it names is replaced. Temporary files of an interrupted `save`
        of the same file are removed.
    """
    from pathlib import Path

    from skq.serialization.replacing import replace_file  # not needed to load

    replace_file(Path(path), to_bytes(obj))


def to_bytes(obj: object) -> bytes:
    """The bytes of the file that `save` writes."""
    return zlib.compress(dumps(obj).encode("ascii"), _LEVEL, wbits=_GZIP)


def load(
    path: str | os.PathLike[str],
    expected: type | tuple[type, ...] | None = None,
    *,
    max_bytes: int = MAX_BYTES,
    classes: Container[type] | None = None,
) -> Any:
    """Read a value from a file that `save` wrote; nothing in the file is executed.

    Parameters
    ----------
    path : str or path-like
        The file: one that `save` wrote, or a text file with the result of `dumps`.
    expected : type or tuple of types, optional
        Class of the value.
    max_bytes : int, default=2**28
        Most bytes that all arrays of the file may need, and most that all its objects may declare,
        such as the values of a row or the steps of a program.
    classes : container of types, optional
        Registered classes that may be built; by default all.

    Raises
    ------
    SerializationError
        If the file is not a valid skq document. The message names the file and the location.
    OSError
        If the file cannot be read.
    """
    with open(path, "rb") as file:
        data = file.read()
    try:
        return from_bytes(data, expected, max_bytes=max_bytes, classes=classes)
    except SerializationError as error:
        raise SerializationError(f"{os.fspath(path)}: {error}") from error


def from_bytes(
    data: bytes,
    expected: type | tuple[type, ...] | None = None,
    *,
    max_bytes: int = MAX_BYTES,
    classes: Container[type] | None = None,
) -> Any:
    """The value in the bytes of a file; `load` tells of the parameters and errors."""
    if data.startswith(_MAGIC):
        data = _decompressed(data, max_bytes)
    _check_is_text(data)
    _check_values(data, max_bytes)
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError as error:
        raise SerializationError(f"not a text file: {error}") from error
    finally:
        del data
    return loads(text, expected, max_bytes=max_bytes, classes=classes)


#: First bytes of other files of models, and their names.
_OTHER_FORMATS = {
    b"\x80": "a pickle",
    b"PK\x03\x04": "a zip archive, as torch.save and numpy.savez write",
    b"\x78": "compressed with zlib, as joblib.dump writes",
    b"\x08": "an ONNX model",
    b"\x93NUMPY": "an array of numpy.save",
}


def _check_is_text(data: bytes) -> None:
    """Raise SerializationError for an empty file, and for files that other libraries write."""
    if not data:
        raise SerializationError("the file is empty")
    for start, kind in _OTHER_FORMATS.items():
        if data.startswith(start):
            raise SerializationError(
                f"the file is {kind}, which skq.load does not read: it reads what skq.save wrote"
            )


def _decompressed(data: bytes, max_bytes: int) -> bytes:
    """The text of a compressed file; a SerializationError if it is longer than allowed."""
    limit = 2 * max(max_bytes, LEAST_ROOM)
    unpacker = zlib.decompressobj(wbits=_GZIP)
    try:
        text = unpacker.decompress(data, limit + 1)
    except zlib.error as error:
        raise SerializationError(f"the file is damaged: {error}") from error
    if len(text) > limit:
        raise _too_large(max_bytes)
    if not unpacker.eof or unpacker.unused_data:
        _check_values(text, max_bytes)
        raise SerializationError("the file is damaged: it was cut off, or something was appended")
    return text


def _check_values(text: bytes, max_bytes: int) -> None:
    """Raise SerializationError if a text may hold more values than allowed, before it is parsed."""
    n_values = sum(text.count(sign) for sign in _SIGNS)
    if n_values * BYTES_A_VALUE > max(max_bytes, LEAST_ROOM):
        raise _too_large(max_bytes)


def _too_large(max_bytes: int) -> SerializationError:
    return SerializationError(
        f"the content of the file exceeds the limit of {max_bytes} bytes. "
        "Pass a larger max_bytes if you trust it."
    )
