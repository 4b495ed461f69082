"""Fixed-point forms of grids and rescalings are exact for every integer, or there is none."""

import numpy as np
import pytest

from skq.export.c99.fixed_point import SHIFTS, chosen_offsets, fixed_point_of, rounded, steps_of
from skq.export.c99.narrow import narrow
from skq.numerics import fixed_point, quantize, requantize
from skq.program import Requantize, TensorType

X = np.arange(-(2**15), 2**15)


def form_of(scale, zero_point, top, ties="even"):
    steps = steps_of(scale, zero_point, 0, top, X[0], X[-1], ties)
    for shift in SHIFTS:
        form = fixed_point_of(steps, scale, 0, top, X[0], X[-1], shift)
        if form is not None:
            return (*form, shift)
    return None


@pytest.mark.parametrize("n_bits", [1, 2, 4, 8])
def test_grids(n_bits):
    rng = np.random.default_rng(n_bits)
    top, found = 2**n_bits - 1, 0
    for _ in range(30):
        scale = rng.integers(1, 2000) / top * (1 + 2.0**-40)
        zero_point = int(rng.integers(0, top + 1))
        form = form_of(scale, zero_point, top)
        if form is None:
            continue
        m, least, greatest, shift = form
        codes = quantize(X, scale, zero_point, 0, top)
        for offset in (least, greatest):
            assert np.array_equal(np.clip((X * m + offset) >> shift, 0, top), codes)
        found += 1
    assert found >= 28


def test_ties_that_round_both_ways_have_a_form_in_parts():
    scale, zero_point, top = 2.0, 3, 15  # every odd x is half-way between two codes
    assert form_of(scale, zero_point, top) is None
    parts = {}
    for ties in ("down", "up"):
        m, least, _, shift = form_of(scale, zero_point, top, ties)
        parts[ties] = np.clip((X * m + least) >> shift, 0, top)
        assert np.array_equal(parts[ties], rounded(X, scale, zero_point, 0, top, ties))
    even = parts["down"] + (parts["up"] - parts["down"]) * (parts["down"] % 2)
    assert np.array_equal(even, quantize(X, scale, zero_point, 0, top))


def test_one_offset_for_all_where_there_is_one():
    assert chosen_offsets([(3, 9), (5, 12), (-2, 6)]) == [5, 5, 5]
    assert chosen_offsets([(3, 4), (-9, -5)]) == [3, -5]


def test_narrow_rescalings_give_the_same_codes():
    rng = np.random.default_rng(0)
    narrower = 0
    for _ in range(40):
        lo, hi = -int(rng.integers(1, 4000)), int(rng.integers(1, 4000))
        top = 2 ** int(rng.choice([1, 4, 8])) - 1
        ratio, offset = rng.uniform(0, top / 2000, 3), rng.uniform(-3, top, 3)
        m, o, shift = fixed_point(ratio, offset, lo, hi)
        step, operand = Requantize((0,), m, o, shift, 0, top), TensorType((3,), lo, hi)
        found = narrow(step, operand, step.infer(operand))
        x = np.repeat(np.arange(lo, hi + 1)[:, None], 3, axis=1)
        wanted = requantize(x, m, o, shift, 0, top)
        assert np.array_equal(
            requantize(x, found.multiplier, found.offset, found.shift, found.lo, found.hi), wanted
        )
        narrower += found.shift < shift
    assert narrower > 30
