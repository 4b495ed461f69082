"""Leaf values → integers, so that the sum over the trees stays right."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Ints = NDArray[np.integer[Any]]


#: A leaf is corrected by ``n / (n + PRIOR_ROWS)`` of the mean error of its n calibration rows.
PRIOR_ROWS = 20.0


def misrouted_prior(n_trees: int) -> float:
    """The same for what misrouted rows bring into a leaf; in many trees it averages out."""
    return min(PRIOR_ROWS, 2.0 * n_trees)


@dataclass(frozen=True, eq=False)
class QuantizedLeaves:
    """Integer leaves with the map back: ``sum ≈ (acc - zero_point) * scale``.

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
    """Real leaves of an ensemble, and where calibration rows end up.

    Parameters
    ----------
    weights : ndarray of shape (n_leaves, width)
        What each leaf adds; leaves of a tree stand together, trees in order.
    tree : ndarray of shape (n_leaves,)
    output : ndarray of shape (n_trees,)
        First output of each tree.
    n_outputs : int
    base : ndarray of shape (n_outputs,)
    average : bool
    reached : ndarray of shape (n_rows, n_trees)
        Leaf that each calibration row reaches with its real features.
    reached_by_codes : ndarray of shape (n_rows, n_trees)
        The same with its integer codes.
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


def quantize_leaves(leaves: Leaves, n_bits: int, *, method: str = "auto") -> QuantizedLeaves:
    """Leaf values as integers of `n_bits`.

    Probabilities keep their sum exactly, on the grid of [0, 1] whatever the method; other values
    see `skq.quantization.trees.sums`.
    """
    if leaves.are_probabilities:
        plain = _quantize_probabilities(leaves, leaves.weights, 2**n_bits - 1)
        if method != "auto" or np.array_equal(leaves.reached, leaves.reached_by_codes):
            return plain
        refitted = _quantize_probabilities(leaves, _refitted(leaves), 2**n_bits - 1)
        return min(plain, refitted, key=lambda found: sum_error(leaves, found))
    from skq.quantization.trees.sums import quantize_sums

    return quantize_sums(leaves, 2**n_bits - 1, method=method)


def _quantize_probabilities(leaves: Leaves, weights: Floats, top: int) -> QuantizedLeaves:
    """Cumulative probabilities are rounded, so that a leaf's integers add up to `top`.

    Tree t rounds with the threshold ``1 - (t + 0.5) / n_trees``: over the trees the roundings
    average out, which rounding every tree alike would not do for probabilities below half a step.
    """
    dither = (leaves.tree + 0.5) / leaves.n_trees
    cumulative = np.cumsum(weights, axis=1) * top
    whole = np.floor(cumulative + dither[:, None] + 1e-9).astype(np.int64)
    values = np.diff(whole, axis=1, prepend=0)
    if leaves.n_trees == 1:
        values = _keep_winner(values, weights)
    return QuantizedLeaves(
        values=values,
        multiplier=np.ones(leaves.n_trees, dtype=np.int64),
        scale=np.array(1.0 / (top * leaves.n_trees)),
        zero_point=np.array(0.0),
    )


def _refitted(leaves: Leaves) -> Floats:
    """Leaf distributions of the rows that the integer thresholds send there."""
    share = np.repeat(leaves.row_weight * len(leaves.row_weight), leaves.n_trees)
    leaf, exact = leaves.reached_by_codes.ravel(), leaves.weights[leaves.reached.ravel()]
    n_leaves = len(leaves.weights)
    count = np.bincount(leaf, weights=share, minlength=n_leaves)[:, None]
    total = np.stack(
        [np.bincount(leaf, weights=share * column, minlength=n_leaves) for column in exact.T],
        axis=1,
    )
    prior = misrouted_prior(leaves.n_trees)
    found = np.asarray((total + prior * leaves.weights) / (count + prior))
    if leaves.monotonic:
        ends = np.searchsorted(leaves.tree, np.arange(leaves.n_trees + 1))
        for start, end in pairwise(ends):
            own = slice(start, end)
            found[own] = in_order(found[own], leaves.weights[own], count[own, 0] + prior)
    return found


def in_order(wanted: Floats, order: Floats, weight: Floats) -> Floats:
    """The nearest values that are in the order of others, column by column.

    Equal ones get equal values. This is isotonic regression (scikit-learn's `IsotonicRegression`).

    Parameters
    ----------
    wanted, order : ndarray of shape (n_leaves, width)
    weight : ndarray of shape (n_leaves,)
        Above 0.

    Returns
    -------
    ndarray of shape (n_leaves, width)

    Examples
    --------
    >>> wanted, order = np.array([[3.0], [1.0], [5.0]]), np.array([[0.0], [1.0], [2.0]])
    >>> in_order(wanted, order, np.ones(3)).ravel()
    array([2., 2., 5.])
    """
    found = np.empty_like(wanted)
    for k in range(wanted.shape[1]):
        _, group = np.unique(order[:, k], return_inverse=True)
        total = np.bincount(group, weights=weight)
        mean = np.bincount(group, weights=weight * wanted[:, k]) / total
        found[:, k] = _isotonic(mean, total)[group]
    return found


def _isotonic(values: Floats, weight: Floats) -> Floats:
    """The nearest rising values: neighbours that fall are pooled until none does."""
    pools: list[tuple[float, float, int]] = []  # mean, weight, number of values
    for mean, share in zip(values.tolist(), weight.tolist(), strict=True):
        size = 1
        while pools and pools[-1][0] >= mean:
            before, more, count = pools.pop()
            mean = (before * more + mean * share) / (more + share)
            share, size = share + more, size + count
        pools.append((mean, share, size))
    return np.repeat([pool[0] for pool in pools], [pool[2] for pool in pools])


def sum_error(leaves: Leaves, found: QuantizedLeaves) -> float:
    """Weighted mean squared error of the ensemble's outputs on the calibration rows, summed up."""
    exact = _sums(leaves, leaves.weights, leaves.reached)
    exact = exact / (leaves.n_trees if leaves.average else 1) + leaves.base
    values = found.values * found.multiplier[leaves.tree][:, np.newaxis]
    got = (_sums(leaves, values, leaves.reached_by_codes) - found.zero_point) * found.scale
    return float((leaves.row_weight @ (got - exact) ** 2).sum())


def routing_error(leaves: Leaves) -> float:
    """The same where only the ways of the rows are integers, and the leaves are not rounded."""
    exact = _sums(leaves, leaves.weights, leaves.reached)
    got = _sums(leaves, leaves.weights, leaves.reached_by_codes)
    divisor = leaves.n_trees if leaves.average else 1
    return float((leaves.row_weight @ ((got - exact) / divisor) ** 2).sum())


def _sums(leaves: Leaves, values: Any, reached: Ints) -> Floats:
    """Sum over the trees of what each row reaches."""
    result = np.zeros((len(reached), leaves.n_outputs))
    width = leaves.weights.shape[1]
    for t, first in enumerate(leaves.output):
        result[:, first : first + width] += values[reached[:, t]]
    return result


def _keep_winner(values: Ints, weights: Floats) -> Ints:
    """Give the most probable class of a leaf one unit of what stands before it."""
    if abs(weights[0].sum() - 1) > 1e-9:
        return values  # several outputs: each has a winner of its own
    rows = np.arange(len(values))
    winner, found = weights.argmax(axis=1), values.argmax(axis=1)
    wrong = winner != found
    values = values.copy()
    values[rows[wrong], found[wrong]] -= 1
    values[rows[wrong], winner[wrong]] += 1
    return values
