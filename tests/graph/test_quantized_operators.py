"""Operators of other exporters: their codes are those of their own definitions."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from skq.exceptions import UnsupportedModelError
from skq.graph.graph import FloatGraph, Node, TensorInfo
from skq.quantization import NumpyModule, PostTrainingQATImporter

RNG = np.random.default_rng(0)
X = RNG.normal(size=(200, 6)).astype(np.float32)
SX, ZX = np.float32(2**-3), np.uint8(127)
SY, ZY = np.float32(2**-1), np.uint8(9)
GIVEN = {"sx": SX, "zx": ZX, "sy": SY, "zy": ZY}


def module_of(*nodes: Node, out: str = "uint8", shape: Any = (6,), x: Any = X, **constants: Any):
    model = NumpyModule(
        FloatGraph(
            nodes=nodes,
            initializers={name: np.asarray(v) for name, v in {**GIVEN, **constants}.items()},
            inputs=(TensorInfo("x", "float32", (None, *shape)),),
            outputs=(TensorInfo("y", out, (None,)),),
            opsets={"": 17, "com.microsoft": 1, "qonnx.custom_op.general": 1, "onnx.brevitas": 1},
        )
    )
    return PostTrainingQATImporter(2, model).quantize_module(x)


def input_codes(x: np.ndarray) -> np.ndarray:
    return np.clip(np.rint(x.astype(float) / SX) + ZX, 0, 255) - ZX


def output_codes(reals: np.ndarray) -> np.ndarray:
    return np.clip(np.rint(reals / float(SY)) + ZY, 0, 255)


QUANTIZE = Node("QuantizeLinear", ("x", "sx", "zx"), ("qx",))
DEQUANTIZE_Y = Node("DequantizeLinear", ("q", "sy", "zy"), ("y",))


@pytest.mark.parametrize("channels", [False, True])
def test_qlinear_matmul(channels: bool) -> None:
    codes = RNG.integers(0, 256, (6, 4)).astype(np.uint8)
    sw = np.array([0.25, 0.5, 0.1, 0.125], np.float32) if channels else np.float32(0.07)
    zw = np.array([128, 127, 0, 255], np.uint8) if channels else np.uint8(100)
    names = ("qx", "sx", "zx", "codes", "sw", "zw", "sy", "zy")
    module = module_of(QUANTIZE, Node("QLinearMatMul", names, ("y",)), codes=codes, sw=sw, zw=zw)
    weights = (codes.astype(float) - zw) * np.asarray(sw, float)
    expected = output_codes(input_codes(X) @ weights * float(SX))
    np.testing.assert_array_equal(module.forward(X), expected)


@pytest.mark.parametrize("transposed", [0, 1])
def test_qgemm_keeps_the_integer_bias(transposed: int) -> None:
    codes = RNG.integers(-9, 9, (6, 4)).astype(np.int8)
    sw = np.array([0.25, 0.5, 0.1, 0.125], np.float32)
    bias = RNG.integers(-50, 50, 4).astype(np.int32)
    names = ("qx", "sx", "zx", "codes", "sw", "zw", "bias", "sy", "zy")
    module = module_of(
        QUANTIZE,
        Node("QGemm", names, ("y",), {"transB": transposed}, domain="com.microsoft"),
        codes=codes.T if transposed else codes,
        sw=sw,
        zw=np.zeros(4, np.int8),
        bias=bias,
    )
    sums = input_codes(X) @ codes.astype(float) + bias
    expected = output_codes(sums * sw.astype(float) * float(SX))
    np.testing.assert_array_equal(module.forward(X), expected)


def test_qlinear_conv() -> None:
    images = RNG.normal(size=(30, 2, 5, 5)).astype(np.float32)
    codes = RNG.integers(-3, 4, (3, 2, 2, 2)).astype(np.int8)
    sw, bias = np.array([0.3, 0.5, 0.25], np.float32), np.array([4, -9, 0], np.int32)
    names = ("qx", "sx", "zx", "codes", "sw", "zw", "sy", "zy", "bias")
    module = module_of(
        QUANTIZE,
        Node("QLinearConv", names, ("y",), {"kernel_shape": [2, 2]}),
        codes=codes,
        sw=sw,
        zw=np.zeros(3, np.int8),
        bias=bias,
        shape=(2, 5, 5),
        x=images,
    )
    q = input_codes(images)
    patches = np.lib.stride_tricks.sliding_window_view(q, (2, 2), axis=(2, 3))
    sums = np.einsum("ncijkl,fckl->nfij", patches, codes.astype(float))
    sums = sums + bias[:, None, None]
    expected = output_codes(sums * sw.astype(float)[:, None, None] * float(SX))
    np.testing.assert_array_equal(module.forward(images), expected)


def test_qlinear_add() -> None:
    names = ("qx", "sx", "zx", "qz", "sz", "zz", "sy", "zy")
    module = module_of(
        QUANTIZE,
        Node("QuantizeLinear", ("x", "sz", "zz"), ("qz",)),
        Node("QLinearAdd", names, ("y",), domain="com.microsoft"),
        sz=np.float32(0.25),
        zz=np.int8(3),
    )
    second = np.clip(np.rint(X.astype(float) / 0.25) + 3, -128, 127) - 3
    expected = output_codes(input_codes(X) * float(SX) + second * 0.25)
    np.testing.assert_array_equal(module.forward(X), expected)


def test_matmul_integer_gives_sums() -> None:
    codes = RNG.integers(0, 16, (6, 4)).astype(np.uint8)
    module = module_of(
        QUANTIZE,
        Node("MatMulInteger", ("qx", "codes", "zx", "zw"), ("s",)),
        Node("Cast", ("s",), ("f",), {"to": 1}),
        Node("Mul", ("f", "step"), ("y",)),
        codes=codes,
        zw=np.uint8(8),
        step=np.float32(0.5),
        out="float32",
    )
    expected = input_codes(X) @ (codes.astype(float) - 8) * 0.5
    np.testing.assert_array_equal(module.forward(X), expected)


# ------------------------------------------------------------------ QONNX


def quant(name: str, result: str, grid: str, domain: str = "onnx.brevitas", **kw: Any) -> Node:
    attributes = {"signed": 1, "narrow": 0, "rounding_mode": "ROUND", **kw}
    names = (name, f"s_{grid}", f"z_{grid}", f"b_{grid}")
    return Node("Quant", names, (result,), attributes, domain=domain)


def as_quant(x: Any, scale: Any, zero: float, bits: int, signed: int, narrow: int) -> Any:
    """QONNX's definition: divide, add, clip, round."""
    lo = -(2 ** (bits - 1)) + narrow if signed else 0
    hi = 2 ** (bits - 1) - 1 if signed else 2**bits - 1 - narrow
    q = np.rint(np.clip(np.asarray(x, float) / scale + zero, lo, hi))
    return (q - zero) * scale


