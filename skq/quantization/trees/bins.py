"""The choice of the thresholds of a feature that become bin edges.

A threshold that is not an edge is moved to an edge. At nodes with that threshold the rows between
the two are misrouted. The position of a threshold is the share of rows below it, its weight the
weight of the rows that arrive at its nodes. Choosing edges is then a weighted k-medians problem.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from skq.compiled import call, loops
from skq.quantization.trees.settings import EDGES

Floats = NDArray[np.float64]
Ints = NDArray[np.integer[Any]]


def select_edges(
    position: Floats, weight: Floats, budget: int, n_values: int | None = None
) -> tuple[Ints, Ints]:
    """Choose at most `budget` of the thresholds of one feature.

    Parameters
    ----------
    position : ndarray of shape (n_thresholds,), rising
        Share of the rows below each threshold.
    weight : ndarray of shape (n_thresholds,)
        Cost of misrouting at each threshold: weight of the rows that arrive at its nodes.
    budget : int
        Greatest number of edges.
    n_values : int, default=None
        Number of distinct values of the feature, if known. If there are no more values than bins
        (a feature of categories, for instance), each value has a bin.

    Returns
    -------
    selected : ndarray of int, rising
        Indices of the thresholds that become edges.
    assignment : ndarray of shape (n_thresholds,)
        Index into `selected` of the edge that each threshold is moved to.
    """
    n = len(position)
    if n <= budget:
        return np.arange(n), np.arange(n)
    if budget <= 0:
        return np.zeros(0, dtype=np.int64), np.zeros(n, dtype=np.int64)
    weight = weight + 1e-3 * weight.mean() + 1e-12
    if budget > EDGES.max_exact_bins and n_values is not None and n_values < budget:
        group = _groups_between_rows(position, weight, budget)
    elif budget > EDGES.max_exact_bins:
        group = groups_of_equal_weight(weight, budget)
    elif n > EDGES.max_candidates:
        coarse = groups_of_equal_weight(weight, max(EDGES.max_candidates, 2 * budget))
        median = _medians(coarse, weight)
        merged = np.bincount(coarse, weights=weight).astype(np.float64)
        group = partition(group_costs(position[median], merged), budget)[coarse]
    else:
        group = partition(group_costs(position, weight), budget)
    return _medians(group, weight), group


@dataclass(frozen=True, eq=False)
class SortedValues:
    """A feature's values on the calibration rows, sorted once for all choices of edges.

    Parameters
    ----------
    values : ndarray of shape (n_rows,), rising
        NaN left out.
    total : ndarray of shape (n_rows + 1,)
        Weight of the rows before each, and of all of them.
    finite : SortedValues or None
        The same without infinity; None where there is none.
    """

    values: Floats
    total: Floats
    finite: SortedValues | None = None

    @classmethod
    def of(cls, x: Floats, row_weight: Floats) -> SortedValues:
        """Sort a feature's values, ndarray of shape (n_rows,), with the weights of the rows."""
        present = ~np.isnan(x)
        if not present.all():
            x, row_weight = x[present], row_weight[present]
        order = np.argsort(x)
        values = x[order]
        finite = None
        if len(values) and np.isinf(values[[0, -1]]).any():
            finite = cls.of(np.where(np.isinf(x), np.nan, x), row_weight)
        return cls(values, np.concatenate([[0.0], np.cumsum(row_weight[order])]), finite)

    @property
    def n_distinct(self) -> int:
        """Number of distinct values."""
        return int(np.count_nonzero(self.values[1:] != self.values[:-1])) + bool(len(self.values))

    def share_below(self, edges: Floats) -> Floats:
        """Share of the rows at or below each edge, plus a trace of its rank to break ties.

        Parameters
        ----------
        edges : ndarray of shape (n_edges,), rising
        """
        below = self.total[np.searchsorted(self.values, edges, side="right")]
        return np.asarray(below + EDGES.trace * np.arange(len(edges)) / max(1, len(edges)))


def uniform_edges(thresholds: Floats, x: SortedValues, budget: int) -> tuple[Floats, Ints]:
    """Edges of a uniform quantizer: equally spaced from the least to the greatest value.

    Parameters
    ----------
    thresholds : ndarray of shape (n_thresholds,), rising
    x : SortedValues
        The feature's values.
    budget : int
        Number of edges.

    Returns
    -------
    edges : ndarray of shape (n_edges,), rising
        Only those that a threshold is moved to.
    assignment : ndarray of shape (n_thresholds,)
        Index into `edges` of the edge with the fewest rows between it and each threshold.
    """
    x = x if x.finite is None else x.finite
    low, high = x.values[[0, -1]] if len(x.values) else (np.inf, -np.inf)
    if not low < high:
        low = high = thresholds[0]
    edges = np.unique(low + (high - low) * (np.arange(budget) + 0.5) / budget)
    rows = x.share_below(edges) - EDGES.trace * np.arange(len(edges)) / len(edges)
    between = np.abs(x.share_below(thresholds)[:, None] - rows)
    nearest = between.argmin(axis=1)
    used = np.unique(nearest)
    return edges[used], np.searchsorted(used, nearest)


