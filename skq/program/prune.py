"""Removes nodes of trees that do not change the sums.

Quantized trees have redundant nodes. Two thresholds of one path may become the same code, so that
the lower split always takes the same side. And two leaves of a split often have equal values once
leaf values are integers of few bits.

- A node at which all rows take the same side, by the interval of the codes and the splits above it,
  is replaced by its child of that side.
- A node whose two sides end in leaves of equal values is replaced by such a leaf.
- Leaves of equal values share a row of `leaf_values`.

Nodes get new numbers. So the numbers of leaves are no longer those of the float trees, and a pruned
program cannot compute ``apply`` and staged predictions.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from skq.program.instructions import Trees
from skq.program.program import IntegerProgram

Ints = NDArray[np.integer[Any]]


def pruned(program: IntegerProgram) -> IntegerProgram:
    """The program with pruned trees; its outputs are equal for every input."""
    steps = [
        prune_trees(step, *program.types[step.inputs[0]].interval)
        if isinstance(step, Trees)
        else step
        for _, step, _ in program.steps()
    ]
    return IntegerProgram(program.inputs, tuple(steps), program.outputs)


def prune_trees(trees: Trees, lo: int, hi: int) -> Trees:
    """Trees with the same sums and fewer nodes.

    Parameters
    ----------
    trees : Trees
    lo, hi : int
        Proven interval of the codes that the trees read.
    """
    if not len(trees.roots):
        return trees
    left, right = (np.array(side, dtype=np.int64) for side in (trees.left, trees.right))
    leaf = trees.feature < 0
    values, row = np.unique(trees.leaf_values, axis=0, return_inverse=True)
    row = row.ravel()
    left[leaf] = row[left[leaf]]
    target = _end_of(_implied(trees, leaf, lo, hi))
    while True:
        inner = np.flatnonzero(~leaf)
        a, b = target[left[inner]], target[right[inner]]
        same = leaf[a] & leaf[b] & (left[a] == left[b]) & (target[inner] == inner)
        if not np.any(same):
            break
        target[inner[same]] = a[same]
        target = _end_of(target)
    left[~leaf], right[~leaf] = target[left[~leaf]], target[right[~leaf]]
    return _compact(trees, values, target[trees.roots], left, right)


def _implied(trees: Trees, leaf: NDArray[np.bool_], lo: int, hi: int) -> Ints:
    """For each node its child to which every row goes, or the node itself if there is none."""
    inner = np.flatnonzero(~leaf)
    parent = np.full(len(leaf), -1)
    parent[trees.left[inner]] = parent[trees.right[inner]] = inner
    feature, threshold = trees.feature[inner], trees.threshold[inner].astype(np.int64)
    least, greatest = np.full(len(inner), lo), np.full(len(inner), hi)
    open_, below, above = np.arange(len(inner)), inner, parent[inner]
    while True:
        more = above >= 0
        open_, below, above = open_[more], below[more], above[more]
        if not len(open_):
            break
        asks = trees.feature[above] == feature[open_]
        went_left = trees.left[above] == below
        bound = trees.threshold[above].astype(np.int64)
        at, at_right = open_[asks & went_left], open_[asks & ~went_left]
        greatest[at] = np.minimum(greatest[at], bound[asks & went_left])
        least[at_right] = np.maximum(least[at_right], bound[asks & ~went_left] + 1)
        below, above = above, parent[above]
    target = np.arange(len(leaf))
    always, never = greatest <= threshold, least > threshold
    target[inner[always]] = trees.left[inner[always]]
    target[inner[never]] = trees.right[inner[never]]
    return target


def _end_of(target: Ints) -> Ints:
    """The end of the chain ``target[target[...]]`` of each node."""
    while True:
        following = target[target]
        if np.array_equal(following, target):
            return target
        target = following


def _compact(trees: Trees, values: Ints, roots: Ints, left: Ints, right: Ints) -> Trees:
    """Only the nodes that a root leads to, in their order, and the leaf values that they use."""
    leaf = trees.feature < 0
    reached = np.zeros(len(leaf), dtype=bool)
    level = roots
    while len(level):
        reached[level] = True
        level = level[~leaf[level]]
        level = np.concatenate([left[level], right[level]])
    used = np.flatnonzero(reached)
    number = np.cumsum(reached) - 1
    is_leaf = leaf[used]
    rows, row = np.unique(left[used][is_leaf], return_inverse=True)
    new_left, new_right = number[left[used] * ~is_leaf], number[right[used] * ~is_leaf]
    new_left[is_leaf], new_right[is_leaf] = row.ravel(), 0
    return replace(
        trees,
        roots=number[roots],
        feature=trees.feature[used],
        threshold=np.where(is_leaf, 0, trees.threshold[used]),
        left=new_left,
        right=new_right,
        leaf_values=values[rows],
    )
