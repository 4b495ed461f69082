"""Quantized operators of other exporters, written with QuantizeLinear and DequantizeLinear.

=============================== ====================================================
operator                        becomes
=============================== ====================================================
QLinearMatMul                   two DequantizeLinear, MatMul, QuantizeLinear
QLinearConv                     the same with Conv; the bias is dequantized at the
                                product of both scales
com.microsoft QGemm             the same with Gemm; without QuantizeLinear where no
                                output scale is given
com.microsoft QLinearAdd        the same with Add
MatMulInteger                   two DequantizeLinear of scale 1, MatMul
Quant (QONNX)                   QuantizeLinear, Clip, DequantizeLinear
BipolarQuant (QONNX)            DequantizeLinear of -1 and 1; activations are compared
                                with 0 first
=============================== ====================================================

In exact arithmetic each rewrite gives the same codes as the operator. Quant rounds ``x / scale +
zero_point``, QuantizeLinear ``x / scale`` alone: where the zero point is odd, x is moved up by one
step and the zero point down by one.

Source: ONNX operators QLinearMatMul-10, QLinearConv-10, MatMulInteger-10; ONNX Runtime's contrib
operators; https://github.com/fastmachinelearning/qonnx, Quant and BipolarQuant.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from skq.exceptions import UnsupportedModelError
from skq.graph.graph import FloatGraph, Node
from skq.graph.writer import GraphWriter, Rule, rewritten

Array = NDArray[Any]

MICROSOFT = "com.microsoft"
#: Domains of Quant and BipolarQuant.
QONNX_DOMAINS = ("qonnx.custom_op.general", "onnx.brevitas")
#: ONNX's number of the type float32.
FLOAT = 1
#: Greatest width of the codes of Quant.
MAX_BITS = 16


def with_quantize_linear(graph: FloatGraph) -> FloatGraph:
    """The graph with the operators above rewritten in QuantizeLinear and DequantizeLinear.

    Parameters
    ----------
    graph : FloatGraph

    Returns
    -------
    FloatGraph
        The same graph where there are none.

    Raises
    ------
    UnsupportedModelError
        If an operator is not static; names node, tensor and reason.
    """
    return rewritten(graph, lambda node: _FORMS.get(_key(node)))


def _key(node: Node) -> tuple[str, str]:
    return node.op_type, "qonnx" if node.domain in QONNX_DOMAINS else node.domain


def _dequantized(writer: GraphWriter, node: Node, codes: int, *, axis: int | None = None) -> str:
    """Reals of an operand, whose scale and zero point are the next two inputs."""
    inputs = node.inputs[codes : codes + 3]
    attributes = {} if axis is None else {"axis": axis}
    to = writer.name(node, f"input {codes}")
    return writer.add("DequantizeLinear", *inputs, to=to, given=attributes)


def _quantized(writer: GraphWriter, node: Node, reals: str, scale: int) -> None:
    """The node's result, from reals and the inputs `scale` and the next."""
    writer.add("QuantizeLinear", reals, *node.inputs[scale : scale + 2], to=node.outputs[0])


def _bias(writer: GraphWriter, node: Node, codes: int, scales: tuple[str, str]) -> str:
    """Reals of an integer bias at the product of two scales."""
    step = writer.add("Mul", *scales, to=writer.name(node, "bias scale"))
    to = writer.name(node, "bias")
    return writer.add("DequantizeLinear", node.inputs[codes], step, to=to, axis=0)


def _given(node: Node, position: int) -> bool:
    return len(node.inputs) > position and bool(node.inputs[position])


def _matmul(writer: GraphWriter, node: Node) -> None:
    a, b = _dequantized(writer, node, 0), _dequantized(writer, node, 3, axis=-1)
    _quantized(writer, node, writer.add("MatMul", a, b, to=writer.name(node, "product")), 6)


def _conv(writer: GraphWriter, node: Node) -> None:
    operands = [_dequantized(writer, node, 0), _dequantized(writer, node, 3, axis=0)]
    if _given(node, 8):
        operands.append(_bias(writer, node, 8, (node.inputs[1], node.inputs[4])))
    to = writer.name(node, "sums")
    sums = writer.add("Conv", *operands, to=to, given=node.attributes)
    _quantized(writer, node, sums, 6)


