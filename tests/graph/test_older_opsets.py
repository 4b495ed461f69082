"""Files of operator sets 7 to 12: onnx converts them, and they are quantized like others."""

from __future__ import annotations

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

from skq.exceptions import UnsupportedModelError
from skq.quantization import NumpyModule, PostTrainingAffineQuantization

RNG = np.random.default_rng(0)
W, B = RNG.normal(size=(5, 4)).astype(np.float32), RNG.normal(size=4).astype(np.float32)
X = RNG.normal(size=(200, 5)).astype(np.float32)


def model(version: int) -> onnx.ModelProto:
    """Gemm, BatchNormalization, Dropout by attribute, Clip by attributes, Softmax of axis 1."""
    bounds = {"min": -1.0, "max": 2.0} if version < 11 else {}
    inputs = ["d"] if version < 11 else ["d", "lo", "hi"]
    dropout = {"ratio": 0.5} if version < 12 else {}
    nodes = [
        helper.make_node("Gemm", ["x", "w", "b"], ["g"]),
        helper.make_node("Unsqueeze", ["g"], ["u"], axes=[2]),
        helper.make_node("Squeeze", ["u"], ["s"], axes=[2]),
        helper.make_node("Dropout", ["s"], ["d"], **dropout),
        helper.make_node("Clip", inputs, ["c"], **bounds),
        helper.make_node("Softmax", ["c"], ["y"]),
    ]
    arrays = {"w": W, "b": B}
    if version >= 11:
        arrays |= {"lo": np.array(-1.0, np.float32), "hi": np.array(2.0, np.float32)}
    graph = helper.make_graph(
        nodes,
        "g",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, ["n", 5])],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, ["n", 4])],
        [numpy_helper.from_array(array, name) for name, array in arrays.items()],
    )
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", version)], ir_version=7)


@pytest.mark.parametrize("version", [8, 9, 10, 11, 12])
def test_model_of_an_older_operator_set(version: int) -> None:
    scores = np.clip(X @ W + B, -1, 2)
    expected = np.exp(scores) / np.exp(scores).sum(axis=1, keepdims=True)
    module = NumpyModule(model(version))
    assert module.graph.opsets[""] == 13
    np.testing.assert_allclose(module.forward(X), expected, rtol=1e-4)
    quantized = PostTrainingAffineQuantization(8, module).quantize_module(X)
    for n_rows in (1, 2, 200):
        found = quantized.forward(X[:n_rows])
        assert found.shape == (n_rows, 4)
        assert np.abs(found - expected[:n_rows]).max() < 0.02


@pytest.mark.parametrize(
    ("node", "version", "reason"),
    [
        (helper.make_node("Cast", ["x"], ["y"], to="FLOAT"), 5, "No Adapter"),
        (helper.make_node("Foo", ["x"], ["y"]), 9, "ONNX has no operator 'Foo'"),
    ],
)
def test_what_onnx_cannot_convert_is_refused(
    node: onnx.NodeProto, version: int, reason: str
) -> None:
    graph = helper.make_graph(
        [node],
        "g",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, ["n", 5])],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, ["n", 5])],
    )
    old = helper.make_model(graph, opset_imports=[helper.make_opsetid("", version)], ir_version=3)
    with pytest.raises(UnsupportedModelError, match=f"operator set {version}.*{reason}"):
        NumpyModule(old)
