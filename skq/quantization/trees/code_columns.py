"""Columns of codes that a tree ensemble reads: bin edges, and column and threshold of each node."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from skq.exceptions import UnsupportedModelError
from skq.frontend.bisection import LARGEST
from skq.graph.ops import TreeArrays
from skq.program import Bin
from skq.quantization.lower.operands import Features
from skq.quantization.trees.bins import select_edges, share_below, uniform_edges
from skq.quantization.trees.effects import edges_by_effect
from skq.quantization.trees.pull_back import pull_back
from skq.quantization.trees.routing import Routing, route_edges
from skq.quantization.trees.settings import EDGES

Array = NDArray[Any]

#: Message where the code of missing values is the only one beside that of all numbers.
NO_CODE_LEFT = (
    "with n_bits['model_inputs']=1 and missing values in X no code is left for a split: give 2 "
    "bits or more"
)


@dataclass(frozen=True, eq=False)
class Columns:
    """Columns of codes that an ensemble reads, and column and threshold of each node.

    A feature with more edges than a column has codes for may have several columns, each with
    different edges; every node reads one of them. See `columns_per_feature` of the estimators.

    If the calibration data have missing values, each of these columns may be two: in one the code
    of NaN is below all others (NaN goes left at every node), in the other it is above all others.
    Otherwise NaN gets the code of a number that takes the same branches, such as the fill value of
    an imputer. Features without such a number are `without_missing_code`.
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
        n_columns: int | None,
        reals: Array,
    ) -> Iterator[Columns]:
        """Candidates: one if all thresholds can be edges, else one for each kind of choice.

        ======== ==========================================================================
        distance fewest rows between a threshold and the edge that it is moved to
        uniform  equally spaced edges
        cheaper  for each feature the better of the two, by misrouted rows
        routing  edges that misroute the fewest rows; not for sums of trees, where a
                 later tree corrects the errors of earlier ones
        effect   edges between values with different sums over the trees; for features
                 in several columns
        ======== ==========================================================================
        """
        splits = _Splits(trees, features, reached, n_bits, row_weight, n_columns, reals)
        plain = cls._of(splits, "distance")
        yield plain
        is_searched = splits.budget < 2**EDGES.max_searched_bits and method == "auto"
        if plain.drops_edges and is_searched:
            yield cls._of(splits, "uniform")
            yield cls._of(splits, "cheaper")
            if trees.n_targets == 1 and (trees.aggregate == "AVERAGE" or trees.n_trees == 1):
                yield cls._of(splits, "routing")
            if n_columns != 1 and trees.n_targets <= EDGES.max_curve_targets:
                yield cls._of(splits, "effect")

    @classmethod
    def _of(cls, splits: _Splits, kind: str) -> Columns:
        trees = splits.trees
        column = np.zeros(len(trees.leaf), dtype=np.int64)
        threshold = np.zeros(len(trees.leaf), dtype=np.int64)
        feature_of: list[int] = []
        edges_of: list[Array] = []
        base: list[int] = []
        nan_code: list[int] = []
        for part in splits.by_feature:
            edges, assigned = splits.edges(part, kind)
            assigned = np.append(assigned, np.full(part.n_every, len(edges)))
            at = assigned[part.position]
            starts = _starts(len(edges), splits.edges_per_column)
            nth_column = np.searchsorted(starts, at, side="right") - 1
            for direction, nth in np.unique(np.stack([part.to_left, nth_column], axis=1), axis=0):
                chosen = (part.to_left == direction) & (nth_column == nth)
                first = starts[nth]
                own = edges[first : starts[nth + 1]] if nth + 1 < len(starts) else edges[first:]
                column[part.nodes[chosen]] = len(feature_of)
                threshold[part.nodes[chosen]] = at[chosen] - first + int(direction)
                feature_of.append(part.feature)
                edges_of.append(own)
                base.append(int(direction))
                nan_code.append(part.nan_code(own, bool(direction), splits.has_missing))
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
            any(part.drops_edges for part in splits.by_feature),
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
    """Nodes that read one feature, and the edges chosen among their thresholds.

    Parameters
    ----------
    feature : int
    nodes : ndarray of shape (n_nodes,)
    position : ndarray of shape (n_nodes,)
        Index of each node's threshold in `values`; ``n_values`` where every number goes left.
    to_left : ndarray of shape (n_nodes,)
        Whether NaN goes left.
    values : ndarray of shape (n_values,), rising
        Finite thresholds.
    missing_as : float
        A number that takes the same branch as NaN at every node; NaN if there is none.
    n_every : int
        1 if there are nodes where every number goes left, else 0.
    selected : ndarray of int, rising
        Indices of the values that are edges.
    assigned : ndarray of shape (n_values,)
        Index into `selected` of the edge that each value is moved to.
    """

    feature: int
    nodes: NDArray[np.int64]
    position: NDArray[np.int64]
    to_left: NDArray[np.bool_]
    values: Array
    missing_as: float
    n_every: int
    selected: Array
    assigned: Array

    @property
    def drops_edges(self) -> bool:
        """Whether there are more thresholds than edges."""
        return len(self.selected) < len(self.values)

    def nan_code(self, edges: Array, to_left: bool, has_missing: bool) -> int:
        """Code of NaN in the column with these edges, read by the nodes of one direction."""
        if has_missing:
            return 0 if to_left else len(edges) + 1
        return 0 if np.isnan(self.missing_as) else int(np.searchsorted(edges, self.missing_as))


