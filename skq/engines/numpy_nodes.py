"""Nodes of trees in the order of the NumPy engine."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from skq.program import instructions as ins

Ints = NDArray[np.int64]


def has_one_parent(step: ins.Trees) -> bool:
    """Whether no node has two parents, so that the nodes can be packed."""
    inner = step.feature >= 0
    visits = [step.left[inner], step.right[inner], step.roots]
    return int(np.bincount(np.concatenate(visits).astype(np.int64)).max(initial=0)) <= 1


class PackedNodes:
    """Nodes in an order in which the right child of a node precedes its left child.

    The first nodes are the roots, then come the children of each inner node. A leaf is its own left
    child.

    Parameters
    ----------
    step : ins.Trees
        No node has two parents.

    Attributes
    ----------
    number : ndarray of shape (n_nodes,), int64
        Number of each node in `step`.
    feature : ndarray of shape (n_nodes,), int32 or int64
        Column that a node compares; 0 for a leaf.
    left : ndarray of shape (n_nodes,), int64
    is_leaf : ndarray of shape (n_nodes,), bool
    tree : ndarray of shape (n_nodes,), int64
        Tree of each node; -1 for a node that no root leads to.
    depth : list of int
        Levels of each tree.
    """

    def __init__(self, step: ins.Trees) -> None:
        n_trees, inner = len(step.roots), np.flatnonzero(step.feature >= 0)
        right = n_trees + 2 * np.arange(len(inner))
        self.number = np.empty(n_trees + 2 * len(inner), np.int64)
        self.number[:n_trees] = step.roots
        self.number[right] = step.right[inner]
        self.number[right + 1] = step.left[inner]
        feature = step.feature[self.number]
        self.is_leaf = feature < 0
        wide = len(feature) and int(feature.max()) >= 2**31
        self.feature = np.maximum(feature, 0).astype(np.int64 if wide else np.int32)
        left = np.zeros(len(step.feature), np.int64)
        left[inner] = right + 1
        self.left = np.where(self.is_leaf, np.arange(len(self.number)), left[self.number])
        self.tree = np.full(len(self.number), -1)
        self.tree[:n_trees] = np.arange(n_trees)
        self.depth = self._measure(n_trees)

    def _measure(self, n_trees: int) -> list[int]:
        """Levels of each tree; names the tree of each node."""
        depth = np.zeros(n_trees, np.int64)
        level, n_levels = np.arange(n_trees), 0
        while True:
            level = level[~self.is_leaf[level]]
            if not len(level):
                return [int(d) for d in depth]
            n_levels += 1
            tree, left = self.tree[level], self.left[level]
            depth[tree] = n_levels
            self.tree[left] = self.tree[left - 1] = tree
            level = np.concatenate([left, left - 1])
