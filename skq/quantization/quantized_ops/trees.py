"""Tree ensembles: a Bin instruction for the features they read, and one Trees instruction."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from skq.frontend.graph import ML_DOMAIN
from skq.frontend.numpy_ops import TreeArrays
from skq.frontend.numpy_ops.tree_attributes import NODE_MODES
from skq.program import Bin, Concat, Trees
from skq.quantization.base_quantized_op import QuantizedMixingOp, quantizes
from skq.quantization.lowering import Lowering
from skq.quantization.operands import Array, Features, Operand, QuantizedTensor
from skq.quantization.trees.bins import select_edges
from skq.quantization.trees.joint import split_features
from skq.quantization.trees.leaves import Leaves, quantize_leaves, sum_error
from skq.quantization.trees.pull_back import pull_back
from skq.quantization.trees.routing import Routing, route_edges

#: Calibration rows that are sent through all trees.
MAX_WALKED_ROWS = 1000

#: Above this many bits few rows are misrouted, and counting them takes its time.
MAX_ROUTED_BITS = 5

_LEQ = NODE_MODES.index("BRANCH_LEQ")


@quantizes("TreeEnsembleRegressor", domain=ML_DOMAIN)
class QuantizedTreeEnsembleRegressor(QuantizedMixingOp):
    """Sum or mean over decision trees.

    Each feature is binned at the ensemble's own thresholds: where they are no more than the codes
    can tell apart, no split changes. Leaf values have one scale for the ensemble.
    """

    reads_features = True

    def lower(
        self, low: Lowering, x: Sequence[Operand], reals: Sequence[Array], outputs: Sequence[Array]
    ) -> Sequence[Operand]:
        features, further = split_features(x[0])
        if features is None:
            raise self.unsupported("trees read the features, or scaled features")
        trees = _in_order(TreeArrays.from_attributes(self.attributes))
        if np.any((trees.mode != _LEQ) & (trees.leaf < 0)):
            raise self.unsupported("its branches must be of the mode BRANCH_LEQ")
        if trees.aggregate not in ("SUM", "AVERAGE") or trees.post_transform != "NONE":
            raise self.unsupported("it must sum or average, without a post_transform")
        rows, row_weight = _thinned(low.row_weight)
        reached = trees.leaf_indices(reals[0][rows])
        root = np.searchsorted(trees.roots, np.flatnonzero(trees.leaf >= 0), side="right") - 1
        first, weights = _narrow(trees, root)
        real = Leaves(
            weights=weights,
            tree=root,
            output=first,
            n_outputs=trees.n_targets,
            base=trees.base_values,
            average=trees.aggregate == "AVERAGE",
            reached=reached,
            reached_by_codes=reached,
            row_weight=row_weight,
        )
        n_bits, method = low.settings.n_bits, low.settings.calibration
        tried = []
        for columns in _Columns.options(
            trees, features, rows, reached, n_bits["model_inputs"], row_weight, method
        ):
            codes = low.add(columns.instruction(features.value))
            if further is not None:
                bits = low.is_above(further, np.array(0.5), or_equal=False)
                codes = low.add(Concat((codes, bits.value)))
            by_code = replace(
                trees,
                feature=columns.node_column,
                threshold=columns.node_threshold.astype(np.float64),
                missing_true=np.zeros_like(trees.missing_true),
            )
            walked = by_code.leaf_indices(low.sample(codes)[rows])
            real = replace(real, reached_by_codes=walked)
            leaves = quantize_leaves(real, n_bits["op_weights"], method=method)
            tried.append((real, columns, codes, leaves))
        if len(tried) > 1:
            tried.sort(key=lambda option: sum_error(option[0], option[3]))
        _, columns, codes, leaves = tried[0]
        is_leaf = trees.leaf >= 0
        value = low.add(
            Trees(
                (codes,),
                roots=trees.roots,
                feature=np.where(is_leaf, -1, columns.node_column),
                threshold=np.where(is_leaf, 0, columns.node_threshold),
                left=np.where(is_leaf, trees.leaf, trees.true_child),
                right=np.where(is_leaf, 0, trees.false_child),
                leaf_values=leaves.values,
                output=first,
                multiplier=leaves.multiplier,
                n_outputs=trees.n_targets,
            )
        )
        return [QuantizedTensor(value, leaves.scale, leaves.zero_point)]


def _thinned(
    row_weight: NDArray[np.float64],
) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """At most `MAX_WALKED_ROWS` of the calibration rows, evenly spaced, and their weights."""
    n_rows = min(len(row_weight), MAX_WALKED_ROWS)
    rows = np.linspace(0, len(row_weight) - 1, n_rows).astype(np.int64)
    return rows, row_weight[rows] / row_weight[rows].sum()


def _in_order(trees: TreeArrays) -> TreeArrays:
    """The same trees with every child behind its parent and trees one after another."""
    inner = trees.leaf < 0
    index = np.arange(len(inner))
    behind = (trees.true_child > index) & (trees.false_child > index)
    if np.all(behind[inner]) and np.all(np.diff(trees.roots) > 0) and _are_runs(trees):
        return trees
    order = _level_order(trees)
    number = np.empty(len(order), dtype=np.int64)
    number[order] = index[: len(order)]
    is_leaf = trees.leaf[order] >= 0
    leaf = np.where(is_leaf, np.cumsum(is_leaf) - 1, -1)
    rows = trees.leaf[order][is_leaf]
    return replace(
        trees,
        roots=number[trees.roots],
        feature=trees.feature[order],
        threshold=trees.threshold[order],
        mode=trees.mode[order],
        true_child=number[trees.true_child[order]],
        false_child=number[trees.false_child[order]],
        leaf=leaf,
        missing_true=trees.missing_true[order],
        leaf_weights=trees.leaf_weights[rows],
        leaf_has_weight=trees.leaf_has_weight[rows],
    )


def _are_runs(trees: TreeArrays) -> bool:
    """Whether each tree's nodes stand between its root and the next, its leaves in that order."""
    inner = np.flatnonzero(trees.leaf < 0)
    tree = np.searchsorted(trees.roots, inner, side="right")
    leaf = trees.leaf[trees.leaf >= 0]
    return bool(
        trees.roots[0] == 0
        and np.array_equal(leaf, np.arange(len(leaf)))
        and all(
            np.array_equal(np.searchsorted(trees.roots, child[inner], side="right"), tree)
            for child in (trees.true_child, trees.false_child)
        )
    )


