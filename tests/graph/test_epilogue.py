"""Float epilogues: described for each row, or refused."""

import numpy as np
import pytest

from skq.graph.epilogue import OPERATORS, RowValue, describe_epilogue
from skq.graph.graph import FloatGraph, Node, TensorInfo
from skq.quantization import ALL_QUANTIZED_OPS, quantized_ops
from skq.quantization.operator_facts import has_fact


def graph(*nodes, outputs, **constants):
    infos = tuple(TensorInfo(name, "float64", (None,)) for name in outputs)
    return FloatGraph(nodes, constants, (), infos)


def test_all_that_the_converter_leaves_to_floats_may_be_read():
    assert quantized_ops
    left = {
        op.op_type()
        for op in ALL_QUANTIZED_OPS
        if has_fact(op.op_type(), "is_link") or has_fact(op.op_type(), "follows_link")
    }
    assert left
    assert left <= OPERATORS


def test_shapes_and_intervals_of_outputs_are_known():
    nodes = (
        Node("Softmax", ("scores",), ("p",), {"axis": 1}),
        Node("ArgMax", ("p",), ("best",), {"axis": 1, "keepdims": 0}),
        Node("Gather", ("labels", "best"), ("label",)),
        Node("Unsqueeze", ("label", "one"), ("column",)),
    )
    described = describe_epilogue(
        graph(*nodes, outputs=["scores", "p", "best", "label", "column", "codes"],
              labels=np.array([5, -7, 9]), one=np.array([1])),
        {"scores": RowValue((3,)), "codes": RowValue((), (2, 4))},
    )  # fmt: skip
    assert described == {
        "scores": RowValue((3,)),
        "p": RowValue((3,)),
        "best": RowValue((), (0, 2)),
        "label": RowValue((), (-7, 9)),
        "column": RowValue((1,), (-7, 9)),
        "codes": RowValue((), (2, 4)),
    }


def test_rows_that_meet_each_other_are_refused():
    for node in (
        Node("Mul", ("a", "b"), ("y",)),  # (n, 1) and (n,): every row with every other
        Node("Concat", ("a", "a"), ("y",), {"axis": 0}),
        Node("ArgMax", ("a",), ("y",)),
        Node("Reshape", ("a", "c"), ("y",)),
    ):
        with pytest.raises(ValueError, match="of the epilogue cannot run"):
            describe_epilogue(
                graph(node, outputs=["y"], c=np.array([1, -1])),
                {"a": RowValue((1,)), "b": RowValue(())},
            )


def test_an_output_that_is_a_constant_is_refused():
    with pytest.raises(ValueError, match="does not depend on the rows"):
        describe_epilogue(graph(outputs=["c"], c=np.ones(3)), {})
