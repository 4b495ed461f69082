"""Rules of ``form="qdq"``: QuantizeLinear and DequantizeLinear, as hardware toolchains read it.

Codes and weights of 8 bits (16 with operator set 21) are tensors between QuantizeLinear and
DequantizeLinear. Codes have the scale 1. The multiplier of a layer's requantization is the scale of
its weights, one per channel::

    Quantize                 exact codes in float64, QuantizeLinear(1) DequantizeLinear(1)
    MatMul, then Requantize  MatMul with DequantizeLinear(weights, multiplier / 2**shift),
                             Add, Clip, QuantizeLinear(1) DequantizeLinear(1)
    last MatMul              MatMul with DequantizeLinear(weights, 1): the exact accumulator

Codes of inputs and weights are exact. A code between two layers is rounded in float32, ties to
even, where the program rounds the exact number half up. It may differ by one where the number is
a tie up to the rounding error of float32. All other instructions follow the rules of
``form="fast"``.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from skq.export.onnx_integer import fast
from skq.export.onnx_integer.builder import GraphBuilder, Operand, Source, Value
from skq.export.onnx_integer.quantizers import Types, quantized_reals
from skq.export.onnx_integer.rules import Rule, largest_sum
from skq.export.onnx_integer.tree_splits import EXACT_FLOAT32
from skq.program import TensorType
from skq.program import instructions as ins

ONE = np.array(1, dtype=np.float32)
#: First operator set in which QuantizeLinear supports 16 bits.
OPSET_OF_16_BITS = 21


def code_dtype(g: GraphBuilder, type_: TensorType) -> str | None:
    """Dtype of a QuantizeLinear that holds these codes; None if there is none."""
    lo, hi = type_.interval
    widths = (8, 16) if g.opset >= OPSET_OF_16_BITS else (8,)
    for dtype in (f"{sign}int{width}" for width in widths for sign in ("u", "")):
        if np.iinfo(dtype).min <= lo and hi <= np.iinfo(dtype).max:
            return dtype
    return None


def quantize(
    g: GraphBuilder, step: ins.Quantize, types: Types, result: TensorType, x: Value
) -> Value:
    """Exact codes, computed in float64. The QuantizeLinear of scale 1 after it changes none."""
    dtype = code_dtype(g, result)
    if dtype is None:
        return fast.quantize(g, step, types, result, x)
    return _coded(g, g.cast(quantized_reals(g, step, x), "float32"), dtype)


def _coded(g: GraphBuilder, x: Value, dtype: str) -> Value:
    """Reals rounded to integers: QuantizeLinear and DequantizeLinear with the scale 1."""
    zero = np.zeros((), dtype=dtype)
    codes = g.node("QuantizeLinear", [x, ONE, zero], dtype)
    result = g.node("DequantizeLinear", [codes, ONE, zero], "float32")
    g.coded.add(result.name)
    return result


def matmul(g: GraphBuilder, step: ins.MatMul, types: Types, result: TensorType, x: Value) -> Value:
    """The exact accumulator of codes and weights in float32."""
    weights = _weights(g, step, types[0], x)
    if weights is None:
        return fast.matmul(g, step, types, result, x)
    product = g.node("MatMul", [x, _scaled(g, weights, ONE)], "float32")
    g.sources[product.name] = Source(step, x, types[0])
    return product


def _weights(
    g: GraphBuilder, step: ins.MatMul, codes: TensorType, x: Value
) -> NDArray[np.integer] | None:
    """Weights in a dtype of DequantizeLinear; None if they or the sums are too wide."""
    if x.name not in g.coded or largest_sum(step, codes) > EXACT_FLOAT32:
        return None
    weights = step.weights.astype(np.int64)
    largest = int(np.abs(weights).max())
    if largest <= 127:
        return weights.astype(np.int8)
    return weights.astype(np.int16) if largest < 2**15 and g.opset >= OPSET_OF_16_BITS else None


def _scaled(g: GraphBuilder, weights: NDArray[np.integer], scale: NDArray[np.float32]) -> Value:
    zero = np.zeros(np.shape(scale), dtype=weights.dtype)
    operands: list[Operand] = [g.stored(weights), scale, zero]
    if not scale.ndim:
        return g.node("DequantizeLinear", operands, "float32")
    return g.node("DequantizeLinear", operands, "float32", axis=1)


def requantize(
    g: GraphBuilder, step: ins.Requantize, types: Types, result: TensorType, x: Value
) -> Value:
    """Codes of the next layer: the product in reals, rounded by QuantizeLinear."""
    dtype, source = code_dtype(g, result), g.sources.get(x.name)
    weights = None
    if source is not None and isinstance(source.step, ins.MatMul):
        weights = _weights(g, source.step, source.type_, source.operand)
    if dtype is None or source is None or weights is None or step.shift == 0:
        return fast.requantize(g, step, types, result, g.cast(x, "float64"))
    multiplier = np.broadcast_to(step.multiplier.astype(np.float64), weights.shape[1:])
    half = 1 << (
        step.shift - 1
    )  # the offset includes a half for rounding, which QuantizeLinear does itself
    offset = np.ldexp(step.offset.astype(np.float64) - half, -step.shift)
    signed = weights * np.where(multiplier < 0, -1, 1).astype(weights.dtype)
    scale = np.ldexp(np.abs(multiplier), -step.shift).astype(np.float32)
    product = g.node("MatMul", [source.operand, _scaled(g, signed, scale)], "float32")
    reals = g.binary("Add", product, offset)
    bounds = np.iinfo(dtype)
    if (step.lo, step.hi) != (bounds.min, bounds.max):
        ends = [np.array(end, dtype=np.float32) for end in (step.lo, step.hi)]
        reals = g.node("Clip", [reals, *ends], "float32")
    return _coded(g, reals, dtype)


#: Rules of ``form="qdq"``.
QDQ_RULES: Mapping[type[ins.Instruction], Rule] = {
    **fast.FAST_RULES,
    ins.Quantize: quantize,
    ins.MatMul: matmul,
    ins.Requantize: requantize,
}
