"""Sums over decision trees."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Any

import numpy as np

from skq.bitpacking import Ints
from skq.numerics import INT64_MAX
from skq.program.instructions import tree_pickles
from skq.program.instructions.exact import BLOCK, Sums, magnitude, too_wide
from skq.program.instructions.fields import Integer, IntegerArray
from skq.program.instructions.instruction import Instruction, require
from skq.program.types import MAX_SIZE, TensorType
from skq.serialization import serializable
from skq.serialization.budget import declare


@serializable("skq.Trees")
@dataclass(frozen=True, eq=False)
class Trees(Instruction):
    """Sum over decision trees of the leaf that each row reaches.

    All trees share flat node arrays. At an inner node a row goes to `left` where
    ``code[feature] <= threshold``, else to `right`. A leaf has ``feature == -1`` and `left` is
    its row in `leaf_values`. Children come after their parent, so every walk ends. Tree ``t``
    adds ``leaf_values[leaf] * multiplier[t]`` to the outputs from ``output[t]`` on.
    """

    roots: Annotated[Ints, IntegerArray(1)]  # (n_trees,), node index
    feature: Annotated[Ints, IntegerArray(1)]  # (n_nodes,), -1 for a leaf
    threshold: Annotated[Ints, IntegerArray(1)]  # (n_nodes,)
    left: Annotated[Ints, IntegerArray(1)]  # (n_nodes,), node; for a leaf its row in leaf_values
    right: Annotated[Ints, IntegerArray(1)]  # (n_nodes,), node index
    leaf_values: Annotated[Ints, IntegerArray(2)]  # (n_leaves, width)
    output: Annotated[Ints, IntegerArray(1)]  # (n_trees,), first output column
    multiplier: Annotated[Ints, IntegerArray(1)]  # (n_trees,), > 0
    n_outputs: Annotated[int, Integer(0, MAX_SIZE)]

    def __getstate__(self) -> dict[str, Any]:
        return tree_pickles.split(vars(self))

    def __setstate__(self, state: dict[str, Any]) -> None:
        vars(self).update(tree_pickles.joined(state))

    @property
    def width(self) -> int:
        """Outputs that one tree adds to."""
        return int(self.leaf_values.shape[1])

    def infer(self, *operands: TensorType) -> TensorType:
        (x,) = operands
        x.interval  # noqa: B018  (raises for floats)
        require(len(x.shape) == 1, "Trees takes a row of codes")
        n_nodes, n_trees = len(self.feature), len(self.roots)
        declare(1024 * n_trees + 32 * n_nodes, f"{n_trees} trees of {n_nodes} nodes")
        require(
            all(a.shape == (n_nodes,) for a in (self.threshold, self.left, self.right)),
            "Trees needs a threshold, left and right for each node",
        )
        require(
            self.output.shape == (n_trees,) and self.multiplier.shape == (n_trees,),
            "Trees needs an output and a multiplier for each tree",
        )
        require(self.leaf_values.ndim == 2, "leaf values must have shape (n_leaves, width)")
        leaf = self.feature == -1
        index = np.arange(n_nodes)
        inner_left, inner_right = self.left[~leaf], self.right[~leaf]
        require(
            bool(np.all((self.feature >= -1) & (self.feature < x.shape[0]))),
            f"Trees reads features that do not exist; there are {x.shape[0]}",
        )
        require(
            bool(
                np.all((inner_left > index[~leaf]) & (inner_left < n_nodes))
                and np.all((inner_right > index[~leaf]) & (inner_right < n_nodes))
            ),
            "children must come after their parent in the node arrays",
        )
        require(
            bool(np.all((self.left[leaf] >= 0) & (self.left[leaf] < len(self.leaf_values)))),
            "`left` of a leaf must be a row of leaf_values",
        )
        require(
            bool(np.all((self.roots >= 0) & (self.roots < n_nodes))), "roots must be node indices"
        )
        require(
            bool(np.all((self.output >= 0) & (self.output <= self.n_outputs - self.width))),
            f"a tree adds to outputs that do not exist; there are {self.n_outputs}",
        )
        require(bool(np.all(self.multiplier > 0)), "tree multipliers must be positive")
        return TensorType((self.n_outputs,), *self._sum_interval())

    def _sum_interval(self) -> tuple[int, int]:
        """Extremes of the sums: for each output, every tree at its least or its greatest leaf.

        Computed for a block of columns of `leaf_values` at a time.
        """
        if not (len(self.roots) and self.width):
            return 0, 0
        closed = self._runs_are_closed()
        # cost of one row: nodes that it may visit in all trees, which may share them, and additions
        steps = len(self.feature) * max(self.width, 1 if closed else len(self.roots))
        declare(32 * self.n_outputs + steps // 8, "the sums over trees")
        largest = int(self.multiplier.max()) * magnitude(self.leaf_values)
        narrow = len(self.roots) * largest <= INT64_MAX
        sums = [Sums(self.n_outputs, narrow) for _ in range(2 if narrow else 4)]
        factor = self.multiplier.astype(np.int64)[:, np.newaxis]
        leaf = np.flatnonzero(self.feature == -1)
        columns = max(1, BLOCK // len(leaf))
        for start in range(0, self.width, columns):
            leaf_values = self.leaf_values[:, start : start + columns]
            ends = self._leaf_extremes(leaf, leaf_values, closed)
            if not narrow and any((abs(end) > INT64_MAX // factor).any() for end in ends):
                raise too_wide()
            low, high = (factor * end for end in ends)
            index = self.output.astype(np.int64)[:, np.newaxis] + np.arange(
                start, start + leaf_values.shape[1]
            )
            # the partial sums must fit too: a tree that is not added yet counts as 0
            for each, added in zip(
                sums, (low, high, np.minimum(low, 0), np.maximum(high, 0)), strict=False
            ):
                each.add(index, added)
        least, greatest, *_ = (each.values() for each in sums)
        return int(least.min()), int(greatest.max())

    def _leaf_extremes(self, leaf: Ints, leaf_values: Ints, closed: bool) -> tuple[Ints, Ints]:
        """Least and greatest leaf of each tree, int64 of shape (n_trees, n_columns) each.

        If the nodes of each tree are consecutive (the usual case) these are the extremes of the
        leaves of the tree, otherwise those of all leaves: a wider interval, but a valid one.
        """
        starts = np.searchsorted(leaf, self.roots)
        if closed and len(np.unique(starts)) == len(starts):
            values = leaf_values[self.left[leaf]]
            ends = [f.reduceat(values, starts, axis=0) for f in (np.minimum, np.maximum)]
        else:
            shape = (len(self.roots), leaf_values.shape[1])
            ends = [
                np.broadcast_to(f(leaf_values, axis=0, initial=0), shape) for f in (np.min, np.max)
            ]
        low, high = (end.astype(np.int64) for end in ends)
        return low, high

    def _runs_are_closed(self) -> bool:
        """Whether roots ascend and the nodes of each tree are between its root and the next."""
        if self.roots[0] != 0 or not np.all(self.roots[1:] > self.roots[:-1]):
            return False
        n_nodes = len(self.feature)
        next_root = np.append(self.roots[1:], n_nodes)
        end = np.repeat(next_root, next_root - self.roots)
        # `infer` has checked that children come after their parent
        in_run = (self.left < end) & (self.right < end)
        return bool(np.all(in_run | (self.feature == -1)))