def _gemm(writer: GraphWriter, node: Node) -> None:
    transposed = node.attributes.get("transB", 0)
    operands = [_dequantized(writer, node, 0), _dequantized(writer, node, 3, axis=1 - transposed)]
    if _given(node, 6):
        if node.attributes.get("alpha", 1.0) != 1.0:
            raise UnsupportedModelError(f"{node}: a bias needs alpha=1.")
        operands.append(_bias(writer, node, 6, (node.inputs[1], node.inputs[4])))
    is_last = not _given(node, 7)
    sums = node.outputs[0] if is_last else writer.name(node, "sums")
    writer.add("Gemm", *operands, to=sums, given=node.attributes)
    if not is_last:
        _quantized(writer, node, sums, 7)


def _add(writer: GraphWriter, node: Node) -> None:
    operands = _dequantized(writer, node, 0), _dequantized(writer, node, 3)
    _quantized(writer, node, writer.add("Add", *operands, to=writer.name(node, "sum")), 6)


def _matmul_integer(writer: GraphWriter, node: Node) -> None:
    operands = []
    for position, axis in ((0, 0), (1, -1)):
        zero = node.inputs[position + 2 : position + 3]
        length = 1
        if _given(node, position + 2):
            length = writer.value(node, position + 2, "zero point").size
        ones = np.ones(length if length > 1 else (), np.float32)
        step = writer.constant(node, f"scale {position}", ones)
        inputs = (node.inputs[position], step, *zero)
        result = writer.name(node, f"input {position}")
        operands.append(writer.add("DequantizeLinear", *inputs, to=result, axis=axis))
    writer.add("MatMul", *operands, to=node.outputs[0])


def _quant(writer: GraphWriter, node: Node) -> None:
    mode = node.attributes.get("rounding_mode", "ROUND")
    if str(mode).upper() != "ROUND":
        raise UnsupportedModelError(
            f"{node}: the rounding mode of {node.inputs[0]!r} must be ROUND. Got {mode!r}."
        )
    names = ("scale", "zero point", "bit width")
    scale, zero, bits = (writer.value(node, i, n) for i, n in enumerate(names, 1))
    lo, hi = _quant_range(node, bits)
    _check_scale(node, scale)
    point = float(np.ravel(zero)[0]) if zero.size else 0.0
    if not np.all(zero == point) or point != np.rint(point):
        raise UnsupportedModelError(
            f"{node}: the zero point {node.inputs[2]!r} must be one whole number. "
            f"Got {np.unique(zero)[:3].tolist()}."
        )
    odd = int(point) % 2
    storage = _storage(node, min(lo, int(point) - 1), max(hi, int(point)))
    flat, attributes = _along_one_axis(node, scale)
    step = writer.constant(node, "scale", flat, np.float32)
    point_before, zeros = (
        writer.constant(node, what, np.full(flat.shape, value), storage)
        for what, value in (("zero", point - odd), ("zero point", point))
    )
    source = node.inputs[0]
    if odd:
        moved = writer.constant(node, "step", scale, np.float32)
        source = writer.add("Add", source, moved, to=writer.name(node, "moved"))
    codes = writer.name(node, "codes")
    writer.add("QuantizeLinear", source, step, point_before, to=codes, given=attributes)
    ends = [
        writer.constant(node, what, end, storage) for what, end in (("least", lo), ("greatest", hi))
    ]
    clipped = writer.add("Clip", codes, *ends, to=writer.name(node, "clipped"))
    writer.add("DequantizeLinear", clipped, step, zeros, to=node.outputs[0], given=attributes)


def _quant_range(node: Node, bits: Array) -> tuple[int, int]:
    """Least and greatest code of Quant."""
    width = float(np.ravel(bits)[0]) if bits.size == 1 else np.nan
    if not (width == np.rint(width) and 1 <= width <= MAX_BITS):
        raise UnsupportedModelError(
            f"{node}: the bit width {node.inputs[3]!r} must be one whole number in "
            f"[1, {MAX_BITS}]. Got {np.ravel(bits)[:3].tolist()}."
        )
    n, narrow = int(width), int(node.attributes.get("narrow", 0))
    if node.attributes.get("signed", 1):
        return -(2 ** (n - 1)) + narrow, 2 ** (n - 1) - 1
    return 0, 2**n - 1 - narrow


