"""The envelope of a value: format, version, checksum.

::

    {"format": "skq", "version": 1, "checksum": "sha256:...", "content": <node>}
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Container
from typing import Any, NoReturn

from skq.exceptions import SerializationError
from skq.serialization.decoder import decode
from skq.serialization.encoder import canonical, encode
from skq.serialization.limits import MAX_BYTES

FORMAT = "skq"
#: The version that is written. Every version up to it can be read.
VERSION = 1

#: Characters that are hashed at a time, so that a large text is not copied.
_PIECE = 1 << 20
_KEYS = ("format", "version", "checksum", "content")


def to_document(obj: object) -> dict[str, Any]:
    """Turn a value into a dict of plain JSON values.

    Parameters
    ----------
    obj : object
        None, bool, int, float, str, bytes, list, tuple, dict, set, frozenset, NumPy array or
        scalar, an object of a class registered with `serializable`, or any nesting of these.

    Returns
    -------
    dict with the keys ``format``, ``version``, ``checksum``, ``content``

    Raises
    ------
    SerializationError
        For a value that is none of these. The message names its location.
    """
    content = encode(obj)
    return _envelope(_checksum(canonical(content)), content)


def from_document(
    document: dict[str, Any],
    expected: type | tuple[type, ...] | None = None,
    *,
    max_bytes: int = MAX_BYTES,
    classes: Container[type] | None = None,
) -> Any:
    """Turn the dict of `to_document` back into the value.

    Nothing is executed or imported. Only plain values, arrays and objects of classes that are
    registered already are built; objects are built by their constructors.

    Parameters
    ----------
    document : dict
        Dict that `to_document` returned.
    expected : type or tuple of types, optional
        Class of the value.
    max_bytes : int, default=2**28
        Most bytes that all arrays of the document may need, and most that all its objects may
        declare.
    classes : container of types, optional
        Registered classes that may be built; by default all.

    Raises
    ------
    SerializationError
        If the document is not exactly what `to_document` wrote, or was written by a newer version.
    """
    if not isinstance(document, dict) or document.get("format") != FORMAT:
        raise SerializationError(
            f'this is not an skq document: expected a JSON object with "format": "{FORMAT}".'
        )
    version = document.get("version")
    if type(version) is not int or version < 1:
        raise SerializationError(f"the version must be an integer >= 1, got {version!r:.60}.")
    if version > VERSION:
        raise SerializationError(
            f"written in version {version} of the format; this skq reads up to {VERSION}. "
            "Upgrade skq."
        )
    if set(document) != set(_KEYS):
        raise SerializationError(f"expected the keys {list(_KEYS)}, got {list(document)!r:.120}.")
    try:
        text = canonical(document["content"])
    except (TypeError, ValueError, RecursionError) as error:
        raise SerializationError(f"the content is not strict JSON: {error}") from error
    if document["checksum"] != _checksum(text):
        raise SerializationError(
            "the checksum does not match the content: the document was damaged or edited."
        )
    del text
    return decode(document["content"], max_bytes, expected, classes)


def dumps(obj: object) -> str:
    """Write a value as JSON text. The same value always gives the same text.

    Examples
    --------
    >>> loads(dumps({"scale": 0.1, "shape": (2, 3)}))
    {'scale': 0.1, 'shape': (2, 3)}
    """
    content = canonical(encode(obj))
    head = canonical(_envelope(_checksum(content), None))
    return head.removesuffix("null}") + content + "}"


def loads(
    text: str,
    expected: type | tuple[type, ...] | None = None,
    *,
    max_bytes: int = MAX_BYTES,
    classes: Container[type] | None = None,
) -> Any:
    """Read a value from the text that `dumps` wrote; see `from_document`."""
    if not isinstance(text, str):
        raise TypeError(f"expected a text (str), got {type(text).__name__}.")
    try:
        document = json.loads(text, parse_constant=_refuse_constant)
    except (ValueError, RecursionError) as error:
        raise SerializationError(f"the text is not strict JSON: {error}") from error
    del text  # may be as large as all arrays
    return from_document(document, expected, max_bytes=max_bytes, classes=classes)


def _envelope(checksum: str, content: Any) -> dict[str, Any]:
    return dict(zip(_KEYS, (FORMAT, VERSION, checksum, content), strict=True))


def _checksum(text: str) -> str:
    digest = hashlib.sha256()
    for start in range(0, len(text), _PIECE):
        digest.update(text[start : start + _PIECE].encode("ascii"))
    return "sha256:" + digest.hexdigest()


def _refuse_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is not JSON")
