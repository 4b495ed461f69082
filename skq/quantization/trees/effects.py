"""Bin edges of a feature, chosen by its effect on the sum over the trees.

Values of one bin get the same code, so their sums are equal. For some calibration rows
the float sum is computed with the feature set to each of its cells (the intervals between
thresholds), which gives a curve for each row. Edges minimize the variance of these curves within
bins. Unlike a count of misrouted rows, this variance includes that errors of different trees add up
if trees have equal thresholds.

The curves are those of individual conditional expectation.

References
----------
Goldstein, Kapelner, Bleich, Pitkin: Peeking Inside the Black Box: Visualizing Statistical Learning
with Plots of Individual Conditional Expectation, 2015 (arXiv:1309.6392).
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from skq.graph.ops import TreeArrays
from skq.quantization.trees.bins import groups_of_equal_weight, partition
from skq.quantization.trees.settings import EDGES

Array = NDArray[Any]
Floats = NDArray[np.float64]
Ints = NDArray[np.integer[Any]]


def edges_by_effect(
    trees: TreeArrays,
    rows: Floats,
    feature: int,
    thresholds: Floats,
    share: Floats,
    budget: int,
) -> tuple[Ints, Ints]:
    """Choose edges among the thresholds of one feature.

    Parameters
    ----------
    trees : TreeArrays
        Of the float model.
    rows : ndarray of shape (n_rows, n_features)
        Calibration rows, as the trees read them.
    feature : int
    thresholds : ndarray of shape (n_thresholds,), rising
        As the trees compare them.
    share : ndarray of shape (n_thresholds,), rising
        Share of the rows at or below each threshold; see `SortedValues.share_below`.
    budget : int
        Edges to choose, at least 1 and less than `n_thresholds`.

    Returns
    -------
    selected : ndarray of int, rising
        Indices of the thresholds that become edges.
    assignment : ndarray of shape (n_thresholds,)
        Index into `selected` of the edge that each threshold is moved to.
    """
    mass = np.maximum(np.diff(share, prepend=0.0, append=1.0 + EDGES.trace), EDGES.trace)
    group = groups_of_equal_weight(mass, max(EDGES.max_cells, 2 * budget))
    ends = np.flatnonzero(np.diff(group))  # thresholds that end a cell
    weight = np.bincount(group, weights=mass).astype(np.float64)
    curves = _curves(trees, rows, feature, np.append(thresholds[ends], np.inf))
    at = np.cumsum(weight) - weight / 2
    actual = share_of_rows(rows[:, feature], np.append(thresholds[ends], np.inf), at)
    near = np.exp(-np.abs(at[None, :] - actual[:, None]) / EDGES.curve_width)
    chosen = partition(_variance_within(near * weight, curves), budget + 1)
    selected = ends[np.flatnonzero(np.diff(chosen))]
    return selected, np.abs(share[:, None] - share[selected]).argmin(axis=1)


def share_of_rows(x: Floats, ends: Floats, at: Floats) -> Floats:
    """Position of each row's cell; that of the first cell where the value is missing."""
    cell = np.searchsorted(ends, np.where(np.isnan(x), -np.inf, x), side="left")
    return at[np.minimum(cell, len(at) - 1)]


def _curves(trees: TreeArrays, rows: Floats, feature: int, values: Floats) -> Floats:
    """Sum over the trees that read a feature, with each of some values in its place.

    Returns
    -------
    ndarray of shape (n_rows, n_values, n_targets)
    """
    node_tree = np.searchsorted(trees.roots, np.arange(len(trees.leaf)), side="right") - 1
    reads = np.unique(node_tree[(trees.leaf < 0) & (trees.feature == feature)])
    part = replace(trees, roots=trees.roots[reads], first_target=trees.first_target[reads])
    x = np.repeat(rows, len(values), axis=0)
    x[:, feature] = np.tile(values, len(rows))
    return np.asarray(part.sums(part.leaf_indices(x)).reshape(len(rows), len(values), -1))


def _variance_within(weight: Floats, curves: Floats) -> Floats:
    """``[i, j]``: squared deviations of the curves from their means over the cells i..j.

    Parameters
    ----------
    weight : ndarray of shape (n_rows, n_cells)
    curves : ndarray of shape (n_rows, n_cells, n_targets)
    """
    n_cells = weight.shape[1]
    i, j = np.meshgrid(np.arange(n_cells), np.arange(n_cells), indexing="ij")
    inside = i <= j

    def between(values: Floats) -> Floats:
        below = np.concatenate([np.zeros((len(values), 1)), np.cumsum(values, axis=1)], axis=1)
        return np.asarray(below[:, j + 1] - below[:, i])

    total = np.where(inside, between(weight), 1.0)
    cost = np.zeros((n_cells, n_cells))
    for curve in np.moveaxis(curves - curves.mean(axis=1, keepdims=True), 2, 0):
        cost += (between(weight * curve**2) - between(weight * curve) ** 2 / total).sum(axis=0)
    return np.where(inside, cost, np.inf)
