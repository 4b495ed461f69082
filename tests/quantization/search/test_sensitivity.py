"""Weights of errors: near the decision, and as the derivative says inside of a network."""

import numpy as np

from skq.graph.graph import FloatGraph, Node, TensorInfo
from skq.graph.ops import bind_node
from skq.quantization.search.decisions import Decision
from skq.quantization.search.sensitivity import error_weights
from skq.quantization.search.settings import ERRORS

EVEN = np.full(50, 1 / 50)


def network(*tail, activation="Tanh", n_out=3):
    random = np.random.RandomState(0)
    nodes = (
        Node("Gemm", ("x", "w1", "b1"), ("h",)),
        Node(activation, ("h",), ("a",)),
        Node("MatMul", ("a", "w2"), ("s",)),
        Node("Add", ("s", "b2"), ("y",)),
        *tail,
    )
    constants = {
        "w1": random.normal(size=(4, 6)), "b1": random.normal(size=6),
        "w2": random.normal(size=(6, n_out)), "b2": random.normal(size=n_out),
    }  # fmt: skip
    output = TensorInfo(nodes[-1].outputs[0], "float64", (None, n_out))
    graph = FloatGraph(nodes, constants, (TensorInfo("x", "float64", (None, 4)),), (output,))
    floats = {**constants, "x": random.normal(size=(50, 4))}
    for node in nodes:
        results = bind_node(node)(*(floats[name] for name in node.inputs))
        floats.update(zip(node.outputs, results, strict=True))
    return graph, floats


def test_inside_of_a_network_they_are_squared_derivatives():
    graph, floats = network()
    found = error_weights(graph, floats, ["y"], EVEN)
    np.testing.assert_array_equal(found["y"], 1.0)
    behind = (graph.initializers["w2"] ** 2).sum(axis=1)
    exact = (1 - floats["a"] ** 2) ** 2 * behind
    inside = found["h"] - ERRORS.least_weight * found["h"].mean() / (1 + ERRORS.least_weight)
    assert np.corrcoef(inside.ravel(), exact.ravel())[0, 1] > 0.98


def test_a_neuron_at_rest_counts_little():
    graph, floats = network(activation="Relu")
    found = error_weights(graph, floats, ["y"], EVEN)["h"]
    far_below = floats["h"] < -floats["h"].std(axis=0)
    assert far_below.any()
    assert found[far_below].max() < 0.1 * found[floats["h"] > 0].min()


def test_scores_that_labels_are_decided_on_count_near_the_decision():
    graph, floats = network(Node("ArgMax", ("y",), ("label",), {"axis": 1, "keepdims": 0}))
    found = error_weights(graph, floats, ["label"], EVEN)
    weight = Decision().weight(floats["y"], EVEN)
    np.testing.assert_array_equal(found["y"], weight)
    # before the bias is added it is the same scores that count
    assert np.corrcoef(found["s"].ravel(), weight.ravel())[0, 1] > 0.999
    assert np.corrcoef(found["h"].sum(axis=1), weight.sum(axis=1))[0, 1] > 0.3


def test_what_mixes_elements_has_no_weights():
    graph, floats = network(Node("Softmax", ("y",), ("p",), {"axis": 1}))
    assert set(error_weights(graph, floats, ["p"], EVEN)) == {"p"}