def _groups_between_rows(position: Floats, weight: Floats, count: int) -> Ints:
    """Consecutive groups of thresholds with no row between them.

    If these are fewer than `count`, groups are split between the neighbours of greatest weight.
    """
    first = np.diff(position, prepend=-np.inf) > EDGES.trace
    inside = np.flatnonzero(~first)
    heaviest = np.argsort(-np.minimum(weight[inside - 1], weight[inside]), kind="stable")
    first[inside[heaviest[: count - int(first.sum())]]] = True
    return np.cumsum(first) - 1


def groups_of_equal_weight(weight: Floats, count: int) -> Ints:
    """Consecutive groups of about equal weight, numbered consecutively from 0."""
    middle = np.cumsum(weight) - weight / 2
    raw = np.minimum((middle / weight.sum() * count).astype(np.int64), count - 1)
    return np.cumsum(np.diff(raw, prepend=raw[0]) > 0)


def _medians(group: Ints, weight: Floats) -> Ints:
    """Index of the weighted median of each group."""
    total = np.cumsum(weight)
    last = np.flatnonzero(np.diff(group, append=group[-1] + 1))
    first = np.concatenate([[0], last[:-1] + 1])
    half = (total[last] + total[first] - weight[first]) / 2
    return np.clip(np.searchsorted(total, half), first, last)


def partition(cost: Floats, count: int) -> Ints:
    """Split a line into consecutive groups at the least cost (exact, by dynamic programming).

    Parameters
    ----------
    cost : ndarray of shape (n, n)
        ``cost[i, j]``: of a group of the items i..j; inf where i > j.
    count : int
        Groups at most.

    Returns
    -------
    ndarray of shape (n,), int
        Group of each item, rising from 0.
    """
    n = len(cost)
    starts = np.zeros((count, n), dtype=np.int64)
    if loops is None:
        _run_starts(cost, starts)
    else:
        call("run_starts", n, count, cost, starts)
    return _trace(starts, n, count)


def _run_starts(cost: Floats, starts: Ints) -> None:
    """First item of the last group if items 0..j form k groups, for each k and j; in NumPy.

    -1 where an additional group is no gain. `starts` is written to.
    """
    n = len(cost)
    best = cost[0].copy()  # best[j]: least cost of items 0..j in k groups
    for k in range(1, len(starts)):
        before = np.concatenate([[np.inf], best[:-1]])
        total = before[:, None] + cost
        starts[k] = total.argmin(axis=0)
        least = total[starts[k], np.arange(n)]
        starts[k] = np.where(least <= best, starts[k], -1)
        best = np.minimum(best, least)


def _trace(starts: Ints, n: int, count: int) -> Ints:
    """Group of each threshold, from the table of group starts."""
    cuts = []
    j, k = n - 1, count - 1
    while j >= 0:
        while k > 0 and starts[k, j] < 0:
            k -= 1
        first = int(starts[k, j]) if k > 0 else 0
        cuts.append(first)
        j, k = first - 1, k - 1
    is_cut = np.zeros(n, dtype=np.int64)
    is_cut[cuts] = 1
    return np.cumsum(is_cut) - 1


def group_costs(position: Floats, weight: Floats) -> Floats:
    """``cost[i, j]``: weighted distance of thresholds i..j to their median; inf where i > j."""
    total = np.concatenate([[0.0], np.cumsum(weight)])
    moment = np.concatenate([[0.0], np.cumsum(weight * position)])
    if loops is None:
        return _group_costs_in_numpy(position, total, moment)
    cost = np.full((len(position), len(position)), np.inf)
    call("group_costs", len(position), position, total, moment, cost)
    return cost


def _group_costs_in_numpy(position: Floats, total: Floats, moment: Floats) -> Floats:
    n = len(position)
    i, j = np.meshgrid(np.arange(n), np.arange(n), indexing="ij")
    half = (total[i] + total[j + 1]) / 2
    median = np.clip(np.searchsorted(total[1:], half), i, np.maximum(i, j))
    below = position[median] * (total[median] - total[i]) - (moment[median] - moment[i])
    above = (moment[j + 1] - moment[median]) - position[median] * (total[j + 1] - total[median])
    return np.where(i <= j, below + above, np.inf)
