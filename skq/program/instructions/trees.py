"""Sums over decision trees."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from skq.bitpacking import Ints
from skq.program.instructions.instruction import Instruction, require
from skq.program.types import TensorType
from skq.serialization import serializable


@serializable("skq.Trees")
@dataclass(frozen=True, eq=False)
class Trees(Instruction):
    """Sum over decision trees of the leaf that each row reaches.

    All trees share flat node arrays. At an inner node a row goes to `left` where
    ``code[feature] <= threshold``, else to `right`. A leaf has ``feature == -1`` and `left` is
    its row in `leaf_values`. Children stand behind their parent, so every walk ends. Tree ``t``
    adds ``leaf_values[leaf] * multiplier[t]`` to the outputs from ``output[t]`` on.
    """

    roots: Ints  # (n_trees,), node index
    feature: Ints  # (n_nodes,), -1 for a leaf
    threshold: Ints  # (n_nodes,)
    left: Ints  # (n_nodes,), node index; for a leaf its row in leaf_values
    right: Ints  # (n_nodes,), node index
    leaf_values: Ints  # (n_leaves, width)
    output: Ints  # (n_trees,), first output column
    multiplier: Ints  # (n_trees,), > 0
    n_outputs: int

    @property
    def width(self) -> int:
        """Outputs that one tree adds to."""
        return int(self.leaf_values.shape[1])

    def infer(self, *operands: TensorType) -> TensorType:
        (x,) = operands
        x.interval  # noqa: B018  (raises for floats)
        require(len(x.shape) == 1, "Trees takes a row of codes")
        n_nodes, n_trees = len(self.feature), len(self.roots)
        require(
            all(a.shape == (n_nodes,) for a in (self.threshold, self.left, self.right)),
            "Trees needs a threshold, left and right for each node",
        )
        require(
            self.output.shape == (n_trees,) and self.multiplier.shape == (n_trees,),
            "Trees needs an output and a multiplier for each tree",
        )
        require(self.leaf_values.ndim == 2, "leaf values have shape (n_leaves, width)")
        leaf = self.feature == -1
        index = np.arange(n_nodes)
        inner_left, inner_right = self.left[~leaf], self.right[~leaf]
        require(
            bool(np.all((self.feature >= -1) & (self.feature < x.shape[0]))),
            f"Trees reads features outside of the {x.shape[0]} there are",
        )
        require(
            bool(
                np.all((inner_left > index[~leaf]) & (inner_left < n_nodes))
                and np.all((inner_right > index[~leaf]) & (inner_right < n_nodes))
            ),
            "children stand behind their parent in the node arrays",
        )
        require(
            bool(np.all((self.left[leaf] >= 0) & (self.left[leaf] < len(self.leaf_values)))),
            "a leaf names a row of leaf_values",
        )
        require(bool(np.all((self.roots >= 0) & (self.roots < n_nodes))), "a root is a node index")
        require(
            bool(np.all((self.output >= 0) & (self.output <= self.n_outputs - self.width))),
            f"a tree adds to outputs outside of the {self.n_outputs} there are",
        )
        require(bool(np.all(self.multiplier > 0)), "tree multipliers are positive")
        return TensorType((self.n_outputs,), *self._sum_interval())

    def _sum_interval(self) -> tuple[int, int]:
        """Extremes of the sums: per output, every tree at its least and at its greatest leaf."""
        lowest, highest = self._leaf_extremes()
        low = [0] * self.n_outputs
        high = [0] * self.n_outputs
        for t in range(len(self.roots)):
            factor, first = int(self.multiplier[t]), int(self.output[t])
            for j in range(self.width):
                low[first + j] += factor * int(lowest[t, j])
                high[first + j] += factor * int(highest[t, j])
        return min(low, default=0), max(high, default=0)

    def _leaf_extremes(self) -> tuple[Ints, Ints]:
        """Least and greatest leaf of each tree, shape (n_trees, width) each.

        Where the trees' nodes stand in consecutive runs (the usual case) only a tree's own leaves
        count; otherwise the extremes of all leaves do, which is looser but still proven.
        """
        leaf = np.flatnonzero(self.feature == -1)
        starts = np.searchsorted(leaf, self.roots)
        values = self.leaf_values[self.left[leaf]]
        ordered = bool(np.all(self.roots[1:] > self.roots[:-1])) and len(self.roots) > 0
        if ordered and self._runs_are_closed() and len(np.unique(starts)) == len(starts):
            return (
                np.minimum.reduceat(values, starts, axis=0),
                np.maximum.reduceat(values, starts, axis=0),
            )
        shape = (len(self.roots), self.width)
        return (
            np.broadcast_to(self.leaf_values.min(axis=0, initial=0), shape),
            np.broadcast_to(self.leaf_values.max(axis=0, initial=0), shape),
        )

    def _runs_are_closed(self) -> bool:
        """Whether each tree's nodes stand between its root and the next one."""
        if len(self.roots) == 0 or self.roots[0] != 0:
            return False
        inner = np.flatnonzero(self.feature != -1)
        tree = np.searchsorted(self.roots, inner, side="right")
        return bool(
            np.all(np.searchsorted(self.roots, self.left[inner], side="right") == tree)
            and np.all(np.searchsorted(self.roots, self.right[inner], side="right") == tree)
        )
