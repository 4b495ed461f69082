"""Leaf values of all trees rounded one tree after another: the inner loop of `sums`.

`round_trees` runs in the compiled extension where there is one. `round_trees_in_numpy` computes the
same, to the bit, and also keeps leaf values in order for monotonic trees.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from skq.compiled import call, loops
from skq.quantization.search.ranges import find_range
from skq.quantization.trees.isotonic import in_order
from skq.quantization.trees.leaves import Leaves, misrouted_prior
from skq.quantization.trees.settings import LEAVES

Floats = NDArray[np.float64]
Ints = NDArray[np.integer[Any]]

#: Choices of the offset of each tree's grid: see `round_trees_in_numpy`.
OFFSETS = ("center", "least", "spread")


@dataclass(eq=False)
class TreeRows:
    """Data that all methods of rounding the leaves of an ensemble use.

    Parameters
    ----------
    leaves : Leaves
    top : int
        Greatest integer.
    """

    leaves: Leaves
    top: int
    _ranges: dict[str, tuple[Floats, Floats]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        leaves = self.leaves
        n_rows, n_trees = leaves.reached.shape
        #: First leaf of each tree, and the number of leaves.
        self.first = np.searchsorted(leaves.tree, np.arange(n_trees + 1))
        #: Outputs of each tree: (n_trees, width).
        self.columns = leaves.output[:, None] + np.arange(leaves.weights.shape[1])
        #: Leaf that each row reaches in each tree, by its features and by its codes.
        self.reached = np.ascontiguousarray(leaves.reached.T, dtype=np.int64)
        self.by_codes = np.ascontiguousarray(leaves.reached_by_codes.T, dtype=np.int64)
        #: Weight of each row, 1 on average; the sum of the weights in each leaf.
        self.share = leaves.row_weight * n_rows
        reached = leaves.reached_by_codes.ravel()
        share = np.repeat(self.share, n_trees)
        n_leaves = len(leaves.weights)
        self.count = np.bincount(reached, weights=share, minlength=n_leaves).astype(np.float64)
        self.leaf_weight = (
            np.bincount(
                reached, weights=np.repeat(leaves.row_weight, n_trees), minlength=n_leaves
            ).astype(np.float64)
            + 1e-6
        )
        moved = leaves.weights[leaves.reached.ravel()] - leaves.weights[reached]
        mean = np.stack(
            [np.bincount(reached, weights=share * v, minlength=n_leaves) for v in moved.T], axis=1
        ) / np.maximum(self.count[:, None], 1e-12)
        weight = self.count / (self.count + misrouted_prior(n_trees))
        #: Leaf values, corrected by the mean error of the rows that come from other leaves.
        self.corrected = leaves.weights + mean * weight[:, None]

    def ranges(self, method: str) -> tuple[Floats, Floats]:
        """Range of each tree's leaf values, (n_trees, width) each, by a method of `find_range`."""
        if method not in self._ranges:
            self._ranges[method] = _ranges(self.leaves, self.first[:-1], self.top, method)
        return self._ranges[method]


@dataclass(frozen=True, eq=False)
class RoundedTrees:
    """Integers of all leaves, and the sums over the trees on the calibration rows.

    Parameters
    ----------
    values : ndarray of shape (n_leaves, width), int64
    offset : ndarray of shape (n_outputs,)
        Sum of the values of code 0.
    sums, error : ndarray of shape (n_rows, n_outputs)
        Sum of the real leaf values, and what the integers lack of it.
    """

    values: NDArray[np.int64]
    offset: Floats
    sums: Floats
    error: Floats


def round_trees(
    rows: TreeRows, steps: Floats, *, offset: str, feedback: bool, range_method: str
) -> RoundedTrees:
    """Round all leaves to integers in [0, top].

    Parameters
    ----------
    rows : TreeRows
    steps : ndarray of shape (n_trees, width)
        Step of the grid of each tree and output.
    offset : {"center", "least", "spread"}
        ======== ===========================================================================
        center   the grid in the middle of the tree's range
        least    the least squared error of this tree on the calibration rows
        spread   the middle plus a part of a step that differs by tree: errors average out
        ======== ===========================================================================
    feedback : bool
        Whether a tree corrects the error of the trees before it.
    range_method : {"minmax", "percentile", "mse"}
        What counts as the range of a tree's leaf values.
    """
    if loops is None or (feedback and rows.leaves.monotonic):
        return round_trees_in_numpy(
            rows, steps, offset=offset, feedback=feedback, range_method=range_method
        )
    leaves, (n_leaves, width) = rows.leaves, rows.leaves.weights.shape
    n_rows, n_trees, n_outputs = len(rows.share), leaves.n_trees, leaves.n_outputs
    nothing = np.zeros(0)
    has_bounds = range_method != "minmax"
    low, high = rows.ranges(range_method) if has_bounds else (nothing, nothing)
    result = RoundedTrees(
        np.zeros((n_leaves, width), dtype=np.int64),
        np.zeros(n_outputs),
        np.zeros((n_rows, n_outputs)),
        np.zeros((n_rows, n_outputs)),
    )
    places = np.linspace(-1.0, 1.0, LEAVES.n_places)
    call(
        "round_trees",
        n_rows, n_trees, n_leaves, width, n_outputs, OFFSETS.index(offset), int(feedback),
        int(has_bounds), len(places), float(rows.top), LEAVES.prior_rows,
        leaves.weights, rows.first.astype(np.int64),
        np.ascontiguousarray(leaves.output, dtype=np.int64), rows.reached, rows.by_codes,
        rows.share, rows.count, rows.corrected, rows.leaf_weight,
        low, high, steps,
        _turns(n_trees), places, result.values, result.offset, result.sums, result.error,
    )  # fmt: skip
    return result


