"""Trees without the nodes that change nothing: the same sums, from a smaller program.

Once thresholds are codes, many splits are implied: a tree that asks ``x <= 3.1`` and below it
``x <= 2.9`` asks the same twice where both became the same code. And once leaf values are integers
of few bits, the two leaves of a split are often the same.

- A node that all rows leave on one side, by the interval of its codes and the splits above it, is
  passed over.
- A node whose sides both end in leaves of the same values becomes such a leaf.
- Leaves with the same values share them.

Nodes are numbered anew, so leaves are no longer found by their number in the float tree: what
``apply`` and staged predictions need is lost.
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
    """The same program with pruned trees: equal outputs for every input."""
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
        Interval of the codes that they read.
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
    """For each node itself, or the child that every row goes to."""
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
    """Where chains of ``target[target[...]]`` end."""
    while True:
        further = target[target]
        if np.array_equal(further, target):
            return target
        target = further


def _compact(trees: Trees, values: Ints, roots: Ints, left: Ints, right: Ints) -> Trees:
    """Nodes that a root leads to, in their order, and leaf values that one of them names."""
    leaf = trees.feature < 0
    reached = np.zeros(len(leaf), dtype=bool)
    level = roots
    while len(level):
        reached[level] = True
        level = level[~leaf[level]]
        level = np.concatenate([left[level], right[level]])
    kept = np.flatnonzero(reached)
    number = np.cumsum(reached) - 1
    own_leaf = leaf[kept]
    used, row = np.unique(left[kept][own_leaf], return_inverse=True)
    new_left, new_right = number[left[kept] * ~own_leaf], number[right[kept] * ~own_leaf]
    new_left[own_leaf], new_right[own_leaf] = row.ravel(), 0
    return replace(
        trees,
        roots=number[roots],
        feature=trees.feature[kept],
        threshold=np.where(own_leaf, 0, trees.threshold[kept]),
        left=new_left,
        right=new_right,
        leaf_values=values[used],
    )
