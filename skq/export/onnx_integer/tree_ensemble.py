"""Trees as ``TreeEnsembleRegressor`` (ai.onnx.ml 3), or as ``TreeEnsemble`` (ai.onnx.ml 5).

Leaf values are integers whose sums are exact in the floats that
the operator adds in: its result is float32, so sums of more than 24 bits are split into digits.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from skq.export.onnx_integer.builder import GraphBuilder, Value
from skq.export.onnx_integer.tree_ensemble_5 import packed_sums
from skq.export.onnx_integer.tree_splits import EXACT_FLOAT32, Splits, nodes_by_tree, splits_of
from skq.graph.graph import ML_DOMAIN
from skq.numerics import EXACT_FLOAT64
from skq.program import TensorType
from skq.program import instructions as ins

Ints = NDArray[np.int64]


def ensemble_sums(
    g: GraphBuilder, step: ins.Trees, x: Value, codes: ins.Bin | TensorType
) -> Value | None:
    """Sums of the trees in float32 or float64, (n_rows, n_outputs).

    Parameters
    ----------
    g : GraphBuilder
    step : Trees
    x : Value
        Reals that a Bin reads, or codes in float32 or float64.
    codes : Bin or TensorType
        The Bin, or the type of the codes.

    Returns
    -------
    Value or None
        None if a node has several parents, if there are only leaves, or if sums need more than 53
        bits.
    """
    order = nodes_by_tree(step)
    values = step.leaf_values.astype(object)
    bound = sum(int(m) * int(np.abs(values).max(initial=0)) for m in step.multiplier)
    if order is None or bound > EXACT_FLOAT64 or not np.any(step.feature >= 0):
        return None
    tree, node = order
    if g.ml_opset >= 5:
        packed = packed_sums(g, step, x, codes, order)
        if packed is not None:
            return packed
    splits = splits_of(step, codes, x.dtype)
    digits = _digits(step, tree, node, bound)
    sums = g.node(
        "TreeEnsembleRegressor",
        [x],
        "float32",
        domain=ML_DOMAIN,
        **_node_attributes(step, splits, tree, node, g.takes_missing),
        **_leaf_attributes(step, tree, node, digits, x.dtype),
        n_targets=step.n_outputs * len(digits),
        aggregate_function="SUM",
    )
    return sums if len(digits) == 1 else _recombined(g, sums, step.n_outputs, digits)


def _node_attributes(
    step: ins.Trees, splits: Splits, tree: Ints, node: Ints, takes_missing: bool
) -> dict[str, Any]:
    leaf = step.feature[node] < 0
    number = np.zeros(len(step.feature), dtype=np.int64)  # in its tree
    number[node] = np.arange(len(node)) - np.searchsorted(tree, tree)
    sides = [
        np.where(leaf, 0, number[np.where(leaf, 0, side[node])])
        for side in (splits.left, splits.right)
    ]
    threshold = np.where(leaf, 0, splits.threshold[node])
    attributes: dict[str, Any] = {
        "nodes_treeids": tree,
        "nodes_nodeids": number[node],
        "nodes_featureids": np.where(leaf, 0, splits.feature[node]),
        "nodes_modes": np.where(leaf, "LEAF", "BRANCH_LEQ"),
        "nodes_truenodeids": sides[0],
        "nodes_falsenodeids": sides[1],
    }
    if threshold.dtype == np.float64:
        attributes["nodes_values_as_tensor"] = threshold
    else:
        attributes["nodes_values"] = threshold
    missing = np.where(leaf, 0, splits.missing_left[node]).astype(np.int64)
    if takes_missing and missing.any():
        attributes["nodes_missing_value_tracks_true"] = missing
    return attributes


def _digits(step: ins.Trees, tree: Ints, node: Ints, bound: int) -> list[tuple[int, Ints]]:
    """Leaf values times the multiplier of their tree, as digits whose sums float32 holds.

    Returns
    -------
    list of (int, ndarray of shape (n_leaves_reached, width))
        Factor and digits: the values are the sum of factor times digits.
    """
    leaf = step.feature[node] < 0
    values = step.leaf_values[step.left[node[leaf]]].astype(np.int64)
    values = values * step.multiplier[tree[leaf]].astype(np.int64)[:, np.newaxis]
    if bound <= EXACT_FLOAT32:
        return [(1, values)]
    bits = 24 - max(1, len(step.roots)).bit_length()
    digits, factor = [], 1
    while np.any(values):
        low = values & ((1 << bits) - 1)
        digits.append((factor, low))
        values = (values - low) >> bits
        factor <<= bits
        if factor > bound:  # the remaining digits of negative values are -1
            digits.append((factor, values))
            break
    return digits or [(1, values)]


def _leaf_attributes(
    step: ins.Trees, tree: Ints, node: Ints, digits: list[tuple[int, Ints]], dtype: str
) -> dict[str, Any]:
    """One entry for each leaf and target with a value other than 0, at least one for each leaf."""
    leaf = step.feature[node] < 0
    number = (np.arange(len(node)) - np.searchsorted(tree, tree))[leaf]
    weights = np.concatenate([part for _, part in digits], axis=1)
    first = step.output[tree[leaf]].astype(np.int64)[:, np.newaxis]
    targets = np.concatenate(
        [first + np.arange(step.width) + k * step.n_outputs for k in range(len(digits))], axis=1
    )
    listed = weights != 0
    listed[:, :1] |= ~listed.any(axis=1, keepdims=True)
    at = np.nonzero(listed)
    attributes: dict[str, Any] = {
        "target_treeids": tree[leaf][at[0]],
        "target_nodeids": number[at[0]],
        "target_ids": targets[at],
    }
    suffix = "_as_tensor" if dtype == "float64" else ""
    attributes["target_weights" + suffix] = weights[at].astype(dtype)
    return attributes


def _recombined(g: GraphBuilder, sums: Value, n: int, digits: list[tuple[int, Ints]]) -> Value:
    """The sum of factor times digits, in float64; highest first, so that every step is exact."""
    wide = g.cast(sums, "float64")
    total: Value | None = None
    for k, (factor, _) in reversed(list(enumerate(digits))):
        ends = [np.array([k * n]), np.array([(k + 1) * n]), np.array([1])]
        part = g.node("Slice", [wide, *ends], "float64")
        part = g.binary("Mul", part, float(factor)) if factor > 1 else part
        total = part if total is None else g.binary("Add", total, part)
    assert total is not None
    return total
