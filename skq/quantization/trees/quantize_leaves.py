"""Leaf values as integers, chosen by the error of the sum over the trees."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from skq.quantization.trees.isotonic import in_order
from skq.quantization.trees.leaves import Leaves, QuantizedLeaves, misrouted_prior, sum_error
from skq.quantization.trees.sums import quantize_sums

Floats = NDArray[np.float64]
Ints = NDArray[np.integer[Any]]


def quantize_leaves(leaves: Leaves, n_bits: int, *, method: str = "auto") -> QuantizedLeaves:
    """Leaf values as integers of `n_bits`.

    Probabilities of a leaf sum to exactly 1 on a grid over [0, 1], with every method. For other
    values see `skq.quantization.trees.sums`.
    """
    if leaves.are_probabilities:
        plain = _quantize_probabilities(leaves, leaves.weights, 2**n_bits - 1)
        if method != "auto" or np.array_equal(leaves.reached, leaves.reached_by_codes):
            return plain
        refitted = _quantize_probabilities(leaves, _refitted(leaves), 2**n_bits - 1)
        return min(plain, refitted, key=lambda option: sum_error(leaves, option))
    return quantize_sums(leaves, 2**n_bits - 1, method=method)


def _quantize_probabilities(leaves: Leaves, weights: Floats, top: int) -> QuantizedLeaves:
    """Round cumulative probabilities, so that a leaf's integers add up to `top`.

    Tree t rounds with the threshold ``1 - (t + 0.5) / n_trees``, so rounding errors average out
    over the trees. With equal thresholds, probabilities below half a step would be 0 in every
    tree.
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
    """Mean class distribution of the rows that reach each leaf by their codes."""
    share = np.repeat(leaves.row_weight * len(leaves.row_weight), leaves.n_trees)
    leaf, exact = leaves.reached_by_codes.ravel(), leaves.weights[leaves.reached.ravel()]
    n_leaves = len(leaves.weights)
    count = np.bincount(leaf, weights=share, minlength=n_leaves)[:, None]
    total = np.stack(
        [np.bincount(leaf, weights=share * column, minlength=n_leaves) for column in exact.T],
        axis=1,
    )
    prior = misrouted_prior(leaves.n_trees)
    mean = np.asarray((total + prior * leaves.weights) / (count + prior))
    if leaves.monotonic:
        ends = np.searchsorted(leaves.tree, np.arange(leaves.n_trees + 1))
        for start, end in pairwise(ends):
            rows = slice(start, end)
            mean[rows] = in_order(mean[rows], leaves.weights[rows], count[rows, 0] + prior)
    return mean


def _keep_winner(values: Ints, weights: Floats) -> Ints:
    """Move one unit to the most probable class of a leaf if another class has more."""
    if abs(weights[0].sum() - 1) > 1e-9:
        return values  # several outputs, with one winner each
    rows = np.arange(len(values))
    winner, greatest = weights.argmax(axis=1), values.argmax(axis=1)
    wrong = winner != greatest
    values = values.copy()
    values[rows[wrong], greatest[wrong]] -= 1
    values[rows[wrong], winner[wrong]] += 1
    return values
