"""Trees as ``TreeEnsemble`` (ai.onnx.ml 5), which takes about a third of the bytes of version 3.

Its sums have the dtype of its input, so 53 bits of them are exact in float64. A leaf of this
operator has one target. Where a leaf of the program has several outputs, their sums share one
target, each in separate bits::

    leaf     = sum of value[k] * 2**(bits * k)                    weights of the operator
    q        = Floor(TreeEnsemble(x) * 2**-(bits * k))            (n_rows, n_digits)
    sums     = Gemm(q, ...): q[k] - q[k + 1] * 2**bits, plus the least sum

Values are counted from the least, so all digits are positive. If all leaves add up to the same
number, such as the probabilities of classes, the last output is that number minus the others.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from skq.export.onnx_integer.builder import GraphBuilder, Value
from skq.export.onnx_integer.tree_splits import EXACT_FLOAT32, Splits, splits_of
from skq.graph.graph import ML_DOMAIN
from skq.numerics import EXACT_FLOAT64
from skq.program import TensorType
from skq.program import instructions as ins

Ints = NDArray[np.int64]

#: Bits that the digits of a target may take; one less than float64 has, for the Gemm's sums.
MOST_BITS = 52


@dataclass(frozen=True, eq=False)
class Packing:
    """How sums of several outputs share a target.

    Parameters
    ----------
    target : ndarray of shape (n_trees,)
        Target that a tree adds to.
    n_targets : int
    weights : ndarray of shape (n_leaf_values, n_multipliers)
        Weight of a row of leaf values in a tree of each multiplier.
    multipliers : ndarray of shape (n_multipliers,)
    bound : int
        Of the sums, in magnitude.
    bits : int
        Of a digit.
    matrix : ndarray of shape (n_targets * n_digits, n_outputs) or None
        What makes sums of digits; None if the sums of the targets are those of the outputs.
    offset : ndarray of shape (n_outputs,)
    """

    target: Ints
    n_targets: int
    weights: NDArray[np.float64]
    multipliers: Ints
    bound: int
    bits: int = 0
    matrix: NDArray[np.float64] | None = None
    offset: NDArray[np.float64] | None = None


def packed_sums(
    g: GraphBuilder,
    step: ins.Trees,
    x: Value,
    codes: ins.Bin | TensorType,
    order: tuple[Ints, Ints],
) -> Value | None:
    """Sums of the trees in float32 or float64, (n_rows, n_outputs); None if they do not pack.

    Parameters
    ----------
    g : GraphBuilder
    step : Trees
    x : Value
        Reals that a Bin reads, or codes in float32 or float64.
    codes : Bin or TensorType
    order : tuple of (ndarray, ndarray)
        Tree and index of all reachable nodes, by tree.
    """
    packing = _packing(step)
    if packing is None:
        return None
    if packing.bound > EXACT_FLOAT32:
        x = g.cast(x, "float64")
    splits = splits_of(step, codes, x.dtype)
    sums = g.node(
        "TreeEnsemble",
        [x],
        x.dtype,
        domain=ML_DOMAIN,
        **_attributes(step, splits, packing, order, g.takes_missing, x.dtype),
        n_targets=packing.n_targets,
        aggregate_function=1,  # the sum
    )
    return _unpacked(g, sums, packing)


def _packing(step: ins.Trees) -> Packing | None:
    """How the outputs are packed; None where they need more bits, or overlap."""
    values = step.leaf_values.astype(np.int64)
    multipliers, index = np.unique(step.multiplier.astype(np.int64), return_inverse=True)
    starts, target = np.unique(step.output, return_inverse=True)
    width = step.width
    whole = len(starts) * width == step.n_outputs and np.array_equal(
        starts, np.arange(len(starts)) * width
    )
    counts = np.zeros((len(starts), len(multipliers)), dtype=np.int64)  # trees of a target
    np.add.at(counts, (target, index), 1)
    total = counts @ multipliers
    if width == 1:
        bound = int(total.max()) * int(np.abs(values).max(initial=0))
        if bound > EXACT_FLOAT64:
            return None
        target = step.output.astype(np.int64)
        return Packing(target, step.n_outputs, _reals(values * multipliers), multipliers, bound)
    if not whole:
        return None
    row_sums = values.sum(axis=1)
    n_digits = width - (np.ptp(row_sums) == 0)
    least = values.min()
    digits = values[:, :n_digits] - least
    bits = int(total.max() * digits.max(initial=0)).bit_length()
    if bits * n_digits > MOST_BITS:
        return None
    radix = np.int64(1) << (bits * np.arange(n_digits))
    weights = _reals((digits @ radix)[:, np.newaxis] * multipliers)
    block = np.zeros((n_digits, width))
    block[range(n_digits), range(n_digits)] = 1
    block[range(1, n_digits), range(n_digits - 1)] = -(2.0**bits)
    offset = np.repeat(total[:, np.newaxis] * least, width, axis=1)
    if n_digits < width:
        block[:, -1] = -block.sum(axis=1)
        offset[:, -1] = total * (row_sums[0] - n_digits * least)
    matrix = np.kron(np.eye(len(starts)), block).astype(np.float64)
    bound = 1 << (bits * n_digits)
    return Packing(
        target, len(starts), weights, multipliers, bound, bits, matrix, _reals(offset.ravel())
    )


def _reals(integers: Ints) -> NDArray[np.float64]:
    return integers.astype(np.float64)


def _unpacked(g: GraphBuilder, sums: Value, packing: Packing) -> Value:
    """The sums of outputs, from those of targets."""
    if packing.matrix is None or packing.offset is None:
        return sums
    sums = g.cast(sums, "float64")
    n_digits = len(packing.matrix) // packing.n_targets
    if n_digits > 1:
        if packing.n_targets > 1:
            sums = g.reshape(sums, (packing.n_targets, 1))
        sums = g.binary("Mul", sums, 2.0 ** (-packing.bits * np.arange(n_digits)))
        sums = g.node("Floor", [sums], "float64")
        if packing.n_targets > 1:
            sums = g.reshape(sums, (packing.n_targets * n_digits,))
    return g.node("Gemm", [sums, packing.matrix, packing.offset], "float64")


def _attributes(
    step: ins.Trees,
    splits: Splits,
    packing: Packing,
    order: tuple[Ints, Ints],
    takes_missing: bool,
    dtype: str,
) -> dict[str, Any]:
    """Attributes of the nodes and leaves; leaves of equal target and weight are stored once."""
    tree, node = order
    leaf = step.feature[node] < 0
    multiplier = np.searchsorted(packing.multipliers, step.multiplier.astype(np.int64)[tree[leaf]])
    entries = np.stack(
        [packing.target[tree[leaf]], packing.weights[step.left[node[leaf]], multiplier]], axis=1
    )
    unique, number = np.unique(entries, axis=0, return_inverse=True)
    position = np.zeros(len(step.feature), dtype=np.int64)  # among inner nodes, or among leaves
    position[node[leaf]] = number.ravel()
    alone = np.flatnonzero(leaf & (np.diff(tree, prepend=-1) > 0))  # trees of one leaf
    is_inner = ~leaf
    is_inner[alone] = True
    inner = node[is_inner]
    lonely = step.feature[inner] < 0
    feature = np.where(lonely, 0, splits.feature[inner])
    position[inner[~lonely]] = np.flatnonzero(~lonely)
    left, right = (np.where(lonely, inner, side[inner]) for side in (splits.left, splits.right))
    to_left, to_right = position[left], position[right]
    is_leaf = [step.feature[child] < 0 for child in (left, right)]
    # onnx's evaluator counts an entry twice that both branches of a node share
    same = is_leaf[0] & is_leaf[1] & (to_left == to_right)
    listed = np.concatenate([unique, unique[to_left[same]]])
    to_right[same] = len(unique) + np.arange(same.sum())
    attributes: dict[str, Any] = {
        "tree_roots": np.flatnonzero(np.diff(tree[is_inner], prepend=-1) > 0),
        "nodes_featureids": feature,
        "nodes_splits": np.where(lonely, 0, splits.threshold[inner]).astype(dtype),
        "nodes_modes": np.zeros(len(inner), dtype=np.uint8),  # x <= split
        "nodes_truenodeids": to_left,
        "nodes_trueleafs": is_leaf[0].astype(np.int64),
        "nodes_falsenodeids": to_right,
        "nodes_falseleafs": is_leaf[1].astype(np.int64),
        "leaf_targetids": listed[:, 0].astype(np.int64),
        "leaf_weights": listed[:, 1].astype(dtype),
    }
    missing = np.where(lonely, 0, splits.missing_left[inner]).astype(np.int64)
    if takes_missing and missing.any():
        attributes["nodes_missing_value_tracks_true"] = missing
    return attributes
