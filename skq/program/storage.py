"""Integers in the bits that they need: how a program keeps its constants.

The codes of an array, made non-negative, are cut into planes of 8, 4, 2 and 1 bits, the lowest bits
first: 13 bits are planes of 8, 4 and 1, and 5 bits are planes of 4 and 1. A plane of ``w`` bits has
``B = ceil(size * w / 8)`` bytes; element ``e`` stands in byte ``e % B``, from bit ``w * (e // B)``
on. So neighbours lie in neighbouring bytes at one shift, and vectors of them are read with a shift
and a mask. The kernels read the same bytes (``kernels/skq_constants.inc``).
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from skq.numerics import bit_width, integer_dtype

Ints = NDArray[np.integer[Any]]
Order = Literal["C", "F"]

#: Arrays are packed where that saves so many bytes: descriptors of less cost more than they save.
LEAST_SAVED = 64
#: Bytes of a cache line, and of an array that is worth standing at the start of one.
LINE_BYTES = 64
_LARGE = 4096


def narrowed(array: NDArray[Any]) -> NDArray[Any]:
    """Integers in the smallest dtype that holds them; anything else as it is."""
    if array.dtype.kind in "iu" and array.size:
        dtype = np.dtype(integer_dtype(int(array.min()), int(array.max())))
        if dtype.itemsize < array.dtype.itemsize:
            return array.astype(dtype)
    return array


def compact(array: NDArray[Any], order: Order) -> NDArray[Any] | PackedIntegers:
    """How a program keeps an array: packed where that pays, else in the smallest dtype."""
    array = narrowed(array)
    if array.dtype.kind in "iu" and array.size:
        bits = bit_width(int(array.min()), int(array.max()))
        saved = array.nbytes - sum(bytes_of_planes(array.size, bits))
        if saved >= LEAST_SAVED and bits < 64:
            return PackedIntegers.of(array, order)
    return _aligned(array, order)


def _aligned(array: NDArray[Any], order: Order) -> NDArray[Any]:
    """A large array at a whole cache line, so that vectors of it do not straddle two."""
    array = np.asarray(array, order=order)
    if array.nbytes < _LARGE or array.ctypes.data % LINE_BYTES == 0:
        return array
    room = np.empty(array.nbytes + LINE_BYTES - 16, dtype=np.uint8)  # allocators align to 16
    start = min(-room.ctypes.data % LINE_BYTES, LINE_BYTES - 16)
    copy = room[start : start + array.nbytes].view(array.dtype).reshape(array.shape, order=order)
    copy[...] = array
    return copy


def planes(bits: int) -> Iterator[tuple[int, int]]:
    """Place and width, in bits, of each plane of codes of `bits` bits."""
    place = 0
    while place < bits:
        width = next(w for w in (8, 4, 2, 1) if w <= bits - place)
        yield place, width
        place += width


def bytes_of_planes(size: int, bits: int) -> list[int]:
    """Bytes of each plane of `size` codes."""
    return [-(-size * width // 8) for _, width in planes(bits)]


@dataclass(frozen=True, eq=False)
class PackedIntegers:
    """An array of integers of `bits` bits each.

    Parameters
    ----------
    data : ndarray of uint8
        The planes, one behind the other.
    shape : tuple of int
    bits : int
        In [1, 63].
    signed : bool
        Whether codes stand for themselves less ``2**(bits - 1)``.
    order : {"C", "F"}
        Order of the elements.
    """

    data: NDArray[np.uint8]
    shape: tuple[int, ...]
    bits: int
    signed: bool
    order: Order

    @classmethod
    def of(cls, array: Ints, order: Order = "C") -> PackedIntegers:
        """`array`, which is not empty, packed."""
        lo = int(array.min())
        bits = bit_width(lo, int(array.max()))
        codes = array.ravel(order).astype(np.int64)
        if lo < 0:
            codes += 1 << (bits - 1)
        parts = []
        for (place, width), n_bytes in zip(
            planes(bits), bytes_of_planes(len(codes), bits), strict=True
        ):
            fields = np.zeros((8 // width, n_bytes), dtype=np.uint8)
            fields.ravel()[: len(codes)] = (codes >> place) & ((1 << width) - 1)
            for field in range(1, len(fields)):
                fields[0] |= fields[field] << np.uint8(field * width)
            parts.append(fields[0])
        return cls(_aligned(np.concatenate(parts), "C"), array.shape, bits, lo < 0, order)

    @property
    def size(self) -> int:
        """Number of integers."""
        return math.prod(self.shape)

    @property
    def dtype(self) -> np.dtype[Any]:
        """The smallest dtype that holds the integers."""
        half = 1 << (self.bits - 1)
        lo, hi = (-half, half - 1) if self.signed else (0, 2 * half - 1)
        return np.dtype(integer_dtype(lo, hi))

    def unpacked(self) -> Ints:
        """The array, in `dtype`; read-only, as changes would be lost."""
        size, dtype = self.size, self.dtype
        codes = np.zeros(size, dtype=f"u{dtype.itemsize}")
        start = 0
        for (place, width), n_bytes in zip(
            planes(self.bits), bytes_of_planes(size, self.bits), strict=True
        ):
            plane = self.data[start : start + n_bytes]
            start += n_bytes
            shifts = np.arange(0, 8, width, dtype=np.uint8)[:, np.newaxis]
            fields = (plane >> shifts) & np.uint8((1 << width) - 1)
            codes |= fields.ravel()[:size].astype(codes.dtype) << codes.dtype.type(place)
        if self.signed:
            codes -= codes.dtype.type(1 << (self.bits - 1))  # wraps, as two's complement does
        array: Ints = codes.view(dtype).reshape(self.shape, order=self.order)
        array.flags.writeable = False
        return array
