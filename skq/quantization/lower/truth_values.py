"""Truth values as integers 0 and 1, and quotients of whole numbers rounded towards zero."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from skq.program import Add
from skq.quantization.lower.lowering import Lowering
from skq.quantization.lower.operands import Array, QuantizedTensor, scalar


def is_truth(low: Lowering, x: QuantizedTensor) -> bool:
    """Whether the integers are 0 and 1, with scale 1 and zero point 0."""
    lo, hi = low.type(x.value).interval
    return bool(
        x.is_plain
        and x.has_one_scale
        and x.scale == 1
        and x.zero_point == 0
        and lo >= 0
        and hi <= 1
    )


def truth(low: Lowering, x: QuantizedTensor) -> QuantizedTensor:
    """1 where a tensor is not 0, else 0, as integers with scale 1 and zero point 0."""
    if is_truth(low, x):
        return x
    return low.on_grid(x.then(is_not_zero), scalar(1.0), scalar(0.0), 0, 1)


def is_not_zero(x: Array) -> Array:
    """1.0 where an element is not 0, else 0.0."""
    return np.asarray(x != 0, dtype=np.float64)


def truncated_quotient(low: Lowering, x: QuantizedTensor, divisor: Array) -> QuantizedTensor:
    """Whole numbers divided by a whole constant, rounded towards zero: exact.

    ``floor(x / d)`` of positive numbers, plus ``ceil(x / d)`` of negative numbers. Half a step of
    the quotient, ``1 / (2 * d)``, keeps both away from ties.

    Parameters
    ----------
    low : Lowering
    x : QuantizedTensor
        Plain.
    divisor : ndarray of shape () or (n_channels,)
        Whole numbers other than 0.
    """
    x = x.of_what_is_read()
    ends = [np.ravel(x.reals(np.asarray(end))) for end in low.type(x.value).interval]
    reach = int(np.ceil(np.max(np.abs(ends)) / np.min(np.abs(divisor)))) + 1
    half = 0.5 / np.abs(divisor)
    one, zero = scalar(1.0), scalar(0.0)
    parts = [
        low.on_grid(x.affine(1.0 / divisor, offset), one, zero, *bounds)
        for offset, bounds in ((half - 0.5, (0, reach)), (0.5 - half, (-reach, 0)))
    ]
    return replace(parts[0], value=low.add(Add(tuple(part.value for part in parts))))
