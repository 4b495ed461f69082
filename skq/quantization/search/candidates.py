"""Candidate grids of a feature: min-max, clipped at percentiles, and wider than the range.

A grid is a scale and an integer zero point: ``q = clip(rint(x / scale + zero_point), 0, top)``.
Clipped grids suit distributions with heavy tails. Wider grids do not use all codes: the feature
then contributes less for a given integer weight. Integer weights of few bits cannot do that.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from skq.compiled import call, loops
from skq.numerics import quantize
from skq.quantization.search.settings import RANGES

Floats = NDArray[np.float64]


#: Steps over integers are wider by this factor, so that no integer is a tie between two codes:
#: floats may round ties either way, which integer arithmetic cannot reproduce.
BETWEEN_TIES = 1 + 2.0**-40


#: Factors of a hash of the codes of up to 8 bits.
_KEYS = np.random.RandomState(0).randint(1, 2**40, 255)


@dataclass(frozen=True, eq=False)
class Candidates:
    """Grids of one feature and their codes of the calibration rows; the first grid is min-max.

    Codes rise with the values. So a grid is given by the number of rows below each code, and a sum
    over the rows of codes times something is a sum over the codes of partial sums over the rows.

    Parameters
    ----------
    scale, zero_point : ndarray of shape (n_grids,)
    order : ndarray of shape (n_rows,), int32
        The rows, from the least value to the greatest.
    steps : ndarray of shape (n_grids, n_steps), int32
        Number of rows whose code is below 1, 2, ..., the greatest code; or, if `by_row`, the codes
        of the rows in that order.
    by_row : bool
        Whether there are more codes than rows, as for codes of more than 8 bits.
    """

    scale: Floats
    zero_point: Floats
    order: NDArray[np.int32]
    steps: NDArray[np.int32]
    by_row: bool

    @property
    def codes(self) -> NDArray[np.int64]:
        """Codes of all rows on every grid: (n_grids, n_rows)."""
        n_grids, n_rows = len(self.steps), len(self.order)
        codes = np.empty((n_grids, n_rows), dtype=np.int64)
        codes[:, self.order] = self.steps if self.by_row else codes_of_steps(self.steps, n_rows)
        return codes

    def is_constant(self, grid: int) -> bool:
        """Whether all rows have the same code on a grid."""
        steps = self.steps[grid]
        if self.by_row:
            return bool(steps[0] == steps[-1])
        return not np.any((steps > 0) & (steps < len(self.order)))


def codes_of_steps(steps: NDArray[np.int32], n_rows: int) -> NDArray[np.int64]:
    """Codes of rows in rising order, from the number of rows below each code.

    Parameters
    ----------
    steps : ndarray of shape (n_grids, top)
    n_rows : int

    Returns
    -------
    ndarray of shape (n_grids, n_rows)
    """
    rises = np.zeros((len(steps), n_rows + 1), dtype=np.int64)
    np.add.at(rises, (np.arange(len(steps))[:, None], steps), 1)
    return rises[:, :-1].cumsum(axis=1)


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
    order: NDArray[np.intp] | None = None,
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
        Whether code 0 must represent 0 and everything below, as after a ReLU.
    whole : bool, default=False
        Only the grid of scale 1, for integers that it holds.
    holds_zero : bool, default=False
        Whether real 0, which lies in the range, must have a code.
    avoids_ties : bool, default=True
        Whether steps over integers are wider by `BETWEEN_TIES`.
    are_digits : bool, default=False
        Whether the integer weights are narrower than the codes, which are split into digits. There
        are then more grids that do not use all codes: steps fit the real weights instead.
    order : ndarray of shape (n_rows,), default=None
        ``argsort(values)``, if known.
    """
    top = 2**n_bits - 1
    if order is None:
        order = np.argsort(values)
    ordered = values[order]
    if whole:
        zero_point = whole_zero_point(np.array([lo]), np.array([hi]), top)
        steps, by_row = _steps(ordered, np.ones(1), zero_point, top)
        return Candidates(np.ones(1), zero_point, order.astype(np.int32), steps, by_row)
    tails = RANGES.few_grid_tails if few else RANGES.grid_tails.get(n_bits, RANGES.few_grid_tails)
    tails = tails if clips else (0.0,)
    spans = (top,) if few else RANGES.grid_spans.get(n_bits, (top,))
    if are_digits:
        tails = RANGES.digit_tails if clips else (0.0,)
        shares = RANGES.few_digit_spans if few else RANGES.digit_spans
        spans = tuple(np.unique(np.maximum(np.rint(np.array(shares) * top), 1)).tolist())
    below, low_index, high_index, span = _tables(tails, spans)
    position = np.searchsorted(np.cumsum(row_weight[order]), below)
    ends = ordered[np.minimum(position, len(values) - 1)]
    low_ends, high_ends = ends.reshape(2, -1)
    a = np.concatenate([[lo], low_ends])[low_index]
    b = np.concatenate([[hi], high_ends])[high_index]
    is_range = b > a
    if not is_range.all():
        a, b, span = a[is_range], b[is_range], span[is_range]
    scale = b / span - a / span
    zero_point = np.rint(-a / scale)
    first = hi / top - lo / top
    scales = [np.array([first]), scale]
    zero_points = [np.array([np.rint(-lo / first)]), zero_point]
    if n_bits <= 4:
        # the ends of the range at the first and last code, and half a step outside of them
        cell = b / (span + 1) - a / (span + 1)
        scales.append(cell)
        zero_points.append(np.rint(-a / cell - 0.5))
    scale, zero_point = np.concatenate(scales), np.concatenate(zero_points)
    if avoids_ties and _are_integers(ordered):
        scale = scale * BETWEEN_TIES
    sound = np.isfinite(scale) & (np.abs(zero_point) < 2.0**53) & (scale > 0)
    if starts_at_zero:
        sound &= zero_point <= 0
    if holds_zero:
        sound &= (zero_point >= 0) & (zero_point <= top)
    sound[0] = True
    if not sound.all():
        scale, zero_point = scale[sound], zero_point[sound]
    steps, by_row = _steps(ordered, scale, zero_point, top)
    index = _distinct(steps)
    return Candidates(scale[index], zero_point[index], order.astype(np.int32), steps[index], by_row)


