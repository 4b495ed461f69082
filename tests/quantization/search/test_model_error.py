"""Errors inside of a graph are measured at the model's outputs."""

import numpy as np
import pytest

from skq.graph.graph import FloatGraph, Node, TensorInfo
from skq.graph.ops import bind_node
from skq.quantization.search.decisions import Decision
from skq.quantization.search.model_error import ModelError
from skq.quantization.search.settings import ERRORS

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
    ahead = Decision().margins(floats["y"]) > 0
    surer, flipped = floats["y"] + 1000.0 * ahead, floats["y"] - 1000.0 * ahead
    assert error.of("y", surer) < 0.5 * error.of("y", flipped)
    # bounded: three margins, each off by 2 at most, and a label
    assert error.of("y", 1e9 * flipped) <= 3 * 4.0 + ERRORS.changed_label


def test_labels_that_change_count():
    graph, floats = model(LABEL)
    error = ModelError(graph, floats, ["label"], EVEN)
    nearer, away = 1e-9 * floats["y"], -1e-9 * floats["y"]  # next to the decision, on either side
    changed = (floats["y"].argmax(axis=1) != away.argmax(axis=1)).mean()
    assert error.of("y", away) - error.of("y", nearer) == pytest.approx(
        ERRORS.changed_label * changed
    )


def test_a_score_that_is_picked_from_a_column_counts_once():
    pick = Node("Gather", ("y", "first"), ("s",), {"axis": 1})
    graph, floats = model()
    constants = {**graph.initializers, "first": np.array(0), "zero": np.array(0.0)}
    compare = Node("Greater", ("s", "zero"), ("label",))
    graph = FloatGraph((*graph.nodes, pick, compare), constants, graph.inputs, graph.outputs)
    floats = {**floats, **constants, "s": floats["y"][:, 0], "label": floats["y"][:, 0] > 0}
    error = ModelError(graph, floats, ["s", "label"], EVEN)
    far = floats["y"] * 1e6  # every label as it was: each score is off by less than 1
    assert 0 < error.of("y", far) < 1


def test_values_that_nothing_reads_have_no_error():
    graph, floats = model(Node("Neg", ("x",), ("unread",)))
    assert ModelError(graph, floats, ["y"], EVEN).of("unread", floats["unread"]) is None
