"""One rule for each instruction: how it becomes ONNX nodes that compute in integers.

A rule takes the builder, the instruction, the types of its operands and of its result, and the
operands. It returns a tensor in any dtype that holds the proven interval. A rule casts its operands
to the dtype that it computes in.

============ ============================================
instruction  ONNX operators
============ ============================================
MatMul       MatMulInteger of 8-bit operands, else MatMul
Add, Sub …   the operator of the same meaning
Sum …        ReduceSum, ReduceMax, ReduceMin, ArgMax
Weighted     TopK of all elements, Gather of the weights,
Median       CumSum, Less, ReduceSum, GatherElements
Gather       Reshape, Pad with `fill`, Gather
Concat       Reshape, Concat
others       `quantizers`, `rescale`, `tree_walk`
============ ============================================
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import numpy as np

from skq.export.onnx_integer.builder import GraphBuilder, Value
from skq.export.onnx_integer.quantizers import Types, bin_codes, dequantize, quantize, storage_dtype
from skq.export.onnx_integer.rescale import requantize, table
from skq.export.onnx_integer.tree_walk import trees
from skq.numerics import EXACT_FLOAT64
from skq.program import TensorType
from skq.program import instructions as ins

Rule = Callable[..., Value]

#: Dtypes of floats that hold integers.
FLOATS = ("float32", "float64")


def arithmetic_dtype(*types: TensorType) -> str:
    """Dtype for arithmetic on integers of these types: int32 if all intervals fit, else int64."""
    fits = all(-(2**31) < lo and hi < 2**31 for lo, hi in (t.interval for t in types))
    return "int32" if fits else "int64"


def joint_dtype(values: Sequence[Value], result: TensorType) -> str:
    """Common dtype of several values: float64 if one is a float and all are exact in it."""
    lo, hi = result.interval
    if any(value.dtype in FLOATS for value in values) and max(-lo, hi) <= EXACT_FLOAT64:
        return "float64"
    return arithmetic_dtype(result)


def largest_sum(step: ins.MatMul, x: TensorType) -> int:
    """Bound of every partial sum of a product, in magnitude."""
    lo, hi = x.interval
    if not step.weights.size:
        return 0
    magnitudes = np.abs(step.weights.astype(object)).sum(axis=0)
    return int(magnitudes.max()) * max(-lo, hi)


def matmul(g: GraphBuilder, step: ins.MatMul, types: Types, result: TensorType, x: Value) -> Value:
    """Exact accumulators, in int32 where every partial sum fits."""
    fits = largest_sum(step, types[0]) < 2**31
    if (
        fits
        and x.dtype in ("uint8", "int8")
        and -128 <= step.weights.min() <= step.weights.max() <= 127
    ):
        return _matmul_integer(g, step, x)
    dtype = arithmetic_dtype(types[0], result) if fits else "int64"
    return g.node("MatMul", [g.cast(x, dtype), g.constant(step.weights, dtype)], dtype)


def _matmul_integer(g: GraphBuilder, step: ins.MatMul, x: Value) -> Value:
    """MatMulInteger of uint8 operands, which ONNX Runtime sums exactly on every CPU.

    Signed weights are stored with a zero point of 128: on x86 without VNNI, ONNX Runtime adds
    pairs of products of uint8 and int8 in 16 bits, which saturate.
    """
    zero = 128 if step.weights.min() < 0 else 0
    weights = g.constant(step.weights.astype(np.int64) + zero, "uint8")
    x_zero = 0
    if x.dtype == "int8":
        x_zero = 128
        x = g.cast(g.binary("Add", g.cast(x, "int32"), 128), "uint8")
    zeros = [np.array(x_zero, dtype=np.uint8), np.array(zero, dtype=np.uint8)]
    return g.node("MatMulInteger", [x, weights, *zeros], "int32")


def elementwise(op_type: str, dtype: str | None = None) -> Rule:
    """Rule of a binary operator; missing axes of an operand are inserted after the batch axis.

    It computes in `dtype`, or in 32 or 64 bits as the proven intervals need.
    """

    def rule(
        g: GraphBuilder, step: ins.Instruction, types: Types, result: TensorType, a: Value, b: Value
    ) -> Value:
        computed = dtype or arithmetic_dtype(*types, result)
        rank = max(len(t.shape) for t in types)
        operands = [
            _with_axes(g, g.cast(value, computed), rank - len(type_.shape))
            for value, type_ in zip((a, b), types, strict=True)
        ]
        return g.node(op_type, operands, computed)

    return rule


def _with_axes(g: GraphBuilder, value: Value, count: int) -> Value:
    if count == 0:
        return value
    axes = np.arange(1, 1 + count, dtype=np.int64)
    return g.node("Unsqueeze", [value, axes], value.dtype)


def sum_(
    g: GraphBuilder, step: ins.Instruction, types: Types, result: TensorType, x: Value
) -> Value:
    """Sum over the last axis."""
    lo, hi = types[0].interval
    length = types[0].shape[-1]
    bound = max(-lo, hi) * length
    return g.sum(g.cast(x, "int32" if bound < 2**31 else "int64"), -1, length, bound)


def extreme(op_type: str) -> Rule:
    """Rule of a maximum or minimum over the last axis."""

    def rule(
        g: GraphBuilder, step: ins.Instruction, types: Types, result: TensorType, x: Value
    ) -> Value:
        if x.dtype not in FLOATS:
            x = g.cast(x, arithmetic_dtype(types[0]))
        return g.reduce(op_type, x, -1)

    return rule


def argmax(
    g: GraphBuilder, step: ins.Instruction, types: Types, result: TensorType, x: Value
) -> Value:
    """Index of the first largest element of the last axis."""
    if x.dtype not in FLOATS:
        x = g.cast(x, arithmetic_dtype(types[0]))
    return g.node("ArgMax", [x], "int64", axis=-1, keepdims=0)


def weighted_median(
    g: GraphBuilder, step: ins.WeightedMedian, types: Types, result: TensorType, x: Value
) -> Value:
    """Sorted elements; the index of the result is the number of sums below the threshold."""
    if x.dtype not in FLOATS:
        x = g.cast(x, arithmetic_dtype(types[0]))
    axis, length = len(types[0].shape), np.array([types[0].shape[-1]], dtype=np.int64)
    ordered, order = g.nodes_of(
        "TopK", [x, length], (x.dtype, "int64"), axis=axis, largest=0, sorted=1
    )
    weights = g.node("Gather", [g.constant(step.weights, "int64"), order], "int64")
    sums = g.node("CumSum", [weights, np.array(axis, dtype=np.int64)], "int64")
    is_below = g.node("Less", [sums, g.constant(step.threshold, "int64")], "bool")
    index = g.reduce("ReduceSum", g.cast(is_below, "int64"), axis, keepdims=1)
    value = g.node("GatherElements", [ordered, index], x.dtype, axis=axis)
    return g.node("Squeeze", [value, np.array([axis], dtype=np.int64)], x.dtype)


def gather(g: GraphBuilder, step: ins.Gather, types: Types, result: TensorType, x: Value) -> Value:
    """Elements of the flattened row; index -1 reads the `fill` that is appended to it."""
    size = types[0].size
    if np.all(step.indices == -1):
        return g.full(result.shape, int(step.fill), storage_dtype(result))
    flat = x if len(types[0].shape) == 1 else g.reshape(x, (size,))
    indices = step.indices.astype(np.int64)
    if np.any(indices == -1):
        flat = g.cast(flat, joint_dtype([flat], result))
        pads = np.array([0, 0, 0, 1], dtype=np.int64)
        flat = g.node("Pad", [flat, pads, np.array(step.fill, dtype=flat.dtype)], flat.dtype)
        indices = np.where(indices == -1, size, indices)
    return g.node("Gather", [flat, indices], flat.dtype, axis=1)


def reshape(
    g: GraphBuilder, step: ins.Reshape, types: Types, result: TensorType, x: Value
) -> Value:
    """The same elements in another shape."""
    return g.reshape(x, step.shape)


def concat(
    g: GraphBuilder, step: ins.Concat, types: Types, result: TensorType, *parts: Value
) -> Value:
    """Flattened operands one after another; empty ones are left out."""
    dtype = joint_dtype(list(parts), result)
    flat = [
        g.reshape(g.cast(part, dtype), (type_.size,))
        for part, type_ in zip(parts, types, strict=True)
        if type_.size
    ]
    return flat[0] if len(flat) == 1 else g.node("Concat", flat, dtype, axis=1)


#: Rules of ``form="integer"``.
INTEGER_RULES: Mapping[type[ins.Instruction], Rule] = {
    ins.Quantize: quantize,
    ins.Bin: bin_codes,
    ins.MatMul: matmul,
    ins.Requantize: requantize,
    ins.Table: table,
    ins.Trees: trees,
    ins.Add: elementwise("Add"),
    ins.Sub: elementwise("Sub"),
    ins.Mul: elementwise("Mul"),
    ins.Maximum: elementwise("Max"),
    ins.Minimum: elementwise("Min"),
    ins.Sum: sum_,
    ins.Max: extreme("ReduceMax"),
    ins.Min: extreme("ReduceMin"),
    ins.ArgMax: argmax,
    ins.WeightedMedian: weighted_median,
    ins.Gather: gather,
    ins.Reshape: reshape,
    ins.Concat: concat,
    ins.Dequantize: dequantize,
}
