"""``form="qdq"``: exact codes of inputs and weights between QuantizeLinear and DequantizeLinear."""

import numpy as np
import pytest
from onnx import numpy_helper
from sklearn.datasets import load_digits

from skq.ensemble import RandomForestClassifier
from skq.export import to_onnx
from skq.linear_model import LogisticRegression
from skq.neural_network import MLPClassifier
from skq.program import MatMul
from tests.export.onnx_cases import assert_follows, outputs_of

DIGITS = load_digits(return_X_y=True)


@pytest.fixture(scope="module")
def network():
    X, y = DIGITS
    return MLPClassifier((24, 12), max_iter=15, random_state=0).fit(X, y)


@pytest.mark.parametrize("estimator", [LogisticRegression(max_iter=300), RandomForestClassifier(5)])
def test_models_without_hidden_layers_are_exact(estimator):
    X, y = DIGITS
    model = estimator.fit(X, y)
    assert_follows(outputs_of(to_onnx(model, form="qdq"), X), model, X)


def test_network_agrees(network):
    X = DIGITS[0]
    found = outputs_of(to_onnx(network, form="qdq"), X)
    assert np.mean(found["label"] == network.predict(X)) >= 0.999
    different = np.abs(found["probabilities"] - network.predict_proba(X)).max(axis=1) > 1e-9
    assert different.mean() <= 0.01


@pytest.mark.parametrize(("n_bits", "opset", "stored"), [(8, 17, "int8"), (10, 21, "int16")])
def test_weights_are_those_of_the_program(n_bits, opset, stored):
    X, y = DIGITS
    widths = {"op_weights": n_bits, "op_inputs": 8, "model_inputs": 8, "model_outputs": 8}
    model = MLPClassifier((6,), max_iter=5, random_state=0, n_bits=widths).fit(X, y)
    graph = to_onnx(model, form="qdq", target_opset=opset).graph
    read = {node.input[0] for node in graph.node if node.op_type == "DequantizeLinear"}
    constants = [numpy_helper.to_array(t) for t in graph.initializer if t.name in read]
    program = model.quantized_module_.program
    expected = [step.weights for step in program.instructions if isinstance(step, MatMul)]
    assert len(constants) == len(expected) == 2
    for found, weights in zip(constants, expected, strict=True):
        assert found.dtype == stored
        np.testing.assert_array_equal(found, weights)


def test_activations_are_bytes_with_a_unit_scale(network):
    graph = to_onnx(network, form="qdq").graph
    constants = {t.name: numpy_helper.to_array(t) for t in graph.initializer}
    quantizers = [node for node in graph.node if node.op_type == "QuantizeLinear"]
    assert len(quantizers) == 3  # X and two hidden layers
    for node in quantizers:
        _, scale, zero_point = (constants.get(name) for name in node.input)
        assert (scale, zero_point, zero_point.dtype) == (1, 0, np.uint8)
