"""Inverses and similar functions of a tensor as tables, to divide by a multiplication."""

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

    The table's index has the greatest width of tables, or `rounding_threshold_bits` if less.
    """
    n_bits = low.settings.rounding.limit(WIDEST_TABLE_BITS)
    index = low.materialize(x.clipped(lo, hi), lo, hi, n_bits)
    ends = function(np.array([lo, hi]))
    top = 2**INVERSE_BITS - 1
    step = float(np.max(np.abs(ends))) / top
    result = index.then(lambda values: function(np.clip(values, lo, hi)))
    return low.on_grid(result, scalar(step), scalar(0.0), -top if ends.min() < 0 else 0, top)