def round_trees_in_numpy(
    rows: TreeRows, steps: Floats, *, offset: str, feedback: bool, range_method: str
) -> RoundedTrees:
    """`round_trees` without the extension."""
    leaves, top = rows.leaves, rows.top
    lowest, highest = rows.ranges(range_method)
    values = np.zeros(leaves.weights.shape, dtype=np.int64)
    error = np.zeros((len(leaves.reached), leaves.n_outputs))  # of the sum up to tree t
    sums, offsets = np.zeros_like(error), np.zeros(leaves.n_outputs)
    turns = _turns(leaves.n_trees)
    for t, column in enumerate(rows.columns):
        part = slice(rows.first[t], rows.first[t + 1])
        exact, leaf = leaves.weights[rows.reached[t]], rows.by_codes[t] - rows.first[t]
        wanted = leaves.weights[part]
        if feedback:
            wanted, count = rows.corrected[part], rows.count[part, None]
            carried = np.stack(
                [
                    np.bincount(leaf, weights=rows.share * v, minlength=len(wanted))
                    for v in error[:, column].T
                ],
                axis=1,
            ) / np.maximum(count, 1e-12)
            wanted = wanted + carried * (count / (count + LEAVES.prior_rows))
            if leaves.monotonic:
                wanted = in_order(wanted, leaves.weights[part], count[:, 0] + LEAVES.prior_rows)
        if range_method == "minmax":
            low, high = wanted.min(axis=0), wanted.max(axis=0)
        else:
            low, high = lowest[t], highest[t]
        half, middle = (high - low) / 2, steps[t] * top / 2
        center = low + half - middle
        low = center + steps[t] * turns[t] if offset == "spread" else center
        if offset == "least":
            reach = np.abs(half - middle) + steps[t] / 2
            low = _least_shift(wanted, steps[t], top, center, reach, rows.leaf_weight[part])
        values[part] = np.clip(np.rint((wanted - low) / steps[t]), 0, top)
        offsets[column] += low
        sums[:, column] += exact
        error[:, column] += exact - (low + values[part][leaf] * steps[t])
    return RoundedTrees(values, offsets, sums, error)


def _turns(n_trees: int) -> Floats:
    """Part of a step by which the grid of each tree is shifted, in [-0.5, 0.5)."""
    return np.array([(t * 0.6180339887) % 1.0 - 0.5 for t in range(n_trees)])


def _least_shift(
    wanted: Floats, step: Floats, top: int, center: Floats, reach: Floats, weight: Floats
) -> Floats:
    """Value of code 0 with the least squared error of the leaves; leaves in their order."""
    shifts = np.linspace(-1.0, 1.0, LEAVES.n_places)[:, None] * reach + center
    off = wanted[:, None, :] - shifts
    off = off - step * np.clip(np.rint(off / step), 0, top)
    loss = np.add.reduce(weight[:, None, None] * (off * off), axis=0)
    return np.asarray(np.take_along_axis(shifts, loss.argmin(axis=0)[None], axis=0)[0])


def _ranges(leaves: Leaves, first: Ints, top: int, method: str) -> tuple[Floats, Floats]:
    """Range of each tree's leaf values, (n_trees, width) each; rows weigh the leaves they reach."""
    lowest = np.minimum.reduceat(leaves.weights, first)
    highest = np.maximum.reduceat(leaves.weights, first)
    if method == "minmax":
        return lowest, highest
    share = np.repeat(leaves.row_weight, leaves.n_trees)
    reached = np.bincount(leaves.reached.ravel(), weights=share, minlength=len(leaves.weights))
    leaf_of_row = np.arange(len(leaves.tree)) - first[leaves.tree]
    shape = (int(leaf_of_row.max()) + 1, *lowest.shape)  # a column a tree, NaN after its last leaf
    values, weight = np.full(shape, np.nan), np.zeros(shape)
    values[leaf_of_row, leaves.tree] = leaves.weights
    weight[leaf_of_row, leaves.tree] = reached[:, None]
    values, weight = values.reshape(len(values), -1), weight.reshape(len(values), -1)
    n_bits = int(top).bit_length()
    ranges = find_range(values, weight, lowest.ravel(), highest.ravel(), n_bits, method)
    return ranges[0].reshape(lowest.shape), ranges[1].reshape(lowest.shape)
