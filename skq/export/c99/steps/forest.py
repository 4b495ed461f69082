"""Trees in preorder: a node, its left subtree, its right subtree.

The left child of a node follows it. Its right child follows the left subtree, so a node stores the
number of inner nodes in its left subtree (`skip`). A subtree without inner nodes is a leaf, and
leaves are numbered in the same order, so neither a flag nor an index of a leaf is needed.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from skq.exceptions import UnsupportedModelError

Ints = NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class Forest:
    """Inner nodes and leaves of all trees, in preorder.

    Parameters
    ----------
    sizes : ndarray of int64, shape (n_trees,)
        Inner nodes of each tree; it has one more leaf.
    feature, threshold, skip : ndarray of int64, shape (n_inner,)
        `skip`: inner nodes of the left subtree.
    leaf : ndarray of int64, shape (n_inner + n_trees,)
        Row of `values` of each leaf.
    values : ndarray of int64, shape (n_rows, width)
        Distinct rows.
    output, multiplier : ndarray of int64, shape (n_trees,)
    n_outputs : int
    """

    sizes: Ints
    feature: Ints
    threshold: Ints
    skip: Ints
    leaf: Ints
    values: Ints
    output: Ints
    multiplier: Ints
    n_outputs: int

    @classmethod
    def of(cls, trees: Any) -> Forest:
        """The trees of an instruction."""
        feature, threshold = np.asarray(trees.feature), np.asarray(trees.threshold)
        left, right = np.asarray(trees.left), np.asarray(trees.right)
        values = np.asarray(trees.leaf_values).astype(np.int64)
        rows, row_of = np.unique(values, axis=0, return_inverse=True)
        row_of = row_of.ravel()
        limit = 8 * len(feature) + 64
        order: list[int] = []
        leaves: list[int] = []
        sizes: list[int] = []
        skips: list[int] = []
        for root in np.asarray(trees.roots):
            begin = len(order)
            # (node, index of the parent whose left subtree ends before this node)
            stack: list[tuple[int, int]] = [(int(root), -1)]
            while stack:
                node, parent = stack.pop()
                if parent >= 0:
                    skips[parent] = len(order) - parent - 1
                if feature[node] < 0:
                    leaves.append(int(row_of[left[node]]))
                    continue
                index = len(order)
                order.append(node)
                skips.append(0)
                stack.append((int(right[node]), index))
                stack.append((int(left[node]), -1))
                if len(order) > limit:
                    raise UnsupportedModelError(
                        "Trees whose nodes have several parents are not supported in C."
                    )
            sizes.append(len(order) - begin)
        nodes = np.array(order, dtype=np.int64)
        return cls(
            np.array(sizes, dtype=np.int64),
            feature[nodes].astype(np.int64),
            threshold[nodes].astype(np.int64),
            np.array(skips, dtype=np.int64),
            np.array(leaves, dtype=np.int64),
            rows,
            np.asarray(trees.output).astype(np.int64),
            np.asarray(trees.multiplier).astype(np.int64),
            int(trees.n_outputs),
        )

    @property
    def width(self) -> int:
        """Outputs that a leaf adds to."""
        return int(self.values.shape[1])

    def partial_interval(self) -> tuple[int, int]:
        """Bounds of every sum over the first trees, whichever leaves are reached."""
        low = [0] * self.n_outputs
        high = [0] * self.n_outputs
        ends = [0, 0]
        start = 0
        for t, size in enumerate(self.sizes):
            rows = self.values[self.leaf[start : start + size + 1]]
            start += int(size) + 1
            factor, first = int(self.multiplier[t]), int(self.output[t])
            least, greatest = rows.min(axis=0), rows.max(axis=0)
            for j in range(self.width):
                low[first + j] += factor * int(least[j])
                high[first + j] += factor * int(greatest[j])
            ends = [min(ends[0], *low), max(ends[1], *high)]
        return ends[0], ends[1]


@dataclass(frozen=True, eq=False)
class Terms:
    """Rows of leaf values as lists of terms: an output, a value, and whether it is the last.

    If the terms of one row are a subset of another's, its list is the end of the other's list.

    Parameters
    ----------
    output, value, last : list of int
    start : list of int
        First term of each row.
    """

    output: list[int]
    value: list[int]
    last: list[int]
    start: list[int]

    @classmethod
    def of(cls, values: Ints) -> Terms:
        """Terms of rows of leaf values."""
        sets = [frozenset((int(j), int(row[j])) for j in np.flatnonzero(row)) for row in values]
        sets = [s or frozenset([(0, 0)]) for s in sets]
        open_ = dict.fromkeys(sorted(set(sets), key=lambda s: (-len(s), sorted(s))))
        output: list[int] = []
        value: list[int] = []
        last: list[int] = []
        start: dict[frozenset[tuple[int, int]], int] = {}
        while open_:
            chain = [next(iter(open_))]
            del open_[chain[0]]
            while True:
                inner = next((s for s in open_ if s < chain[-1]), None)
                if inner is None:
                    break
                chain.append(inner)
                del open_[inner]
            for row, rest in zip(chain, [*chain[1:], frozenset()], strict=True):
                start[row] = len(output)
                for j, v in sorted(row - rest):
                    output.append(j)
                    value.append(v)
                    last.append(0)
            last[-1] = 1
        return cls(output, value, last, [start[s] for s in sets])
