"""Planes of bits: which there are, where every bit stands, and every width there and back."""

import numpy as np
import pytest

from skq.bitpacking import (
    bytes_of_planes,
    dtype_of_bits,
    from_planes,
    narrowed,
    pack,
    packed_bytes,
    planes,
    to_planes,
    unpack,
)


def test_planes_are_the_powers_of_two_of_the_width():
    assert list(planes(13)) == [(0, 8), (8, 4), (12, 1)]
    assert list(planes(7)) == [(0, 4), (4, 2), (6, 1)]
    assert bytes_of_planes(10, 13) == [10, 5, 2]


def test_the_bytes_are_as_documented():
    """Element e of a plane of w bits and B bytes is in byte e % B, from bit w * (e // B) on."""
    array = np.array([5, 0, 31, 18, 9])  # 5 bits: planes of 4 and 1
    data = to_planes(array, 5, signed=False)
    for e, value in enumerate(array):
        low = (data[e % 3] >> (4 * (e // 3))) & 15
        high = (data[3 + e % 1] >> (e // 1)) & 1
        assert low + 16 * high == value
    assert len(data) == 4


def test_negative_codes_count_from_half_their_range():
    data = to_planes(np.array([-4, 3, 0]), 3, signed=True)
    np.testing.assert_array_equal(data, to_planes(np.array([0, 7, 4]), 3, signed=False))


@pytest.mark.parametrize("bits", range(1, 64))
@pytest.mark.parametrize("signed", [False, True])
def test_the_extremes_of_every_width_come_back(bits, signed):
    half = 2 ** (bits - 1)
    lo, hi = (-half, half - 1) if signed else (0, 2 * half - 1)
    array = np.array([hi, lo, lo, hi, hi, lo, hi, hi, lo])
    data = to_planes(array, bits, signed)
    assert len(data) == sum(bytes_of_planes(len(array), bits))
    back = from_planes(data, len(array), bits, signed)
    assert back.dtype == dtype_of_bits(bits, signed)
    np.testing.assert_array_equal(back, array)


def integers(bits, signed, shape, seed=0):
    """Integers that need exactly `bits`, and the extremes among them."""
    lo, hi = (-(2 ** (bits - 1)), 2 ** (bits - 1) - 1) if signed else (0, 2**bits - 1)
    array = np.random.default_rng(seed).integers(lo, hi, size=shape, endpoint=True)
    array.flat[0], array.flat[-1] = lo, hi
    return array


@pytest.mark.parametrize("bits", range(1, 64))
@pytest.mark.parametrize("signed", [False, True])
def test_arrays_of_every_width_are_packed_and_unpacked(bits, signed):
    for size in (2, 3, 7, 8, 9, 63, 64, 65, 1000):
        array = integers(bits, signed, size, seed=size)
        packed = pack(array)
        assert (packed.bits, packed.signed, packed.size) == (bits, signed, size)
        assert len(packed.data) == sum(bytes_of_planes(size, bits)) <= size * bits / 8 + 10
        assert packed_bytes(array) == size * bits // 8 + 1
        back = unpack(packed)
        assert back.dtype == narrowed(array).dtype
        np.testing.assert_array_equal(back, array)


def test_shapes_are_kept_whatever_the_memory_order():
    for shape in ((5, 7), (1, 9), (3, 4, 2), (11,)):
        array = integers(3, True, shape)
        for given in (array, np.asfortranarray(array)):
            np.testing.assert_array_equal(unpack(pack(given)), array)
    np.testing.assert_array_equal(unpack(pack(np.array(-3))), -3)


def test_what_is_no_integer_is_not_narrowed():
    for array in (np.array([0.5]), np.array([], np.int64), np.array(["a"])):
        assert narrowed(array) is array
        assert packed_bytes(array) == array.nbytes
