"""Leaf values that are summed (regressors, boosting) as integers, by the error of the sum.

Trees are rounded one after another. Each corrects the mean error that earlier trees have left in
the rows of its leaves. The width of the grid (min-max or a share of it; values outside saturate)
and the offset of each tree's grid are chosen by the error of the sum on the calibration rows, among
candidates that include plain min-max. For few bits the scale of the sum is also fitted to these
rows, because misrouted rows bias the sums.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from skq.quantization.search.ranges import RANGE_METHODS, find_range
from skq.quantization.trees.descent import descend
from skq.quantization.trees.isotonic import in_order
from skq.quantization.trees.leaves import (
    Leaves,
    QuantizedLeaves,
    misrouted_prior,
)
from skq.quantization.trees.settings import LEAVES

Floats = NDArray[np.float64]
Ints = NDArray[np.integer[Any]]


#: Choices of the offset of each tree's grid: see `_lowest`.
OFFSETS = ("center", "least", "spread")


@dataclass(frozen=True)
class _Method:
    """How all trees are rounded.

    Parameters
    ----------
    share : float
        Share of the widest tree's range that the grid covers.
    offset : {"center", "least", "spread"}
    feedback : bool
        Whether a tree corrects the error of the trees before it.
    range_method : {"minmax", "percentile", "mse"}
        What counts as the range of a tree's leaf values; see `skq.quantization.search.ranges`.
    rescales : bool
        Whether each output's scale is fitted to the sums of the float model.
    """

    share: float = 1.0
    offset: str = "center"
    feedback: bool = False
    range_method: str = "minmax"
    rescales: bool = False


def quantize_sums(leaves: Leaves, top: int, *, method: str = "auto") -> QuantizedLeaves:
    """Integers in [0, top]; see the module's docstring.

    A method other than "auto" names the range of each tree's leaf values, which are then rounded to
    nearest.
    """
    if method != "auto":
        return _Rounding(leaves, top, _Method(range_method=method)).result
    methods = [_Method(range_method=name) for name in RANGE_METHODS] + [_Method(feedback=True)]
    if top <= LEAVES.max_searched_top and leaves.n_trees <= LEAVES.max_searched_trees:
        shares = LEAVES.range_shares.get(top, LEAVES.few_range_shares)
        methods += [
            _Method(share, offset, True, rescales=True) for share in shares for offset in OFFSETS
        ]
    best = min(
        (_Rounding(leaves, top, method) for method in methods), key=lambda rounding: rounding.error
    ).result
    if leaves.n_outputs > 1 and top <= LEAVES.max_descent_top:
        return descend(leaves, best, top)
    return best


class _Rounding:
    """All trees rounded by one method.

    Attributes
    ----------
    result : QuantizedLeaves
    error : float
        Weighted mean squared error of the sum on the calibration rows, over all outputs, each
        relative to the greatest range of a tree's leaf values.
    """

    def __init__(self, leaves: Leaves, top: int, method: _Method) -> None:
        self.leaves, self.top, self.method = leaves, top, method
        first = np.searchsorted(leaves.tree, np.arange(leaves.n_trees))
        ends = np.append(first[1:], len(leaves.tree))
        columns = leaves.output[:, None] + np.arange(leaves.weights.shape[1])
        lowest, highest = _ranges(leaves, first, top, method.range_method)
        spread = highest - lowest
        unit = _widest(spread, columns, leaves.n_outputs)
        multiplier = self._multipliers((spread / unit[columns]).max(axis=1))
        scale = unit * method.share / top / int(multiplier.max())

        values = np.zeros(leaves.weights.shape, dtype=np.int64)
        error = np.zeros((len(leaves.reached), leaves.n_outputs))  # of the sum up to tree t
        sums = np.zeros_like(error)
        offset = np.zeros(leaves.n_outputs)
        for t, (start, end) in enumerate(zip(first, ends, strict=True)):
            part, column = slice(start, end), columns[t]
            step = scale[column] * multiplier[t]
            wanted = leaves.weights[part]
            exact = leaves.weights[leaves.reached[:, t]]
            leaf_of_row = leaves.reached_by_codes[:, t] - start
            if method.feedback:
                count, moved, carried = _leaf_means(
                    leaf_of_row,
                    end - start,
                    leaves.row_weight,
                    exact - wanted[leaf_of_row],
                    error[:, column],
                )
                wanted = wanted + moved * (count / (count + misrouted_prior(leaves.n_trees)))
                wanted = wanted + carried * (count / (count + LEAVES.prior_rows))
                if leaves.monotonic:
                    wanted = in_order(wanted, leaves.weights[part], count[:, 0] + LEAVES.prior_rows)
            bounds = (lowest[t], highest[t]) if method.range_method != "minmax" else None
            low = self._lowest(wanted, step, leaf_of_row, t, bounds)
            values[part] = np.clip(np.rint((wanted - low) / step), 0, top)
            offset[column] += low
            sums[:, column] += exact
            error[:, column] += exact - (low + values[part][leaf_of_row] * step)
        if method.rescales:
            factor = _slope(sums - error, sums, leaves.row_weight)
            error = sums - (sums - error) * factor
            scale, offset = scale * factor, offset * factor
        total = leaves.base * (leaves.n_trees if leaves.average else 1.0) + offset
        if method.feedback:
            mean = leaves.row_weight @ error
            total, error = total + mean, error - mean
        divisor = leaves.n_trees if leaves.average else 1
        self.result = QuantizedLeaves(values, multiplier, scale / divisor, -total / scale)
        plain = np.subtract(*_ranges(leaves, first, top, "minmax")[::-1])
        relative = error / _widest(plain, columns, leaves.n_outputs)
        self.error = float((leaves.row_weight @ relative**2).sum())

    def _multipliers(self, relative: Floats) -> Ints:
        """Integer factor of each tree: greater for trees of a greater range."""
        if (
            not self.method.feedback
            or self.leaves.average
            or relative.min() >= 0.5 * relative.max()
        ):
            return np.ones(len(relative), dtype=np.int64)
        finest = max(float(relative.max()) / LEAVES.max_multiplier, 1e-300)
        return np.clip(np.ceil(relative / finest), 1, LEAVES.max_multiplier).astype(np.int64)

    def _lowest(
        self,
        wanted: Floats,
        step: Floats,
        leaf_of_row: Ints,
        t: int,
        ends: tuple[Floats, Floats] | None,
    ) -> Floats:
        """Real value of code 0 of a tree, by the method's `offset`.

        ======== ============================================================================
        center   the grid in the middle of the tree's range
        least    the least squared error of this tree on the calibration rows
        spread   the middle plus a part of a step that differs by tree: errors average out
        ======== ============================================================================
        """
        low, high = (wanted.min(axis=0), wanted.max(axis=0)) if ends is None else ends
        center = low + (high - low) / 2 - step * self.top / 2
        if self.method.offset == "center":
            return np.asarray(center)
        if self.method.offset == "spread":
            return np.asarray(center + step * ((t * 0.6180339887) % 1.0 - 0.5))
        reach = np.abs((high - low) / 2 - step * self.top / 2) + step / 2
        weight = (
            np.bincount(leaf_of_row, weights=self.leaves.row_weight, minlength=len(wanted)) + 1e-6
        )
        shifts = np.linspace(-1.0, 1.0, LEAVES.n_places)[:, None] * reach + center
        off = wanted - shifts[:, None, :]
        off = off - step * np.clip(np.rint(off / step), 0, self.top)
        loss = np.einsum("l,slk->sk", weight, off * off)
        return np.asarray(np.take_along_axis(shifts, loss.argmin(axis=0)[None], axis=0)[0])


def _slope(x: Floats, y: Floats, row_weight: Floats) -> Floats:
    """For each column the factor in [0.5, 2] of the least squares fit of y by x and a constant."""
    x, y = x - row_weight @ x, y - row_weight @ y
    power = row_weight @ (x * x)
    slope = (row_weight @ (x * y)) / np.where(power > 0, power, 1.0)
    return np.where(power > 0, np.clip(slope, 0.5, 2.0), 1.0)


def _widest(spread: Floats, columns: Ints, n_outputs: int) -> Floats:
    """Greatest range of a tree's leaf values in each output; 1 where all are equal."""
    widest = np.zeros(n_outputs)
    np.maximum.at(widest, columns, spread)
    return np.where(widest > 0, widest, 1.0)


