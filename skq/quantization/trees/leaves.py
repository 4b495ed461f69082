"""Real and quantized leaves of an ensemble, and the error of their sum over the trees."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from skq.compiled import call, loops
from skq.quantization.trees.settings import LEAVES

Floats = NDArray[np.float64]
Ints = NDArray[np.integer[Any]]


def misrouted_prior(n_trees: int) -> float:
    """`LeafSettings.prior_rows` for corrections by misrouted rows, at most 2 rows a tree.

    In few trees errors of misrouted rows do not average out, so the correction is stronger.
    """
    return min(LEAVES.prior_rows, 2.0 * n_trees)


@dataclass(frozen=True, eq=False)
class QuantizedLeaves:
    """Integer leaves, scale and zero point: ``sum ≈ (acc - zero_point) * scale``.

    Parameters
    ----------
    values : ndarray of shape (n_leaves, width), integers in [0, 2**n_bits - 1]
    multiplier : ndarray of shape (n_trees,)
        Integer factor of each tree.
    scale, zero_point : ndarray of shape (n_outputs,) or ()
    """

    values: Ints
    multiplier: Ints
    scale: Floats
    zero_point: Floats


@dataclass(frozen=True, eq=False)
class Leaves:
    """Real leaves of an ensemble, and the leaves that calibration rows reach.

    Parameters
    ----------
    weights : ndarray of shape (n_leaves, width)
        Leaf values; the leaves of a tree are contiguous, trees are in order.
    tree : ndarray of shape (n_leaves,)
    output : ndarray of shape (n_trees,)
        First output of each tree.
    n_outputs : int
    base : ndarray of shape (n_outputs,)
    average : bool
    reached : ndarray of shape (n_rows, n_trees)
        Leaf that each calibration row reaches by its real features.
    reached_by_codes : ndarray of shape (n_rows, n_trees)
        Leaf that it reaches by its integer codes.
    row_weight : ndarray of shape (n_rows,)
    monotonic : bool, default=False
        Whether integers of a tree's leaves must be in the order of the real values.
    """

    weights: Floats
    tree: Ints
    output: Ints
    n_outputs: int
    base: Floats
    average: bool
    reached: Ints
    reached_by_codes: Ints
    row_weight: Floats
    monotonic: bool = False

    @property
    def n_trees(self) -> int:
        """Number of trees."""
        return len(self.output)

    @cached_property
    def exact_sums(self) -> Floats:
        """Sums of the real leaf values on the calibration rows: (n_rows, n_outputs)."""
        return sums_over_trees(self.weights, self.output, self.reached, self.n_outputs)

    @property
    def are_probabilities(self) -> bool:
        """Whether every leaf holds distributions over classes (of one output or several)."""
        total = self.weights.sum(axis=1)
        return (
            self.average
            and self.weights.shape[1] > 1
            and bool(np.all(self.base == 0))
            and float(self.weights.min()) >= 0
            and bool(np.all(np.abs(total - np.rint(total[0])) < 1e-9))
        )


def sum_error(leaves: Leaves, quantized: QuantizedLeaves) -> float:
    """Weighted mean squared error of the outputs on the calibration rows, summed over outputs."""
    return float((leaves.row_weight @ errors_of_sums(leaves, quantized) ** 2).sum())


def errors_of_sums(leaves: Leaves, quantized: QuantizedLeaves) -> Floats:
    """Exact outputs minus those of the integers on the calibration rows: (n_rows, n_outputs)."""
    exact = leaves.exact_sums / (leaves.n_trees if leaves.average else 1) + leaves.base
    values = quantized.values * quantized.multiplier[leaves.tree][:, np.newaxis]
    sums = sums_over_trees(values, leaves.output, leaves.reached_by_codes, leaves.n_outputs)
    return np.asarray(exact - (sums - quantized.zero_point) * quantized.scale)


def routing_error(leaves: Leaves) -> float:
    """`sum_error` of routing alone: rows are routed by codes, leaf values are not rounded."""
    got = sums_over_trees(leaves.weights, leaves.output, leaves.reached_by_codes, leaves.n_outputs)
    divisor = leaves.n_trees if leaves.average else 1
    return float((leaves.row_weight @ ((got - leaves.exact_sums) / divisor) ** 2).sum())


def sums_over_trees(values: Any, output: Ints, reached: Ints, n_outputs: int) -> Floats:
    """Sum over the trees of the values of the leaves that each row reaches.

    Parameters
    ----------
    values : ndarray of shape (n_leaves, width), integers below 2**53 or float64
    output : ndarray of shape (n_trees,)
        First output of each tree.
    reached : ndarray of shape (n_rows, n_trees)
    n_outputs : int

    Returns
    -------
    ndarray of shape (n_rows, n_outputs), float64
    """
    if loops is None:
        return sums_over_trees_in_numpy(values, output, reached, n_outputs)
    result = np.zeros((len(reached), n_outputs))
    call(
        "leaf_sums",
        *reached.shape, *values.shape, n_outputs,
        values.astype(np.float64), output.astype(np.int64), reached.astype(np.int64, copy=False),
        result,
    )  # fmt: skip
    return result


def sums_over_trees_in_numpy(values: Any, output: Ints, reached: Ints, n_outputs: int) -> Floats:
    """`sums_over_trees` without the extension."""
    result = np.zeros((len(reached), n_outputs))
    for t, first in enumerate(output):
        result[:, first : first + values.shape[1]] += values[reached[:, t]]
    return result
