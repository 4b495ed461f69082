"""Graphs that torch, brevitas and onnxruntime exported, and QuantizeLinear of opsets 10 to 21.

The import equals an evaluation of the file's own nodes in float64. ONNX Runtime is no oracle: it
fuses nodes and rounds biases.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

from skq import config_context
from skq.graph.graph import Node
from skq.graph.onnx_proto import graph_from_proto
from skq.graph.ops import bind_node
from skq.quantization import NumpyModule, PostTrainingQATImporter

FOLDER = Path(__file__).parents[1] / "data" / "trained_graphs"
FILES = sorted(path.stem for path in FOLDER.glob("*.onnx"))
INPUTS = np.load(FOLDER / "inputs.npz")


def rounded(x: Any, scale: Any, zero: Any) -> Any:
    """QuantizeLinear in float64, in the integers of the zero point; ties to even."""
    info = np.iinfo(np.asarray(zero).dtype)
    codes = np.rint(x / scale) + np.asarray(zero, np.float64)
    return np.clip(codes, info.min, info.max)


def channels(parameter: Any, n_axes: int, axis: int) -> Any:
    if np.size(parameter) == 1:
        return np.reshape(parameter, ())
    return np.reshape(parameter, (-1, *(1,) * (n_axes - 1 - axis % n_axes)))


def as_quant(node: Node, x: Any, scale: Any, zero: Any, bits: Any) -> Any:
    """QONNX's Quant: x / scale + zero point, clip, round to even."""
    n, narrow = int(np.ravel(bits)[0]), int(node.attributes.get("narrow", 0))
    lo, hi = 0, 2**n - 1 - narrow
    if node.attributes.get("signed", 1):
        lo, hi = -(2 ** (n - 1)) + narrow, 2 ** (n - 1) - 1
    return (np.rint(np.clip(x / scale + zero, lo, hi)) - zero) * scale


def run_exactly(node: Node, x: list[Any]) -> Any:
    """Outputs of a node in float64."""
    kind, a = node.op_type, dict(node.attributes)
    if kind == "QuantizeLinear":
        scale, zero = x[1], x[2] if len(x) > 2 else np.uint8(0)
        axis = a.get("axis", 1)
        parts = channels(scale, x[0].ndim, axis), channels(zero, x[0].ndim, axis)
        return rounded(x[0], *parts)
    if kind == "DequantizeLinear":
        axis = a.get("axis", 1)
        zero = channels(x[2], x[0].ndim, axis).astype(float) if len(x) > 2 else 0.0
        return (x[0].astype(float) - zero) * channels(x[1], x[0].ndim, axis)
    if kind == "Quant":
        return as_quant(node, *x)
    if kind == "BipolarQuant":
        return np.where(x[0] >= 0, 1.0, -1.0) * x[1]
    if kind in ("QLinearConv", "QGemm", "QLinearMatMul"):
        return run_layer(node, x)
    return bind_node(node)(*x)[0]


def run_layer(node: Node, x: list[Any]) -> Any:
    """A layer in the operator form: reals of both factors, and an integer bias."""
    attributes = dict(node.attributes)
    is_conv = node.op_type == "QLinearConv"
    bias_at, out_at = (8, 6) if is_conv else (6, 7) if node.op_type == "QGemm" else (99, 6)
    first = (x[0].astype(float) - float(x[2])) * x[1]
    axis = 0 if is_conv or attributes.get("transB", 0) else 1
    zero = channels(x[5], x[3].ndim, axis).astype(float)
    second = (x[3].astype(float) - zero) * channels(x[4], x[3].ndim, axis)
    operands = [first, second]
    if len(x) > bias_at and x[bias_at] is not None:
        operands.append(x[bias_at].astype(float) * (x[1] * np.asarray(x[4])))
    kind = {"QLinearConv": "Conv", "QGemm": "Gemm", "QLinearMatMul": "MatMul"}[node.op_type]
    names = tuple("abc"[: len(operands)])
    sums = bind_node(Node(kind, names, ("y",), attributes))(*operands)[0]
    if len(x) <= out_at:
        return sums
    return rounded(sums, x[out_at], x[out_at + 1])


def exactly(model: onnx.ModelProto, x: Any) -> Any:
    """The outputs of a file, node by node in float64, of the float32 numbers that it holds."""
    graph = graph_from_proto(model)

    def wide(array: Any) -> Any:
        array = np.asarray(array)
        return array.astype(np.float64) if array.dtype == np.float32 else array

    values: dict[str, Any] = {name: wide(array) for name, array in graph.initializers.items()}
    values |= {graph.inputs[0].name: np.asarray(x, np.float64), "": None}
    for node in graph.nodes:
        if node.op_type == "Constant":
            values[node.outputs[0]] = wide(node.attributes["value"])
        else:
            result = run_exactly(node, [values[name] for name in node.inputs])
            values[node.outputs[0]] = wide(result)
    return values[graph.output_names[0]]


