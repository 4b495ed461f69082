"""Leaf values → integers, so that the sum over the trees stays right."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Ints = NDArray[np.integer[Any]]

#: A leaf is corrected by ``n / (n + PRIOR_ROWS)`` of the mean error of its n calibration rows.
PRIOR_ROWS = 20.0

#: Steps of the finest tree's grid that the coarsest tree's may have.
MAX_MULTIPLIER = 64


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

    Probabilities keep their sum exactly; other values are rounded tree after tree, each tree making
    up for the error that the trees before it have left in its leaves (`method` "minmax": without).
    """
    if leaves.are_probabilities:
        return _quantize_probabilities(leaves, 2**n_bits - 1)
    return _quantize_sums(leaves, 2**n_bits - 1, feedback=method != "minmax")


def _quantize_probabilities(leaves: Leaves, top: int) -> QuantizedLeaves:
    """Cumulative probabilities are rounded, so that a leaf's integers add up to `top`.

    Tree t rounds with the threshold ``1 - (t + 0.5) / n_trees``: over the trees the roundings average
    out, which rounding every tree alike would not do for probabilities below half a step.
    """
    dither = (leaves.tree + 0.5) / leaves.n_trees
    cumulative = np.cumsum(leaves.weights, axis=1) * top
    whole = np.floor(cumulative + dither[:, None] + 1e-9).astype(np.int64)
    values = np.diff(whole, axis=1, prepend=0)
    if leaves.n_trees == 1:
        values = _keep_winner(values, leaves.weights)
    return QuantizedLeaves(
        values=values,
        multiplier=np.ones(leaves.n_trees, dtype=np.int64),
        scale=np.float64(1.0 / (top * leaves.n_trees)),
        zero_point=np.float64(0.0),
    )


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


def _quantize_sums(leaves: Leaves, top: int, *, feedback: bool) -> QuantizedLeaves:
    unit = np.zeros(leaves.n_outputs)
    first = np.searchsorted(leaves.tree, np.arange(leaves.n_trees))
    spread = np.maximum.reduceat(leaves.weights, first) - np.minimum.reduceat(leaves.weights, first)
    columns = leaves.output[:, None] + np.arange(leaves.weights.shape[1])
    np.maximum.at(unit, columns, spread)
    unit = np.where(unit > 0, unit, 1.0)

    relative = (spread / unit[columns]).max(axis=1)
    finest = max(float(relative.max()) / MAX_MULTIPLIER, 1e-300)
    use_multipliers = feedback and not leaves.average and relative.min() < 0.5 * relative.max()
    multiplier = (
        np.clip(np.ceil(relative / finest), 1, MAX_MULTIPLIER).astype(np.int64)
        if use_multipliers
        else np.ones(leaves.n_trees, dtype=np.int64)
    )
    scale = unit / top / (int(multiplier.max()))

    values = np.zeros(leaves.weights.shape, dtype=np.int64)
    error = np.zeros((len(leaves.reached), leaves.n_outputs))  # of the sum so far, row by row
    offset = np.zeros(leaves.n_outputs)
    ends = np.append(first[1:], len(leaves.tree))
    for t, (start, end) in enumerate(zip(first, ends, strict=True)):
        own = slice(start, end)
        column = columns[t]
        step = scale[column] * multiplier[t]
        wanted = leaves.weights[own]
        exact = leaves.weights[leaves.reached[:, t]]
        place = leaves.reached_by_codes[:, t] - start
        if feedback:
            wanted = wanted + _mean_error(
                error[:, column] + exact - wanted[place], place, end - start, leaves.row_weight
            )
        low = _center(wanted, step, top)
        values[own] = np.clip(np.rint((wanted - low) / step), 0, top)
        offset[column] += low
        error[:, column] += exact - (low + values[own][place] * step)
    total = leaves.base * (leaves.n_trees if leaves.average else 1.0) + offset
    if feedback:
        total = total + leaves.row_weight @ error
    divisor = leaves.n_trees if leaves.average else 1
    return QuantizedLeaves(values, multiplier, scale / divisor, -total / scale)


def _center(wanted: Floats, step: Floats, top: int) -> Floats:
    """Real value of code 0 such that a tree's leaves lie in the middle of its grid."""
    low, high = wanted.min(axis=0), wanted.max(axis=0)
    return np.asarray(low + (high - low) / 2 - step * top / 2)


def _mean_error(error: Floats, leaf: Ints, n_leaves: int, row_weight: Floats) -> Floats:
    """Mean error of the rows in each leaf, shrunk where rows are few."""
    share = row_weight * len(row_weight)
    count = np.bincount(leaf, weights=share, minlength=n_leaves)
    total = np.stack(
        [
            np.bincount(leaf, weights=share * error[:, k], minlength=n_leaves)
            for k in range(error.shape[1])
        ],
        axis=1,
    )
    return np.asarray(total / (count + PRIOR_ROWS)[:, None])
