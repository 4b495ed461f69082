"""Trees in the NumPy engine: rows walk down packed nodes, a level at a time."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from skq.engines.numpy_leaves import leaf_sum
from skq.engines.numpy_nodes import PackedNodes, has_one_parent
from skq.engines.numpy_steps import General, Step, Types
from skq.program import instructions as ins
from skq.program.types import TensorType

Array = NDArray[Any]
Ints = NDArray[np.int64]
#: From the node of each walker and the index of its first code, to the child that it goes to.
Advance = Callable[[Ints, Ints], Ints]

#: Number of walkers, pairs of row and tree, at a time: one tree where there are as many rows.
WALKERS = 8192
#: Levels after which walkers that have reached a leaf are dropped, in trees of more than `DEEP`.
LEVELS, DEEP = 4, 12
#: Fewer rows than this walk all trees together, and compare reals, so that they are not binned.
FEW_ROWS = 64
#: Where the levels of all trees are at most this many for each column, no rows are binned.
STEPS_PER_COLUMN = 2


def walk(advance: Advance, node: Ints, first: Ints, depth: int) -> Ints:
    """The leaf that each walker reaches within `depth` levels."""
    if depth <= DEEP:
        for _ in range(depth):
            node = advance(node, first)
        return node
    result, walkers = node, np.arange(len(node))
    while depth > 0 and len(node):
        for _ in range(min(depth, LEVELS)):
            before, node = node, advance(node, first)
        depth -= LEVELS
        result[walkers] = node
        moving = np.flatnonzero(node != before)
        walkers, node, first = walkers[moving], node[moving], first[moving]
    return result


class TreeSum(Step):
    """Sums over trees of the leaf that rows of codes reach.

    A node is one number, ``next = (left << shift) + threshold``: as the right child precedes the
    left one, ``(next - code) >> shift`` is the child that the row goes to. Thresholds are clipped
    to the interval of the codes; that of a leaf is the largest code.
    """

    def __init__(self, step: ins.Trees, nodes: PackedNodes, types: Types) -> None:
        self.leaves = leaf_sum(step, nodes)
        self.feature, self.depth = nodes.feature, nodes.depth
        codes = types.operands[0]
        self.dtype, self.shift = np.dtype(codes.dtype), _code_bits(codes)
        threshold = _thresholds(step, nodes, codes)
        threshold[nodes.is_leaf] = codes.interval[1]
        self.next = (nodes.left << self.shift) + threshold

    def __call__(self, *operands: Array) -> Array:
        codes = operands[0].astype(self.dtype, copy=False)
        n_rows = len(codes)
        if n_rows < FEW_ROWS:
            flat, feature = np.ascontiguousarray(codes).ravel(), self.feature
            first = np.arange(n_rows) * codes.shape[1]
        else:  # by columns, so that neighbouring rows read neighbouring codes
            flat, first = np.ascontiguousarray(codes.T).ravel(), np.arange(n_rows)
            feature = self.feature.astype(np.int64) * n_rows

        def advance(node: Ints, first: Ints) -> Ints:
            code = flat.take(np.add(feature.take(node), first))
            child = self.next.take(node)
            child -= code
            child >>= self.shift
            return child

        return self.sums(advance, first)

    def sums(self, advance: Advance, first: Ints) -> Array:
        """The sums for rows that begin at the indices `first` of what `advance` reads."""
        n_rows, n_trees = len(first), len(self.depth)
        total = self.leaves.zeros(n_rows)
        together = max(1, WALKERS // max(1, n_rows))
        for start in range(0, n_trees, together):
            depth = self.depth[start : start + together]
            trees = np.arange(start, start + len(depth))
            index = first if len(depth) == 1 else np.tile(first, len(depth))
            leaf = walk(advance, np.repeat(trees, n_rows), index, max(depth))
            self.leaves.add(total, trees, leaf.reshape(len(trees), n_rows))
        return self.leaves.result(total)


class BinnedTreeSum(Step):
    """A Bin that only a Trees reads: few rows, and few trees, compare reals with the edges.

    Where missing values go to the left at some node, rows with missing values are binned.
    """

    def __init__(
        self, step: ins.Trees, nodes: PackedNodes, types: Types, bins: ins.Bin, codes: Step
    ) -> None:
        self.codes, self.trees = codes, TreeSum(step, nodes, types)
        self.few_trees = sum(nodes.depth) <= STEPS_PER_COLUMN * len(bins.feature)
        threshold = _thresholds(step, nodes, types.operands[0])
        inner = ~nodes.is_leaf
        column = nodes.feature
        self.feature = bins.feature.astype(nodes.feature.dtype)[column]
        right = nodes.left - inner  # a leaf is its own child
        self.right = right.astype(np.int32 if len(inner) < 2**31 else np.int64)
        # codes up to the threshold are reals up to this edge of the column
        offsets = bins.offsets.astype(np.int64)
        n_edges = (offsets[1:] - offsets[:-1])[column]
        edge = threshold - bins.base[column]
        some = inner & (edge >= 0)
        # nothing is at most NaN: leaves, and nodes that send all codes to the right
        self.edge = np.where(some, np.inf, np.nan)
        some &= edge < n_edges
        self.edge[some] = bins.edges[(offsets[column] + edge)[some]]
        self.missing_left = bool((inner & (bins.nan_code[column] <= threshold)).any())

    def __call__(self, *operands: Array) -> Array:
        (x,) = operands
        few = self.few_trees or len(x) < FEW_ROWS
        if not few or (self.missing_left and np.isnan(x).any()):
            return self.trees(self.codes(x))
        flat = np.ascontiguousarray(x, dtype=np.float64).ravel()

        def advance(node: Ints, first: Ints) -> Ints:
            left = flat.take(np.add(self.feature.take(node), first)) <= self.edge.take(node)
            return np.add(self.right.take(node), left, dtype=np.int64)

        return self.trees.sums(advance, np.arange(len(x)) * x.shape[1])


def _thresholds(step: ins.Trees, nodes: PackedNodes, codes: TensorType) -> Ints:
    """Thresholds of packed nodes, clipped to the interval of the codes and one below it."""
    lo, hi = codes.interval
    return np.clip(step.threshold[nodes.number].astype(np.int64), lo - 1, hi)


def _code_bits(codes: TensorType) -> int:
    """Bits that hold the magnitude of the difference of a threshold and a code."""
    lo, hi = codes.interval
    return (hi - lo + 1).bit_length()


def packed_nodes(step: ins.Trees, codes: TensorType) -> PackedNodes | None:
    """The nodes of trees, or None for trees that the steps here cannot walk."""
    bits = _code_bits(codes) + len(step.feature).bit_length()
    if not (len(step.roots) and step.width and bits <= 62 and has_one_parent(step)):
        return None
    return PackedNodes(step)


def tree_sum(step: ins.Trees, types: Types) -> Step:
    """The step of a Trees."""
    nodes = packed_nodes(step, types.operands[0])
    return General(step, types) if nodes is None else TreeSum(step, nodes, types)


def binned_tree_sum(step: ins.Trees, types: Types, bins: ins.Bin, codes: Step) -> Step | None:
    """The step of a Trees and of the Bin, with its step, that it alone reads; None without one."""
    nodes = packed_nodes(step, types.operands[0]) if len(bins.feature) else None
    return None if nodes is None else BinnedTreeSum(step, nodes, types, bins, codes)
