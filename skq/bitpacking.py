"""Integers of 1 to 63 bits, packed into bytes as planes of bits.

The codes of an array, made non-negative, are cut into planes of 8, 4, 2 and 1 bits, the lowest bits
first: 13 bits are planes of 8, 4 and 1, and 5 bits are planes of 4 and 1. A plane of ``w`` bits has
``B = ceil(size * w / 8)`` bytes; element ``e`` is in byte ``e % B``, from bit ``w * (e // B)`` on.
So neighbouring elements are in neighbouring bytes at the same shift, and a vector of them is read
with one shift and one mask. Files (`skq.serialization.arrays`) and the constants of a plan
(`PackedIntegers`) use this format; the kernels read it directly (``skq_constants.inc``).
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from skq.numerics import bit_width, integer_dtype

Ints = NDArray[np.integer[Any]]


def narrowed(array: NDArray[Any]) -> NDArray[Any]:
    """Integers in the smallest dtype that holds them; other arrays unchanged."""
    if array.dtype.kind in "iu" and array.size:
        dtype = np.dtype(integer_dtype(int(array.min()), int(array.max())))
        if dtype.itemsize < array.dtype.itemsize:
            return array.astype(dtype)
    return array


def packed_bytes(array: NDArray[Any]) -> int:
    """Bytes of an array; integers count the fewest bits that hold all of them."""
    if array.dtype.kind not in "iu" or array.size == 0:
        return int(array.nbytes)
    return array.size * bit_width(int(array.min()), int(array.max())) // 8 + 1


def planes(bits: int) -> Iterator[tuple[int, int]]:
    """Lowest bit and width, in bits, of each plane of codes of `bits` bits."""
    low_bit = 0
    while low_bit < bits:
        width = next(w for w in (8, 4, 2, 1) if w <= bits - low_bit)
        yield low_bit, width
        low_bit += width


def bytes_of_planes(size: int, bits: int) -> list[int]:
    """Bytes of each plane of `size` codes."""
    return [-(-size * width // 8) for _, width in planes(bits)]


def dtype_of_bits(bits: int, signed: bool) -> np.dtype[Any]:
    """The smallest dtype that holds integers of `bits` bits; `bits` is at most 63."""
    half = 1 << (bits - 1)
    lo, hi = (-half, half - 1) if signed else (0, 2 * half - 1)
    return np.dtype(integer_dtype(lo, hi))


def to_planes(array: Ints, bits: int, signed: bool) -> NDArray[np.uint8]:
    """Pack integers of `bits` bits into planes.

    Parameters
    ----------
    array : ndarray of int, shape (size,), size > 0
    bits : int
        In [1, 63].
    signed : bool
        Whether they may be negative: codes are then the integers plus ``2**(bits - 1)``.

    Returns
    -------
    ndarray of uint8, shape (sum(bytes_of_planes(size, bits)),)
    """
    codes = array.astype(np.int64)
    if signed:
        codes += 1 << (bits - 1)
    packed = []
    for (low_bit, width), n_bytes in zip(
        planes(bits), bytes_of_planes(len(codes), bits), strict=True
    ):
        fields = np.zeros((8 // width, n_bytes), dtype=np.uint8)
        fields.ravel()[: len(codes)] = (codes >> low_bit) & ((1 << width) - 1)
        for field in range(1, len(fields)):
            fields[0] |= fields[field] << np.uint8(field * width)
        packed.append(fields[0])
    return np.concatenate(packed)


def from_planes(data: NDArray[np.uint8], size: int, bits: int, signed: bool) -> Ints:
    """The `size` integers that `to_planes` packed, in the dtype of `dtype_of_bits`."""
    dtype = dtype_of_bits(bits, signed)
    codes = np.zeros(size, dtype=f"u{dtype.itemsize}")
    start = 0
    for (low_bit, width), n_bytes in zip(planes(bits), bytes_of_planes(size, bits), strict=True):
        plane = data[start : start + n_bytes]
        start += n_bytes
        shifts = np.arange(0, 8, width, dtype=np.uint8)[:, np.newaxis]
        fields = (plane >> shifts) & np.uint8((1 << width) - 1)
        codes |= fields.ravel()[:size].astype(codes.dtype) << codes.dtype.type(low_bit)
    if signed:
        codes -= codes.dtype.type(1 << (bits - 1))  # wraps, as two's complement does
    return codes.view(dtype)


@dataclass(frozen=True, eq=False, slots=True)
class PackedIntegers:
    """A packed array of integers of `bits` bits each, from `pack`.

    Parameters
    ----------
    data : ndarray of uint8
        The planes, as `to_planes` writes them, of the elements in C order.
    shape : tuple of int
    bits : int
        In [1, 63].
    signed : bool
        Whether the integers are the codes minus ``2**(bits - 1)``.
    """

    data: NDArray[np.uint8]
    shape: tuple[int, ...]
    bits: int
    signed: bool

    @property
    def size(self) -> int:
        """Number of integers."""
        return math.prod(self.shape)


def pack(array: Ints) -> PackedIntegers:
    """Pack integers into the fewest bits that hold them all.

    Parameters
    ----------
    array : ndarray of int, size > 0
        Integers of at most 63 bits.

    Examples
    --------
    >>> packed = pack(np.array([[3, -4], [0, 1]]))
    >>> packed.bits, packed.signed, packed.data.nbytes
    (3, True, 2)
    >>> unpack(packed)
    array([[ 3, -4],
           [ 0,  1]], dtype=int8)
    """
    lo = int(array.min())
    bits = bit_width(lo, int(array.max()))
    return PackedIntegers(to_planes(array.ravel(), bits, lo < 0), array.shape, bits, lo < 0)


def unpack(packed: PackedIntegers) -> Ints:
    """The array that was packed, in the smallest dtype that holds integers of `bits` bits."""
    flat = from_planes(packed.data, packed.size, packed.bits, packed.signed)
    return flat.reshape(packed.shape)