def _ranges(leaves: Leaves, first: Ints, top: int, method: str) -> tuple[Floats, Floats]:
    """Range of each tree's leaf values, (n_trees, width) each; rows weigh the leaves they reach."""
    lowest = np.minimum.reduceat(leaves.weights, first)
    highest = np.maximum.reduceat(leaves.weights, first)
    if method == "minmax":
        return lowest, highest
    share = np.repeat(leaves.row_weight, leaves.n_trees)
    reached = np.bincount(leaves.reached.ravel(), weights=share, minlength=len(leaves.weights))
    leaf_of_row = np.arange(len(leaves.tree)) - first[leaves.tree]
    shape = (int(leaf_of_row.max()) + 1, *lowest.shape)  # a column a tree, NaN after its last leaf
    values, weight = np.full(shape, np.nan), np.zeros(shape)
    values[leaf_of_row, leaves.tree] = leaves.weights
    weight[leaf_of_row, leaves.tree] = reached[:, None]
    values, weight = values.reshape(len(values), -1), weight.reshape(len(values), -1)
    n_bits = int(top).bit_length()
    ranges = find_range(values, weight, lowest.ravel(), highest.ravel(), n_bits, method)
    return ranges[0].reshape(lowest.shape), ranges[1].reshape(lowest.shape)


def _leaf_means(
    leaf: Ints, n_leaves: int, row_weight: Floats, *values: Floats
) -> tuple[Floats, ...]:
    """Rows in each leaf, as a column, and the mean of each array of values over them."""
    share = row_weight * len(row_weight)
    count = np.bincount(leaf, weights=share, minlength=n_leaves).astype(np.float64)[:, None]
    means = [
        np.stack(
            [np.bincount(leaf, weights=share * v, minlength=n_leaves) for v in array.T], axis=1
        )
        / np.maximum(count, 1e-12)
        for array in values
    ]
    return count, *means
