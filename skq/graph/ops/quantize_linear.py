"""QuantizeLinear and DequantizeLinear, as ONNX defines them.

This is ONNX's rounding, ``rint(x / scale) + zero_point``; the quantizers of skq round
``rint(x / scale + zero_point)`` (see `skq.numerics`).
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from skq.graph.ops.binding import Implementation, numpy_op
from skq.graph.ops.element_types import element_dtype

Array = NDArray[Any]


def _along_axis(parameter: Array, x: Array, axis: int, block_size: int) -> Array:
    """Give a scale or zero point a shape that broadcasts against ``x``."""
    if block_size:
        blocks = np.repeat(parameter, block_size, axis=axis)
        return np.take(blocks, np.arange(x.shape[axis]), axis=axis)
    if parameter.size == 1:
        return parameter.reshape(())
    shape = [1] * x.ndim
    shape[axis] = -1
    return parameter.reshape(shape)


def _bind_quantize(attributes: Mapping[str, Any], _n_outputs: int) -> Implementation:
    if attributes.get("output_dtype"):
        element_dtype(attributes["output_dtype"])
    return partial(quantize_linear, **attributes)


@numpy_op("QuantizeLinear", bind=_bind_quantize)
def quantize_linear(
    x: Array,
    scale: Array,
    zero_point: Array | None = None,
    *,
    axis: int = 1,
    block_size: int = 0,
    output_dtype: int = 0,
    saturate: int = 1,
) -> Array:
    """``clip(rint(x / scale) + zero_point)``, ties to even, for integer types of up to 16 bits.

    The result has the dtype of ``zero_point``, else ``output_dtype``, else uint8. ``saturate``
    concerns 8-bit floats only, which are not supported, and changes nothing here.
    """
    if zero_point is not None:
        dtype = zero_point.dtype
        offset = _along_axis(zero_point, x, axis, block_size).astype(np.float64)
    else:
        dtype = element_dtype(output_dtype) if output_dtype else np.dtype(np.uint8)
        offset = np.zeros((), np.float64)
    ratio = x / _along_axis(scale, x, axis, block_size)
    limits = np.iinfo(dtype)
    return np.asarray(np.clip(np.rint(ratio) + offset, limits.min, limits.max)).astype(dtype)


@numpy_op("DequantizeLinear")
def dequantize_linear(
    x: Array,
    scale: Array,
    zero_point: Array | None = None,
    *,
    axis: int = 1,
    block_size: int = 0,
) -> Array:
    """``(x - zero_point) * scale``, in the dtype of ``scale``."""
    codes = x.astype(np.int64)
    if zero_point is not None:
        codes = codes - _along_axis(zero_point, x, axis, block_size).astype(np.int64)
    factor = _along_axis(scale, x, axis, block_size)
    return np.asarray(codes.astype(scale.dtype) * factor).astype(scale.dtype, copy=False)
