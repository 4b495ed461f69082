"""Integers in the bits that they need: how a program keeps its constants."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from skq.bitpacking import Ints, bytes_of_planes, dtype_of_bits, from_planes, to_planes
from skq.numerics import bit_width, integer_dtype

Order = Literal["C", "F"]

#: An array is packed where that saves so many bytes, or such a part of all arrays of its program:
#: reading a packed one takes longer.
LEAST_SAVED, LEAST_PART = 64, 1 / 64
#: Bytes of a cache line.
LINE_BYTES = 64
#: Bytes of an array that is worth standing alone, at the start of a line. Others share a buffer.
LEAST_ALONE = 4096


def narrowed(array: NDArray[Any]) -> NDArray[Any]:
    """Integers in the smallest dtype that holds them; anything else as it is."""
    if array.dtype.kind in "iu" and array.size:
        dtype = np.dtype(integer_dtype(int(array.min()), int(array.max())))
        if dtype.itemsize < array.dtype.itemsize:
            return array.astype(dtype)
    return array


def compact(
    arrays: Sequence[NDArray[Any] | PackedIntegers], orders: Sequence[Order]
) -> list[NDArray[Any] | PackedIntegers]:
    """How a program keeps its arrays: packed where that pays, else in the smallest dtype.

    Small ones are parts of one buffer; arrays that have been kept like that stay where they are.
    """
    kept = [a if isinstance(a, PackedIntegers) else narrowed(a) for a in arrays]
    least = min(LEAST_SAVED, math.ceil(LEAST_PART * sum(a.size * a.dtype.itemsize for a in kept)))
    kept = [
        _packed_where_it_saves(array, order, least)
        for array, order in zip(kept, orders, strict=True)
    ]
    data = together([a.data if isinstance(a, PackedIntegers) else a for a in kept])
    return [
        array.at(place) if isinstance(array, PackedIntegers) else place
        for array, place in zip(kept, data, strict=True)
    ]


def _packed_where_it_saves(
    array: NDArray[Any] | PackedIntegers, order: Order, least: int
) -> NDArray[Any] | PackedIntegers:
    if isinstance(array, PackedIntegers):
        return array
    if array.dtype.kind in "iu" and array.size:
        bits = bit_width(int(array.min()), int(array.max()))
        saved = array.nbytes - sum(bytes_of_planes(array.size, bits))
        if saved >= least and bits < 64:
            return PackedIntegers.of(array, order)
    return _aligned(array, order)


def _aligned(array: NDArray[Any], order: Order) -> NDArray[Any]:
    """A large array at a whole cache line, so that vectors of it do not straddle two."""
    array = np.asarray(array, order=order)
    if array.nbytes < LEAST_ALONE or array.ctypes.data % LINE_BYTES == 0:
        return array
    room = np.empty(array.nbytes + LINE_BYTES - 16, dtype=np.uint8)  # allocators align to 16
    start = min(-room.ctypes.data % LINE_BYTES, LINE_BYTES - 16)
    copy = room[start : start + array.nbytes].view(array.dtype).reshape(array.shape, order=order)
    copy[...] = array
    return copy


def owner_of(array: NDArray[Any]) -> NDArray[Any]:
    """The array whose memory another one is a part of."""
    while isinstance(array.base, np.ndarray):
        array = array.base
    return array


def together(arrays: Sequence[NDArray[Any]]) -> list[NDArray[Any]]:
    """Arrays in one buffer, but for those that stand alone; the same ones where they are already.

    A small model has many small arrays: an allocation for each takes more than they do, and so do
    addresses that are far from each other (`skq.kernels.descriptors`).
    """
    small = [i for i, array in enumerate(arrays) if array.nbytes < LEAST_ALONE]
    small.sort(key=lambda i: (-arrays[i].dtype.alignment, -arrays[i].itemsize))
    starts, end = [], 0
    for i in small:
        start = -(-end // arrays[i].dtype.alignment) * arrays[i].dtype.alignment
        end = start + arrays[i].nbytes
        starts.append(start)
    owners = {id(owner): owner for owner in (owner_of(arrays[i]) for i in small)}
    if len(owners) == 1 and next(iter(owners.values())).nbytes == end:
        return list(arrays)
    placed = list(arrays)
    room = np.empty(end, dtype=np.uint8)
    for i, start in zip(small, starts, strict=True):
        array = arrays[i]
        order: Order = "C" if array.flags.c_contiguous else "F"
        flat = room[start : start + array.nbytes].view(array.dtype)
        placed[i] = flat.reshape(array.shape, order=order)
        placed[i][...] = array
    return placed


@dataclass(frozen=True, eq=False, slots=True)
class PackedIntegers:
    """An array of integers of `bits` bits each.

    Parameters
    ----------
    room : ndarray of uint8
        A buffer with the planes (`skq.bitpacking`).
    start : int
        Where they begin.
    shape : tuple of int
    bits : int
        In [1, 63].
    signed : bool
        Whether codes stand for themselves less ``2**(bits - 1)``.
    order : {"C", "F"}
        Order of the elements.
    """

    room: NDArray[np.uint8]
    start: int
    shape: tuple[int, ...]
    bits: int
    signed: bool
    order: Order

    @classmethod
    def of(cls, array: Ints, order: Order = "C") -> PackedIntegers:
        """`array`, which is not empty, packed."""
        lo = int(array.min())
        bits = bit_width(lo, int(array.max()))
        data = _aligned(to_planes(array.ravel(order), bits, lo < 0), "C")
        return cls(data, 0, array.shape, bits, lo < 0, order)

    def at(self, data: NDArray[np.uint8]) -> PackedIntegers:
        """The same integers, their planes at another place."""
        room = owner_of(data)
        start = data.ctypes.data - room.ctypes.data
        if room is self.room and start == self.start:
            return self
        return replace(self, room=room, start=start)

    @property
    def data(self) -> NDArray[np.uint8]:
        """The planes."""
        end = self.start + sum(bytes_of_planes(self.size, self.bits))
        return self.room[self.start : end]

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
