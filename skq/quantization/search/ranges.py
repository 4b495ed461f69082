"""Range of values that a tensor's grid covers: the methods of the parameter `calibration`.

========== ==========================================================================
minmax     from the least to the greatest value
percentile from the percentile ``100 - RANGES.percentile`` to `RANGES.percentile`
mse        the range with the least mean squared error of the tensor's codes
auto       the one with the least error of a layer's output, as the start of a search
========== ==========================================================================

Values outside of the range saturate.
"""

from __future__ import annotations

from itertools import product
from typing import Any

import numpy as np
from numpy.typing import NDArray

from skq.numerics import dequantize, quantize
from skq.quantization.search.settings import RANGES

Floats = NDArray[np.float64]

#: Methods of choosing the range of one tensor from its values.
RANGE_METHODS = ("minmax", "percentile", "mse")

#: Valid values of `calibration`.
CALIBRATION_METHODS = ("auto", *RANGE_METHODS)


def check_calibration(calibration: Any) -> str:
    """Return a `calibration` argument.

    Raises
    ------
    ValueError
        If it is not one of `CALIBRATION_METHODS`.
    """
    if isinstance(calibration, str) and calibration in CALIBRATION_METHODS:
        return calibration
    raise ValueError(
        f"calibration must be one of {', '.join(map(repr, CALIBRATION_METHODS))}. "
        f"Got {calibration!r} instead."
    )


def find_range(
    values: Floats, row_weight: Floats, lo: Floats, hi: Floats, n_bits: int, method: str
) -> tuple[Floats, Floats]:
    """Range of each column that an unsigned grid of `n_bits` is to cover.

    Parameters
    ----------
    values : ndarray of shape (n_rows, n_columns)
        NaN counts as absent.
    row_weight : ndarray of shape (n_rows,) or (n_rows, n_columns)
        Weight of each row, or value; at least 0.
    lo, hi : ndarray of shape (n_columns,)
        Least and greatest value of each column in all data; `values` may be some rows of these.
    n_bits : int
    method : {"minmax", "percentile", "mse"}

    Returns
    -------
    lo, hi : ndarray of shape (n_columns,)
        Within the given ones; equal to them where the method would leave no range.

    Examples
    --------
    >>> values = np.append(np.linspace(0, 1, 4999), 3.0)[:, None]
    >>> lo, hi = np.array([0.0]), np.array([3.0])
    >>> for method in RANGE_METHODS:
    ...     print(method, find_range(values, np.ones(5000), lo, hi, 3, method)[1].round(2))
    minmax [3.]
    percentile [1.]
    mse [0.94]
    """
    lo, hi = np.asarray(lo, np.float64), np.asarray(hi, np.float64)
    if method == "minmax" or not values.size:
        return lo, hi
    if row_weight.ndim == 1:
        row_weight = np.broadcast_to(row_weight[:, None], values.shape)
    if method == "mse":
        values, row_weight = _thinned(values, row_weight)
    shares = np.array([1 - RANGES.percentile / 100, 0.5, RANGES.percentile / 100])
    ends = np.nan_to_num(percentiles(values, row_weight, shares), nan=0.0)
    first, middle, last = (np.clip(end, lo, hi) for end in ends)
    if method == "percentile":
        result = first, last
    else:
        result = _least_error(values, row_weight, lo, hi, middle, 2**n_bits - 1)
    is_range = result[1] > result[0]
    return np.where(is_range, result[0], lo), np.where(is_range, result[1], hi)


def percentiles(values: Floats, row_weight: Floats, shares: Floats) -> Floats:
    """Least value of each column at or below which a share of the weight lies.

    Parameters
    ----------
    values : ndarray of shape (n_rows, n_columns)
        NaN counts as absent.
    row_weight : ndarray of shape (n_rows,) or (n_rows, n_columns)
    shares : ndarray of shape (n_shares,), in [0, 1]

    Returns
    -------
    ndarray of shape (n_shares, n_columns)
        NaN where a column has no values.
    """
    columns = np.ascontiguousarray(values.T)
    order = np.argsort(columns, axis=1)
    ordered = np.take_along_axis(columns, order, axis=1)
    if row_weight.ndim == 1:
        weight = row_weight[order]
    else:
        weight = np.take_along_axis(row_weight.T, order, axis=1)
    total = np.cumsum(np.where(np.isnan(ordered), 0.0, weight), axis=1)
    result = np.empty((len(shares), values.shape[1]))
    for column, weights in enumerate(total):
        positions = np.searchsorted(weights, shares * weights[-1] * (1 - 1e-12))
        result[:, column] = ordered[column, np.minimum(positions, len(weights) - 1)]
    return result


