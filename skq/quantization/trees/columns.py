"""Columns of codes that a tree ensemble reads: edges of each feature, and where each node looks."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from skq.frontend.bisection import LARGEST
from skq.graph.ops import TreeArrays
from skq.program import Bin
from skq.quantization.lower.operands import Features
from skq.quantization.trees.bins import select_edges, share_below, uniform_edges
from skq.quantization.trees.pull_back import pull_back
from skq.quantization.trees.routing import Routing, route_edges
from skq.quantization.trees.settings import EDGES

Array = NDArray[Any]


@dataclass(frozen=True, eq=False)
class Columns:
    """Columns of codes that an ensemble reads, and where each node looks.

    With missing values in the calibration data, a feature may stand in two columns: one whose code
    for NaN is below all others (NaN goes left at every node that reads it), one where it is above.
    Without any, NaN has the code of a number that goes the same ways, as an imputer's filler does;
    features without such a number are `without_missing_code`.
    """

    feature: Array
    edges: list[Array]
    base: Array
    nan_code: Array
    without_missing_code: Array
    node_column: NDArray[np.int64]
    node_threshold: NDArray[np.int64]
    drops_edges: bool
    kind: str

    @classmethod
    def options(
        cls,
        trees: TreeArrays,
        features: Features,
        reached: Array,
        n_bits: int,
        row_weight: NDArray[np.float64],
        method: str,
    ) -> Iterator[Columns]:
        """Columns to choose from: one where all thresholds are kept, else one a kind.

        ======== ==========================================================================
        distance thresholds with the fewest rows between them and those that move to them
        uniform  edges of equal steps
        cheaper  for each feature whichever of the two misroutes fewer rows at its nodes
        routing  thresholds that misroute the fewest rows; not for trees of a sum, which
                 correct one another
        ======== ==========================================================================
        """
        splits = _Splits(trees, features, reached, n_bits, row_weight)
        plain = cls._of(splits, "distance")
        yield plain
        if plain.drops_edges and n_bits <= EDGES.max_searched_bits and method == "auto":
            yield cls._of(splits, "uniform")
            yield cls._of(splits, "cheaper")
            if trees.n_targets == 1 and (trees.aggregate == "AVERAGE" or trees.n_trees == 1):
                yield cls._of(splits, "routing")

    @classmethod
    def _of(cls, splits: _Splits, kind: str) -> Columns:
        trees = splits.trees
        column = np.zeros(len(trees.leaf), dtype=np.int64)
        threshold = np.zeros(len(trees.leaf), dtype=np.int64)
        feature_of: list[int] = []
        edges_of: list[Array] = []
        base: list[int] = []
        nan_code: list[int] = []
        for own in splits.by_feature:
            edges, assigned = splits.edges(own, kind)
            assigned = np.append(assigned, np.full(own.n_every, len(edges)))
            for direction in np.unique(own.to_left):
                chosen = own.to_left == direction
                column[own.nodes[chosen]] = len(feature_of)
                threshold[own.nodes[chosen]] = assigned[own.place[chosen]] + int(direction)
                feature_of.append(own.feature)
                edges_of.append(edges)
                base.append(int(direction))
                nan_code.append(own.nan_code(edges, direction, splits.has_missing))
        derived = np.flatnonzero((trees.leaf < 0) & (trees.feature >= splits.n_features))
        column[derived] = len(feature_of) + trees.feature[derived] - splits.n_features
        return cls(
            np.array(feature_of, dtype=np.int64),
            edges_of,
            np.array(base, dtype=np.int64),
            np.array(nan_code, dtype=np.int64),
            splits.without_missing_code,
            column,
            threshold,
            any(own.drops_edges for own in splits.by_feature),
            kind,
        )

    def instruction(self, value: int) -> Bin:
        """The Bin instruction that reads these columns from a float value."""
        counts = np.array([len(edges) for edges in self.edges], dtype=np.int64)
        return Bin(
            (value,),
            feature=self.feature,
            edges=np.concatenate([*self.edges, np.zeros(0)]),
            offsets=np.concatenate([[0], np.cumsum(counts)]),
            base=self.base,
            nan_code=self.nan_code,
        )


@dataclass(frozen=True, eq=False)
class _FeatureSplits:
    """Nodes that read one feature, and the edges that the thresholds with most weight make.

    Parameters
    ----------
    feature : int
    nodes : ndarray of shape (n_nodes,)
    place : ndarray of shape (n_nodes,)
        Of each node's threshold among `values`; behind them, where every number goes left.
    to_left : ndarray of shape (n_nodes,)
        Whether NaN goes left.
    values : ndarray of shape (n_values,), rising
        Thresholds that part numbers.
    missing_as : float
        A number that goes where NaN goes, at every node; NaN where there is none.
    n_every : int
        1 if there are nodes where every number goes left, else 0.
    kept : ndarray of int, rising
        Values that are edges.
    assigned : ndarray of shape (n_values,)
        Edge that each value moves to, as index into the kept.
    """

    feature: int
    nodes: NDArray[np.int64]
    place: NDArray[np.int64]
    to_left: NDArray[np.bool_]
    values: Array
    missing_as: float
    n_every: int
    kept: Array
    assigned: Array

    @property
    def drops_edges(self) -> bool:
        """Whether there are more thresholds than edges."""
        return len(self.kept) < len(self.values)

    def nan_code(self, edges: Array, to_left: bool, has_missing: bool) -> int:
        """Code of NaN in the column with these edges, read by the nodes of one direction."""
        if has_missing:
            return 0 if to_left else len(edges) + 1
        return 0 if np.isnan(self.missing_as) else int(np.searchsorted(edges, self.missing_as))


class _Splits:
    """An ensemble's splits by feature, and the calibration rows that they are judged by."""

    def __init__(
        self,
        trees: TreeArrays,
        features: Features,
        reached: Array,
        n_bits: int,
        row_weight: NDArray[np.float64],
    ) -> None:
        self.trees = trees
        self.n_features = features.raw.shape[1]
        self.has_missing = features.has_missing
        self.by_feature: list[_FeatureSplits] = []
        self._raw, self._fill = features.raw, features.fill
        self._reached = reached
        self._row_weight = row_weight
        self._budget = 2**n_bits - (2 if self.has_missing else 1)
        self._met = _rows_met(trees, reached, row_weight)
        self._place_of_node = np.zeros(len(trees.leaf), dtype=np.int64)
        inner = np.flatnonzero((trees.leaf < 0) & (trees.feature < self.n_features))
        edge = pull_back(features, trees.threshold[inner], trees.feature[inner])
        for f in np.unique(trees.feature[inner]):
            own = np.flatnonzero(trees.feature[inner] == f)
            self.by_feature.append(self._one(int(f), inner[own], edge[own]))

    def _one(self, feature: int, nodes: NDArray[np.int64], edge: Array) -> _FeatureSplits:
        values, place = np.unique(edge, return_inverse=True)
        self._place_of_node[nodes] = place
        every = values >= LARGEST  # thresholds that part missing values from all others
        met = np.bincount(place, weights=self._met[nodes], minlength=len(every)).astype(np.float64)
        values, weight = values[~every], met[~every]
        x = self._raw[:, feature]
        share = share_below(x, self._row_weight, values)
        n_values = len(np.unique(x[~np.isnan(x)])) if len(values) > self._budget else None
        kept, assigned = select_edges(share, weight, self._budget, n_values)
        to_left = self.trees.missing_true[nodes]
        if self._fill is not None and not np.isnan(self._fill[feature]):
            to_left = self._fill[feature] <= edge
        missing_as = _as_number(values, place, to_left)
        to_left = to_left & self.has_missing
        return _FeatureSplits(
            feature, nodes, place, to_left, values, missing_as, int(every.sum()), kept, assigned
        )

    @property
    def without_missing_code(self) -> Array:
        """Features whose NaN has no code: calibration had none, and no number goes its ways."""
        found = [own.feature for own in self.by_feature if np.isnan(own.missing_as)]
        return np.array([] if self.has_missing else found, dtype=np.int64)

    def edges(self, own: _FeatureSplits, kind: str) -> tuple[Array, Array]:
        """Edges of a feature by one kind of choice, and the edge that each value moves to."""
        values, x = own.values, self._raw[:, own.feature]
        plain = values[own.kept], own.assigned
        if not own.drops_edges or self._budget <= 0 or kind == "distance":
            return plain
        if kind == "uniform":
            return uniform_edges(values, x, self._row_weight, self._budget)
        x, place, weight = self._meetings(own)
        if kind == "routing":
            kept, assigned = route_edges(values, place, x, weight, self._budget, own.kept)
            return values[kept], assigned

        def misrouted(option: tuple[Array, Array]) -> float:
            edges, assigned = option
            return float(weight @ ((x <= values[place]) != (x <= edges[assigned[place]])))

        return min(plain, self.edges(own, "uniform"), key=misrouted)

    def _meetings(self, own: _FeatureSplits) -> tuple[Array, Array, Array]:
        """Where rows meet a feature's nodes: values, places of the thresholds, and weights."""
        row, node, weight = self._routing.of(own.feature)
        x, place = self._raw[row * self._every, own.feature], self._place_of_node[node]
        known = ~np.isnan(x) & (place < len(own.values))
        return x[known], place[known], weight[known]

    @cached_property
    def _every(self) -> int:
        """Of the calibration rows, every so many-th tells where rows meet nodes."""
        return max(1, -(-self._reached.size // EDGES.max_visits))

    @cached_property
    def _routing(self) -> Routing:
        rows = slice(None, None, self._every)
        return Routing(self.trees, self._reached[rows], self._row_weight[rows], self._met)


def _as_number(values: Array, place: NDArray[np.int64], to_left: NDArray[np.bool_]) -> float:
    """A number that goes left at the nodes that send NaN there, and right at all others.

    Parameters
    ----------
    values : ndarray of shape (n_values,), rising
        Thresholds that part numbers.
    place : ndarray of shape (n_nodes,)
        Of each node's threshold among them; behind them, where every number goes left.
    to_left : ndarray of shape (n_nodes,), bool

    Returns
    -------
    float
        The largest such number, infinity where there is no largest; NaN where there is none.
    """
    first_left = int(place[to_left].min(initial=len(values)))
    if place[~to_left].max(initial=-1) >= first_left:
        return np.nan
    return float(values[first_left]) if first_left < len(values) else np.inf


def _rows_met(trees: TreeArrays, reached: Array, row_weight: NDArray[np.float64]) -> Array:
    """Weight of the calibration rows that come by each node."""
    n_leaves = len(trees.leaf_weights)
    weights = np.repeat(row_weight, reached.shape[1])
    at_leaf = np.bincount(reached.ravel(), weights=weights, minlength=n_leaves)
    met = np.where(trees.leaf >= 0, at_leaf[np.maximum(trees.leaf, 0)], 0.0)
    for level in reversed(trees.branches_by_depth()):
        met[level] = met[trees.true_child[level]] + met[trees.false_child[level]]
    return met
