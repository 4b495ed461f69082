"""Elementwise operations on tensors: sums, products and extremes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from skq.program import Add, Concat, Maximum, Minimum, Mul, Sub
from skq.quantization.lower.joint_features import JointFeatures
from skq.quantization.lower.lowering import Lowering
from skq.quantization.lower.operands import Array, Features, QuantizedTensor, scalar
from skq.quantization.lower.views import (
    arranged,
    elements,
    moved,
    row_shape,
    select,
    with_constants,
)


def plain(low: Lowering, x: Features | QuantizedTensor, reals: Array) -> QuantizedTensor:
    """A plain tensor, whose reals are affine in its integers: `x` itself, or codes of it."""
    x = low.tensor(x)
    return x if x.is_plain else low.codes(x, reals, n_bits=low.settings.n_bits["op_inputs"])


def affine(
    low: Lowering, x: QuantizedTensor, factor: Array, offset: Array, reals: Array
) -> QuantizedTensor:
    """``factor * x + offset``, with constants that broadcast against rows."""
    x, (factor, offset) = with_constants(low, x, [factor, offset], reals=reals)
    return x.affine(factor, offset)


def add(low: Lowering, *tensors: QuantizedTensor) -> QuantizedTensor:
    """Sum of plain tensors."""
    return _fold(low, Add, low.common(*tensors))


def subtract(low: Lowering, a: QuantizedTensor, b: QuantizedTensor) -> QuantizedTensor:
    """Difference of plain tensors."""
    return _fold(low, Sub, low.common(a, b))


def maximum(low: Lowering, *tensors: QuantizedTensor) -> QuantizedTensor:
    """Largest of plain tensors."""
    return _fold(low, Maximum, low.common(*tensors))


def minimum(low: Lowering, *tensors: QuantizedTensor) -> QuantizedTensor:
    """Smallest of plain tensors."""
    return _fold(low, Minimum, low.common(*tensors))


def multiply(low: Lowering, a: QuantizedTensor, b: QuantizedTensor) -> QuantizedTensor:
    """Product of plain tensors."""
    (a,), (b,) = low.common(a), low.common(b)
    first, second, view = broadcast(low, a, b)
    product = low.add(Mul((first, second)))
    return QuantizedTensor(product, a.scale * b.scale, scalar(0.0), view=view)


def integers(low: Lowering, x: QuantizedTensor, reals: Array) -> QuantizedTensor:
    """A tensor whose reals are integers, with scale 1 and zero point 0."""
    if x.is_plain and x.has_one_scale and x.scale == 1 and x.zero_point == 0:
        return x
    one, zero = scalar(1.0), scalar(0.0)
    return low.on_grid(x, one, zero, int(np.min(reals)), int(np.max(reals)))


def joint_tensor(low: Lowering, joint: JointFeatures) -> QuantizedTensor:
    """Codes of the features with the derived integers after them, each with its scale."""
    parts = [arranged(low, part) for part in (low.tensor(joint.features), *joint.derived)]
    value = low.add(Concat(tuple(part.value for part in parts)))
    scale, zero_point = (
        np.concatenate([np.broadcast_to(getattr(p, name), low.type(p.value).shape) for p in parts])
        for name in ("scale", "zero_point")
    )
    return QuantizedTensor(value, scale, zero_point)


def _fold(
    low: Lowering, instruction: type[Any], tensors: Sequence[QuantizedTensor]
) -> QuantizedTensor:
    """Apply a binary instruction from left to right to tensors of one scale."""
    result = tensors[0]
    for tensor in tensors[1:]:
        first, second, view = broadcast(low, result, tensor)
        value = low.add(instruction((first, second)))
        result = replace(result, value=value, view=view)
    return result


def broadcast(
    low: Lowering, a: QuantizedTensor, b: QuantizedTensor
) -> tuple[int, int, Array | None]:
    """Broadcast two tensors: their values in the same arrangement, and the view of both.

    Each has one scale for all elements.
    """
    shape = np.broadcast_shapes(row_shape(low, a), row_shape(low, b))
    same_integers = low.type(a.value).shape == low.type(b.value).shape
    if same_integers and np.array_equal(elements(low, a), elements(low, b)):
        return a.value, b.value, moved(low, a, elements(low, a)).view
    first, second = (
        select(low, x.value, np.broadcast_to(elements(low, x), shape).copy(), 0) for x in (a, b)
    )
    return first, second, None
