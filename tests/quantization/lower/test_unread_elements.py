"""Elements that a view leaves out have no say in the grids of those that it shows."""

from __future__ import annotations

import numpy as np
import pytest

from skq.graph.graph import FloatGraph, Node, TensorInfo
from skq.quantization import NumpyModule, PostTrainingAffineQuantization

RNG = np.random.default_rng(1)
X = RNG.normal(size=(200, 4))

CONSTANTS = {
    "zero": [0],
    "one": [1],
    "two": [2],
    "three": [3],
    "many": [99],
    "w": RNG.normal(size=(4, 3)),
}


def sliced(name: str, start: str, stop: str, result: str) -> Node:
    return Node("Slice", (name, start, stop, "one"), (result,))


ROLLED = [
    sliced("x", "three", "many", "last"),
    sliced("x", "zero", "three", "first"),
    Node("Concat", ("last", "first"), ("r",), {"axis": 1}),
]
HALVES = [
    sliced("x", "zero", "two", "a"),
    sliced("x", "two", "many", "b"),
    Node("Neg", ("b",), ("n",)),
    Node("Concat", ("n", "a"), ("r",), {"axis": 1}),
]
MOVES = {
    "roll": [*ROLLED, Node("Add", ("r", "x"), ("y",))],
    "lag difference": [*ROLLED, Node("Sub", ("x", "r"), ("y",))],
    "lag product": [*ROLLED, Node("Mul", ("x", "r"), ("y",))],
    "largest": [*ROLLED, Node("Max", ("x", "r"), ("y",))],
    "rotate half": [*HALVES, Node("Add", ("r", "x"), ("y",))],
    "partial residual": [
        sliced("x", "zero", "two", "a"),
        sliced("x", "two", "many", "b"),
        Node("Add", ("a", "b"), ("s",)),
        Node("Concat", ("s", "b"), ("y",), {"axis": 1}),
    ],
}


def largest_error(nodes: list[Node], x: np.ndarray, n_bits: int) -> float:
    """Largest error of the quantized graph, in steps of its codes over the output's range."""
    graph = FloatGraph(
        tuple(nodes),
        {name: np.asarray(value) for name, value in CONSTANTS.items()},
        (TensorInfo("x", "float64", (None, x.shape[1])),),
        (TensorInfo("y", "float64", ()),),
        {"": 17},
    )
    model = NumpyModule(graph)
    module = PostTrainingAffineQuantization(n_bits, model).quantize_module(x)
    expected = model.forward(x)
    step = np.ptp(expected) / (2**n_bits - 1)
    return float(np.abs(module.forward(x) - expected).max() / step)


@pytest.mark.parametrize("n_bits", [8, 16])
@pytest.mark.parametrize("scale", [1e-4, 1e-2, 1.0, 1e4])
@pytest.mark.parametrize("name", MOVES)
def test_moved_and_joined_elements(name: str, scale: float, n_bits: int) -> None:
    # grids of the common scale have at most 22 bits: 16 bits and 6 of their own
    assert largest_error(MOVES[name], scale * X, n_bits) < 2.5


#: Two columns of the input, x[:, :2], as a and b.
COLUMNS = [sliced("x", "zero", "one", "a"), sliced("x", "one", "two", "b")]
READERS = {
    **{op: [*COLUMNS, Node(op, ("a", "b"), ("y",))] for op in ("Add", "Sub", "Mul", "Max", "Min")},
    **{op: [COLUMNS[0], Node(op, ("a",), ("y",))] for op in ("Tanh", "Exp", "Relu")},
    "Floor": [
        *COLUMNS[:1],
        Node("Floor", ("a",), ("f",)),
        Node("Sub", ("a", "f"), ("y",)),
    ],
    "ReduceSum": [
        sliced("x", "zero", "two", "s"),
        Node("ReduceSum", ("s", "one"), ("y",), {"keepdims": 1}),
    ],
}


@pytest.mark.parametrize("n_bits", [8, 16])
@pytest.mark.parametrize("name", READERS)
def test_columns_that_nobody_reads(name: str, n_bits: int) -> None:
    x = X * np.array([1.0, 1.0, 1e7, 1e-7])
    alone = largest_error(READERS[name], X, n_bits)
    assert largest_error(READERS[name], x, n_bits) <= alone + 1e-6
