"""Leaf values that are summed (regressors, boosting) as integers, by the error of the sum.

Trees are rounded one after another. Each corrects the mean error that earlier trees have left in
the rows of its leaves. The width of the grid (min-max or a share of it; values outside saturate)
and the offset of each tree's grid are chosen by the error of the sum on the calibration rows, among
candidates that include plain min-max. For few bits the scale of the sum is also fitted to these
rows, because misrouted rows bias the sums.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from skq.quantization.search.ranges import RANGE_METHODS
from skq.quantization.trees.descent import descend
from skq.quantization.trees.leaves import Leaves, QuantizedLeaves
from skq.quantization.trees.rounding import OFFSETS, TreeRows, round_trees
from skq.quantization.trees.settings import LEAVES

Floats = NDArray[np.float64]
Ints = NDArray[np.integer[Any]]


@dataclass(frozen=True)
class _Method:
    """How all trees are rounded.

    Parameters
    ----------
    share : float
        Share of the widest tree's range that the grid covers.
    offset : {"center", "least", "spread"}
        See `round_trees`.
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
    rows = TreeRows(leaves, top)
    if method != "auto":
        return _Rounding(rows, _Method(range_method=method)).result
    methods = [_Method(range_method=name) for name in RANGE_METHODS] + [_Method(feedback=True)]
    if top <= LEAVES.max_searched_top and leaves.n_trees <= LEAVES.max_searched_trees:
        shares = LEAVES.range_shares.get(top, LEAVES.few_range_shares)
        methods += [
            _Method(share, offset, True, rescales=True) for share in shares for offset in OFFSETS
        ]
    best = _best([_Rounding(rows, method) for method in methods])
    if leaves.n_outputs > 1 and top <= LEAVES.max_descent_top:
        return descend(leaves, best, top)
    return best


def _best(roundings: Sequence[_Rounding]) -> QuantizedLeaves:
    """The result of the least error: for each output, if every tree has one output only."""
    errors = np.stack([rounding.errors for rounding in roundings])
    leaves = roundings[0].leaves
    if leaves.weights.shape[1] > 1 or leaves.n_outputs == 1:
        return roundings[int(errors.sum(axis=1).argmin())].result
    output = np.arange(leaves.n_outputs)
    tree = np.arange(leaves.n_trees)
    results, choice = [rounding.result for rounding in roundings], errors.argmin(axis=0)
    of_tree = choice[leaves.output]
    of_leaf = of_tree[leaves.tree]
    return QuantizedLeaves(
        values=np.stack([r.values for r in results])[of_leaf, np.arange(len(of_leaf))],
        multiplier=np.stack([r.multiplier for r in results])[of_tree, tree],
        scale=np.stack([r.scale for r in results])[choice, output],
        zero_point=np.stack([r.zero_point for r in results])[choice, output],
    )


class _Rounding:
    """All trees rounded by one method.

    Attributes
    ----------
    result : QuantizedLeaves
    errors : ndarray of shape (n_outputs,)
        Weighted mean squared error of each sum on the calibration rows, relative to the greatest
        range of a tree's leaf values.
    """

    def __init__(self, rows: TreeRows, method: _Method) -> None:
        leaves, top, columns = rows.leaves, rows.top, rows.columns
        self.leaves, self.method = leaves, method
        lowest, highest = rows.ranges(method.range_method)
        spread = highest - lowest
        unit = _widest(spread, columns, leaves.n_outputs)
        multiplier = self._multipliers((spread / unit[columns]).max(axis=1))
        scale = unit * method.share / top / int(multiplier.max())
        rounded = round_trees(
            rows,
            scale[columns] * multiplier[:, None],
            offset=method.offset,
            feedback=method.feedback,
            range_method=method.range_method,
        )
        sums, error, offset = rounded.sums, rounded.error, rounded.offset
        if method.rescales:
            factor = _slope(sums - error, sums, leaves.row_weight)
            error = sums - (sums - error) * factor
            scale, offset = scale * factor, offset * factor
        total = leaves.base * (leaves.n_trees if leaves.average else 1.0) + offset
        if method.feedback:
            mean = leaves.row_weight @ error
            total, error = total + mean, error - mean
        divisor = leaves.n_trees if leaves.average else 1
        self.result = QuantizedLeaves(rounded.values, multiplier, scale / divisor, -total / scale)
        plain = np.subtract(*rows.ranges("minmax")[::-1])
        relative = error / _widest(plain, columns, leaves.n_outputs)
        self.errors = leaves.row_weight @ relative**2

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
