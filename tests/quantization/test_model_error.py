"""Errors inside of a graph are measured at the model's outputs."""

import numpy as np
import pytest

from skq.frontend.graph import FloatGraph, Node, TensorInfo
from skq.frontend.numpy_ops import bind_node
from skq.quantization.decisions import margins, weighted_median
from skq.quantization.model_error import ModelError

EVEN = np.full(60, 1 / 60)


def model(*tail):
    random = np.random.RandomState(0)
    nodes = (
        Node("MatMul", ("x", "w1"), ("h",)),
        Node("Relu", ("h",), ("a",)),
        Node("MatMul", ("a", "w2"), ("y",)),
        *tail,
    )
    constants = {"w1": random.normal(size=(4, 6)), "w2": random.normal(size=(6, 3))}
    output = TensorInfo(nodes[-1].outputs[0], "float64", (None, 3))
    graph = FloatGraph(nodes, constants, (TensorInfo("x", "float64", (None, 4)),), (output,))
    floats = {**constants, "x": random.normal(size=(60, 4))}
    for node in nodes:
        results = bind_node(node)(*(floats[name] for name in node.inputs))
        floats.update(zip(node.outputs, results, strict=True))
    return graph, floats


LABEL = Node("ArgMax", ("y",), ("label",), {"axis": 1, "keepdims": 0})


@pytest.mark.parametrize("tail", [(), (LABEL,)])
@pytest.mark.parametrize("name", ["x", "h", "a", "y"])
def test_no_error_where_nothing_is_off(name, tail):
    graph, floats = model(*tail)
    error = ModelError(graph, floats, [graph.outputs[0].name], EVEN)
    assert error.decides == bool(tail)
    assert error.of(name, floats[name]) == 0.0
    assert error.of(name, floats[name] + 0.1) > 0


def test_outputs_count_relative_to_their_variance():
    graph, floats = model()
    weight = np.random.RandomState(0).dirichlet(np.ones(60))
    error = ModelError(graph, floats, ["y"], weight)
    moved = floats["h"] + np.random.RandomState(1).normal(size=(60, 6))
    got = np.maximum(moved, 0) @ floats["w2"]
    exact = floats["y"]
    spread = (weight @ (exact - weight @ exact) ** 2).sum()
    expected = (weight @ (got - exact) ** 2).sum() / spread
    assert error.of("h", moved) == pytest.approx(expected, rel=1e-12)


def test_beyond_the_decision_no_error_counts():
    graph, floats = model(LABEL)
    error = ModelError(graph, floats, ["label"], EVEN)
    surer = floats["y"] + 1000.0 * (margins(floats["y"]) > 0)
    flipped = floats["y"] - 1000.0 * (margins(floats["y"]) > 0)
    assert error.of("y", surer) < 0.5 * error.of("y", flipped)
    assert error.of("y", 1e9 * flipped) <= 3 * 4.0  # bounded: three margins, each off by 2 at most


def test_values_that_nothing_reads_have_no_error():
    graph, floats = model(Node("Neg", ("x",), ("unread",)))
    assert ModelError(graph, floats, ["y"], EVEN).of("unread", floats["unread"]) is None


def test_margins():
    np.testing.assert_array_equal(
        margins(np.array([[1.0, 4.0, 2.0], [3.0, 3.0, 0.0]])), [[-3, 2, -2], [0, 0, -3]]
    )
    scores = np.array([[-2.0], [5.0]])
    np.testing.assert_array_equal(margins(scores), scores)


def test_weighted_median_counts_repetitions():
    random = np.random.RandomState(0)
    values, repeats = random.normal(size=(31, 2)), random.randint(1, 4, 31)
    repeated = np.repeat(values, repeats, axis=0)
    expected = np.quantile(repeated, 0.5, method="inverted_cdf")
    assert weighted_median(values, repeats.astype(float)) == expected