def _level_order(trees: TreeArrays) -> NDArray[np.int64]:
    """Nodes tree by tree, each tree level by level."""
    tree = np.arange(len(trees.roots))
    node = trees.roots
    found: list[tuple[Array, Array]] = []
    while len(node):
        found.append((tree, node))
        inner = trees.leaf[node] < 0
        node, tree = node[inner], tree[inner]
        pairs = np.stack([trees.true_child[node], trees.false_child[node]], axis=1)
        node, tree = pairs.ravel(), np.repeat(tree, 2)
    trees_of = np.concatenate([t for t, _ in found])
    nodes = np.concatenate([n for _, n in found])
    return nodes[np.argsort(trees_of, kind="stable")]


def _narrow(trees: TreeArrays, tree: NDArray[Any]) -> tuple[NDArray[np.int64], Array]:
    """First output of each tree and its leaves' weights: one column if each tree has one output."""
    touched = np.zeros((trees.n_trees, trees.n_targets), dtype=bool)
    np.logical_or.at(touched, tree, trees.leaf_has_weight)
    if trees.n_targets > 1 and np.all(touched.sum(axis=1) <= 1):
        first = touched.argmax(axis=1)
        return first, np.take_along_axis(trees.leaf_weights, first[tree][:, None], axis=1)
    return np.zeros(trees.n_trees, dtype=np.int64), trees.leaf_weights


@dataclass(frozen=True, eq=False)
class _Columns:
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
    ) -> Iterator[_Columns]:
        """Columns to choose from: with edges by distance, and, if some are dropped, by routing."""
        arguments = (trees, features, rows, reached, n_bits, row_weight)
        plain = cls._choose(*arguments, routed=False)
        yield plain
        one_value = trees.n_targets == 1 and (trees.aggregate == "AVERAGE" or trees.n_trees == 1)
        if plain.drops_edges and n_bits <= MAX_ROUTED_BITS and method != "minmax" and one_value:
            yield cls._choose(*arguments, routed=True)

    @classmethod
    def _choose(
        cls,
        trees: TreeArrays,
        features: Features,
        rows: NDArray[np.int64],
        reached: Array,
        n_bits: int,
        row_weight: NDArray[np.float64],
        *,
        routed: bool,
    ) -> _Columns:
        has_missing = features.has_missing
        budget = 2**n_bits - (2 if has_missing else 1)
        n_real = features.raw.shape[1]
        inner = np.flatnonzero((trees.leaf < 0) & (trees.feature < n_real))
        edge = pull_back(features, trees.threshold[inner], trees.feature[inner])
        met = _rows_met(trees, reached, row_weight)[inner]
        raw = features.raw[rows]
        routing = None
        if routed and budget > 0:
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
            weight = np.bincount(place, weights=met[own]).astype(np.float64)
            kept, assigned = select_edges(
                _share_below(raw[:, f], row_weight, values), weight, budget
            )
            drops_edges |= len(kept) < len(values)
            if len(kept) < len(values) and routing is not None:
                row, node, share = routing.of(int(f))
                known = ~np.isnan(raw[row, f])
                row, node, share = row[known], node[known], share[known]
                at = place_of_node[node]
                kept, assigned = route_edges(values, at, raw[row, f], share, budget, kept)
            for direction in np.unique(to_left[own]):
                nodes = inner[own[to_left[own] == direction]]
                code = assigned[place[to_left[own] == direction]] + int(direction)
                column[nodes], threshold[nodes] = len(feature_of), code
                feature_of.append(int(f))
                edges_of.append(values[kept])
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


def _share_below(values: Array, row_weight: NDArray[np.float64], edges: Array) -> Array:
    """Share of the rows at or below each edge, with a trace of the edge's rank to break ties."""
    present = ~np.isnan(values)
    order = np.argsort(values[present], kind="stable")
    total = np.concatenate([[0.0], np.cumsum(row_weight[present][order])])
    below = total[np.searchsorted(values[present][order], edges, side="right")]
    return np.asarray(below + 1e-4 * np.arange(len(edges)) / max(1, len(edges)))


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
