"""Descent on integer leaves: each leaf is moved against the error that is left in its rows.

`skq.quantization.trees.sums` rounds trees in their order, so a tree corrects the errors of the
trees before it, but not of those after it. Here trees are visited again. A leaf moves by a whole
number of steps, ``rint(mean error / step)``, where the mean is shrunk as if some more rows had no
error. Every move lowers the squared error on the calibration rows.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from skq.quantization.trees.leaves import Leaves, QuantizedLeaves, errors_of_sums
from skq.quantization.trees.settings import LEAVES

Floats = NDArray[np.float64]


def descend(leaves: Leaves, quantized: QuantizedLeaves, top: int) -> QuantizedLeaves:
    """Integer leaves with at most the error of `quantized`, in [0, top].

    Leaves with monotonic constraints, whose order is fixed, are returned unchanged.
    """
    if leaves.monotonic:
        return quantized
    values = quantized.values.copy()
    error = errors_of_sums(leaves, quantized)
    share = leaves.row_weight * len(leaves.row_weight)
    first = np.searchsorted(leaves.tree, np.arange(leaves.n_trees + 1))
    width = values.shape[1]
    scale = np.broadcast_to(quantized.scale, (leaves.n_outputs,))
    zero_point = np.array(np.broadcast_to(quantized.zero_point, (leaves.n_outputs,)))
    for _ in range(LEAVES.max_sweeps):
        has_moved = False
        for t, output in enumerate(leaves.output):
            part, column = slice(first[t], first[t + 1]), slice(output, output + width)
            step = scale[column] * quantized.multiplier[t]
            leaf = leaves.reached_by_codes[:, t] - first[t]
            n_leaves = first[t + 1] - first[t]
            count = np.bincount(leaf, share, n_leaves)[:, np.newaxis] + LEAVES.prior_rows
            total = np.stack(
                [np.bincount(leaf, share * e, n_leaves) for e in error[:, column].T], axis=1
            )
            before = values[part].copy()
            values[part] = np.clip(before + np.rint(total / count / step), 0, top)
            moved = values[part] - before
            if np.any(moved):
                has_moved = True
                error[:, column] -= moved[leaf] * step
        mean = leaves.row_weight @ error
        error -= mean
        zero_point -= mean / scale
        if not has_moved:
            break
    return replace(quantized, values=values, zero_point=zero_point)
