"""Tree ensembles: a Bin instruction for the features they read, and one Trees instruction."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from skq.graph.graph import ML_DOMAIN
from skq.graph.ops import TreeArrays
from skq.graph.ops.tree_attributes import NODE_MODES
from skq.program import Concat, Trees
from skq.quantization.base_quantized_op import QuantizedMixingOp, quantizes
from skq.quantization.lower.joint_features import split_features
from skq.quantization.lower.lowering import Lowering
from skq.quantization.lower.operands import Array, Features, Operand, QuantizedTensor
from skq.quantization.trees.code_columns import Columns
from skq.quantization.trees.derived_columns import DerivedColumns
from skq.quantization.trees.leaves import (
    Leaves,
    QuantizedLeaves,
    routing_error,
    sum_error,
)
from skq.quantization.trees.quantize_leaves import quantize_leaves
from skq.quantization.trees.settings import EDGES
from skq.quantization.trees.surrogates import with_surrogates

_LEQ = NODE_MODES.index("BRANCH_LEQ")


@quantizes("TreeEnsembleRegressor", domain=ML_DOMAIN)
class QuantizedTreeEnsembleRegressor(QuantizedMixingOp):
    """Sum or mean over decision trees.

    Each feature is binned at the ensemble's thresholds. If there are enough codes for all of them,
    no split changes. Leaf values have one scale for the ensemble.

    Trees with monotonic constraints keep them at every width: thresholds move in their order, so
    the integer trees are the float trees of features that a rising function has rounded; and leaf
    values are rounded in their order.
    """

    is_layer = True
    reads_features = True

    def lower(
        self, low: Lowering, x: Sequence[Operand], reals: Sequence[Array], outputs: Sequence[Array]
    ) -> Sequence[Operand]:
        features, tensors = split_features(x[0])
        if features is None:
            raise self.unsupported("trees read the features, or scaled features")
        trees = _in_order(TreeArrays.from_attributes(self.attributes))
        if np.any((trees.mode != _LEQ) & (trees.leaf < 0)):
            raise self.unsupported("its branches must be of the mode BRANCH_LEQ")
        if trees.aggregate not in ("SUM", "AVERAGE") or trees.post_transform != "NONE":
            raise self.unsupported("it must sum or average, without a post_transform")
        reached = trees.leaf_indices(reals[0])
        root = np.searchsorted(trees.roots, np.flatnonzero(trees.leaf >= 0), side="right") - 1
        real = Leaves(
            weights=trees.leaf_weights,
            tree=root,
            output=trees.first_target,
            n_outputs=trees.n_targets,
            base=trees.base_values,
            average=trees.aggregate == "AVERAGE",
            reached=reached,
            reached_by_codes=reached,
            row_weight=low.row_weight,
            monotonic=low.settings.monotonic,
        )
        n_bits, method = low.settings.n_bits, low.settings.calibration
        derived = DerivedColumns.of(low, tensors, trees, reals[0])
        tried: list[_Option] = []
        options = Columns.options(
            trees,
            features,
            reached,
            n_bits["model_inputs"],
            low.row_weight,
            method,
            low.settings.columns,
            reals[0],
        )
        for columns in options:
            if columns.kind == "routing" and real.monotonic:
                continue  # its thresholds may change their order
            codes, sample = self._codes(low, columns, features, derived)
            threshold = columns.node_threshold + derived.node_threshold
            by_code = replace(
                trees,
                feature=columns.node_column,
                threshold=threshold.astype(np.float64),
                missing_true=np.zeros_like(trees.missing_true),
            )
            walked = by_code.leaf_indices(sample)
            real = replace(real, reached_by_codes=walked)
            is_derived = columns.kind in ("uniform", "cheaper")
            if is_derived and routing_error(real) >= tried[0].routing_error:
                continue
            leaves = quantize_leaves(real, n_bits["op_weights"], method=method)
            tried.append(_Option(columns, codes, sample, by_code, real, leaves))
        best = min(tried, key=lambda option: option.error) if len(tried) > 1 else tried[0]
        if (
            method == "auto"
            and best.columns.drops_edges
            and n_bits["model_inputs"] <= EDGES.max_surrogate_bits
            and real.are_probabilities
            and not real.monotonic
        ):
            other = best.with_surrogates(trees, reals[0], n_bits["op_weights"])
            best = min(best, other, key=lambda option: option.error)
        by_code, leaves = best.by_code, best.leaves
        low.without_missing_code.update(best.columns.without_missing_code.tolist())
        is_leaf = trees.leaf >= 0
        value = low.add(
            Trees(
                (best.codes,),
                roots=trees.roots,
                feature=np.where(is_leaf, -1, by_code.feature),
                threshold=np.where(is_leaf, 0, by_code.threshold).astype(np.int64),
                left=np.where(is_leaf, trees.leaf, by_code.true_child),
                right=np.where(is_leaf, 0, by_code.false_child),
                leaf_values=leaves.values,
                output=trees.first_target,
                multiplier=leaves.multiplier,
                n_outputs=trees.n_targets,
            )
        )
        return [QuantizedTensor(value, leaves.scale, leaves.zero_point)]

    @staticmethod
    def _codes(
        low: Lowering, columns: Columns, features: Features, derived: DerivedColumns
    ) -> tuple[int, Array]:
        """A value, and its calibration sample: bins of the features, then the derived columns."""
        values, samples = derived.values, derived.samples
        if len(columns.feature) or not values:
            bins = low.add(columns.instruction(features.value))
            values, samples = (bins, *values), (low.sample(bins), *samples)
        value = values[0] if len(values) == 1 else low.add(Concat(values))
        return value, np.concatenate(samples, axis=1)


@dataclass(frozen=True, eq=False)
class _Option:
    """A choice of bins of the features, with its splits and leaves."""

    columns: Columns
    codes: int
    sample: Array
    by_code: TreeArrays
    real: Leaves
    leaves: QuantizedLeaves

    @cached_property
    def error(self) -> float:
        """Of the integer sums on the calibration rows."""
        return sum_error(self.real, self.leaves)

    @cached_property
    def routing_error(self) -> float:
        """Of the sums on these rows if leaves were not rounded."""
        return routing_error(self.real)

    def with_surrogates(self, trees: TreeArrays, x: Array, n_bits: int) -> _Option:
        """The same bins with surrogate splits."""
        columns = self.columns
        n_edges = np.array([len(edges) for edges in columns.edges], dtype=np.int64)
        by_code = with_surrogates(
            trees, self.by_code, x, self.sample, columns.base, n_edges, self.real.row_weight
        )
        real = replace(self.real, reached_by_codes=by_code.leaf_indices(self.sample))
        return replace(self, by_code=by_code, real=real, leaves=quantize_leaves(real, n_bits))


def _in_order(trees: TreeArrays) -> TreeArrays:
    """The same trees with every child after its parent and the nodes of a tree contiguous."""
    inner = trees.leaf < 0
    index = np.arange(len(inner))
    is_after = (trees.true_child > index) & (trees.false_child > index)
    if np.all(is_after[inner]) and np.all(np.diff(trees.roots) > 0) and _are_runs(trees):
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
    """Whether the nodes of each tree are contiguous, with its leaves in the same order."""
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
