"""Bin edges of a feature, chosen by the number of rows that they misroute.

A node whose threshold ``a`` is moved to ``k`` misroutes those of its rows that lie between the two.
With ``C[a, k]`` the weight of the node's rows at or below ``k``, that is ``|C[a, k] - C[a, a]|``,
summed over all nodes with threshold ``a``. A row is weighted with the squared difference between
the mean values of the node's subtrees.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from skq.compiled import call, loops
from skq.graph.ops import TreeArrays
from skq.quantization.trees.settings import EDGES

Floats = NDArray[np.float64]
Ints = NDArray[np.integer[Any]]


class Arrivals:
    """Arrivals of calibration rows at nodes, grouped by the feature that the node reads.

    Within a group parents of leaves come first, then their parents, and so on; then rows rise.
    Nodes that read no column of `x` are left out.

    Parameters
    ----------
    trees : TreeArrays
    x : ndarray of shape (n_rows, n_features)
        Raw features.
    reached : ndarray of shape (n_rows, n_trees)
        Leaf of each row in each tree.
    row_weight : ndarray of shape (n_rows,)
    met : ndarray of shape (n_nodes,)
        Weight of the rows that arrive at each node.
    position : ndarray of shape (n_nodes,), int64
        Index of each node's threshold among those of its feature.
    """

    def __init__(
        self,
        trees: TreeArrays,
        x: NDArray[Any],
        reached: NDArray[Any],
        row_weight: Floats,
        met: Floats,
        position: Ints,
    ) -> None:
        is_leaf = trees.leaf >= 0
        inner = np.flatnonzero(~is_leaf)
        parent = np.full(len(trees.leaf), -1, dtype=np.int32)
        for child in (trees.true_child, trees.false_child):
            parent[child[inner]] = inner
        leaf_parent = np.empty(len(trees.leaf_weights), dtype=np.int32)
        leaf_parent[trees.leaf[is_leaf]] = parent[is_leaf]
        node = leaf_parent[reached]
        importance = _contrast(trees, met)
        visits = _at_nodes(trees, np.bincount(reached.ravel(), minlength=len(leaf_parent)))
        count = np.bincount(trees.feature[inner], weights=visits[inner], minlength=x.shape[1])
        count = count[: x.shape[1]].astype(np.int64)
        self._ends = np.cumsum(count)
        n_arrivals = int(self._ends[-1])
        if loops is None:
            row, node = _climbed(node, parent)
            order = np.argsort(trees.feature[node], kind="stable")[:n_arrivals]
            row, node = row[order], node[order]
            feature = trees.feature[node]
            self._x = x[row, feature].astype(np.float64)
            self._position, self._weight = position[node], row_weight[row] * importance[node]
            return
        next_ = self._ends - count
        self._x, self._weight = np.empty(n_arrivals), np.empty(n_arrivals)
        self._position = np.empty(n_arrivals, dtype=np.int64)
        call(
            "arrivals",
            *reached.shape, x.shape[1], len(parent), n_arrivals,
            x.astype(np.float64), row_weight, trees.feature, position, importance, parent, node,
            next_, self._x, self._position, self._weight,
        )  # fmt: skip

    def of(self, feature: int) -> tuple[Floats, Ints, Floats]:
        """Raw values of the rows, indices of the nodes' thresholds, and weights."""
        part = slice(self._ends[feature - 1] if feature else 0, self._ends[feature])
        return self._x[part], self._position[part], self._weight[part]


def _climbed(node: Ints, parent: Ints) -> tuple[Ints, Ints]:
    """Rows and nodes of all arrivals, from the last node of each walk, (n_rows, n_trees), up."""
    row = np.repeat(np.arange(len(node)), node.shape[1])
    node = node.ravel()
    rows, nodes = [], []
    while len(node):
        row, node = row[node >= 0], node[node >= 0]
        rows.append(row)
        nodes.append(node)
        node = parent[node]
    return np.concatenate(rows), np.concatenate(nodes)


def rows_met(trees: TreeArrays, reached: NDArray[Any], row_weight: Floats) -> Floats:
    """Weight of the calibration rows that arrive at each node, ndarray of shape (n_nodes,).

    Parameters
    ----------
    trees : TreeArrays
    reached : ndarray of shape (n_rows, n_trees)
    row_weight : ndarray of shape (n_rows,)
    """
    weights = np.repeat(row_weight, reached.shape[1])
    n_leaves = len(trees.leaf_weights)
    return _at_nodes(trees, np.bincount(reached.ravel(), weights=weights, minlength=n_leaves))


def _at_nodes(trees: TreeArrays, at_leaves: NDArray[Any]) -> Floats:
    """Sums over the leaves below each node."""
    sums = np.where(trees.leaf >= 0, at_leaves[np.maximum(trees.leaf, 0)], 0.0)[:, None]
    trees.subtree_sums(sums)
    return sums[:, 0]