class _Splits:
    """An ensemble's splits by feature, and the calibration rows that edges are chosen by."""

    def __init__(
        self,
        trees: TreeArrays,
        features: Features,
        reached: Array,
        n_bits: int,
        row_weight: NDArray[np.float64],
        n_columns: int | None,
        reals: Array,
    ) -> None:
        self.trees = trees
        self.n_features = features.raw.shape[1]
        self.has_missing = features.has_missing
        self.by_feature: list[_FeatureSplits] = []
        self._raw, self._fill = features.raw, features.fill
        self._reached, self._reals = reached, reals
        self._row_weight = row_weight
        self.edges_per_column = 2**n_bits - (2 if self.has_missing else 1)
        if n_columns is None and not self.edges_per_column:
            raise UnsupportedModelError(NO_CODE_LEFT)
        self.budget = self.edges_per_column * (len(trees.leaf) if n_columns is None else n_columns)
        self._met = _rows_met(trees, reached, row_weight)
        self._position_of_node = np.zeros(len(trees.leaf), dtype=np.int64)
        inner = np.flatnonzero((trees.leaf < 0) & (trees.feature < self.n_features))
        edge = pull_back(features, trees.threshold[inner], trees.feature[inner])
        for f in np.unique(trees.feature[inner]):
            nodes = np.flatnonzero(trees.feature[inner] == f)
            self.by_feature.append(self._one(int(f), inner[nodes], edge[nodes]))

    def _one(self, feature: int, nodes: NDArray[np.int64], edge: Array) -> _FeatureSplits:
        values, position = np.unique(edge, return_inverse=True)
        self._position_of_node[nodes] = position
        always_left = values >= LARGEST  # thresholds that only NaN exceeds
        met = np.bincount(position, weights=self._met[nodes], minlength=len(always_left)).astype(
            np.float64
        )
        values, weight = values[~always_left], met[~always_left]
        x = self._raw[:, feature]
        share = share_below(x, self._row_weight, values)
        n_values = len(np.unique(x[~np.isnan(x)])) if len(values) > self.budget else None
        selected, assigned = select_edges(share, weight, self.budget, n_values)
        to_left = self.trees.missing_true[nodes]
        if self._fill is not None and not np.isnan(self._fill[feature]):
            to_left = self._fill[feature] <= edge
        missing_as = _as_number(values, position, to_left)
        to_left = to_left & self.has_missing
        return _FeatureSplits(
            feature,
            nodes,
            position,
            to_left,
            values,
            missing_as,
            int(always_left.sum()),
            selected,
            assigned,
        )

    @property
    def without_missing_code(self) -> Array:
        """Features without a code for NaN: no calibration row has NaN, no number its branches."""
        features = [part.feature for part in self.by_feature if np.isnan(part.missing_as)]
        return np.array([] if self.has_missing else features, dtype=np.int64)

    def edges(self, part: _FeatureSplits, kind: str) -> tuple[Array, Array]:
        """Edges of a feature by one kind of choice, and the edge that each value is moved to."""
        values, x = part.values, self._raw[:, part.feature]
        plain = values[part.selected], part.assigned
        if not part.drops_edges or self.budget <= 0 or kind == "distance":
            return plain
        if kind == "effect":
            selected, assigned = edges_by_effect(
                self.trees,
                self._curve_rows,
                part.feature,
                self._compared(part),
                share_below(x, self._row_weight, values),
                self.budget,
            )
            return values[selected], assigned
        if kind == "uniform":
            return uniform_edges(values, x, self._row_weight, self.budget)
        x, position, weight = self._arrivals(part)
        if kind == "routing":
            selected, assigned = route_edges(
                values, position, x, weight, self.budget, part.selected
            )
            return values[selected], assigned

        def misrouted(option: tuple[Array, Array]) -> float:
            edges, assigned = option
            return float(weight @ ((x <= values[position]) != (x <= edges[assigned[position]])))

        return min(plain, self.edges(part, "uniform"), key=misrouted)

    def _arrivals(self, part: _FeatureSplits) -> tuple[Array, Array, Array]:
        """Arrivals of rows at a feature's nodes: values, indices of the thresholds, and weights."""
        row, node, weight = self._routing.of(part.feature)
        x, position = self._raw[row * self._every, part.feature], self._position_of_node[node]
        known = ~np.isnan(x) & (position < len(part.values))
        return x[known], position[known], weight[known]

    def _compared(self, part: _FeatureSplits) -> Array:
        """The thresholds of a feature as the trees compare them, for the values of the raw one."""
        finite = part.position < len(part.values)
        result = np.full(len(part.values), -np.inf)
        np.maximum.at(result, part.position[finite], self.trees.threshold[part.nodes[finite]])
        return result

    @cached_property
    def _curve_rows(self) -> Array:
        """Rows whose sums are computed with other values of a feature."""
        cells = max(EDGES.max_cells, 2 * self.budget) * self.trees.n_targets
        n_rows = min(len(self._reals), max(16, EDGES.max_curve_values // cells))
        rows = np.linspace(0, len(self._reals) - 1, n_rows).astype(np.int64)
        return np.asarray(self._reals[rows], dtype=np.float64)

    @cached_property
    def _every(self) -> int:
        """Step between the calibration rows that arrivals are counted for."""
        return max(1, -(-self._reached.size // EDGES.max_visits))

    @cached_property
    def _routing(self) -> Routing:
        rows = slice(None, None, self._every)
        return Routing(self.trees, self._reached[rows], self._row_weight[rows], self._met)


def _starts(n_edges: int, per_column: int) -> NDArray[np.int64]:
    """Index of the first edge of each column; columns have about as many edges each."""
    n_columns = max(1, -(-n_edges // max(per_column, 1)))
    return np.arange(n_columns) * n_edges // n_columns


def _as_number(values: Array, position: NDArray[np.int64], to_left: NDArray[np.bool_]) -> float:
    """A number that goes left at the nodes that send NaN there, and right at all others.

    Parameters
    ----------
    values : ndarray of shape (n_values,), rising
        Finite thresholds.
    position : ndarray of shape (n_nodes,)
        Index of each node's threshold in `values`; ``n_values`` where every number goes left.
    to_left : ndarray of shape (n_nodes,), bool

    Returns
    -------
    float
        The largest such number, infinity where there is no largest; NaN where there is none.
    """
    first_left = int(position[to_left].min(initial=len(values)))
    if position[~to_left].max(initial=-1) >= first_left:
        return np.nan
    return float(values[first_left]) if first_left < len(values) else np.inf


def _rows_met(trees: TreeArrays, reached: Array, row_weight: NDArray[np.float64]) -> Array:
    """Weight of the calibration rows that arrive at each node."""
    n_leaves = len(trees.leaf_weights)
    weights = np.repeat(row_weight, reached.shape[1])
    at_leaf = np.bincount(reached.ravel(), weights=weights, minlength=n_leaves)
    met = np.where(trees.leaf >= 0, at_leaf[np.maximum(trees.leaf, 0)], 0.0)
    for level in reversed(trees.branches_by_depth()):
        met[level] = met[trees.true_child[level]] + met[trees.false_child[level]]
    return met
