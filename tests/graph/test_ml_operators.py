"""Operators of ai.onnx.ml, as skl2onnx writes them: read, run and quantized."""

from __future__ import annotations

from typing import Any

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper

from skq.exceptions import UnsupportedModelError
from skq.quantization import NumpyModule, PostTrainingAffineQuantization, QuantizedModule

RNG = np.random.default_rng(0)
X = RNG.normal(size=(300, 4)).astype(np.float32)
W, B = RNG.normal(size=(3, 4)).astype(np.float32), RNG.normal(size=3).astype(np.float32)
ML = "ai.onnx.ml"
LINEAR = {"coefficients": W.ravel().tolist(), "intercepts": B.tolist()}
TREES: dict[str, Any] = {
    "nodes_treeids": [0, 0, 0, 1, 1, 1],
    "nodes_nodeids": [0, 1, 2, 0, 1, 2],
    "nodes_featureids": [0, 0, 0, 2, 0, 0],
    "nodes_values": [0.25, 0.0, 0.0, -0.5, 0.0, 0.0],
    "nodes_modes": ["BRANCH_LEQ", "LEAF", "LEAF"] * 2,
    "nodes_truenodeids": [1, 0, 0] * 2,
    "nodes_falsenodeids": [2, 0, 0] * 2,
    "class_treeids": [0, 0, 1, 1],
    "class_nodeids": [1, 2, 1, 2],
}


def node(op_type: str, inputs: list[str], outputs: list[str], **attributes: Any) -> Any:
    return helper.make_node(op_type, inputs, outputs, domain=ML, **attributes)


def load(*nodes: Any, label: bool = False, zip_map: bool = False) -> NumpyModule:
    outputs = [helper.make_tensor_value_info("y", TensorProto.FLOAT, ["n", "k"])]
    if zip_map:
        value = helper.make_map_type_proto(
            TensorProto.INT64, helper.make_tensor_type_proto(TensorProto.FLOAT, None)
        )
        outputs = [helper.make_value_info("y", helper.make_sequence_type_proto(value))]
    if label:
        outputs.insert(0, helper.make_tensor_value_info("label", TensorProto.INT64, ["n"]))
    graph = helper.make_graph(
        list(nodes), "g", [helper.make_tensor_value_info("x", TensorProto.FLOAT, ["n", 4])], outputs
    )
    opsets = [helper.make_opsetid("", 17), helper.make_opsetid(ML, 3)]
    return NumpyModule(helper.make_model(graph, opset_imports=opsets, ir_version=8))


def quantize(model: NumpyModule, x: np.ndarray = X) -> QuantizedModule:
    return PostTrainingAffineQuantization(8, model).quantize_module(x)


def softmax(scores: np.ndarray) -> np.ndarray:
    shares = np.exp(scores - scores.max(axis=1, keepdims=True))
    return shares / shares.sum(axis=1, keepdims=True)


def test_scaler_and_linear_regressor() -> None:
    offset, scale = [1.0, 0.0, -2.0, 0.5], [2.0, 1.0, 0.25, 3.0]
    model = load(
        node("Scaler", ["x"], ["s"], offset=offset, scale=scale),
        node("LinearRegressor", ["s"], ["y"], targets=3, **LINEAR),
    )
    expected = ((X - offset) * scale) @ W.T + B
    np.testing.assert_allclose(model.forward(X), expected, rtol=1e-4, atol=1e-5)
    assert np.abs(quantize(model).forward(X) - expected).max() < 0.02 * np.ptp(expected)


@pytest.mark.parametrize("labels", [[0, 1, 2], [7, -1, 3]])
@pytest.mark.parametrize("post_transform", ["NONE", "LOGISTIC", "SOFTMAX"])
def test_linear_classifier(post_transform: str, labels: list[int]) -> None:
    classifier = node(
        "LinearClassifier",
        ["x"],
        ["label", "p"],
        classlabels_ints=labels,
        post_transform=post_transform,
        **LINEAR,
    )
    model = load(
        classifier,
        node("ZipMap", ["p"], ["y"], classlabels_int64s=labels),
        label=True,
        zip_map=True,
    )
    scores = X @ W.T + B
    transform = {
        "NONE": lambda s: s,
        "LOGISTIC": lambda s: 1 / (1 + np.exp(-s)),
        "SOFTMAX": softmax,
    }
    expected = transform[post_transform](scores)
    label, found = model.forward(X)
    np.testing.assert_array_equal(label, np.array(labels)[scores.argmax(axis=1)])
    np.testing.assert_allclose(found, expected, rtol=1e-4, atol=1e-5)
    label_q, found_q = quantize(model).forward(X)
    assert label_q.dtype == np.int64
    assert np.mean(label_q == label) > 0.97
    assert np.abs(found_q - expected).max() < 0.03 * np.ptp(expected)


@pytest.mark.parametrize("transform", ["NONE", "SOFTMAX"])
def test_label_encoder_after_a_classifier(transform: str) -> None:
    """Labels as a table of numbers, beside the array of a ZipMap."""
    model = load(
        node(
            "LinearClassifier",
            ["x"],
            ["class", "p"],
            classlabels_ints=[0, 1, 2],
            post_transform=transform,
            **LINEAR,
        ),
        node(
            "LabelEncoder", ["class"], ["label"], keys_int64s=[2, 0, 1], values_int64s=[7, 50, -3]
        ),
        node("ZipMap", ["p"], ["y"], classlabels_int64s=[0, 1, 2]),
        label=True,
        zip_map=True,
    )
    expected = np.array([50, -3, 7])[(X @ W.T + B).argmax(axis=1)]
    label, _ = model.forward(X)
    np.testing.assert_array_equal(label, expected)
    module = quantize(model)
    label, scores = module.forward(X)
    assert label.dtype == np.int64
    np.testing.assert_array_equal(label, np.array([50, -3, 7])[scores.argmax(axis=1)])
    assert np.mean(label == expected) > 0.97
    text = node("LabelEncoder", ["x"], ["y"], keys_floats=[1.0], values_strings=["one"])
    with pytest.raises(UnsupportedModelError, match="LabelEncoder node 'y'.*encodes text"):
        quantize(load(text), np.ones((20, 4)))


