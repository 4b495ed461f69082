"""Arrays as JSON: dtype, shape and base64 of the little-endian bytes.

::

    {"$array": "AQID", "dtype": "int64", "shape": [3], "wire": "uint8", "zlib": true}

``wire`` (integers only) is a narrower type in which the values are written. It may have any number
of bits; integers of widths that NumPy lacks are written as planes of bits (`skq.bitpacking`).
``zlib`` means that the bytes are compressed. Both keys are there only if they save space.
"""

from __future__ import annotations

import base64
import binascii
import math
import re
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from skq.bitpacking import bytes_of_planes, dtype_of_bits, from_planes, to_planes
from skq.numerics import bit_width
from skq.serialization.budget import Budget
from skq.serialization.limits import MAX_DIMENSIONS
from skq.serialization.location import Malformed

_NUMERIC = re.compile(r"bool|u?int(8|16|32|64)|float(16|32|64)")
_TEXT = re.compile(r"<U\d{1,8}|\|S\d{1,8}")
_INTEGER = re.compile(r"(u?)int(\d{1,2})")
#: Widths of integers that are written as NumPy stores them; other widths are written as planes.
_WHOLE_BITS = (8, 16, 32, 64)
_KEYS = {"$array", "dtype", "shape"}
_OPTIONAL_KEYS = {"wire", "zlib"}

#: Arrays of fewer bytes are not compressed.
_SMALLEST_TO_COMPRESS = 128
#: Bytes of a large array that are compressed first, to decide whether to compress all.
_SAMPLE = 2**16
#: A compressed array is written only if it is at most this much of the raw one.
_PAYS = 0.9
_LEVEL = 3
#: No zlib stream expands more than this: a match of at most 258 bytes needs at least 2 bits.
_MAX_EXPANSION = 1032
_MAX_CODE_POINT = 0x10FFFF


def dtype_name(dtype: np.dtype[Any]) -> str:
    """Name of a dtype in a document, without byte order; Malformed if it cannot be written."""
    name = dtype.newbyteorder("<").str if dtype.kind in "US" else dtype.name
    if not (_NUMERIC.fullmatch(name) or _TEXT.fullmatch(name)):
        raise Malformed(
            f"arrays of dtype {dtype} cannot be written; "
            "expected bool, an integer, float16, float32, float64 or text."
        )
    return name


def parse_dtype(name: object) -> np.dtype[Any]:
    """Return the dtype of a name in a document; Malformed for an unknown name."""
    if isinstance(name, str) and (_NUMERIC.fullmatch(name) or _TEXT.fullmatch(name)):
        return np.dtype(name)
    raise Malformed(f"unknown dtype {name!r:.60}; expected bool, (u)int, float or text.")


def encode_array(array: NDArray[Any]) -> dict[str, Any]:
    """Write an array of any shape. It is read back in C order, for any memory order."""
    node: dict[str, Any] = {"$array": "", "dtype": dtype_name(array.dtype)}
    node["shape"] = list(array.shape)
    candidates = [(wire, *_compressed(wire.write(array))) for wire in _wires(array)]
    wire, raw, is_compressed = min(candidates, key=lambda candidate: len(candidate[1]))
    if wire.bits or wire.dtype != array.dtype.newbyteorder("<"):
        node["wire"] = wire.name
    if is_compressed:
        node["zlib"] = True
    node["$array"] = base64.b64encode(raw).decode("ascii")
    return node


def decode_array(node: dict[str, Any], budget: Budget) -> NDArray[Any]:
    """Read an array that `encode_array` wrote, if the budget allows it; the array is writable."""
    if not node.keys() >= _KEYS or not node.keys() <= _KEYS | _OPTIONAL_KEYS:
        raise Malformed(f"an array must have the keys {sorted(_KEYS)}, got {sorted(node)}.")
    dtype = parse_dtype(node["dtype"])
    wire = _parse_wire(node.get("wire"), dtype)
    shape, count = _parse_shape(node["shape"], dtype.itemsize)
    budget.take_array(count * dtype.itemsize, f"an array of shape {shape} and dtype {dtype}")
    n_bytes = wire.n_bytes(count)
    raw = _parse_bytes(node["$array"], node.get("zlib", False), n_bytes)
    if n_bytes == 0:
        return np.zeros(shape, dtype=dtype)
    flat = wire.read(raw, count)
    _check_contents(flat)
    return flat.astype(dtype, copy=not flat.flags.writeable).reshape(shape)


def decode_base64(text: object) -> bytes:
    """Bytes of a base64 text; Malformed if it is not one."""
    if not isinstance(text, str):
        raise Malformed(f"expected base64 text, got {type(text).__name__}.")
    try:
        return base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError) as error:
        raise Malformed(f"not valid base64: {error}.") from error


