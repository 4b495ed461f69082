"""Candidate grids of a feature: min-max, clipped at percentiles, and wider than the range.

A grid is a scale and an integer zero point: ``q = clip(rint(x / scale + zero_point), 0, top)``.
Clipped grids suit distributions with heavy tails. Wider grids do not use all codes: the feature
then contributes less for a given integer weight. Integer weights of few bits cannot do that.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from skq.numerics import quantize
from skq.quantization.search.settings import RANGES

Floats = NDArray[np.float64]


#: Steps over integers are wider by this factor, so that no integer is a tie between two codes:
#: floats may round ties either way, which integer arithmetic cannot reproduce.
BETWEEN_TIES = 1 + 2.0**-40


@dataclass(frozen=True, eq=False)
class Candidates:
    """Grids of one feature and their codes of the calibration rows; the first grid is min-max.

    Parameters
    ----------
    scale, zero_point : ndarray of shape (n_grids,)
    codes : ndarray of shape (n_grids, n_rows), uint8 or uint16
    """

    scale: Floats
    zero_point: Floats
    codes: NDArray[np.unsignedinteger]


def candidates(
    values: Floats,
    row_weight: Floats,
    lo: float,
    hi: float,
    n_bits: int,
    *,
    few: bool = False,
    clips: bool = True,
    starts_at_zero: bool = False,
    whole: bool = False,
    holds_zero: bool = False,
    avoids_ties: bool = True,
    are_digits: bool = False,
) -> Candidates:
    """Grids to choose from.

    Parameters
    ----------
    values : ndarray of shape (n_rows,)
    row_weight : ndarray of shape (n_rows,)
        They sum to 1.
    lo, hi : float
        Range of all calibration data, ``lo < hi``.
    n_bits : int
    few : bool, default=False
        Whether there are few candidates, for wide layers.
    clips : bool, default=True
        Whether grids may clip the ends of the range.
    starts_at_zero : bool, default=False
        Whether code 0 must stand for real 0 and everything below, as after a ReLU.
    whole : bool, default=False
        Only the grid of scale 1, for integers that it holds.
    holds_zero : bool, default=False
        Whether real 0, which lies in the range, must have a code.
    avoids_ties : bool, default=True
        Whether steps over integers are wider by `BETWEEN_TIES`.
    are_digits : bool, default=False
        Whether the integer weights are narrower than the codes, which are split into digits. There
        are then more grids that do not use all codes: steps fit the real weights instead.
    """
    top = 2**n_bits - 1
    if whole:
        zero_point = whole_zero_point(np.array([lo]), np.array([hi]), top)
        codes = quantize(values[None], 1.0, zero_point[:, None], 0, top)
        return Candidates(
            np.ones(1), zero_point, codes.astype(np.uint8 if n_bits <= 8 else np.uint16)
        )
    tails = RANGES.few_grid_tails if few else RANGES.grid_tails.get(n_bits, RANGES.few_grid_tails)
    tails = tails if clips else (0.0,)
    spans = (top,) if few else RANGES.grid_spans.get(n_bits, (top,))
    if are_digits:
        tails = RANGES.digit_tails if clips else (0.0,)
        shares = RANGES.few_digit_spans if few else RANGES.digit_spans
        spans = tuple(np.unique(np.maximum(np.rint(np.array(shares) * top), 1)).tolist())
    order = np.argsort(values, kind="stable")
    total = np.cumsum(row_weight[order])
    low_ends, high_ends = (
        values[order][np.minimum(np.searchsorted(total, shares - 1e-9), len(values) - 1)]
        for shares in (np.array(tails[1:]), 1 - np.array(tails[1:]))
    )
    low_ends, high_ends = np.append(lo, low_ends), np.append(hi, high_ends)
    a, b, span = (m.ravel() for m in np.meshgrid(low_ends, high_ends, spans, indexing="ij"))
    a, b, span = (m[b > a] for m in (a, b, span))
    scale = b / span - a / span
    zero_point = np.rint(-a / scale)
    if (
        n_bits <= 4
    ):  # the ends of the range at the first and last code, and half a step outside of them
        cell = b / (span + 1) - a / (span + 1)
        scale = np.append(scale, cell)
        zero_point = np.append(zero_point, np.rint(-a / cell - 0.5))
    first = hi / top - lo / top
    scale, zero_point = np.append(first, scale), np.append(np.rint(-lo / first), zero_point)
    if avoids_ties and np.array_equal(np.rint(values), values) and np.all(np.abs(values) < 2.0**31):
        scale = scale * BETWEEN_TIES
    sound = np.isfinite(scale) & (np.abs(zero_point) < 2.0**53) & (scale > 0)
    if starts_at_zero:
        sound &= zero_point <= 0
    if holds_zero:
        sound &= (zero_point >= 0) & (zero_point <= top)
    sound[0] = True
    scale, zero_point = scale[sound], zero_point[sound]
    codes = quantize(values[None], scale[:, None], zero_point[:, None], 0, top)
    index = _distinct(codes)
    dtype = np.uint8 if n_bits <= 8 else np.uint16
    return Candidates(scale[index], zero_point[index], codes[index].astype(dtype))


def whole_columns(values: Floats, lo: Floats, hi: Floats, n_bits: int) -> NDArray[np.bool_]:
    """Columns of integers whose range codes of `n_bits` hold with a scale of 1.

    Parameters
    ----------
    values : ndarray of shape (n_rows, n_columns)
        NaN counts as absent.
    lo, hi : ndarray of shape (n_columns,)
        Range of all calibration data.
    n_bits : int

    Returns
    -------
    ndarray of shape (n_columns,), bool
    """
    values = np.where(np.isnan(values), 0.0, values)
    ends = (np.rint(lo) == lo) & (np.rint(hi) == hi) & (hi - lo <= 2**n_bits - 1)
    return np.asarray(ends & np.all(np.rint(values) == values, axis=0))


def whole_zero_point(lo: Floats, hi: Floats, top: int) -> Floats:
    """Zero point of grids of scale 1 over integers: 0 where codes from 0 to `top` hold them."""
    return np.where((lo >= 0) & (hi <= top), 0.0, -lo)


def _distinct(codes: NDArray[np.int64]) -> NDArray[np.int64]:
    """Indices of rows that differ from all rows before them, by a hash."""
    key = np.random.RandomState(0).randint(1, 2**40, codes.shape[1])
    _, first = np.unique(codes @ key, return_index=True)
    return np.sort(first)
