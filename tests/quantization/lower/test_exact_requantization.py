"""Exact requantization: every accumulator of an interval gets the code of exact arithmetic."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest

from skq.quantization.lower.exact_requantize import exact_step, half_down, half_even, half_up

RULES = {"even": half_even, "up": half_up, "down": half_down}


def exact_code(acc: int, ratio: float, addend: float, rule: str) -> int:
    value = acc * Fraction(ratio) + Fraction(addend)
    below = value.__floor__()
    part = value - below
    if part != Fraction(1, 2):
        return below + (part > Fraction(1, 2))
    return {"even": below + below % 2, "up": below + 1, "down": below}[rule]


@pytest.mark.parametrize("rule", RULES)
@pytest.mark.parametrize("seed", range(12))
def test_codes_are_those_of_fractions(rule: str, seed: int) -> None:
    rng = np.random.default_rng(seed)
    if seed % 2:  # ties everywhere
        ratio = 2.0 ** -rng.integers(0, 6, 3)
        addend = rng.integers(-20, 20, 3) * 2.0 ** -rng.integers(0, 6, 3)
    else:
        ratio = rng.uniform(1e-3, 0.9, 3).astype(np.float32).astype(float)
        addend = 5 * rng.normal(size=3)
    first, last = -int(rng.integers(1, 500)), int(rng.integers(1, 500))
    lo, hi = -int(rng.integers(0, 130)), int(rng.integers(1, 130))
    step = exact_step(ratio, addend, (first, last), lo, hi, RULES[rule])
    if step is None:  # no single step breaks ties to even; either other way has one
        assert rule == "even"
        assert seed % 2
        return
    multiplier, offset, shift = step
    for acc in range(first, last + 1):
        codes = np.clip((acc * multiplier + offset) >> shift, lo, hi)
        expected = [exact_code(acc, r, a, rule) for r, a in zip(ratio, addend, strict=True)]
        np.testing.assert_array_equal(codes, np.clip(expected, lo, hi))


def test_no_step_where_a_factor_is_not_positive() -> None:
    assert exact_step(np.array(-1.0), np.array(0.0), (0, 9), 0, 3, half_up) is None
