"""Exact requantization to a given grid, with ties to even.

A code is ``q = clip(rint(v) + zero_point, lo, hi)`` of ``v = acc * ratio + addend``, where `acc` is
an integer in a proven interval. ``rint`` rounds ties to even, and ties are common: scales are often
powers of two. One fixed-point step ``(acc * m + o) >> s`` gives exactly these codes for every `acc`
of the interval if it has the same thresholds (the least `acc` of each code). For a given `m` the
valid `o` form an interval for each channel. If it is empty, the codes are written as the maximum of
two such steps: "ties down", and "ties up, rounded down to an even code".
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from skq.numerics import MULTIPLIER_BITS

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]
Rule = Callable[[Floats], Floats]

#: Distance from a tie, relative to 1 plus the value, up to which a value counts as a tie. Exact
#: values are quotients of float32 numbers, and float64 arithmetic is this close to them.
TIE = 2.0**-44
#: Greatest number of thresholds over all channels that a step is verified for.
MAX_THRESHOLDS = 2**22


def half_down(v: Floats) -> Floats:
    """Nearest whole number, ties down."""
    return np.ceil(v - 0.5 - TIE * (1 + np.abs(v)))


def half_up(v: Floats) -> Floats:
    """Nearest whole number, ties up."""
    return np.floor(v + 0.5 + TIE * (1 + np.abs(v)))


def half_even(v: Floats) -> Floats:
    """Nearest whole number, ties to even.

    Examples
    --------
    >>> half_even(np.array([0.5, 1.5, 2.4, -0.5]))
    array([0., 2., 2., 0.])
    """
    up = half_up(v)
    return np.maximum(half_down(v), 2 * np.floor(up / 2))


def exact_step(
    ratio: Floats, addend: Floats, interval: tuple[int, int], lo: int, hi: int, rule: Rule
) -> tuple[Ints, Ints, int] | None:
    """Multiplier, offset and shift whose codes are exactly those of a rounding rule.

    Parameters
    ----------
    ratio, addend : ndarray of shape () or (n_channels,)
        Positive factors, and addends.
    interval : (int, int)
        Least and greatest accumulator.
    lo, hi : int
        Least and greatest code, zero point left out.
    rule : callable
        `half_even`, `half_up` or `half_down`.

    Returns
    -------
    (multiplier, offset, shift), or None
        For ``clip((acc * multiplier + offset) >> shift, lo, hi)``; None if no such step
        gives all codes, or if that cannot be verified.

    Examples
    --------
    >>> m, o, s = exact_step(np.array(0.25), np.array(0.0), (-9, 9), -2, 2, half_down)
    >>> (np.arange(-9, 10) * m + o >> s).clip(-2, 2).tolist()
    [-2, -2, -2, -2, -1, -1, -1, -1, 0, 0, 0, 0, 1, 1, 1, 1, 2, 2, 2]
    """
    ratio, addend = np.broadcast_arrays(np.atleast_1d(ratio), np.atleast_1d(addend))
    if not np.all((ratio > 0) & np.isfinite(ratio) & np.isfinite(addend)):
        return None
    first, last = interval
    if ratio.size * (hi - lo) > MAX_THRESHOLDS:
        return None
    codes = np.arange(lo + 1, hi + 1)  # a code starts at its threshold
    thresholds = _thresholds(ratio[:, None], addend[:, None], codes[None], interval, rule)
    largest = float(ratio.max()) * max(-first, last, 1)
    reach = largest + float(np.abs(addend).max()) + max(-lo, hi, 1) + 2
    most = 61 - int(np.ceil(np.log2(reach)))
    usual = MULTIPLIER_BITS - 1 - int(np.ceil(np.log2(float(ratio.max()))))
    for shift in sorted({min(most, usual), most}):
        if 0 <= shift <= 62:
            result = _offsets(ratio, codes, thresholds, interval, shift)
            if result is not None:
                return result[0], result[1], shift
    return None


def _thresholds(
    ratio: Floats, addend: Floats, codes: Ints, interval: tuple[int, int], rule: Rule
) -> Ints:
    """Least accumulator of each code or a greater one, in [first, last + 1]."""
    first, last = interval
    guess = np.floor((codes - 0.5 - addend) / ratio)
    guess = np.clip(guess, first - 2, last + 2).astype(np.int64)
    result = np.full(guess.shape, last + 1, dtype=np.int64)
    for step in (2, 1, 0, -1, -2):
        tried = guess + step
        result = np.where(rule(tried * ratio + addend) >= codes, np.minimum(result, tried), result)
    result = np.where(guess >= last + 2, last + 1, result)
    return np.clip(result, first, last + 1)


def _offsets(
    ratio: Floats, codes: Ints, thresholds: Ints, interval: tuple[int, int], shift: int
) -> tuple[Ints, Ints] | None:
    """Multiplier and offset of each channel, or None where a channel has none."""
    first, last = interval
    multiplier = np.rint(np.ldexp(ratio, shift)).astype(np.int64)
    if np.any(multiplier <= 0):
        return None
    limit = np.int64(2**62)
    starts = codes * np.int64(2**shift)  # a code is reached where acc * m + o is at least this
    # at its threshold a code is reached, one below it is not; ends of the interval bind one side
    below, above = thresholds > first, thresholds <= last
    reached = starts - thresholds * multiplier[:, None]
    unreached = starts - (thresholds - 1) * multiplier[:, None] - 1
    least = np.where(above, reached, -limit).max(axis=1, initial=-limit)
    most = np.where(below, unreached, limit).min(axis=1, initial=limit)
    if np.any(least > most):
        return None
    middle = np.where(
        least == -limit, most, np.where(most == limit, least, least + (most - least) // 2)
    )
    middle = np.where((least == -limit) & (most == limit), 0, middle)
    return multiplier, middle