#: Bits, zero point, signed, narrow: with more than one code, and the zero point among the codes.
KINDS = [
    (bits, zero, signed, narrow)
    for bits in (1, 2, 4, 8, 12)
    for zero in (0, 1, 2)
    for signed, narrow in ((1, 0), (1, 1), (0, 0))
    if bits > 1 or not (zero or narrow)
]


@pytest.mark.parametrize("domain", ["onnx.brevitas", "qonnx.custom_op.general"])
@pytest.mark.parametrize(("bits", "zero", "signed", "narrow"), KINDS)
def test_quant(domain: str, bits: int, zero: int, signed: int, narrow: int) -> None:
    weights = RNG.normal(size=(6, 4)).astype(np.float32)
    scales = np.array([[0.25, 0.5, 0.3, 0.125]], np.float32)
    module = module_of(
        quant("x", "dx", "x", domain, signed=signed, narrow=narrow),
        quant("w", "dw", "w", domain, narrow=1),
        Node("MatMul", ("dx", "dw"), ("a",)),
        Node("Add", ("a", "bias"), ("b",)),
        quant("b", "y", "y", domain, signed=signed, narrow=narrow),
        w=weights,
        bias=np.float32([0.5, 0, -0.25, 1]),
        s_x=np.float32(0.25),
        z_x=np.float32(zero),
        b_x=np.float32(bits),
        s_w=scales,
        z_w=np.float32(0),
        b_w=np.float32(4),
        s_y=np.float32(2 ** -(bits // 3)),
        z_y=np.float32(zero),
        b_y=np.float32(bits),
        out="float32",
        x=np.rint(8 * X) / 8,
    )
    x = np.rint(8 * X) / 8  # ties of the input grid
    first = as_quant(x, 0.25, zero, bits, signed, narrow)
    inner = as_quant(weights, scales.astype(float), 0, 4, 1, 1)
    sums = first @ inner + [0.5, 0, -0.25, 1]
    expected = as_quant(sums, 2.0 ** -(bits // 3), zero, bits, signed, narrow)
    np.testing.assert_array_equal(module.forward(x.astype(np.float32)), expected)


def test_bipolar_weights() -> None:
    weights = RNG.normal(size=(6, 4)).astype(np.float32)
    module = module_of(
        quant("x", "dx", "x"),
        Node("BipolarQuant", ("w", "s_w"), ("dw",), domain="qonnx.custom_op.general"),
        Node("MatMul", ("dx", "dw"), ("y",)),
        w=weights,
        s_w=np.float32(0.5),
        s_x=np.float32(0.25),
        z_x=np.float32(0),
        b_x=np.float32(4),
        out="float32",
    )
    expected = as_quant(X, 0.25, 0, 4, 1, 0) @ np.where(weights >= 0, 0.5, -0.5)
    np.testing.assert_array_equal(module.forward(X), expected)


@pytest.mark.parametrize("scale", [np.float32(0.5), np.float32([[1, 0.5, 2, 0.25]])])
@pytest.mark.parametrize("bias", [0.0, 0.125, -0.3])
def test_bipolar_activations(scale: Any, bias: float) -> None:
    """Of sums, with ties at 0 where the bias is on their grid; one scale, or one per channel."""
    weights, last = RNG.integers(-2, 3, (6, 4)) / 4, RNG.normal(size=(4, 3))
    module = module_of(
        quant("x", "dx", "x"),
        quant("w", "dw", "w"),
        Node("MatMul", ("dx", "dw"), ("a",)),
        Node("Add", ("a", "bias"), ("b",)),
        Node("BipolarQuant", ("b", "s_a"), ("s",), domain="qonnx.custom_op.general"),
        Node("BipolarQuant", ("v", "s_v"), ("dv",), domain="qonnx.custom_op.general"),
        Node("MatMul", ("s", "dv"), ("y",)),
        w=weights.astype(np.float32),
        v=last.astype(np.float32),
        bias=np.float32([bias] * 4),
        s_a=scale,
        s_v=np.float32(0.25),
        s_w=np.float32(0.25),
        z_w=np.float32(0),
        b_w=np.float32(4),
        s_x=np.float32(0.25),
        z_x=np.float32(0),
        b_x=np.float32(4),
        out="float32",
    )
    sums = as_quant(X, 0.25, 0, 4, 1, 0) @ weights + float(np.float32(bias))
    signs = np.where(sums >= 0, 1, -1) * np.asarray(scale, float)
    expected = signs @ np.where(last >= 0, 0.25, -0.25)
    assert (sums == 0).any() == (bias != -0.3)
    np.testing.assert_array_equal(module.forward(X), expected)


def test_bipolar_inputs() -> None:
    """The sign of the float input itself, of 0 and of the least numbers that float32 has."""
    x = X.copy()
    least = np.finfo(np.float32).smallest_subnormal
    x[:6] = np.diag([0.0, -0.0, least, -least, -1e30, 1e30])
    module = module_of(
        Node("BipolarQuant", ("x", "s"), ("y",), domain="qonnx.custom_op.general"),
        s=np.float32(0.5),
        out="float32",
    )
    np.testing.assert_array_equal(module.forward(x), np.where(x >= 0, 0.5, -0.5))


def test_bipolar_quant_before_a_padded_convolution() -> None:
    images = RNG.normal(size=(30, 2, 4, 4)).astype(np.float32)
    weights = RNG.normal(size=(3, 2, 3, 3)).astype(np.float32)
    module = module_of(
        Node("BipolarQuant", ("x", "one"), ("s",), domain="qonnx.custom_op.general"),
        Node("BipolarQuant", ("w", "one"), ("dw",), domain="qonnx.custom_op.general"),
        Node("Conv", ("s", "dw"), ("y",), {"pads": [1, 1, 1, 1]}),
        w=weights,
        one=np.float32(1),
        out="float32",
        shape=(2, 4, 4),
        x=images,
    )
    signs = np.pad(np.where(images >= 0, 1.0, -1.0), ((0, 0), (0, 0), (1, 1), (1, 1)))
    windows = np.lib.stride_tricks.sliding_window_view(signs, (3, 3), axis=(2, 3))
    expected = np.einsum("ncijkl,fckl->nfij", windows, np.where(weights >= 0, 1.0, -1.0))
    np.testing.assert_array_equal(module.forward(images), expected)


BASE = {"s_x": np.float32(0.25), "z_x": np.float32(0), "b_x": np.float32(4)}
REFUSED = {
    "rounding": ({}, {"rounding_mode": "FLOOR"}, "rounding mode of 'x' must be ROUND. Got 'FLOOR'"),
    "width": ({"b_x": np.float32(17)}, {}, r"'b_x' must be one whole number in \[1, 16\]"),
    "part of a bit": ({"b_x": np.float32(2.5)}, {}, "'b_x' must be one whole number"),
    "zero point": ({"z_x": np.float32(0.5)}, {}, "'z_x' must be one whole number"),
    "scale": ({"s_x": np.float32(-1)}, {}, "'s_x' must be finite and above 0"),
    "two axes": ({"s_x": np.ones((2, 3), np.float32)}, {}, "vary along one axis"),
}


@pytest.mark.parametrize("case", list(REFUSED))
def test_refusals_name_node_and_tensor(case: str) -> None:
    constants, attributes, reason = REFUSED[case]
    with pytest.raises(UnsupportedModelError, match=f"Quant node.*{reason}"):
        module_of(quant("x", "y", "x", **attributes), out="float32", **{**BASE, **constants})


def test_dynamic_scales_are_refused() -> None:
    constants = {name: value for name, value in BASE.items() if name != "s_x"}
    with pytest.raises(UnsupportedModelError, match="the scale 's_x' must be constant"):
        module_of(Node("Abs", ("x",), ("s_x",)), quant("x", "y", "x"), out="float32", **constants)