@pytest.mark.parametrize("labels", [[0, 1], [-1, 1]])
@pytest.mark.parametrize(
    ("weights", "post_transform", "probability"),
    [
        ([0.25, 0.4, 0.1, 0.25], "NONE", lambda s: np.stack([1 - s, s], axis=1)),
        ([-2.0, 1.0, 0.5, 3.0], "NONE", lambda s: np.stack([-s, s], axis=1)),
        ([-2.0, 1.0, 0.5, 3.0], "LOGISTIC", lambda s: 1 / (1 + np.exp(-np.stack([-s, s], 1)))),
    ],
    ids=["shares", "scores", "logistic"],
)
def test_tree_ensemble_classifier_of_one_score(
    weights: list[float], post_transform: str, probability: Any, labels: list[int]
) -> None:
    """The values are ONNX Runtime's; a share of exactly 1/2 belongs to the first class."""
    model = load(
        node(
            "TreeEnsembleClassifier",
            ["x"],
            ["label", "y"],
            class_ids=[0] * 4,
            class_weights=weights,
            classlabels_int64s=labels,
            post_transform=post_transform,
            **TREES,
        ),
        label=True,
    )
    score = np.where(X[:, 0] <= 0.25, *weights[:2]) + np.where(X[:, 2] <= -0.5, *weights[2:])
    expected = probability(score)
    second = score > (0.5 if min(weights) >= 0 else 0.0)
    for found in (model.forward(X), quantize(model).forward(X)):
        np.testing.assert_array_equal(found[0], np.array(labels)[second.astype(int)])
        np.testing.assert_allclose(found[1], expected, atol=0.02)


def test_tree_ensemble_classifier_of_several_classes() -> None:
    model = load(
        node(
            "TreeEnsembleClassifier",
            ["x"],
            ["label", "y"],
            class_ids=[0, 1, 2, 1],
            class_weights=[0.5, 0.5, 0.5, 0.25],
            classlabels_int64s=[4, 5, 6],
            post_transform="NONE",
            **TREES,
        ),
        label=True,
    )
    first, second = X[:, 0] <= 0.25, X[:, 2] <= -0.5
    scores = np.stack([0.5 * first, 0.5 * ~first + 0.25 * ~second, 0.5 * second], axis=1)
    for label, found in (model.forward(X), quantize(model).forward(X)):
        np.testing.assert_allclose(found, scores, atol=0.01)
        np.testing.assert_array_equal(label, 4 + scores.argmax(axis=1))


def test_normalized_scores_at_the_end() -> None:
    model = load(
        node(
            "LinearClassifier",
            ["x"],
            ["label", "p"],
            classlabels_ints=[0, 1, 2],
            post_transform="LOGISTIC",
            **LINEAR,
        ),
        node("Normalizer", ["p"], ["y"], norm="L1"),
        label=True,
    )
    shares = 1 / (1 + np.exp(-(X @ W.T + B)))
    expected = shares / shares.sum(axis=1, keepdims=True)
    np.testing.assert_allclose(model.forward(X)[1], expected, rtol=1e-4)
    assert np.abs(quantize(model).forward(X)[1] - expected).max() < 0.02


@pytest.mark.parametrize("norm", ["MAX", "L1", "L2"])
def test_normalizer_of_the_input_runs_in_floats(norm: str) -> None:
    model = load(node("Normalizer", ["x"], ["y"], norm=norm))
    lengths = {
        "MAX": np.abs(X).max(axis=1),
        "L1": np.abs(X).sum(axis=1),
        "L2": np.sqrt((X**2).sum(axis=1)),
    }
    np.testing.assert_allclose(model.forward(X), X / lengths[norm][:, None], rtol=1e-5)


def test_one_hot_encoder_is_exact() -> None:
    model = load(node("OneHotEncoder", ["x"], ["y"], cats_int64s=[0, 2, 3], zeros=1))
    x = RNG.integers(0, 5, (100, 4)).astype(np.float32)
    expected = (x[..., None] == [0, 2, 3]).astype(np.float32)
    np.testing.assert_array_equal(model.forward(x), expected)
    np.testing.assert_array_equal(quantize(model, x).forward(x), expected)


@pytest.mark.parametrize(
    ("refused", "reason"),
    [
        (
            node("LinearClassifier", ["x"], ["l", "y"], classlabels_strings=["a", "b"], **LINEAR),
            "labels are strings",
        ),
        (
            node("LinearClassifier", ["x"], ["l", "y"], classlabels_ints=[0, 1], **LINEAR),
            "3 scores for 2 classes",
        ),
        (node("OneHotEncoder", ["x"], ["y"], cats_strings=["a"]), "categories are strings"),
        (
            node("LinearRegressor", ["x"], ["y"], targets=3, post_transform="PROBIT", **LINEAR),
            "post_transform NONE",
        ),
    ],
)
def test_refusal_names_the_node_and_the_reason(refused: onnx.NodeProto, reason: str) -> None:
    with pytest.raises(UnsupportedModelError, match=f"{refused.op_type} node.*{reason}"):
        load(refused)