def inputs_of(name: str) -> Any:
    return INPUTS["conv" if "_conv" in name else "dense"]


@pytest.mark.parametrize("n_bits", [2, 8])
@pytest.mark.parametrize("name", FILES)
def test_import_equals_exact_arithmetic(name: str, n_bits: int) -> None:
    model, x = onnx.load(FOLDER / f"{name}.onnx"), inputs_of(name)
    expected = exactly(model, x)
    module = PostTrainingQATImporter(n_bits, NumpyModule(model)).quantize_module(x)
    found = module.forward(x)
    np.testing.assert_allclose(found, expected, rtol=0, atol=1e-9 * np.abs(expected).max())
    for engine in ("reference", "numpy"):
        with config_context(engine=engine):
            np.testing.assert_array_equal(module.forward(x), found)
    again = type(module).loads(module.dumps())
    np.testing.assert_array_equal(again.forward(x), found)


def test_files_of_every_exporter_are_there() -> None:
    assert {name.split("_")[0] for name in FILES} == {"brevitas", "onnxruntime", "torch"}
    assert len(FILES) >= 20
    assert max(path.stat().st_size for path in FOLDER.glob("*.onnx")) < 8000


# ------------------------------------------------------------------ operator sets

RNG = np.random.default_rng(0)
X = RNG.normal(size=(200, 6)).astype(np.float32)


def file_of(version: int, kind: str) -> onnx.ModelProto:
    """A layer between quantizers, as operator set `version` writes it."""
    dtype = {"int4": TensorProto.INT4, "uint4": TensorProto.UINT4}.get(kind)
    codes = RNG.integers(-7, 8, (6, 4))
    arrays = [
        numpy_helper.from_array(np.float32(0.125), "s"),
        numpy_helper.from_array(np.float32(0.25), "sw"),
        numpy_helper.from_array(np.float32(0.5), "sy"),
    ]
    if dtype is None:
        zero = np.array(3, kind)
        arrays += [
            numpy_helper.from_array(zero, "z"),
            numpy_helper.from_array(codes.astype(np.int8), "wq"),
        ]
    else:
        codes = codes % 8 + (0 if kind == "uint4" else -4)
        arrays += [
            helper.make_tensor("z", dtype, [], [3]),
            helper.make_tensor("wq", dtype, codes.shape, codes.ravel().tolist()),
        ]
    nodes = [
        helper.make_node("QuantizeLinear", ["x", "s", "z"], ["qx"]),
        helper.make_node("DequantizeLinear", ["qx", "s", "z"], ["dx"]),
        helper.make_node("DequantizeLinear", ["wq", "sw"], ["w"]),
        helper.make_node("MatMul", ["dx", "w"], ["a"]),
        helper.make_node("Relu", ["a"], ["r"]),
        helper.make_node("QuantizeLinear", ["r", "sy", "z"], ["q"]),
        helper.make_node("DequantizeLinear", ["q", "sy", "z"], ["y"]),
    ]
    graph = helper.make_graph(
        nodes,
        "g",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, ["n", 6])],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, ["n", 4])],
        arrays,
    )
    ir_version = {10: 5, 11: 6, 12: 7, 13: 7, 19: 9, 21: 10}[version]
    opsets = [helper.make_opsetid("", version)]
    return helper.make_model(graph, opset_imports=opsets, ir_version=ir_version)


KINDS = {
    **dict.fromkeys((10, 11, 12, 13, 19), ("int8", "uint8")),
    21: ("int8", "uint8", "int16", "uint16", "int4", "uint4"),
}


@pytest.mark.parametrize(
    ("version", "kind"), [(version, kind) for version, kinds in KINDS.items() for kind in kinds]
)
def test_quantizers_of_operator_sets(version: int, kind: str) -> None:
    model = file_of(version, kind)
    limits = {"int4": (-8, 7), "uint4": (0, 15)}
    info = None if kind in limits else np.iinfo(kind)
    lo, hi = limits.get(kind, (info.min, info.max) if info else (0, 0))
    module = PostTrainingQATImporter(2, NumpyModule(model)).quantize_module(X)
    wide = np.rint(8 * X) / 8 + np.float32(1 / 16) * RNG.integers(0, 2, X.shape)  # with ties
    codes = np.clip(np.rint(wide.astype(float) / 0.125) + 3, lo, hi) - 3
    weights = numpy_helper.to_array(next(t for t in model.graph.initializer if t.name == "wq"))
    sums = np.maximum(codes * 0.125 @ (weights.astype(float) * 0.25), 0)
    expected = (np.clip(np.rint(sums / 0.5) + 3, lo, hi) - 3) * 0.5
    np.testing.assert_array_equal(module.forward(wide.astype(np.float32)), expected)
