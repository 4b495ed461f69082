"""The constants of a plan: one block of bytes that holds all arrays, named by their offsets."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from skq.bitpacking import PackedIntegers, bytes_of_planes, narrowed, pack
from skq.kernels.layout import LINE_BYTES
from skq.numerics import bit_width

Array = NDArray[Any]

#: An array of integers is packed where that saves at least this many bytes: unpacking takes time.
LEAST_SAVED = 64
#: Alignment of every array, in bytes: enough for each struct that the kernels read.
WORD_BYTES = 8
#: Arrays of at least this many bytes begin at a cache line, so that vector loads do not cross two.
LEAST_ALIGNED = 4096
#: Bytes left free between arrays; tests set it to detect reads past the end of an array.
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
    """Collects arrays, and copies them into one block, one after the other."""

    def __init__(self) -> None:
        self._arrays: list[Array] = []
        self._offsets: list[int] = []
        self._end = 1  # offset 0 names no array

    def add(self, array: Array) -> int:
        """Append an array, in C order and native byte order; returns its offset in bytes."""
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
        """Offset of each array, and its number of bytes."""
        sizes = (array.nbytes for array in self._arrays)
        return list(zip(self._offsets, sizes, strict=True))

    def build(self) -> NDArray[np.uint8]:
        """The block, read-only, aligned to a cache line."""
        memory = np.zeros(self._end + LINE_BYTES, dtype=np.uint8)
        start = -memory.ctypes.data % LINE_BYTES
        block = memory[start : start + self._end]
        for offset, array in zip(self._offsets, self._arrays, strict=True):
            block[offset : offset + array.nbytes] = array.ravel().view(np.uint8)
        block.flags.writeable = False
        return block