def _contrast(trees: TreeArrays, met: Floats) -> Floats:
    """Squared difference between the mean values of a node's two subtrees."""
    is_leaf = trees.leaf >= 0
    total = np.zeros((len(trees.leaf), trees.leaf_weights.shape[1] + 1))
    count = met[is_leaf, None] + 1e-12
    total[is_leaf, :-1] = trees.leaf_weights[trees.leaf[is_leaf]] * count
    total[is_leaf, -1:] = count
    trees.subtree_sums(total)
    mean = total[:, :-1] / np.maximum(total[:, -1:], 1e-300)
    inner = np.flatnonzero(~is_leaf)
    result = np.zeros(len(trees.leaf))
    gap = mean[trees.true_child[inner]] - mean[trees.false_child[inner]]
    result[inner] = (gap**2).sum(axis=1)
    return result


def route_edges(
    values: Floats, threshold: Ints, x: Floats, weight: Floats, budget: int, start: Ints
) -> tuple[Ints, Ints]:
    """Choose edges among thresholds by the rows that they misroute.

    Parameters
    ----------
    values : ndarray of shape (n_thresholds,), rising
    threshold : ndarray of shape (n_arrivals,)
        Index into `values` of the node's threshold, for each arrival of a row at a node.
    x : ndarray of shape (n_arrivals,)
        The row's value.
    weight : ndarray of shape (n_arrivals,)
    budget : int
        Edges to choose, at least 1.
    start : ndarray of int, rising
        Edges that the search starts from, at most `budget`.

    Returns
    -------
    selected : ndarray of int, rising
        Indices of the thresholds that become edges.
    assignment : ndarray of shape (n_thresholds,)
        Index into `selected` of the edge that each threshold is moved to.
    """
    options = _options(len(values), threshold, weight, start)
    position = np.searchsorted(
        values[options], x, side="left"
    )  # number of options below the row's value
    flat = np.bincount(
        threshold * (len(options) + 1) + position,
        weights=weight,
        minlength=len(values) * (len(options) + 1),
    )
    at_most = np.cumsum(flat.reshape(len(values), -1), axis=1)[:, :-1]
    goes_left = np.bincount(
        threshold, weights=weight * (x <= values[threshold]), minlength=len(values)
    )
    cost = np.abs(at_most - goes_left[:, None])
    # ties go to the nearest edge
    distance = np.abs(np.arange(len(values))[:, None] - options[None, :])
    cost = cost + 1e-9 * (cost.max(initial=0.0) + 1e-300) * distance / len(values)
    first = np.searchsorted(options, start)
    best = _exchange(cost, first)
    if len(options) <= EDGES.max_thresholds + budget:
        best = min(
            (best, _exchange(cost, _contiguous(cost, budget))), key=lambda k: _total(cost, k)
        )
    assignment = cost[:, best].argmin(axis=1)
    used = np.unique(assignment)
    return options[best[used]], np.searchsorted(used, assignment)


def _options(n: int, threshold: Ints, weight: Floats, start: Ints) -> Ints:
    """Thresholds that may become edges: all, or those at equal steps of weight, and `start`."""
    if n <= EDGES.max_thresholds:
        return np.arange(n)
    total = np.cumsum(np.bincount(threshold, weights=weight, minlength=n) + 1e-12)
    steps = np.linspace(0, total[-1], EDGES.max_thresholds + 2)[1:-1]
    return np.union1d(np.minimum(np.searchsorted(total, steps), n - 1), start)


def _total(cost: Floats, chosen: Ints) -> float:
    return float(cost[:, chosen].min(axis=1).sum())


def _exchange(cost: Floats, chosen: Ints) -> Ints:
    """Alternate, as in k-medians: best edge of each group, best group of each threshold."""
    for _ in range(EDGES.max_rounds):
        group = cost[:, chosen].argmin(axis=1)
        moved = np.array(
            [
                cost[group == g].sum(axis=0).argmin() if np.any(group == g) else edge
                for g, edge in enumerate(chosen)
            ]
        )
        moved = np.unique(moved)
        if _total(cost, moved) >= _total(cost, chosen):
            break
        chosen = moved
    return np.sort(chosen)


def _contiguous(cost: Floats, budget: int) -> Ints:
    """Edges of the cheapest partition of the thresholds into runs (dynamic programming)."""
    if len(cost) > 2 * EDGES.max_thresholds:
        starts = np.linspace(0, len(cost), 2 * EDGES.max_thresholds + 1).astype(np.int64)[:-1]
        cost = np.add.reduceat(cost, starts, axis=0)
    n = len(cost)
    total = np.concatenate([np.zeros((1, cost.shape[1])), np.cumsum(cost, axis=0)])
    run = np.full((n, n), np.inf)
    edge = np.zeros((n, n), dtype=np.int64)
    for i in range(n):
        sums = total[i + 1 :] - total[i]
        edge[i, i:] = sums.argmin(axis=1)
        run[i, i:] = sums.min(axis=1)
    best, back = run[0].copy(), []
    for _ in range(1, min(budget, n)):
        options = np.concatenate([[np.inf], best[:-1]])[:, None] + run
        back.append(options.argmin(axis=0))
        best = options.min(axis=0)
    chosen, j = [], n - 1
    for table in reversed(back):
        i = int(table[j])
        chosen.append(edge[i, j])
        j = i - 1
        if j < 0:
            break
    if j >= 0:
        chosen.append(edge[0, j])
    return np.unique(np.array(chosen, dtype=np.int64))