@dataclass(frozen=True)
class _Wire:
    """How the elements of an array are written.

    Parameters
    ----------
    dtype : dtype
        Dtype as which they are read.
    bits : int, default=0
        Bits of each integer if they are written as planes; 0: as elements of `dtype`.
    signed : bool, default=False
        Whether integers in planes may be negative.
    """

    dtype: np.dtype[Any]
    bits: int = 0
    signed: bool = False

    @classmethod
    def of_integers(cls, bits: int, signed: bool) -> _Wire:
        if bits in _WHOLE_BITS:
            return cls(np.dtype(f"<{'i' if signed else 'u'}{bits // 8}"))
        return cls(dtype_of_bits(bits, signed), bits, signed)

    @property
    def name(self) -> str:
        return f"{'' if self.signed else 'u'}int{self.bits}" if self.bits else self.dtype.name

    def n_bytes(self, count: int) -> int:
        """Bytes of `count` elements."""
        return sum(bytes_of_planes(count, self.bits)) if self.bits else count * self.dtype.itemsize

    def write(self, array: NDArray[Any]) -> bytes:
        if self.bits:
            return to_planes(array.ravel(), self.bits, self.signed).tobytes()
        return np.ascontiguousarray(array, dtype=self.dtype).tobytes()

    def read(self, raw: bytes, count: int) -> NDArray[Any]:
        if self.bits:
            return from_planes(np.frombuffer(raw, np.uint8), count, self.bits, self.signed)
        return np.frombuffer(raw, dtype=self.dtype)


def _wires(array: NDArray[Any]) -> Iterator[_Wire]:
    """Types in which an array may be written.

    For integers: the narrowest of NumPy's types, and the type of fewest bits.
    """
    unchanged = _Wire(array.dtype.newbyteorder("<"))
    if array.dtype.kind not in "iu" or array.size == 0:
        yield unchanged
        return
    lo, hi = int(array.min()), int(array.max())
    fewest = bit_width(lo, hi)
    whole = next(bits for bits in _WHOLE_BITS if bits >= fewest)
    yield _Wire.of_integers(whole, lo < 0) if whole < 8 * array.dtype.itemsize else unchanged
    if fewest < whole and array.size * whole >= 8 * _SMALLEST_TO_COMPRESS:
        yield _Wire.of_integers(fewest, lo < 0)


def _compressed(raw: bytes) -> tuple[bytes, bool]:
    """The bytes, or a zlib stream of them if that is shorter, and whether they are compressed."""
    if len(raw) < _SMALLEST_TO_COMPRESS:
        return raw, False
    if len(raw) > 4 * _SAMPLE:
        size = _SAMPLE // 4
        starts = (i * (len(raw) - size) // 3 for i in range(4))
        sample = b"".join(raw[start : start + size] for start in starts)
        if len(zlib.compress(sample, _LEVEL)) > _PAYS * len(sample):
            return raw, False
    packed = zlib.compress(raw, _LEVEL)
    return (packed, True) if len(packed) <= _PAYS * len(raw) else (raw, False)


def _parse_wire(name: object, dtype: np.dtype[Any]) -> _Wire:
    if name is None:
        return _Wire(dtype.newbyteorder("<"))
    match = _INTEGER.fullmatch(name) if isinstance(name, str) else None
    if match is not None:
        signed, bits = not match[1], int(match[2])
        kinds = "i" if signed else "iu"
        if dtype.kind in kinds and 1 <= bits < 8 * dtype.itemsize:
            return _Wire.of_integers(bits, signed)
    raise Malformed(
        f"values of dtype {dtype} cannot be stored as {name!r:.60}; expected a narrower integer "
        "type, as int8 or uint3."
    )


def _parse_shape(shape: object, itemsize: int) -> tuple[tuple[int, ...], int]:
    if not isinstance(shape, list) or len(shape) > MAX_DIMENSIONS:
        raise Malformed(
            f"a shape must be a list of at most {MAX_DIMENSIONS} sizes, got {shape!r:.80}."
        )
    if not all(type(size) is int and size >= 0 for size in shape):
        raise Malformed(f"the sizes of a shape must be integers >= 0, got {shape!r:.80}.")
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
        raise Malformed(f"zlib must be true or absent, got {is_packed!r:.60}.")
    if len(raw) != expected:
        raise Malformed(f"dtype and shape need {expected} bytes, got {len(raw)}.")
    return raw


def _check_contents(flat: NDArray[Any]) -> None:
    if flat.dtype.kind == "b" and flat.view(np.uint8).max() > 1:
        raise Malformed("a bool must be stored as 0 or 1, got another byte.")
    if flat.dtype.kind == "U" and flat.view("<u4").max() > _MAX_CODE_POINT:
        raise Malformed("text contains a number that is not a Unicode code point.")
