"""Import of graphs with QuantizeLinear and DequantizeLinear: the codes of exact arithmetic."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from skq.exceptions import UnsupportedModelError
from skq.graph.graph import FloatGraph, Node, TensorInfo
from skq.quantization import NumpyModule, PostTrainingQATImporter

RNG = np.random.default_rng(0)
X = RNG.normal(size=(300, 6)).astype(np.float32)


def model_of(
    *nodes: Node, shape: tuple[int, ...] = (6,), out: str = "int64", **constants: Any
) -> NumpyModule:
    return NumpyModule(
        FloatGraph(
            nodes=nodes,
            initializers={name: np.asarray(value) for name, value in constants.items()},
            inputs=(TensorInfo("x", "float32", (None, *shape)),),
            outputs=(TensorInfo("y", out, (None,)),),
        )
    )


def on_grid(name: str, result: str, grid: str, *, clip: bool = False) -> list[Node]:
    """QuantizeLinear, perhaps Clip, and DequantizeLinear."""
    scale, zero = f"s{grid}", f"z{grid}"
    codes = f"q{grid}"
    nodes = [Node("QuantizeLinear", (name, scale, zero), (codes,))]
    if clip:
        nodes.append(Node("Clip", (codes, f"lo{grid}", f"hi{grid}"), (f"c{grid}",)))
        codes = f"c{grid}"
    return [*nodes, Node("DequantizeLinear", (codes, scale, zero), (result,))]


def quantized(x: Any, scale: Any, zero: Any, limits: tuple[int, int] | None = None) -> Any:
    """ONNX's QuantizeLinear in float64, ties to even; (q - zero), to be multiplied by the scale."""
    info = np.iinfo(np.asarray(zero).dtype)
    lo, hi = limits or (info.min, info.max)
    ratio = np.asarray(x, np.float64) / np.float64(scale)
    return np.clip(np.rint(ratio) + int(zero), lo, hi)


SCALES = {
    "of floats": (np.float32(0.0371), np.float32(0.0113), np.float32(0.0923)),
    "powers of two": (np.float32(2**-4), np.float32(2**-6), np.float32(2**-2)),
    "ties everywhere": (np.float32(1), np.float32(0.5), np.float32(2)),
}
ZEROS = {
    "int8": (np.int8(-3), np.int8(5)),
    "uint8": (np.uint8(121), np.uint8(0)),
    "int16": (np.int16(7), np.int16(-1)),
    "uint16": (np.uint16(33000), np.uint16(100)),
}


@pytest.mark.parametrize("n_bits", [2, 8])
@pytest.mark.parametrize("scales", list(SCALES))
@pytest.mark.parametrize("zeros", list(ZEROS))
@pytest.mark.parametrize("form", ["gemm", "matmul", "per channel", "unsigned weights"])
def test_codes_of_a_layer(n_bits: int, scales: str, zeros: str, form: str) -> None:
    (sx, sw, sy), (zx, zy) = SCALES[scales], ZEROS[zeros]
    codes = RNG.integers(-7, 8, (6, 4)).astype(np.int8)
    zw = np.int8(0)
    bias = np.rint(8 * RNG.normal(size=4)).astype(np.float32) * np.float32(sx)
    if form == "unsigned weights":
        codes, zw = (codes + 9).astype(np.uint8), np.uint8(9)
    real_scale: Any = sw
    axis = {}
    if form == "per channel":
        real_scale = sw * np.array([1, 2, 0.5, 4], np.float32)
        axis = {"axis": 1}
    if form == "gemm":
        layer = [
            Node("DequantizeLinear", ("codes", "sw", "zw"), ("w",)),
            Node("Gemm", ("dx", "w", "bias"), ("a",), {"transB": 1}),
        ]
    else:
        layer = [
            Node("DequantizeLinear", ("codes", "sw", "zw"), ("w",), axis),
            Node("MatMul", ("dx", "w"), ("m",)),
            Node("Add", ("m", "bias"), ("a",)),
        ]
    model = model_of(
        *on_grid("x", "dx", "x"),
        *layer,
        Node("Relu", ("a",), ("r",)),
        Node("QuantizeLinear", ("r", "sy", "zy"), ("y",)),
        codes=codes.T if form == "gemm" else codes,
        bias=bias,
        sx=sx,
        zx=zx,
        sw=real_scale,
        zw=np.full(4, zw) if form == "per channel" else zw,
        sy=sy,
        zy=zy,
        out=np.asarray(zy).dtype.name,
    )
    inputs = np.rint(8 * X) / 8 * np.float32(sx) * 5 if scales != "of floats" else X
    module = PostTrainingQATImporter(n_bits, model).quantize_module(inputs)
    weights = (codes.astype(float) - float(zw)) * np.asarray(real_scale, np.float64)
    q = quantized(inputs, sx, zx)
    sums = (q - int(zx)) * np.float64(sx) @ weights + bias.astype(np.float64)
    expected = quantized(np.maximum(sums, 0), sy, zy)
    np.testing.assert_array_equal(module.quantize_input(inputs) + int(zx) % 2, q)
    np.testing.assert_array_equal(module.forward(inputs), expected)