@lru_cache(maxsize=64)
def _tables(
    tails: tuple[float, ...], spans: tuple[int, ...]
) -> tuple[Floats, NDArray[np.intp], NDArray[np.intp], NDArray[np.int64]]:
    """What does not depend on the feature.

    Returns
    -------
    shares : ndarray of shape (2 * (n_tails - 1),)
        Shares of the rows below the low ends, then below the high ends.
    low_index, high_index, span : ndarray of shape (n_tails**2 * n_spans,)
        All triples of a low end, a high end and a span.
    """
    inner = np.array(tails[1:])
    ends, which = np.arange(len(tails)), np.array(spans)
    triples = np.meshgrid(ends, ends, which, indexing="ij")
    low_index, high_index, span = (index.ravel() for index in triples)
    return np.concatenate([inner, 1 - inner]) - 1e-9, low_index, high_index, span


def _steps(
    ordered: Floats, scale: Floats, zero_point: Floats, top: int
) -> tuple[NDArray[np.int32], bool]:
    """Steps of the codes of rising values, and whether they are by row; see `Candidates`."""
    if top < 256:
        return rows_below(ordered, scale, zero_point, top), False
    codes = quantize(ordered, scale[:, None], zero_point[:, None], 0, top)
    return codes.astype(np.int32), True


def rows_below(ordered: Floats, scale: Floats, zero_point: Floats, top: int) -> NDArray[np.int32]:
    """Number of values whose code is below 1, 2, ..., `top`, exactly as `quantize` gives codes.

    Parameters
    ----------
    ordered : ndarray of shape (n_rows,), rising
    scale, zero_point : ndarray of shape (n_grids,)
    top : int

    Returns
    -------
    ndarray of shape (n_grids, top), int32

    Examples
    --------
    >>> rows_below(np.array([0.0, 1.0, 1.0, 2.0]), np.ones(1), np.zeros(1), 3)
    array([[1, 3, 4]], dtype=int32)
    """
    if loops is None:
        return rows_below_in_numpy(ordered, scale, zero_point, top)
    first = np.empty((len(scale), top), dtype=np.int32)
    call("rows_below", len(ordered), len(scale), top, ordered, scale, zero_point, first)
    return first


def rows_below_in_numpy(
    ordered: Floats, scale: Floats, zero_point: Floats, top: int
) -> NDArray[np.int32]:
    """`rows_below` without the extension."""
    level = np.arange(1.0, top + 1.0)
    step, zero = scale[:, None], zero_point[:, None]
    with np.errstate(over="ignore"):
        first = np.searchsorted(ordered, (level - 0.5 - zero) * step)
        # the sum above is rounded, so the values next to the bound may lie on its other side
        padded = np.concatenate([[-np.inf], ordered, [np.inf]])
        before, after = padded[first], padded[first + 1]
        early = np.rint(after / step + zero) < level
        late = np.rint(before / step + zero) >= level
        while np.any(early) or np.any(late):
            first[early] = np.searchsorted(ordered, after[early], side="right")
            first[late] = np.searchsorted(ordered, before[late], side="left")
            before, after = padded[first], padded[first + 1]
            early = np.rint(after / step + zero) < level
            late = np.rint(before / step + zero) >= level
    return first.astype(np.int32)


def _are_integers(ordered: Floats) -> bool:
    """Whether all values are integers below 2**31."""
    return bool(
        np.all(np.abs(ordered[[0, -1]]) < 2.0**31) and np.array_equal(np.rint(ordered), ordered)
    )


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


def _distinct(steps: NDArray[np.int32]) -> NDArray[np.int64]:
    """Indices of rows that differ from all rows before them, by a hash."""
    n_steps = steps.shape[1]
    many = n_steps > len(_KEYS)
    key = np.random.RandomState(0).randint(1, 2**40, n_steps) if many else _KEYS[:n_steps]
    _, index = np.unique(steps.astype(np.int64) @ key, return_index=True)
    return np.sort(index)
