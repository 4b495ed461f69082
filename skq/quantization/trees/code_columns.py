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
from skq.quantization.trees.bins import SortedValues, select_edges, uniform_edges
from skq.quantization.trees.effects import edges_by_effect
from skq.quantization.trees.pull_back import pull_back
from skq.quantization.trees.routing import Arrivals, route_edges, rows_met
from skq.quantization.trees.settings import EDGES

Array = NDArray[Any]

#: Message for codes that only distinguish missing values from numbers.
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
            key = part.to_left * len(starts) + nth_column
            for one in np.flatnonzero(np.bincount(key)):
                direction, nth = divmod(int(one), len(starts))
                chosen = key == one
                first = starts[nth]
                own = edges[first : starts[nth + 1]] if nth + 1 < len(starts) else edges[first:]
                column[part.nodes[chosen]] = len(feature_of)
                threshold[part.nodes[chosen]] = at[chosen] - first + direction
                feature_of.append(part.feature)
                edges_of.append(own)
                base.append(direction)
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
    x : SortedValues or None
        The feature's values on the calibration rows; None if all thresholds are edges.
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
    budget : int
        Greatest number of edges.
    """

    feature: int
    x: SortedValues | None
    nodes: NDArray[np.int64]
    position: NDArray[np.int64]
    to_left: NDArray[np.bool_]
    values: Array
    missing_as: float
    n_every: int
    selected: Array
    assigned: Array
    budget: int

    @cached_property
    def uniform(self) -> tuple[Array, Array]:
        """Uniform edges, and the edge that each value is moved to."""
        assert self.x is not None  # more thresholds than edges
        return uniform_edges(self.values, self.x, self.budget)

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
        self._met = rows_met(trees, reached, row_weight)
        self._position_of_node = np.zeros(len(trees.leaf), dtype=np.int64)
        inner = np.flatnonzero((trees.leaf < 0) & (trees.feature < self.n_features))
        edge = pull_back(features, trees.threshold[inner], trees.feature[inner])
        feature = trees.feature[inner]
        order = np.argsort(feature, kind="stable")
        ends = np.cumsum(np.bincount(feature, minlength=1))
        for f in np.unique(feature):
            nodes = order[ends[f - 1] if f else 0 : ends[f]]
            self.by_feature.append(self._one(int(f), inner[nodes], edge[nodes]))

    def _one(self, feature: int, nodes: NDArray[np.int64], edge: Array) -> _FeatureSplits:
        values, position = np.unique(edge, return_inverse=True)
        self._position_of_node[nodes] = position
        always_left = values >= LARGEST  # thresholds that only NaN exceeds
        met = np.bincount(position, weights=self._met[nodes], minlength=len(always_left)).astype(
            np.float64
        )
        values, weight = values[~always_left], met[~always_left]
        x: SortedValues | None = None
        selected: Array = np.arange(len(values))
        assigned = selected
        if len(values) > self.budget:
            x = SortedValues.of(self._raw[:, feature], self._row_weight)
            share = x.share_below(values)
            selected, assigned = select_edges(share, weight, self.budget, x.n_distinct)
        to_left = self.trees.missing_true[nodes]
        if self._fill is not None and not np.isnan(self._fill[feature]):
            to_left = self._fill[feature] <= edge
        missing_as = _as_number(values, position, to_left)
        to_left = to_left & self.has_missing
        return _FeatureSplits(
            feature,
            x,
            nodes,
            position,
            to_left,
            values,
            missing_as,
            int(always_left.sum()),
            selected,
            assigned,
            self.budget,
        )

    @property
    def without_missing_code(self) -> Array:
        """Features without a code for NaN: no calibration row has NaN, no number its branches."""
        features = [part.feature for part in self.by_feature if np.isnan(part.missing_as)]
        return np.array([] if self.has_missing else features, dtype=np.int64)

    def edges(self, part: _FeatureSplits, kind: str) -> tuple[Array, Array]:
        """Edges of a feature by one kind of choice, and the edge that each value is moved to."""
        values = part.values
        plain = values[part.selected], part.assigned
        if part.x is None or self.budget <= 0 or kind == "distance":
            return plain
        if kind == "effect":
            selected, assigned = edges_by_effect(
                self.trees,
                self._curve_rows,
                part.feature,
                self._compared(part),
                part.x.share_below(values),
                self.budget,
            )
            return values[selected], assigned
        if kind == "uniform":
            return part.uniform
        x, position, weight = self._arrivals(part)
        if kind == "routing":
            selected, assigned = route_edges(
                values, position, x, weight, self.budget, part.selected
            )
            return values[selected], assigned
        goes_left = x <= values[position]

        def misrouted(option: tuple[Array, Array]) -> float:
            edges, assigned = option
            return float(weight @ (goes_left != (x <= edges[assigned][position])))

        return min(plain, part.uniform, key=misrouted)

    def _arrivals(self, part: _FeatureSplits) -> tuple[Array, Array, Array]:
        """Arrivals of rows at a feature's nodes: values, indices of the thresholds, and weights."""
        x, position, weight = self._all_arrivals.of(part.feature)
        known = ~np.isnan(x) & (position < len(part.values))
        return (x, position, weight) if known.all() else (x[known], position[known], weight[known])

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
    def _all_arrivals(self) -> Arrivals:
        """Arrivals of some of the calibration rows."""
        rows = slice(None, None, max(1, -(-self._reached.size // EDGES.max_visits)))
        return Arrivals(
            self.trees,
            self._raw[rows],
            self._reached[rows],
            self._row_weight[rows],
            self._met,
            self._position_of_node,
        )


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
