"""Inverses and the like of a tensor, as tables: what a product divides by."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from skq.quantization.lower.lowering import Lowering
from skq.quantization.lower.operands import Array, QuantizedTensor, scalar
from skq.quantization.lower.rounding import WIDEST_TABLE_BITS

#: Width of an inverse.
INVERSE_BITS = 16


def inverse(
    low: Lowering, x: QuantizedTensor, function: Callable[[Array], Array], lo: float, hi: float
) -> QuantizedTensor:
    """A monotone function of a plain tensor within [lo, hi], by a table, with 0 as zero point.

    The table's index is as wide as tables are at most, unless `rounding_threshold_bits` says less.
    """
    n_bits = low.settings.rounding.limit(WIDEST_TABLE_BITS)
    index = low.materialize(x.clipped(lo, hi), lo, hi, n_bits)
    ends = function(np.array([lo, hi]))
    top = 2**INVERSE_BITS - 1
    step = float(np.max(np.abs(ends))) / top
    found = index.then(lambda values: function(np.clip(values, lo, hi)))
    return low.on_grid(found, scalar(step), scalar(0.0), -top if ends.min() < 0 else 0, top)