def find_joint_range(
    values: Floats, row_weight: Floats, n_bits: int, method: str
) -> tuple[float, float]:
    """Range that one unsigned grid for all elements of a tensor is to cover.

    Parameters
    ----------
    values : ndarray of shape (n_rows, ...)
        NaN counts as absent; the range is [0, 0] if all values are NaN.
    row_weight : ndarray of shape (n_rows,)
    n_bits : int
    method : {"minmax", "percentile", "mse"}
    """
    if not values.size:
        return 0.0, 0.0
    lo, hi = (np.nan_to_num(f.reduce(values, axis=None), nan=0.0) for f in (np.fmin, np.fmax))
    if method != "minmax":
        rows = values.reshape(len(values), -1)
        if method == "mse":
            rows, row_weight = _thinned(rows, row_weight)
        weight = np.repeat(row_weight, rows.shape[1])
        ends = np.array([lo]), np.array([hi])
        lo, hi = (end[0] for end in find_range(rows.reshape(-1, 1), weight, *ends, n_bits, method))
    return float(lo), float(hi)


def find_reach(weights: Floats, n_bits: int, method: str) -> Floats:
    """Magnitude that a symmetric grid of `n_bits` is to cover in each column of weights.

    Parameters
    ----------
    weights : ndarray of shape (n_in, n_out)
    n_bits : int
    method : {"minmax", "percentile", "mse"}

    Returns
    -------
    ndarray of shape (n_out,), at least 0
    """
    magnitude = np.abs(weights)
    widest = np.asarray(magnitude.max(axis=0, initial=0.0))
    if method == "minmax" or not weights.size:
        return widest
    if method == "percentile":
        result = np.percentile(magnitude, RANGES.percentile, axis=0, method="inverted_cdf")
        return np.where(result > 0, result, widest)
    top = max(1, 2 ** (n_bits - 1) - 1)
    best, least = widest, np.full(len(widest), np.inf)
    for factor in (1.0, *np.linspace(0.98, 0.25, 38)):
        scale = np.where(widest > 0, factor * widest, 1.0) / top
        steps = quantize(magnitude, scale, 0, int(n_bits == 1), top)
        error = ((magnitude - steps * scale) ** 2).sum(axis=0)
        best = np.where(error < least, factor * widest, best)
        least = np.minimum(error, least)
    return best


def _thinned(values: Floats, row_weight: Floats) -> tuple[Floats, Floats]:
    """At most `RANGES.mse_values` values, or `RANGES.mse_rows` rows, evenly spaced."""
    most = max(RANGES.mse_rows, RANGES.mse_values // values.shape[1])
    if len(values) <= most:
        return values, row_weight
    rows = np.linspace(0, len(values) - 1, most).astype(np.int64)
    return values[rows], row_weight[rows]


def _least_error(
    values: Floats, weight: Floats, lo: Floats, hi: Floats, middle: Floats, top: int
) -> tuple[Floats, Floats]:
    """Range of least squared error: the ends are moved towards the median in turn, twice."""
    unit = np.maximum(np.abs(lo), np.abs(hi))
    unit = np.where(unit > 0, unit, 1.0)
    values, middle = values / unit, middle / unit
    weight = np.where(np.isnan(values), 0.0, weight)
    values = np.where(np.isnan(values), middle, values)
    factor = np.ones((2, len(unit)))  # distance of either end from the median, as a share
    ends = np.stack([lo / unit, hi / unit])

    def error_of(factor: Floats) -> Floats:
        first, last = middle + factor * (ends - middle)
        scale = (last - first) / top
        is_range = scale > 0
        scale = np.where(is_range, scale, 1.0)
        zero_point = np.rint(-first / scale)
        codes = quantize(values, scale, zero_point, 0, top)
        error = (weight * (dequantize(codes, scale, zero_point) - values) ** 2).sum(axis=0)
        return np.where(is_range, error, np.inf)

    least = error_of(factor)
    for shares, end in product((RANGES.coarse_shares, RANGES.fine_shares), (1, 0)):
        before = factor[end].copy()
        for share in shares:
            tried = factor.copy()
            tried[end] = np.minimum(before * share, 1.0)
            error = error_of(tried)
            factor[end] = np.where(error < least, tried[end], factor[end])
            least = np.minimum(error, least)
    first, last = (middle + factor * (ends - middle)) * unit
    return np.where(factor[0] == 1, lo, first), np.where(factor[1] == 1, hi, last)
