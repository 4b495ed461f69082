"""Arrays as JSON: dtype, shape and base64 of the little-endian bytes.

::

    {"$array": "AQID", "dtype": "int64", "shape": [3], "wire": "uint8", "zlib": true}

``wire`` (integers only) is a narrower dtype that holds every value and was written instead;
``zlib`` says that the bytes are compressed. Both are there only when they save space.
"""

from __future__ import annotations

import base64
import binascii
import math
import re
import zlib
from typing import Any

import numpy as np
from numpy.typing import NDArray

from skq.numerics import integer_dtype
from skq.serialization.limits import MAX_DIMENSIONS
from skq.serialization.place import Malformed

_NUMERIC = re.compile(r"bool|u?int(8|16|32|64)|float(16|32|64)")
_TEXT = re.compile(r"<U\d{1,8}|\|S\d{1,8}")
_KEYS = {"$array", "dtype", "shape"}
_OPTIONAL_KEYS = {"wire", "zlib"}

_SMALLEST_TO_COMPRESS = 128
_SAMPLE = 2**16
_PAYS = 0.9
_LEVEL = 3
#: No zlib stream expands more than this: a longest match of 258 bytes costs at least 2 bits.
_MAX_EXPANSION = 1032
_MAX_CODE_POINT = 0x10FFFF


def dtype_name(dtype: np.dtype[Any]) -> str:
    """Name of a dtype in a document, byte order aside; Malformed if it has none."""
    name = dtype.newbyteorder("<").str if dtype.kind in "US" else dtype.name
    if not (_NUMERIC.fullmatch(name) or _TEXT.fullmatch(name)):
        raise Malformed(
            f"arrays of dtype {dtype} cannot be written; "
            "expected bool, an integer, float16, float32, float64 or text."
        )
    return name


def parse_dtype(name: object) -> np.dtype[Any]:
    """Return the dtype of a name in a document; Malformed for anything but the known names."""
    if isinstance(name, str) and (_NUMERIC.fullmatch(name) or _TEXT.fullmatch(name)):
        return np.dtype(name)
    raise Malformed(f"unknown dtype {name!r:.60}; expected bool, (u)int, float or text.")


def encode_array(array: NDArray[Any]) -> dict[str, Any]:
    """Write an array of any shape. The memory order is not kept: it is read back in C order."""
    node: dict[str, Any] = {"$array": "", "dtype": dtype_name(array.dtype)}
    node["shape"] = list(array.shape)
    wire = _wire_dtype(array)
    if wire != array.dtype.newbyteorder("<"):
        node["wire"] = wire.name
    raw = np.ascontiguousarray(array, dtype=wire).tobytes()
    packed = _compressed(raw)
    if packed is not None:
        node["zlib"] = True
        raw = packed
    node["$array"] = base64.b64encode(raw).decode("ascii")
    return node


def decode_array(node: dict[str, Any], budget: int) -> NDArray[Any]:
    """Read an array that `encode_array` wrote, at most `budget` bytes of it; it is writable."""
    if not node.keys() >= _KEYS or not node.keys() <= _KEYS | _OPTIONAL_KEYS:
        raise Malformed(f"an array has the keys {sorted(_KEYS)}, got {sorted(node)}.")
    dtype = parse_dtype(node["dtype"])
    wire = _parse_wire(node.get("wire"), dtype)
    shape, count = _parse_shape(node["shape"], dtype.itemsize)
    if count * dtype.itemsize > budget:
        raise Malformed(
            f"an array of shape {shape} and dtype {dtype} passes the limit: {budget} bytes left. "
            "Pass a larger max_bytes if you trust this document."
        )
    raw = _parse_bytes(node["$array"], node.get("zlib", False), count * wire.itemsize)
    if count * wire.itemsize == 0:
        return np.zeros(shape, dtype=dtype)
    flat = np.frombuffer(raw, dtype=wire)
    _check_contents(flat, wire)
    return flat.astype(dtype).reshape(shape)


