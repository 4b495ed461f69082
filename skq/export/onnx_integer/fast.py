"""Rules of ``form="fast"``: integers held in floats, where float arithmetic on them is exact.

Every integer of a proven interval within ``2**53`` is exact in float64, and so is every sum and
product that stays within it. The fastest kernels of runtimes are those for floats. What may need
more than 53 bits is computed in integers, by the rules of ``form="integer"``.

::

    Quantize                 Div Add Round Clip; the codes stay in float64
    MatMul, then Requantize  Gemm with weights * multiplier / 2**shift, Floor, Clip;
                             codes of 8 bits: Clip, Cast(uint8), which cuts the fraction off
    MatMul of such codes     MatMulInteger
    Bin, then Trees          TreeEnsembleRegressor on the reals themselves (`tree_ensemble`)

Multiplying by a power of two is exact, so ``floor`` of the scaled product is the shift. ONNX
Runtime's Gemm writes the bias to every row first, which takes as long as a narrow product itself:
where there are more outputs than inputs, the bias is the weight of a column of ones instead.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from skq.export.onnx_integer import rescale, rules
from skq.export.onnx_integer.builder import GraphBuilder, Source, Value
from skq.export.onnx_integer.quantizers import Types, bin_codes, quantized_reals
from skq.export.onnx_integer.rules import INTEGER_RULES, Rule, largest_sum
from skq.export.onnx_integer.tree_ensemble import ensemble_sums
from skq.export.onnx_integer.tree_walk import trees as walked_trees
from skq.numerics import EXACT_FLOAT64
from skq.program import TensorType
from skq.program import instructions as ins

#: Most columns that are scaled by a product with a diagonal matrix.
MOST_DIAGONAL = 8


def is_exact(*types: TensorType) -> bool:
    """Whether float64 holds every integer of the types."""
    return all(max(-lo, hi) <= EXACT_FLOAT64 for lo, hi in (type_.interval for type_ in types))


def quantize(
    g: GraphBuilder, step: ins.Quantize, types: Types, result: TensorType, x: Value
) -> Value:
    """Codes in float64."""
    if not is_exact(result):
        return INTEGER_RULES[ins.Quantize](g, step, types, result, x)
    return quantized_reals(g, step, x)


def bins(g: GraphBuilder, step: ins.Bin, types: Types, result: TensorType, x: Value) -> Value:
    """Codes as in ``form="integer"``. Trees that read them compare the reals instead."""
    codes = bin_codes(g, step, types, result, x)
    g.sources[codes.name] = Source(step, x, types[0])
    return codes


def matmul(g: GraphBuilder, step: ins.MatMul, types: Types, result: TensorType, x: Value) -> Value:
    """Accumulators in float64. A Requantize of them is fused with the product."""
    if largest_sum(step, types[0]) > EXACT_FLOAT64 or not is_exact(types[0]) or x.dtype == "uint8":
        return rules.matmul(g, step, types, result, x)
    codes = g.cast(x, "float64")
    product = g.node("MatMul", [codes, g.constant(step.weights, "float64")], "float64")
    g.sources[product.name] = Source(step, codes, types[0])
    return product


def requantize(
    g: GraphBuilder, step: ins.Requantize, types: Types, result: TensorType, x: Value
) -> Value:
    """``clip(floor((x * multiplier + offset) / 2**shift), lo, hi)`` in float64, where exact."""
    low, high = rescale.product_interval(step, types[0])
    if max(-low, high, _largest_term(step, types[0])) > EXACT_FLOAT64 or not is_exact(types[0]):
        return rescale.requantize(g, step, types, result, x)
    scaled = _scaled_product(g, step, x)
    if scaled is None:
        multiplier, offset = (_part(array, step.shift) for array in (step.multiplier, step.offset))
        scaled = _affine(g, g.cast(x, "float64"), multiplier, offset, types[0].shape)
    is_byte = 0 <= step.lo and step.hi <= 255
    if step.shift and not is_byte:
        scaled = g.node("Floor", [scaled], "float64")
    if (low >> step.shift) < step.lo or (high >> step.shift) > step.hi:
        ends = [np.array(float(end)) for end in (step.lo, step.hi)]
        scaled = g.node("Clip", [scaled, *ends], "float64")
    return g.cast(scaled, "uint8") if step.shift and is_byte else scaled


def _largest_term(step: ins.Requantize, x: TensorType) -> int:
    """Greatest ``x * multiplier`` and `offset`, in magnitude."""
    lo, hi = x.interval
    multiplier, offset = (
        max(map(abs, np.ravel(array).tolist()), default=0)
        for array in (step.multiplier, step.offset)
    )
    return max(int(multiplier) * max(-lo, hi), int(offset))


def _affine(
    g: GraphBuilder, x: Value, multiplier: np.ndarray, offset: np.ndarray, shape: tuple[int, ...]
) -> Value:
    """``x * multiplier + offset`` of numbers whose products and sums are exact.

    A few columns with different multipliers and offsets take one Gemm by a diagonal matrix
    instead of two operators that repeat a row.
    """
    scales, moves = np.any(multiplier != 1), np.any(offset != 0)
    if scales and moves and len(shape) == 1 and 1 < shape[0] <= MOST_DIAGONAL:
        row = np.broadcast_to(multiplier, shape)
        return g.node("Gemm", [x, np.diag(row), np.broadcast_to(offset, shape)], "float64")
    if scales:
        x = g.binary("Mul", x, multiplier)
    return g.binary("Add", x, offset) if moves else x


def _part(integers: np.ndarray, shift: int) -> np.ndarray:
    return np.ldexp(integers.astype(np.float64), -shift)


def _scaled_product(g: GraphBuilder, step: ins.Requantize, x: Value) -> Value | None:
    """The product `x` with multiplier, offset and shift folded into its weights and bias.

    None if `x` is not a product, or if a partial sum may need more than 53 bits.
    """
    source = g.sources.get(x.name)
    if source is None or not isinstance(source.step, ins.MatMul):
        return None
    product, codes = source.step, g.cast(source.operand, "float64")
    lo, hi = source.type_.interval
    multiplier = np.broadcast_to(step.multiplier.astype(object), product.weights.shape[1:])
    offset = np.broadcast_to(step.offset.astype(object), multiplier.shape)
    magnitudes = np.abs(product.weights.astype(object)).sum(axis=0) * np.abs(multiplier)
    bound = magnitudes * max(-lo, hi) + np.abs(offset)
    if max(bound, default=0) > EXACT_FLOAT64:
        return None
    # weights are stored as small integers; runtimes fold the product when they load the model
    scaled = g.binary(
        "Mul", g.constant(product.weights, "float64"), _part(step.multiplier, step.shift)
    )
    bias = _part(offset.astype(np.int64), step.shift)
    if len(source.type_.shape) == 1:
        if product.weights.shape[1] <= product.weights.shape[0]:
            return g.node("Gemm", [codes, scaled, bias], "float64")
        pads = np.array([0, 0, 0, 1], dtype=np.int64)
        codes = g.node("Pad", [codes, pads, np.array(1.0)], "float64")
        weights = g.node("Concat", [scaled, bias[np.newaxis]], "float64", axis=0)
        return g.node("MatMul", [codes, weights], "float64")
    return g.binary("Add", g.node("MatMul", [codes, scaled], "float64"), bias)


def trees(g: GraphBuilder, step: ins.Trees, types: Types, result: TensorType, x: Value) -> Value:
    """Sums in float32 or float64."""
    source, sums = g.sources.get(x.name), None
    if source is not None and isinstance(source.step, ins.Bin):
        sums = ensemble_sums(g, step, source.operand, source.step)
    elif is_exact(types[0]):
        narrow = max(-types[0].interval[0], types[0].interval[1]) < 2**24
        codes = g.cast(x, "float32" if narrow else "float64")
        sums = ensemble_sums(g, step, codes, types[0])
    return walked_trees(g, step, types, result, x) if sums is None else sums


def in_floats(kind: type[ins.Instruction], op_type: str) -> Rule:
    """Rule of an operator of two operands, in float64 where that is exact."""

    def rule(
        g: GraphBuilder, step: ins.Instruction, types: Types, result: TensorType, *x: Value
    ) -> Value:
        if not is_exact(*types, result) or all(value.dtype.startswith("int") for value in x):
            return INTEGER_RULES[kind](g, step, types, result, *x)
        return rules.elementwise(op_type, "float64")(g, step, types, result, *x)

    return rule


def sum_(
    g: GraphBuilder, step: ins.Instruction, types: Types, result: TensorType, x: Value
) -> Value:
    """Sum over the last axis, in float64 where every partial sum is exact."""
    lo, hi = types[0].interval
    if max(-lo, hi) * types[0].shape[-1] > EXACT_FLOAT64:
        return rules.sum_(g, step, types, result, x)
    return g.reduce("ReduceSum", g.cast(x, "float64"), -1)


def table(g: GraphBuilder, step: ins.Table, types: Types, result: TensorType, x: Value) -> Value:
    """Entries in float64, where exact."""
    return rescale.table(g, step, types, result, x, "float64" if is_exact(result) else None)


#: Rules of ``form="fast"``.
FAST_RULES: Mapping[type[ins.Instruction], Rule] = {
    **INTEGER_RULES,
    ins.Quantize: quantize,
    ins.Bin: bins,
    ins.MatMul: matmul,
    ins.Requantize: requantize,
    ins.Table: table,
    ins.Trees: trees,
    ins.Add: in_floats(ins.Add, "Add"),
    ins.Sub: in_floats(ins.Sub, "Sub"),
    ins.Mul: in_floats(ins.Mul, "Mul"),
    ins.Maximum: in_floats(ins.Maximum, "Max"),
    ins.Minimum: in_floats(ins.Minimum, "Min"),
    ins.Sum: sum_,
}
