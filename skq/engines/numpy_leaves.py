"""Sums of leaves in the NumPy engine: several outputs are added as one integer."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from skq.engines.numpy_nodes import PackedNodes
from skq.engines.numpy_steps import Step
from skq.numerics import INT64_MAX
from skq.program import instructions as ins
from skq.program.instructions.exact import magnitude

Array = NDArray[Any]
Ints = NDArray[np.int64]

#: Most integers in which the outputs of a leaf are packed.
MOST_WORDS = 4


class LeafSum(Step):
    """Adds the leaves that rows reach, an array of all outputs a tree."""

    def __init__(self, step: ins.Trees, nodes: PackedNodes) -> None:
        self.n_outputs = step.n_outputs
        self.values, self.output = step.leaf_values, step.output.astype(np.int64)
        self.multiplier = step.multiplier.astype(np.int64)
        self.row = np.where(nodes.is_leaf, step.left[nodes.number], 0).astype(np.int64)

    def zeros(self, n_rows: int) -> Ints:
        """The sum of no trees."""
        return np.zeros((n_rows, self.n_outputs), np.int64)

    def add(self, total: Ints, trees: Ints, leaf: Ints) -> None:
        """Add the leaves of some trees, of shape (n_trees, n_rows), to `total`."""
        width = self.values.shape[1]
        for t, row in zip(trees, self.row.take(leaf), strict=True):
            values = self.values[row].astype(np.int64)
            values *= self.multiplier[t]
            total[:, self.output[t] : self.output[t] + width] += values

    def result(self, total: Ints) -> Ints:
        """The sums, of shape (n_rows, n_outputs)."""
        return total


class PackedLeafSum(LeafSum):
    """Adds integers that hold several outputs each.

    An output takes as many bits as its sum over all trees may need after the least leaf of each
    tree is subtracted, so no sum reaches the bits of the next output.
    """

    def __init__(self, step: ins.Trees, nodes: PackedNodes) -> None:
        self.n_outputs, self.width = step.n_outputs, step.width
        self.outputs, self.group = np.unique(step.output.astype(np.int64), return_inverse=True)
        multiplier = step.multiplier.astype(np.int64)
        leaf = np.flatnonzero(nodes.is_leaf & (nodes.tree >= 0))
        rows, tree = step.left[nodes.number[leaf]], nodes.tree[leaf]
        least = np.full(len(multiplier), INT64_MAX)
        most = np.full(len(multiplier), -INT64_MAX)
        np.minimum.at(least, tree, step.leaf_values.min(axis=1)[rows].astype(np.int64))
        np.maximum.at(most, tree, step.leaf_values.max(axis=1)[rows].astype(np.int64))
        spans, self.bias = (np.zeros(len(self.outputs), np.int64) for _ in range(2))
        np.add.at(spans, self.group, (most - least) * multiplier)
        np.add.at(self.bias, self.group, least * multiplier)
        self.bits = max(1, int(spans.max()).bit_length())
        self.lanes = 63 // self.bits
        self.n_words = -(-self.width // self.lanes)
        if self.n_words > MOST_WORDS:
            return
        self.words = np.zeros((self.n_words, len(nodes.tree)), np.int64)
        for k in range(self.width):
            values = step.leaf_values[rows, k].astype(np.int64) - least[tree]
            lane = self.bits * (k % self.lanes)
            self.words[k // self.lanes, leaf] += values * multiplier[tree] << lane

    def zeros(self, n_rows: int) -> Ints:
        return np.zeros((self.n_words, len(self.outputs), n_rows), np.int64)

    def add(self, total: Ints, trees: Ints, leaf: Ints) -> None:
        for word, sums in zip(self.words, total, strict=True):
            values = word.take(leaf)
            if len(trees) == 1:
                sums[self.group[trees[0]]] += values[0]
            elif len(sums) == 1:
                sums[0] += values.sum(axis=0)
            else:
                np.add.at(sums, self.group[trees], values)

    def result(self, total: Ints) -> Ints:
        result = np.zeros((total.shape[2], self.n_outputs), np.int64)
        mask = (1 << self.bits) - 1
        for group, output in enumerate(self.outputs):
            for k in range(self.width):
                word, lane = divmod(k, self.lanes)
                sums = (total[word, group] >> lane * self.bits) & mask
                result[:, output + k] += sums + self.bias[group]
        return result


def leaf_sum(step: ins.Trees, nodes: PackedNodes) -> LeafSum:
    """The sum of leaves that fits the instruction."""
    bound = 2 * int(step.multiplier.max()) * magnitude(step.leaf_values) * len(step.roots)
    if bound < 2**62:
        packed = PackedLeafSum(step, nodes)
        if packed.n_words <= MOST_WORDS:
            return packed
    return LeafSum(step, nodes)
