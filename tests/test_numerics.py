"""The law of rounding: worked numbers, ties, saturation, and the fixed-point error bound."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from skq import numerics

INT = st.integers(-(2**31), 2**31)


def test_quantize_rounds_half_to_even_after_adding_the_zero_point():
    x = np.array([0.5, 1.5, 2.5, -0.5])
    assert numerics.quantize(x, 1.0, 0.0, -8, 7).tolist() == [0, 2, 2, 0]
    # with an odd zero point ties fall the other way: rint(x / s + zp) is not rint(x / s) + zp
    assert numerics.quantize(x, 1.0, 1.0, -8, 7).tolist() == [2, 2, 4, 0]


def test_quantize_saturates_and_takes_infinities_and_nan():
    x = np.array([-np.inf, -1e300, 1e300, np.inf, np.nan])
    assert numerics.quantize(x, 1e-300, 3.0, 0, 15).tolist() == [0, 0, 15, 15, 0]


@given(st.lists(st.floats(-1e6, 1e6), min_size=1, max_size=20), st.integers(1, 16))
def test_round_trip_error_is_half_a_step_within_the_range(values, n_bits):
    x = np.array(values)
    scale = max((x.max() - x.min()) / (2**n_bits - 1), 1e-3)
    zero_point = np.rint(-x.min() / scale)
    codes = numerics.quantize(x, scale, zero_point, 0, 2**n_bits - 1)
    back = numerics.dequantize(codes, scale, zero_point)
    assert np.abs(back - x).max() <= scale * (1 + 1e-6)


@pytest.mark.parametrize(
    ("q", "expected"), [(-5, -1), (-3, -1), (-2, 0), (-1, 0), (1, 0), (2, 1), (3, 1), (6, 2)]
)
def test_requantize_rounds_half_up(q, expected):
    # q / 4, rounded half up
    assert int(numerics.requantize(q, 1, 2, 2, -10, 10)) == expected


@given(INT, st.floats(1e-9, 1e3), st.floats(-1e6, 1e6))
def test_fixed_point_is_within_a_unit_of_the_real_product(q, ratio, offset):
    lo, hi = -(2**31), 2**31
    multiplier, shifted, shift = numerics.fixed_point(ratio, offset, lo, hi)
    got = int(numerics.requantize(q, multiplier, shifted, shift, -(2**62), 2**62))
    exact = q * ratio + offset
    assert abs(got - exact) <= 0.5 + abs(q) * ratio * 2.0**-29 + 2.0**-20 * abs(exact)


def test_fixed_point_refuses_what_does_not_fit():
    with pytest.raises(OverflowError, match="63 bits"):
        numerics.fixed_point(2.0**40, 0.0, -(2**40), 2**40)


@given(st.integers(-(2**62), 2**62), st.integers(0, 2**62))
def test_bit_width_and_dtype_hold_the_interval(lo, extent):
    hi = min(lo + extent, 2**63 - 1)
    bits = numerics.bit_width(lo, hi)
    assert (0 if lo >= 0 else -(2 ** (bits - 1))) <= lo
    assert hi <= (2**bits if lo >= 0 else 2 ** (bits - 1)) - 1
    info = np.iinfo(numerics.integer_dtype(lo, hi))
    assert info.min <= lo
    assert hi <= info.max


@given(
    st.lists(st.floats(allow_nan=True, width=32), min_size=1, max_size=30),
    st.lists(st.floats(allow_nan=False, width=32), max_size=10),
)
def test_bin_codes_count_the_edges_below(values, edges):
    x, sorted_edges = np.array(values), np.sort(np.array(edges, dtype=np.float64))
    codes = numerics.bin_codes(x, sorted_edges, base=1, nan_code=0)
    for value, code in zip(x, codes, strict=True):
        expected = 0 if np.isnan(value) else 1 + sum(edge < value for edge in sorted_edges)
        assert code == expected
