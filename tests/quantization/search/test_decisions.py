"""Which values labels are decided on, and how near to the decision they are."""

import numpy as np
import pytest

from skq.graph.graph import FloatGraph, Node, TensorInfo
from skq.quantization.search.decisions import Decision, all_scores, last_scores, weighted_median

VALUES = {"y": np.zeros((5, 3)), "s": np.zeros(5), "b": np.ones(3), "t": np.array(0.5)}


def graph(*nodes):
    info = TensorInfo("y", "float64", (None, 3))
    return FloatGraph(nodes, {"b": VALUES["b"], "t": VALUES["t"]}, (info,), (info,))


def test_the_greatest_of_a_row_wins():
    decision = Decision()
    scores = np.array([[1.0, 4.0, 2.0], [3.0, 3.0, 0.0]])
    np.testing.assert_array_equal(decision.margins(scores), [[-3, 2, -2], [0, 0, -3]])
    np.testing.assert_array_equal(decision.labels(scores), [[1], [0]])


def test_each_score_is_compared_with_a_threshold():
    decision = Decision(0.5)
    scores = np.array([[-2.0, 0.75], [5.0, 0.5]])
    np.testing.assert_array_equal(decision.margins(scores), scores - 0.5)
    np.testing.assert_array_equal(decision.labels(scores), [[0, 1], [1, 0]])


def test_weight_is_greatest_at_the_decision():
    one = Decision(0.0).weight(np.array([[-4.0], [-1.0], [0.0], [2.0]]), np.ones(4))[:, 0]
    assert one.argmax() == 2
    assert one[1] > one[3] > one[0] > 0
    many = Decision().weight(np.array([[5.0, 4.9, -30.0], [9.0, 0.0, 1.0]]), np.ones(2))
    assert many[0, 2] < many[0, 0] == pytest.approx(many[0, 1])
    assert many[1].max() < many[0].max()
    labels = Decision(0.0).weight(np.array([[0.1, 8.0], [5.0, 9.0]]), np.ones(2))
    assert labels[0, 0] > labels[1, 0] > labels[0, 1] > labels[1, 1]


@pytest.mark.parametrize("decision", [Decision(), Decision(0.0), Decision(7.0)])
@pytest.mark.parametrize("values", [np.zeros((5, 1)), np.full((5, 3), 7.0)])
def test_scores_that_are_all_alike_are_no_trouble(decision, values):
    assert np.all(np.isfinite(decision.weight(values, np.ones(5))))


def test_scores_of_classes():
    found = graph(Node("ArgMax", ("y",), ("label",), {"axis": 1}))
    assert last_scores(found, VALUES) == {"y": Decision()}


@pytest.mark.parametrize("sides", [("s", "t"), ("t", "s")])
def test_scores_that_are_compared_and_what_they_are_picked_from(sides):
    found = graph(Node("Gather", ("y", "t"), ("s",)), Node("Less", sides, ("label",)))
    assert last_scores(found, VALUES) == {"s": Decision(0.5)}
    assert all_scores(found, VALUES) == {"s": Decision(0.5), "y": Decision(0.5)}


def test_before_a_bias_other_values_decide():
    found = graph(Node("Add", ("y", "b"), ("z",)), Node("ArgMax", ("z",), ("label",), {"axis": 1}))
    assert set(all_scores(found, {**VALUES, "z": VALUES["y"]})) == {"z"}


def test_weighted_median_counts_repetitions():
    random = np.random.RandomState(0)
    values, repeats = random.normal(size=(31, 2)), random.randint(1, 4, 31)
    repeated = np.repeat(values, repeats, axis=0)
    expected = np.quantile(repeated, 0.5, method="inverted_cdf")
    assert weighted_median(values, repeats.astype(float)) == expected
