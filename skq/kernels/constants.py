"""The constants of a plan: one block of bytes, in which steps name arrays by their offset."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from skq.bitpacking import PackedIntegers, bytes_of_planes, narrowed, pack
from skq.kernels.layout import LINE_BYTES
from skq.numerics import bit_width

Array = NDArray[Any]

#: An array of integers is packed where that saves so many bytes: reading a packed one takes longer.
LEAST_SAVED = 64
#: Every array begins at a word of so many bytes, whatever struct the kernels read it as.
WORD_BYTES = 8
#: Bytes of an array that begins at a cache line, so that vectors of it do not straddle two.
LEAST_ALIGNED = 4096
#: Bytes between arrays, for tests that look for reads beyond one.
GAP_BYTES = 0


def packed_where_it_saves(array: Array) -> Array | PackedIntegers:
    """Integers packed where that saves `LEAST_SAVED` bytes, else in the smallest dtype."""
    array = narrowed(array)
    if array.dtype.kind in "iu" and array.size:
        bits = bit_width(int(array.min()), int(array.max()))
        if bits < 64 and array.nbytes - sum(bytes_of_planes(array.size, bits)) >= LEAST_SAVED:
            return pack(array)
    return array


class ConstantBlock:
    """Collects arrays, and lays them out one behind the other."""

    def __init__(self) -> None:
        self._arrays: list[Array] = []
        self._offsets: list[int] = []
        self._end = 1  # offset 0 names no array

    def add(self, array: Array) -> int:
        """Append an array, in C order and native byte order; where it begins, in bytes."""
        if not array.dtype.isnative:
            array = array.astype(array.dtype.newbyteorder("="))
        array = np.asarray(array, order="C")
        alignment = LINE_BYTES if array.nbytes >= LEAST_ALIGNED else WORD_BYTES
        offset = -(-(self._end + GAP_BYTES) // alignment) * alignment
        self._arrays.append(array)
        self._offsets.append(offset)
        self._end = offset + array.nbytes
        return offset

    @property
    def extents(self) -> list[tuple[int, int]]:
        """First byte of each array, and how many it has."""
        sizes = (array.nbytes for array in self._arrays)
        return list(zip(self._offsets, sizes, strict=True))

    def build(self) -> NDArray[np.uint8]:
        """The block, read-only, at the start of a cache line."""
        room = np.zeros(self._end + LINE_BYTES, dtype=np.uint8)
        start = -room.ctypes.data % LINE_BYTES
        block = room[start : start + self._end]
        for offset, array in zip(self._offsets, self._arrays, strict=True):
            block[offset : offset + array.nbytes] = array.ravel().view(np.uint8)
        block.flags.writeable = False
        return block