def decode_base64(text: object) -> bytes:
    """Bytes of a base64 text; Malformed if it is not one."""
    if not isinstance(text, str):
        raise Malformed(f"expected base64 text, got {type(text).__name__}.")
    try:
        return base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError) as error:
        raise Malformed(f"not valid base64: {error}.") from error


def _wire_dtype(array: NDArray[Any]) -> np.dtype[Any]:
    little = array.dtype.newbyteorder("<")
    if array.dtype.kind not in "iu" or array.size == 0:
        return little
    try:
        narrow = np.dtype(integer_dtype(int(array.min()), int(array.max())))
    except OverflowError:  # a uint64 beyond 2**63 - 1
        return little
    return narrow.newbyteorder("<") if narrow.itemsize < little.itemsize else little


def _compressed(raw: bytes) -> bytes | None:
    if len(raw) < _SMALLEST_TO_COMPRESS:
        return None
    if len(raw) > 4 * _SAMPLE:
        part = _SAMPLE // 4
        starts = (i * (len(raw) - part) // 3 for i in range(4))
        sample = b"".join(raw[start : start + part] for start in starts)
        if len(zlib.compress(sample, _LEVEL)) > _PAYS * len(sample):
            return None
    packed = zlib.compress(raw, _LEVEL)
    return packed if len(packed) <= _PAYS * len(raw) else None


def _parse_wire(name: object, dtype: np.dtype[Any]) -> np.dtype[Any]:
    if name is None:
        return dtype.newbyteorder("<")
    wire = parse_dtype(name)
    narrower = dtype.kind in "iu" and wire.kind in "iu" and wire.itemsize < dtype.itemsize
    if not narrower or not np.can_cast(wire, dtype, "safe"):
        raise Malformed(f"values of dtype {dtype} cannot be stored as {wire}.")
    return wire.newbyteorder("<")


def _parse_shape(shape: object, itemsize: int) -> tuple[tuple[int, ...], int]:
    if not isinstance(shape, list) or len(shape) > MAX_DIMENSIONS:
        raise Malformed(f"a shape is a list of at most {MAX_DIMENSIONS} sizes, got {shape!r:.80}.")
    if not all(type(size) is int and size >= 0 for size in shape):
        raise Malformed(f"the sizes of a shape are integers >= 0, got {shape!r:.80}.")
    if math.prod(max(size, 1) for size in shape) * max(itemsize, 1) >= 2**63:
        raise Malformed(f"a shape of {shape!r:.80} does not fit into any memory.")
    return tuple(shape), math.prod(shape)


def _parse_bytes(text: object, is_packed: object, expected: int) -> bytes:
    raw = decode_base64(text)
    if is_packed is True:
        if expected > _MAX_EXPANSION * len(raw) + 64:
            raise Malformed(f"{len(raw)} compressed bytes cannot hold the {expected} declared.")
        unpacker = zlib.decompressobj()
        try:
            raw = unpacker.decompress(raw, expected + 1)
        except zlib.error as error:
            raise Malformed(f"the compressed bytes are damaged: {error}.") from error
        if not unpacker.eof or unpacker.unused_data:
            raise Malformed(f"the compressed bytes do not end after the {expected} declared.")
    elif is_packed is not False:
        raise Malformed(f"zlib is true or absent, got {is_packed!r:.60}.")
    if len(raw) != expected:
        raise Malformed(f"dtype and shape need {expected} bytes, got {len(raw)}.")
    return raw


def _check_contents(flat: NDArray[Any], wire: np.dtype[Any]) -> None:
    if wire.kind == "b" and flat.view(np.uint8).max() > 1:
        raise Malformed("a bool is stored as 0 or 1, got another byte.")
    if wire.kind == "U" and flat.view("<u4").max() > _MAX_CODE_POINT:
        raise Malformed("text contains a number that is no Unicode code point.")
