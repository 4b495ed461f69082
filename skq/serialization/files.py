"""One value in one file."""

from __future__ import annotations

import os
import uuid
from pathlib import Path
from typing import Any

from skq.exceptions import SerializationError
from skq.serialization.document import dumps, loads
from skq.serialization.limits import MAX_BYTES


def save(obj: object, path: str | os.PathLike[str]) -> None:
    """Write a value to a file, whole or not at all.

    The text goes to a temporary file beside `path`, which then takes its place: a crash leaves
    either the old file or the new one.

    Parameters
    ----------
    obj : object
        Anything that `to_document` takes.
    path : str or path-like
        The file; an existing one is replaced.
    """
    target = Path(path)
    text = dumps(obj)
    temporary = target.with_name(f".{target.name}.{uuid.uuid4().hex}.tmp")
    try:
        with open(temporary, "x", encoding="ascii", newline="\n") as file:
            file.write(text)
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
        The file.
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
    try:
        return loads(Path(path).read_bytes().decode("utf-8"), expected, max_bytes=max_bytes)
    except UnicodeDecodeError as error:
        raise SerializationError(f"{os.fspath(path)}: not a text file: {error}") from error
    except SerializationError as error:
        raise SerializationError(f"{os.fspath(path)}: {error}") from error