@pytest.mark.parametrize("padded", [0, 1])
@pytest.mark.parametrize("zero", [0, 3])
@pytest.mark.parametrize("group", [1, 2])
def test_codes_of_a_convolution(padded: int, zero: int, group: int) -> None:
    images = RNG.normal(size=(40, 2, 6, 6)).astype(np.float32)
    codes = RNG.integers(-2, 2, (4, 2 // group, 3, 3)).astype(np.int8)
    sw = np.array([0.25, 0.3, 0.5, 0.1], np.float32)
    bias_codes = RNG.integers(-9, 9, 4).astype(np.int32)
    sx, zx = np.float32(0.5), np.uint8(zero)
    sy, zy = np.float32(0.37), np.uint8(1)
    model = model_of(
        *on_grid("x", "dx", "x", clip=True),
        Node("DequantizeLinear", ("codes", "sw", "zw"), ("w",), {"axis": 0}),
        Node("DequantizeLinear", ("b", "sb"), ("bias",), {"axis": 0}),
        Node("Conv", ("dx", "w", "bias"), ("a",), {"pads": [padded] * 4, "group": group}),
        *on_grid("a", "da", "y", clip=True),
        Node("MaxPool", ("da",), ("p",), {"kernel_shape": [2, 2], "strides": [2, 2]}),
        Node("QuantizeLinear", ("p", "sy", "zy"), ("y",)),
        shape=(2, 6, 6),
        out="uint8",
        codes=codes,
        sw=sw,
        zw=np.zeros(4, np.int8),
        b=bias_codes,
        sb=sx * sw,
        sx=sx,
        zx=zx,
        lox=np.uint8(0),
        hix=np.uint8(7),
        sy=sy,
        zy=zy,
        loy=np.uint8(0),
        hiy=np.uint8(15),
    )
    module = PostTrainingQATImporter(8, model).quantize_module(images)
    real = (quantized(images, sx, zx, (0, 7)) - zero) * 0.5
    real = np.pad(real, ((0, 0), (0, 0), (padded, padded), (padded, padded)))
    size = real.shape[-1] - 2
    sums = np.zeros((40, 4, size, size))
    per_group = 4 // group
    for f in range(4):
        first = f // per_group * (2 // group)
        for c in range(2 // group):
            for i in range(3):
                for j in range(3):
                    part = real[:, first + c, i : i + size, j : j + size]
                    sums[:, f] += codes[f, c, i, j] * part * np.float64(sw[f])
        sums[:, f] += bias_codes[f] * (0.5 * np.float64(sw[f]))
    q = quantized(sums, sy, zy, (0, 15))
    size //= 2
    q = q[:, :, : 2 * size, : 2 * size].reshape(40, 4, size, 2, size, 2).max(axis=(3, 5))
    np.testing.assert_array_equal(module.forward(images), q)


@pytest.mark.parametrize("group", [1, 2])
def test_codes_of_a_transposed_convolution(group: int) -> None:
    """One scale a filter, axis 1 of the weights; the code of 0 stands between the cells."""
    images = RNG.normal(size=(40, 4, 3, 3)).astype(np.float32)
    codes = RNG.integers(-3, 4, (4, 2, 3, 3)).astype(np.int8)
    sw = np.array([0.25, 0.3], np.float32)
    attributes = {"strides": [2, 2], "pads": [1, 0, 1, 0], "group": group}
    model = model_of(
        *on_grid("x", "dx", "x"),
        Node("DequantizeLinear", ("codes", "sw"), ("w",), {"axis": 1}),
        Node("ConvTranspose", ("dx", "w"), ("a",), attributes),
        Node("QuantizeLinear", ("a", "sy", "zy"), ("y",)),
        shape=(4, 3, 3),
        out="uint8",
        codes=codes,
        sw=sw,
        sx=np.float32(0.125),
        zx=np.uint8(5),
        sy=np.float32(0.25),
        zy=np.uint8(100),
    )
    module = PostTrainingQATImporter(2, model).quantize_module(images)
    real = (quantized(images, 0.125, np.uint8(5)) - 5) * 0.125
    weights = codes * sw.astype(float)[:, None, None]
    sums = np.zeros((40, 2 * group, 7, 7))
    for c in range(4):
        first = c // (4 // group) * 2
        for i in range(3):
            for j in range(3):
                for f in range(2):
                    sums[:, first + f, i : i + 5 : 2, j : j + 5 : 2] += (
                        real[:, c] * weights[c, f, i, j]
                    )
    expected = quantized(sums[:, :, 1:-1], 0.25, np.uint8(100))
    np.testing.assert_array_equal(module.forward(images), expected)


def chain(*, first: list[Node], dequantized: str = "dx", **constants: Any) -> NumpyModule:
    return model_of(
        *first,
        Node("DequantizeLinear", ("codes", "sw"), ("w",)),
        Node("MatMul", (dequantized, "w"), ("y",)),
        out="float32",
        **{
            "codes": RNG.integers(-7, 8, (6, 4)).astype(np.int8),
            "sw": np.float32(0.1),
            "sx": np.float32(0.1),
            "zx": np.int8(0),
            **constants,
        },
    )


REFUSED = {
    "no quantizer": (chain(first=[], dequantized="x"), r"MatMul.*'x'"),
    "scale 0": (chain(first=on_grid("x", "dx", "x"), sx=np.float32(0)), "'sx' must be finite and"),
    "scale nan": (chain(first=on_grid("x", "dx", "x"), sw=np.float32(np.nan)), "'sw' must be"),
    "one scale per feature of a layer's result": (
        model_of(
            *on_grid("x", "a", "a"),
            Node("Abs", ("a",), ("abs",)),
            *on_grid("abs", "dx", "x"),
            Node("DequantizeLinear", ("codes", "sa"), ("w",)),
            Node("MatMul", ("dx", "w"), ("y",)),
            codes=RNG.integers(-7, 8, (6, 4)).astype(np.int8),
            sa=np.float32(0.1),
            za=np.int8(0),
            sx=np.ones(6, np.float32),
            zx=np.zeros(6, np.int8),
        ),
        "'abs' has several scales, 'sx'; only columns of the model's input may have",
    ),
    "scales that are no multiples": (
        chain(
            first=on_grid("x", "dx", "x"),
            sx=np.array([1, 1, 2, 3, 1.5, 1], np.float32),
            zx=np.zeros(6, np.int8),
        ),
        "MatMul node.*'dx' has several scales that are not multiples of the least, 1",
    ),
    "several zero points": (
        chain(
            first=on_grid("x", "dx", "x"), sx=np.ones(6, np.float32), zx=np.arange(6, dtype=np.int8)
        ),
        "QuantizeLinear node.*'x' must have one zero point. Got 6 in 'zx'",
    ),
    "blocks": (
        chain(
            first=[
                Node("QuantizeLinear", ("x", "sb", "zb"), ("qx",), {"block_size": 2}),
                Node("DequantizeLinear", ("qx", "sb", "zb"), ("dx",), {"block_size": 2}),
            ],
            sb=np.ones((300, 3), np.float32),
            zb=np.zeros((300, 3), np.int8),
        ),
        "QuantizeLinear node.*'x' has block-wise scales 'sb'",
    ),
    "scale of infinity": (
        chain(first=on_grid("x", "dx", "x"), sx=np.float32(np.inf)),
        "QuantizeLinear node.*'sx' must be finite and above 0. Got inf",
    ),
    "part of a zero point": (
        chain(
            first=[
                Node("QuantizeLinear", ("x", "sx", "zx"), ("qx",)),
                Node("DequantizeLinear", ("qx", "sx", "half"), ("dx",)),
            ],
            half=np.float32(0.5),
        ),
        "DequantizeLinear node.*zero point 'half' must be whole. Got 0.5",
    ),
    "dynamic scale": (
        chain(
            first=[
                Node("Abs", ("x",), ("m",)),
                Node("QuantizeLinear", ("x", "m", "zx"), ("qx",)),
                Node("DequantizeLinear", ("qx", "m", "zx"), ("dx",)),
            ]
        ),
        "'m' is computed from the input",
    ),
}


@pytest.mark.parametrize("case", list(REFUSED))
def test_refusals_name_node_and_tensor(case: str) -> None:
    model, reason = REFUSED[case]
    converter = PostTrainingQATImporter(8, model)
    with np.errstate(all="ignore"), pytest.raises(UnsupportedModelError, match=reason):
        converter.quantize_module(X)


def test_one_scale_a_feature_of_the_input() -> None:
    """Multiples of the least scale go into the integer weights: nothing is lost."""
    scales = np.array([1, 4, 0.5, 2, 1.5, 1], np.float32) / 8
    codes = RNG.integers(-7, 8, (6, 4)).astype(np.int8)
    model = model_of(
        *on_grid("x", "dx", "x"),
        Node("DequantizeLinear", ("codes", "sw"), ("w",)),
        Node("MatMul", ("dx", "w"), ("y",)),
        out="float32",
        codes=codes,
        sw=np.float32(0.25),
        sx=scales,
        zx=np.full(6, 3, np.int8),
    )
    module = PostTrainingQATImporter(4, model).quantize_module(X)
    q = quantized(X, scales, np.int8(3)) - 3
    expected = q * scales.astype(float) @ codes.astype(float) * 0.25
    np.testing.assert_allclose(module.forward(X), expected, rtol=1e-12, atol=1e-12)


def test_all_layers_without_a_quantizer_are_listed() -> None:
    model = model_of(
        Node("DequantizeLinear", ("codes", "sw"), ("w",)),
        Node("MatMul", ("x", "w"), ("a",)),
        Node("MatMul", ("a", "w"), ("y",)),
        out="float32",
        codes=RNG.integers(-7, 8, (6, 6)).astype(np.int8),
        sw=np.float32(0.1),
    )
    with pytest.raises(UnsupportedModelError, match=r"'x'.*'a'"):
        PostTrainingQATImporter(8, model).quantize_module(X)


def test_a_scaler_before_the_quantizer_becomes_part_of_it() -> None:
    """Pixels divided by 255, a shift by whole steps: one Quantize with the graph's own grid."""
    pixels = RNG.integers(0, 256, (200, 6)).astype(np.float32)
    factor = np.array([255, 128, 255, 64, 32, 255], np.float32)
    model = model_of(
        Node("Div", ("x", "factor"), ("a",)),
        Node("Add", ("a", "shift"), ("b",)),
        Node("QuantizeLinear", ("b", "sx", "zx"), ("y",)),
        factor=factor,
        shift=np.float32(0.5),
        sx=np.float32(0.25),
        zx=np.uint8(3),
        out="uint8",
    )
    module = PostTrainingQATImporter(2, model).quantize_module(pixels)
    expected = quantized(pixels / factor.astype(float) + 0.5, 0.25, np.uint8(3))
    np.testing.assert_array_equal(module.forward(pixels), expected)


def shifted(shape: tuple[int, ...], zero: Any) -> NumpyModule:
    """The input, moved by part of a step of its grid."""
    return model_of(
        Node("Add", ("x", "shift"), ("b",)),
        Node("QuantizeLinear", ("b", "sx", "zx"), ("y",)),
        shape=shape,
        shift=np.float32(0.1),
        sx=np.float32(0.25),
        zx=zero,
        out=zero.dtype.name,
    )


def test_a_shift_by_part_of_a_step_moves_the_edges_of_codes() -> None:
    zero = np.uint8(3)
    module = PostTrainingQATImporter(2, shifted((6,), zero)).quantize_module(X)
    moved = (X + np.float32(0.1)).astype(float)
    np.testing.assert_array_equal(module.forward(X), quantized(moved, 0.25, zero))


@pytest.mark.parametrize(("shape", "zero"), [((2, 3), np.uint8(3)), ((6,), np.int16(3))])
def test_a_shift_of_images_and_of_wide_codes_is_refused(shape: Any, zero: Any) -> None:
    with pytest.raises(UnsupportedModelError, match="QuantizeLinear node 'y'.*'b'.*whole number"):
        PostTrainingQATImporter(2, shifted(shape, zero)).quantize_module(X.reshape(-1, *shape))
