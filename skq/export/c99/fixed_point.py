"""A uniform grid on integers without floats: ``clip((x * m + o) >> s)``, proven for every integer.

The codes ``clip(rint(x / scale + zero_point), lo, hi)`` of the integers x of a type rise with x, so
they are defined by the least x of each code. A fixed-point formula rises as well: the two are equal
for every x if they are equal at these x and at the integers before them. For a given multiplier
each of these conditions bounds the offset.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from skq.numerics import quantize

Ints = NDArray[np.int64]

#: Shifts that are tried; with more the multiplier of a scale of 1 exceeds 31 bits.
SHIFTS = range(31)

#: With more pairs of bounds only the multipliers next to the ideal one are tried.
MAX_PAIRS = 1 << 20


def rounded(x: Any, scale: float, zero_point: float, lo: int, hi: int, ties: str = "even") -> Ints:
    """Codes as `skq.numerics.quantize` gives them, or with all ties rounded up or down.

    Codes with ties to even are those with ties down, plus 1 where these are odd and those with ties
    up differ.
    """
    if ties == "even":
        return quantize(x, scale, zero_point, lo, hi)
    reals = np.asarray(x, np.float64) / scale + zero_point
    below = np.floor(reals)
    rest = reals - below
    codes = below + (rest >= 0.5 if ties == "up" else rest > 0.5)
    return np.clip(codes, lo, hi).astype(np.int64)


def steps_of(
    scale: float, zero_point: float, lo: int, hi: int, first: int, last: int, ties: str = "even"
) -> Ints:
    """Least integer of each code that integers in [first, last] reach, lowest code first.

    Returns
    -------
    ndarray of int64, shape (n_codes, 2)
        Code and least integer.
    """

    def code(x: Any) -> Ints:
        return rounded(x, scale, zero_point, lo, hi, ties)

    low, high = int(code(first)), int(code(last))
    codes = np.arange(low + 1, high + 1)
    left, right = np.full(len(codes), first), np.full(len(codes), last)
    while np.any(left + 1 < right):  # code(left) < wanted <= code(right)
        middle = left + (right - left) // 2
        reached = code(middle) >= codes
        left, right = np.where(reached, left, middle), np.where(reached, middle, right)
    least = np.concatenate([[first], right]).astype(np.int64)
    steps = np.stack([code(least), least], axis=1)
    return steps[np.append(True, np.diff(least) > 0)] if len(steps) > 1 else steps


def fixed_point_of(
    steps: Ints, scale: float, lo: int, hi: int, first: int, last: int, shift: int
) -> tuple[int, int, int] | None:
    """Multiplier and range of offsets whose ``clip((x * m + o) >> shift, lo, hi)`` is exact.

    Parameters
    ----------
    steps : ndarray of int64, shape (n_codes, 2)
        As `steps_of` returns them.
    scale : float
    lo, hi : int
        Range of the codes.
    first, last : int
        Least and greatest x.
    shift : int

    Returns
    -------
    (m, least o, greatest o) or None
        None if there is no exact multiplier and offset.
    """
    if len(steps) == 1:
        code = int(steps[0, 0])
        return 0, code << shift, ((code + 1) << shift) - 1
    # at the least x of code c: x * m + o >= c << shift; at x - 1: below the code after that one's
    codes, least = steps[:, 0], steps[:, 1]
    at_least = np.stack([codes[1:] << shift, least[1:]])
    below = np.stack([((codes[:-1] + 1) << shift) - 1, least[1:] - 1])
    if codes[0] > lo:  # not clipped there: the formula must not be below either
        at_least = np.append(at_least, [[codes[0] << shift], [first]], axis=1)
    if codes[-1] < hi:
        below = np.append(below, [[((codes[-1] + 1) << shift) - 1], [last]], axis=1)
    # between two steps the formula is constant, because it rises
    for multiplier in _multipliers(at_least, below, 2.0**shift / scale):
        need = int((at_least[0] - at_least[1] * multiplier).max())
        room = int((below[0] - below[1] * multiplier).min())
        if need <= room:
            return multiplier, need, room
    return None


def chosen_offsets(ends: list[tuple[int, int]]) -> list[int]:
    """An offset of each interval: the same for all if possible, else those closest to 0.

    Examples
    --------
    >>> chosen_offsets([(3, 9), (5, 12)]), chosen_offsets([(3, 4), (-9, -5), (-1, 1)])
    ([5, 5], [3, -5, 0])
    """
    need, room = max(a for a, _ in ends), min(b for _, b in ends)
    if need <= room:
        common = min(max(need, 0), room)
        return [common] * len(ends)
    return [min(max(a, 0), b) for a, b in ends]


def _multipliers(at_least: Ints, below: Ints, ideal: float) -> list[int]:
    """Multipliers for which there may be an offset, the likeliest first.

    Each pair of a lower bound ``v - x * m`` and an upper bound ``w - y * m`` of the offset is a
    bound of the multiplier, ``m * (y - x) <= w - v``; see `MAX_PAIRS`.
    """
    nearest = round(ideal)
    if at_least.shape[1] * below.shape[1] > MAX_PAIRS:
        return [m for m in (nearest, nearest - 1, nearest + 1) if m >= 0]
    gap = below[1][:, None] - at_least[1]
    room = below[0][:, None] - at_least[0]
    if np.any((gap == 0) & (room < 0)):
        return []
    positive, negative = gap > 0, gap < 0
    greatest = int((room[positive] // gap[positive]).min()) if positive.any() else nearest
    least = int((-(room[negative] // -gap[negative])).max()) if negative.any() else nearest
    least = max(least, 0)
    return [min(max(nearest, least), greatest)] if least <= greatest else []
