"""Trees by gathers of integers: all trees of all rows go down one level at a time.

::

    node = roots                                       (n_rows, n_trees)
    each level:  code = GatherElements(x, feature[node])
                 node = Where(code <= threshold[node], left[node], right[node])
    sums = leaf_values[row[node]] * multiplier, summed over the trees of an output

The children of a leaf are the leaf itself, so all trees run for the depth of the deepest.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from skq.export.onnx_integer.builder import GraphBuilder, Value
from skq.export.onnx_integer.quantizers import Types
from skq.program import TensorType
from skq.program import instructions as ins

Ints = NDArray[np.int64]


def trees(g: GraphBuilder, step: ins.Trees, types: Types, result: TensorType, x: Value) -> Value:
    """Sums over trees, in int32 where all of them fit, else in int64."""
    bound = int(np.abs(step.leaf_values.astype(object)).max(initial=0))
    bound *= sum(map(int, step.multiplier))
    dtype = "int32" if bound < 2**31 else "int64"
    rows = _leaf_rows(g, step, types[0], x)
    leaf_values = g.constant(step.leaf_values, dtype)
    reached = g.node("Gather", [leaf_values, rows], dtype, axis=0)  # (n_rows, n_trees, width)
    if np.any(step.multiplier != 1):
        reached = g.binary("Mul", reached, step.multiplier[:, np.newaxis])
    return _summed(g, step, reached, bound)


def _leaf_rows(g: GraphBuilder, step: ins.Trees, codes: TensorType, x: Value) -> Value:
    """Row of the leaf values that each tree reaches, (n_rows, n_trees)."""
    index = np.arange(len(step.feature))
    leaf = step.feature < 0
    lo, hi = codes.interval
    wide = "int32" if -(2**31) < lo and hi < 2**31 else "int64"
    feature = np.where(leaf, 0, step.feature)
    threshold = np.clip(
        step.threshold.astype(np.int64), lo - 1, hi
    )  # fits the dtype of codes; same comparisons
    left, right = (np.where(leaf, index, side) for side in (step.left, step.right))
    node = g.constant(step.roots, "int64")
    depth = _depth(step)
    if depth:
        x = g.cast(x, wide)
    rows = g.node("Concat", [g.batch(), np.array([len(step.roots)])], "int64", axis=0)
    node = g.node("Expand", [node, rows], "int64")
    for _ in range(depth):
        column = g.node("Gather", [g.constant(feature, "int64"), node], "int64", axis=0)
        code = g.node("GatherElements", [x, column], wide, axis=1)
        bound = g.node("Gather", [g.constant(threshold, wide), node], wide, axis=0)
        goes_left = g.node("LessOrEqual", [code, bound], "bool")
        sides = [
            g.node("Gather", [g.constant(side, "int64"), node], "int64", axis=0)
            for side in (left, right)
        ]
        node = g.node("Where", [goes_left, *sides], "int64")
    row = g.constant(np.where(leaf, step.left, 0), "int64")
    return g.node("Gather", [row, node], "int64", axis=0)


def _depth(step: ins.Trees) -> int:
    """Levels below the roots."""
    level, depth = np.unique(step.roots), 0
    while True:
        level = level[step.feature[level] >= 0]
        if not len(level):
            return depth
        level = np.unique(np.concatenate([step.left[level], step.right[level]]))
        depth += 1


def _summed(g: GraphBuilder, step: ins.Trees, reached: Value, bound: int) -> Value:
    """Sums over the trees that add to the same outputs, (n_rows, n_outputs)."""
    total: Value | None = None
    for first in np.unique(step.output):
        chosen = np.flatnonzero(step.output == first)
        part = reached
        if len(chosen) < len(step.output):
            part = g.node("Gather", [part, chosen.astype(np.int64)], part.dtype, axis=1)
        part = g.sum(part, 1, len(chosen), bound)
        after = step.n_outputs - int(first) - step.width
        if first or after:
            part = g.node("Pad", [part, np.array([0, first, 0, after])], part.dtype)
        total = part if total is None else g.binary("Add", total, part)
    assert total is not None  # a program without trees gives constants
    return total