def _storage(node: Node, lo: int, hi: int) -> np.dtype[Any]:
    for name in ("int8", "uint8", "int16", "uint16"):
        limits = np.iinfo(name)
        if limits.min <= lo and hi <= limits.max:
            return np.dtype(name)
    raise UnsupportedModelError(
        f"{node}: the zero point {node.inputs[2]!r} lies outside of the codes [{lo}, {hi}]."
    )


def _along_one_axis(node: Node, scale: Array) -> tuple[Array, dict[str, int]]:
    """Scales as ONNX takes them: a scalar, or a vector and its axis, counted from the end."""
    axes = [axis for axis, n in enumerate(scale.shape) if n > 1]
    if len(axes) > 1:
        raise UnsupportedModelError(
            f"{node}: the scale {node.inputs[1]!r} must vary along one axis. "
            f"Got the shape {scale.shape}."
        )
    if not axes:
        return scale.reshape(()), {}
    return scale.reshape(-1), {"axis": axes[0] - scale.ndim}


def _bipolar_quant(writer: GraphWriter, node: Node) -> None:
    """The scale where a value is at least 0, else minus the scale."""
    scale = writer.value(node, 1, "scale")
    _check_scale(node, scale)
    flat, attributes = _along_one_axis(node, scale)
    if writer.is_constant(node.inputs[0]):
        values = writer.value(node, 0, "tensor")
        codes = writer.constant(node, "codes", np.where(values >= 0, 1, -1), np.int8)
    else:
        codes = _signs(writer, node)
    step = writer.constant(node, "scale", flat, np.float32)
    writer.add("DequantizeLinear", codes, step, to=node.outputs[0], given=attributes)


def _signs(writer: GraphWriter, node: Node) -> str:
    """Codes 1 where a tensor is at least 0, else -1."""

    def named(what: str, value: Any, dtype: Any = np.float32) -> str:
        return writer.constant(node, what, value, dtype)

    source, one = node.inputs[0], named("one", 1)
    bits = writer.name(node, "bits")
    if writer.is_input(source):
        # an input is compared by its quantizer: with this step all below 0 round to 0 or less
        least = named("least step", np.finfo(np.float32).smallest_subnormal)
        rounded = writer.name(node, "rounded")
        writer.add("QuantizeLinear", source, least, named("1", 1, np.int8), to=rounded)
        ends = named("0", 0, np.int8), named("1 ", 1, np.int8)
        clipped = writer.add("Clip", rounded, *ends, to=writer.name(node, "clipped"))
        writer.add("DequantizeLinear", clipped, one, to=bits)
    else:
        is_positive = writer.name(node, "is positive")
        writer.add("GreaterOrEqual", source, named("zero", 0), to=is_positive)
        writer.add("Cast", is_positive, to=bits, given={"to": FLOAT})
    doubled = writer.add("Mul", bits, named("two", 2), to=writer.name(node, "doubled"))
    signs = writer.add("Sub", doubled, one, to=writer.name(node, "signs"))
    to = writer.name(node, "codes")
    return writer.add("QuantizeLinear", signs, one, named("zero code", 0, np.int8), to=to)


def _check_scale(node: Node, scale: Array) -> None:
    if not np.all(np.isfinite(scale) & (scale > 0)):
        raise UnsupportedModelError(
            f"{node}: the scale {node.inputs[1]!r} must be finite and above 0."
        )


_FORMS: Mapping[tuple[str, str], Rule] = {
    ("QLinearMatMul", ""): _matmul,
    ("QLinearConv", ""): _conv,
    ("MatMulInteger", ""): _matmul_integer,
    ("QGemm", MICROSOFT): _gemm,
    ("QLinearAdd", MICROSOFT): _add,
    ("Quant", "qonnx"): _quant,
    ("BipolarQuant", "qonnx"): _bipolar_quant,
}
