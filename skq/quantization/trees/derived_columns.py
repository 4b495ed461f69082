"""Derived columns of a tree ensemble: integers that nodes compare besides bins of features.

A derived column is a bit (a split by category) or a sum (a projection). A threshold between two
integers is exact. But sums of a layer are wide, and trees are fast on codes of at most 16 bits. So
sums are requantized, each column over the range of its thresholds. If that range has no more
integers than there are codes, the requantization is an exact subtraction. Otherwise a threshold is
moved to the nearest boundary between two codes.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from skq.graph.ops import TreeArrays
from skq.numerics import fixed_point, requantize
from skq.program import Requantize
from skq.quantization.lower.lowering import Lowering
from skq.quantization.lower.operands import QuantizedTensor
from skq.quantization.lower.views import arranged
from skq.quantization.trees.settings import EDGES

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class DerivedColumns:
    """Codes of derived columns, and the codes that nodes compare them with.

    Parameters
    ----------
    values : tuple of int
        Values of the program, of shape (n_columns,) each, in order.
    samples : tuple of ndarray of shape (n_rows, n_columns), int64
        Codes of the calibration rows, on the side of each threshold where the float model has them;
        see `_on_float_side`.
    node_threshold : ndarray of shape (n_nodes,), int64
        Greatest code that goes left; 0 at nodes that read features, and at leaves.
    """

    values: tuple[int, ...]
    samples: tuple[Ints, ...]
    node_threshold: Ints

    @classmethod
    def of(
        cls,
        low: Lowering,
        tensors: Sequence[QuantizedTensor],
        trees: TreeArrays,
        reals: Floats,
    ) -> DerivedColumns:
        """Write the instructions that compute the codes of tensors.

        Parameters
        ----------
        low : Lowering
        tensors : sequence of QuantizedTensor
        trees : TreeArrays
        reals : ndarray of shape (n_rows, n_features + n_derived)
            What the trees read on the calibration rows; the tensors are its last columns.
        """
        node_threshold = np.zeros(len(trees.leaf), dtype=np.int64)
        values, samples = [], []
        tensors = [arranged(low, tensor) for tensor in tensors]
        first = reals.shape[1] - sum(low.type(tensor.value).size for tensor in tensors)
        for tensor in tensors:
            end = first + low.type(tensor.value).size
            reads_it = (trees.leaf < 0) & (trees.feature >= first) & (trees.feature < end)
            nodes = np.flatnonzero(reads_it)
            column = trees.feature[nodes] - first
            threshold = trees.threshold[nodes]
            value, code = _codes(low, tensor, column, threshold)
            node_threshold[nodes] = code
            values.append(value)
            part = reals[:, first:end]
            samples.append(_on_float_side(low.sample(value), part, threshold, column, code))
            first = end
        return cls(tuple(values), tuple(samples), node_threshold)


def _on_float_side(codes: Ints, reals: Floats, threshold: Floats, column: Ints, code: Ints) -> Ints:
    """Calibration codes, changed so that each row takes the float model's branch at all thresholds.

    The side of a row near a threshold depends on rounding in integers and does not generalize to
    other rows, so leaves are not fitted to it.
    """
    codes = codes.copy()
    limits = np.iinfo(np.int64)
    for j in np.unique(column):
        nodes = np.flatnonzero(column == j)
        nodes = nodes[np.argsort(threshold[nodes], kind="stable")]
        # equal thresholds have equal codes, and higher ones no lower codes
        position = np.searchsorted(threshold[nodes], reals[:, j], side="left")
        most = np.append(code[nodes], limits.max)[position]
        least = np.append(limits.min, code[nodes] + 1)[position]
        codes[:, j] = np.clip(codes[:, j], least, np.maximum(most, least))
    return codes


def _codes(low: Lowering, x: QuantizedTensor, column: Ints, threshold: Floats) -> tuple[int, Ints]:
    """Codes of a tensor, and for each (column, threshold) the greatest code at or below it."""
    if np.any(x.scale <= 0):  # a decreasing column: use a positive scale
        x = low.align(x)
    lo, hi = low.type(x.value).interval
    size = low.type(x.value).size
    scale, zero_point = (np.broadcast_to(p, (size,)) for p in (x.scale, x.zero_point))
    with np.errstate(over="ignore"):
        limit = np.floor(threshold / scale[column] + zero_point[column])
    limit = np.clip(limit, lo - 1, hi).astype(np.int64)  # the greatest integer that goes left
    first, last = np.full(size, hi), np.full(size, lo - 1)
    np.minimum.at(first, column, limit)
    np.maximum.at(last, column, limit)
    last = np.maximum(first, last)
    top = 2 ** max(2, low.settings.rounding.limit(EDGES.max_derived_bits)) - 1
    if np.all(last - first < top):
        one = np.ones(size, dtype=np.int64)
        step = Requantize((x.value,), one, -first, 0, 0, int((last - first).max()) + 1)
        return low.add(step), limit - first[column]
    spread = np.ptp(low.sample(x.value), axis=0)
    least = np.maximum(
        spread // EDGES.least_derived_span, spread.max() // EDGES.least_derived_span**2
    )
    ratio = np.minimum((top - 2) / np.maximum(np.maximum(last - first, least), 1), 1.0)
    multiplier, _, shift = fixed_point(ratio, first * ratio, lo, hi)
    # code 0 ends at `first`, and the last threshold's code is below `top`
    greatest = ((top - 1) << shift) // np.maximum(last - first, 1)
    multiplier = np.maximum(np.minimum(multiplier, greatest), 1)
    offset = (1 << shift) - first * multiplier - (multiplier + 1) // 2
    code = requantize(limit, multiplier[column], offset[column], shift, 0, top)
    # integers from start to end have this code, the limit among them; take the nearer end
    above = ((code + 1) << shift) - offset[column]
    below = (code << shift) - offset[column]
    end = -(-above // multiplier[column]) - 1
    start = -(-below // multiplier[column])
    code -= end - limit > limit - start + 1
    return low.add(Requantize((x.value,), multiplier, offset, shift, 0, top)), code
