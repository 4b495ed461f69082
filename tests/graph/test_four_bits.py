"""4-bit integers of ONNX files: exact weights, and quantizers that saturate at 4 bits."""

from __future__ import annotations

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

from skq.program import MatMul
from skq.quantization import NumpyModule, PostTrainingQATImporter

RNG = np.random.default_rng(0)
X = (3 * RNG.normal(size=(200, 6))).astype(np.float32)


def model_of(
    kind: int, zero: int, *, by_output: bool = False
) -> tuple[onnx.ModelProto, np.ndarray]:
    low, high = (-8, 7) if kind == TensorProto.INT4 else (0, 15)
    codes = RNG.integers(low, high + 1, (6, 4))
    tensors = [
        helper.make_tensor("w", kind, (6, 4), codes.ravel().tolist()),
        helper.make_tensor("zw", kind, (), [low + 8]),
        numpy_helper.from_array(np.float32(0.5), "s"),
        numpy_helper.from_array(np.float32(0.25), "sw"),
    ]
    names = ["x", "s"]
    attributes = {"output_dtype": kind} if by_output else {}
    if not by_output:
        tensors.append(helper.make_tensor("z", kind, (), [zero]))
        names.append("z")
    nodes = [
        helper.make_node("QuantizeLinear", names, ["q"], **attributes),
        helper.make_node("DequantizeLinear", ["q", *names[1:]], ["d"]),
        helper.make_node("DequantizeLinear", ["w", "sw", "zw"], ["dw"]),
        helper.make_node("MatMul", ["d", "dw"], ["y"]),
    ]
    graph = helper.make_graph(
        nodes,
        "g",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, (None, 6))],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, (None, 4))],
        tensors,
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 21)], ir_version=10)
    return model, codes - (low + 8)


@pytest.mark.parametrize(("kind", "low"), [(TensorProto.INT4, -8), (TensorProto.UINT4, 0)])
@pytest.mark.parametrize("zero", [0, 3])
@pytest.mark.parametrize("by_output", [False, True])
def test_four_bits(kind: int, low: int, zero: int, by_output: bool) -> None:
    model, weights = model_of(kind, zero, by_output=by_output)
    zero = 0 if by_output else zero
    module = PostTrainingQATImporter(8, NumpyModule(model)).quantize_module(X)
    codes = np.clip(np.rint(X.astype(float) / 0.5) + zero, low, low + 15) - zero
    np.testing.assert_array_equal(module.forward(X), codes @ weights * 0.125)
    (product,) = (step for step in module.program.instructions if isinstance(step, MatMul))
    assert module.program.types[product.inputs[0]].interval == (low, low + 15)
