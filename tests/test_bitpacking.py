"""Planes of bits: which there are, where every bit stands, and every width there and back."""

import numpy as np
import pytest

from skq.bitpacking import bytes_of_planes, dtype_of_bits, from_planes, planes, to_planes


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
