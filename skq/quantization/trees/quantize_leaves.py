"""Leaf values → integers, so that the sum over the trees stays right."""

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

    Probabilities keep their sum exactly, on the grid of [0, 1] whatever the method; other values
    see `skq.quantization.trees.sums`.
    """
    if leaves.are_probabilities:
        plain = _quantize_probabilities(leaves, leaves.weights, 2**n_bits - 1)
        if method != "auto" or np.array_equal(leaves.reached, leaves.reached_by_codes):
            return plain
        refitted = _quantize_probabilities(leaves, _refitted(leaves), 2**n_bits - 1)
        return min(plain, refitted, key=lambda found: sum_error(leaves, found))
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
