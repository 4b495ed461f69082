"""Operators that are exact on integers: inputs lie on a known grid, results are equal to float."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from skq.graph.graph import FloatGraph, Node, TensorInfo
from skq.quantization import NumpyModule, PostTrainingAffineQuantization, QuantizedModule

STEP = 1 / 16
X = np.random.default_rng(3).integers(-48, 49, (80, 6)) * STEP
Z = np.random.default_rng(4).integers(-48, 49, (80, 6)) * STEP
Z[::3] = X[::3]
GRID = {"scale": np.array(STEP), "zero": np.array(128, np.uint8)}


def on_grid(name: str) -> list[Node]:
    """``name`` → ``name_q`` through its own grid."""
    return [
        Node("QuantizeLinear", (name, "scale", "zero"), (f"{name}_codes",)),
        Node("DequantizeLinear", (f"{name}_codes", "scale", "zero"), (f"{name}_q",)),
    ]


def build(
    *nodes: Node, constants: dict[str, Any], outputs: tuple[str, ...] = ("y",)
) -> tuple[NumpyModule, QuantizedModule]:
    """Quantize a graph of the inputs x and z, which it reads on their grid as x_q and z_q."""
    inputs = tuple(TensorInfo(name, "float64", (None, 6)) for name in ("x", "z"))
    initializers = {**GRID, **{k: np.asarray(v) for k, v in constants.items()}}
    infos = tuple(TensorInfo(name, "float64", ()) for name in outputs)
    graph = FloatGraph(
        (*on_grid("x"), *on_grid("z"), *nodes), initializers, inputs, infos, {"": 17, "skq": 1}
    )
    model = NumpyModule(graph)
    return model, PostTrainingAffineQuantization(8, model).quantize_module(X, Z)


def check(*nodes: Node, **constants: Any) -> QuantizedModule:
    model, module = build(*nodes, constants=constants)
    np.testing.assert_array_equal(module.forward(X, Z), model.forward(X, Z))
    return module


@pytest.mark.parametrize(("weights", "threshold"), [([1] * 6, 3), ([2**40, 5, 0, 7, 2**39, 1], 99)])
def test_weighted_median(weights: list[int], threshold: int) -> None:
    nodes = Node("WeightedMedian", ("x_q", "w", "t"), ("y",), domain="skq")
    check(nodes, w=np.array(weights), t=np.array(threshold))


BETWEEN = np.array([-1.0, -0.5, 0.0, STEP, 0.03, 2.0])


@pytest.mark.parametrize("op", ["Greater", "GreaterOrEqual", "Less", "LessOrEqual", "Equal"])
@pytest.mark.parametrize(
    ("left", "right", "constant"),
    [("x_q", "c", 0.5), ("c", "x_q", 0.5), ("x_q", "c", BETWEEN), ("x_q", "z_q", 0.0)],
    ids=["constant", "constant first", "one per channel", "tensors"],
)
def test_comparison(op: str, left: str, right: str, constant: Any) -> None:
    check(Node(op, (left, right), ("y",)), c=constant)


@pytest.mark.parametrize("op", ["And", "Or"])
def test_logic_of_two_tensors(op: str) -> None:
    check(
        Node("Greater", ("x_q", "c"), ("a",)),
        Node("Less", ("z_q", "c"), ("b",)),
        Node("Not", ("b",), ("n",)),
        Node(op, ("a", "n"), ("y",)),
        c=0.25,
    )


@pytest.mark.parametrize("op", ["And", "Or"])
def test_logic_of_one_tensor(op: str) -> None:
    check(
        Node("Greater", ("x_q", "c"), ("a",)),
        Node(op, ("a", "mask"), ("y",)),
        c=0.25,
        mask=np.array([True, False] * 3),
    )


def test_not() -> None:
    check(Node("Less", ("x_q", "c"), ("a",)), Node("Not", ("a",), ("y",)), c=0.25)


@pytest.mark.parametrize(
    ("yes", "no"),
    [("x_q", "z_q"), ("x_q", "c"), ("c", "z_q"), ("c", "d"), ("x_q", "d")],
)
def test_where(yes: str, no: str) -> None:
    check(
        Node("Greater", ("z_q", "zero_"), ("m",)),
        Node("Where", ("m", yes, no), ("y",)),
        c=0.25,
        d=np.arange(6) * STEP,
        zero_=0.0,
    )


def test_where_by_a_constant() -> None:
    check(Node("Where", ("m", "x_q", "z_q"), ("y",)), m=np.array([True, False, True] * 2))


@pytest.mark.parametrize("attributes", [{}, {"keepdims": 0}, {"select_last_index": 1}])
def test_argmax(attributes: dict[str, int]) -> None:
    check(Node("ArgMax", ("x_q",), ("y",), {"axis": 1, **attributes}))


def test_argmax_of_an_inner_axis() -> None:
    check(
        Node("Reshape", ("x_q", "shape"), ("r",)),
        Node("ArgMax", ("r",), ("y",), {"axis": 1}),
        shape=np.array([-1, 3, 2]),
    )


@pytest.mark.parametrize("op", ["Floor", "Ceil", "Sign", "Neg", "Identity"])
def test_function_with_integer_results(op: str) -> None:
    check(Node(op, ("x_q",), ("y",)))


def test_round_takes_ties_up() -> None:
    model, module = build(Node("Round", ("x_q",), ("y",)), constants={})
    np.testing.assert_array_equal(module.forward(X, Z), np.floor(X + 0.5))
    off_ties = np.abs(X - np.floor(X) - 0.5) > 1e-9
    np.testing.assert_array_equal(module.forward(X, Z)[off_ties], model.forward(X, Z)[off_ties])


@pytest.mark.parametrize("op", ["Add", "Sub", "Max", "Min", "Sum"])
def test_two_tensors_on_one_grid(op: str) -> None:
    module = check(Node(op, ("x_q", "z_q"), ("y",)))
    assert module.max_accumulator_bits <= 10


@pytest.mark.parametrize("to", [6, 7, 9])
def test_cast_to_integers(to: int) -> None:
    check(Node("Cast", ("x_q",), ("y",), {"to": to}))


def test_shape_operators_move_integers() -> None:
    module = check(
        Node("Reshape", ("x_q", "shape"), ("r",)),
        Node("Transpose", ("r",), ("t",), {"perm": (0, 2, 1)}),
        Node("Slice", ("t", "one", "three", "last"), ("s",)),
        Node("Concat", ("s", "t"), ("c",), {"axis": 2}),
        Node("Split", ("c",), ("p", "q"), {"axis": 1}),
        Node("Concat", ("q", "p"), ("y",), {"axis": 1}),
        shape=np.array([0, 3, 2]),
        one=np.array([1]),
        three=np.array([3]),
        last=np.array([2]),
    )
    names = [type(step).__name__ for step in module.program.instructions]
    assert set(names) <= {"Quantize", "Concat", "Gather", "Reshape", "Dequantize"}


def test_quantize_linear_gives_the_codes() -> None:
    model, module = build(
        Node("Identity", ("x_codes",), ("y",)),
        Node("QuantizeLinear", ("z_q", "coarse", "zero"), ("w",)),
        constants={"coarse": np.array(0.5)},
        outputs=("y", "w"),
    )
    for result, expected in zip(module.forward(X, Z), model.forward(X, Z), strict=True):
        np.testing.assert_array_equal(result, expected)  # ties to even, as ONNX rounds


def test_pooled_maximum_is_exact() -> None:
    check(
        Node("Reshape", ("x_q", "shape"), ("r",)),
        Node("MaxPool", ("r",), ("y",), {"kernel_shape": (2, 2), "pads": (1, 0, 0, 1)}),
        shape=np.array([0, 1, 2, 3]),
    )


def test_sums_are_exact() -> None:
    check(
        Node("ReduceSum", ("x_q", "axes"), ("s",)),
        Node("ReduceMean", ("z_q",), ("m",), {"axes": (1,)}),
        Node("Concat", ("s", "x_q"), ("y",), {"axis": 1}),
        axes=np.array([1]),
    )
