"""Integers in the bits that they need: how a program keeps its constants."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from skq.bitplanes import Ints, bytes_of_planes, dtype_of_bits, from_planes, to_planes
from skq.numerics import bit_width, integer_dtype

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


@dataclass(frozen=True, eq=False)
class PackedIntegers:
    """An array of integers of `bits` bits each.

    Parameters
    ----------
    data : ndarray of uint8
        Its planes (`skq.bitplanes`).
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
        data = to_planes(array.ravel(order), bits, lo < 0)
        return cls(_aligned(data, "C"), array.shape, bits, lo < 0, order)

    @property
    def size(self) -> int:
        """Number of integers."""
        return math.prod(self.shape)

    @property
    def dtype(self) -> np.dtype[Any]:
        """The smallest dtype that holds the integers."""
        return dtype_of_bits(self.bits, self.signed)

    def unpacked(self) -> Ints:
        """The array, in `dtype`; read-only, as changes would be lost."""
        flat = from_planes(self.data, self.size, self.bits, self.signed)
        array: Ints = flat.reshape(self.shape, order=self.order)
        array.flags.writeable = False
        return array
