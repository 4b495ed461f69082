"""Columns of codes that a tree ensemble reads: edges of each feature, and where each node looks."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from skq.frontend.numpy_ops import TreeArrays
from skq.program import Bin
from skq.quantization.operands import Features
from skq.quantization.trees.bins import select_edges, share_below, uniform_edges
from skq.quantization.trees.pull_back import pull_back
from skq.quantization.trees.routing import Routing, route_edges

Array = NDArray[Any]

#: Above this many bits few rows are misrouted, and comparing ways to place edges takes its time.
MAX_SEARCHED_BITS = 5

#: No finite value is above it.
LARGEST = np.finfo(np.float64).max


@dataclass(frozen=True, eq=False)
class Columns:
    """Columns of codes that an ensemble reads, and where each node looks.

    With missing values in the calibration data, a feature may stand in two columns: one whose code
    for NaN is below all others (NaN goes left at every node that reads it), one where it is above.
    """

    feature: Array
    edges: list[Array]
    left_missing: Array
    has_missing: bool
    node_column: NDArray[np.int64]
    node_threshold: NDArray[np.int64]
    drops_edges: bool
    kind: str

    @classmethod
    def options(
        cls,
        trees: TreeArrays,
        features: Features,
        rows: NDArray[np.int64],
        reached: Array,
        n_bits: int,
        row_weight: NDArray[np.float64],
        method: str,
    ) -> Iterator[Columns]:
        """Columns to choose from: one where all thresholds are kept, else one a kind.

        ======== ==========================================================================
        distance thresholds with the fewest rows between them and those that move to them
        uniform  edges of equal steps
        routing  thresholds that misroute the fewest rows; not for trees of a sum, which
                 correct one another
        ======== ==========================================================================
        """
        arguments = (trees, features, rows, reached, n_bits, row_weight)
        plain = cls._choose(*arguments, "distance")
        yield plain
        if plain.drops_edges and n_bits <= MAX_SEARCHED_BITS and method == "auto":
            yield cls._choose(*arguments, "uniform")
            if trees.n_targets == 1 and (trees.aggregate == "AVERAGE" or trees.n_trees == 1):
                yield cls._choose(*arguments, "routing")

    @classmethod
    def _choose(
        cls,
        trees: TreeArrays,
        features: Features,
        rows: NDArray[np.int64],
        reached: Array,
        n_bits: int,
        row_weight: NDArray[np.float64],
        kind: str,
    ) -> Columns:
        has_missing = features.has_missing
        budget = 2**n_bits - (2 if has_missing else 1)
        n_real = features.raw.shape[1]
        inner = np.flatnonzero((trees.leaf < 0) & (trees.feature < n_real))
        edge = pull_back(features, trees.threshold[inner], trees.feature[inner])
        met = _rows_met(trees, reached, row_weight)[inner]
        raw = features.raw[rows]
        routing = None
        if kind == "routing" and budget > 0:
            routing = Routing(trees, reached, row_weight, _rows_met(trees, reached, row_weight))
        place_of_node = np.zeros(len(trees.leaf), dtype=np.int64)
        to_left = trees.missing_true[inner] & has_missing
        column = np.zeros(len(trees.leaf), dtype=np.int64)
        threshold = np.zeros(len(trees.leaf), dtype=np.int64)
        feature_of: list[int] = []
        edges_of: list[Array] = []
        left_of: list[bool] = []
        drops_edges = False
        for f in np.unique(trees.feature[inner]):
            own = np.flatnonzero(trees.feature[inner] == f)
            values, place = np.unique(edge[own], return_inverse=True)
            place_of_node[inner[own]] = place
            every = values >= LARGEST  # thresholds that part missing values from all others
            values = values[~every]
            weight = np.bincount(place, weights=met[own], minlength=len(every)).astype(np.float64)
            weight = weight[~every]
            kept, assigned = select_edges(
                share_below(raw[:, f], row_weight, values), weight, budget
            )
            edges = values[kept]
            drops_edges |= len(kept) < len(values)
            if len(kept) < len(values) and routing is not None:
                row, node, share = routing.of(int(f))
                known = ~np.isnan(raw[row, f]) & (place_of_node[node] < len(values))
                row, node, share = row[known], node[known], share[known]
                at = place_of_node[node]
                kept, assigned = route_edges(values, at, raw[row, f], share, budget, kept)
                edges = values[kept]
            elif len(kept) < len(values) and kind == "uniform" and budget > 0:
                edges, assigned = uniform_edges(values, raw[:, f], row_weight, budget)
            assigned = np.append(assigned, np.full(int(every.sum()), len(edges)))
            for direction in np.unique(to_left[own]):
                nodes = inner[own[to_left[own] == direction]]
                code = assigned[place[to_left[own] == direction]] + int(direction)
                column[nodes], threshold[nodes] = len(feature_of), code
                feature_of.append(int(f))
                edges_of.append(edges)
                left_of.append(bool(direction))
        further = np.flatnonzero((trees.leaf < 0) & (trees.feature >= n_real))
        column[further] = len(feature_of) + trees.feature[further] - n_real
        return cls(
            np.array(feature_of, dtype=np.int64),
            edges_of,
            np.array(left_of, dtype=bool),
            has_missing,
            column,
            threshold,
            drops_edges,
            kind,
        )

    def instruction(self, value: int) -> Bin:
        """The Bin instruction that reads these columns from a float value."""
        counts = np.array([len(edges) for edges in self.edges], dtype=np.int64)
        above = counts + 1 if self.has_missing else np.zeros_like(counts)
        return Bin(
            (value,),
            feature=self.feature,
            edges=np.concatenate([*self.edges, np.zeros(0)]),
            offsets=np.concatenate([[0], np.cumsum(counts)]),
            base=self.left_missing.astype(np.int64),
            nan_code=np.where(self.left_missing, 0, above),
        )


def _rows_met(trees: TreeArrays, reached: Array, row_weight: NDArray[np.float64]) -> Array:
    """Weight of the calibration rows that come by each node."""
    n_leaves = len(trees.leaf_weights)
    weights = np.repeat(row_weight, reached.shape[1])
    at_leaf = np.bincount(reached.ravel(), weights=weights, minlength=n_leaves)
    met = np.where(trees.leaf >= 0, at_leaf[np.maximum(trees.leaf, 0)], 0.0)
    levels = []
    level = trees.roots[trees.leaf[trees.roots] < 0]
    while len(level):
        levels.append(level)
        below = np.concatenate([trees.true_child[level], trees.false_child[level]])
        level = below[trees.leaf[below] < 0]
    for level in reversed(levels):
        met[level] = met[trees.true_child[level]] + met[trees.false_child[level]]
    return met
