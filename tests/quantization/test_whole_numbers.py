"""Graph inputs of whole numbers and truth values: comparisons, selections, roundings, quotients."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from skq.exceptions import UnsupportedModelError
from skq.graph.graph import FloatGraph, Node, TensorInfo
from skq.quantization import NumpyModule, PostTrainingAffineQuantization, QuantizedModule

RNG = np.random.default_rng(0)
MASK = RNG.random((200, 3)) > 0.5
X = RNG.normal(size=(200, 3))
WHOLE = RNG.integers(0, 5, (200, 3))
SIGNED = RNG.integers(-7, 60, (200, 3))


def quantized(
    nodes: list[Node], data: dict[str, np.ndarray], n_bits: Any = 8, **constants: Any
) -> tuple[np.ndarray, np.ndarray]:
    """Outputs of the float graph and of its quantized form, on the calibration rows."""
    model, module = build(nodes, data, n_bits, **constants)
    return model.forward(*data.values()), module.forward(*data.values())


def build(
    nodes: list[Node], data: dict[str, np.ndarray], n_bits: Any = 8, **constants: Any
) -> tuple[NumpyModule, QuantizedModule]:
    graph = FloatGraph(
        tuple(nodes),
        {name: np.asarray(value) for name, value in constants.items()},
        tuple(TensorInfo(n, a.dtype.name, (None, *a.shape[1:])) for n, a in data.items()),
        (TensorInfo("y", "float64", ()),),
        {"": 17},
    )
    model = NumpyModule(graph)
    return model, PostTrainingAffineQuantization(n_bits, model).quantize_module(*data.values())


CONDITIONS = {
    "input": [],
    "not": [Node("Not", ("m",), ("c",))],
    "or": [Node("Or", ("m", "k"), ("c",))],
    "and": [Node("And", ("m", "k"), ("c",))],
    "moved": [Node("Slice", ("m", "a", "b", "a1", "step"), ("c",))],
}


@pytest.mark.parametrize("n_bits", [4, 8, 16])
@pytest.mark.parametrize("condition", CONDITIONS)
@pytest.mark.parametrize("branches", [("x", "minus"), ("minus", "x"), ("x", "z"), ("minus", "ten")])
def test_where_by_a_graph_input(condition: str, branches: tuple[str, str], n_bits: int) -> None:
    nodes = CONDITIONS[condition]
    name = "c" if nodes else "m"
    data = {"m": MASK, "x": X, "z": 2 * X[::-1], "k": MASK[::-1]}
    expected, found = quantized(
        [*nodes, Node("Where", (name, *branches), ("y",))],
        data,
        n_bits,
        minus=np.full(3, -1.0),
        ten=np.full(3, 10.0),
        **{"a": [2], "b": [-9], "a1": [1], "step": [-1]},
    )
    assert np.abs(found - expected).max() <= np.ptp(2 * X) / (2 ** max(n_bits, 5) - 1)


@pytest.mark.parametrize("op_type", ["Floor", "Ceil", "Round", "Sign", "Identity"])
@pytest.mark.parametrize("shape", [(3,), (3, 2)])
def test_whole_numbers_stay_whole(op_type: str, shape: tuple[int, ...]) -> None:
    x = RNG.integers(-3, 20, (100, *shape)).astype(np.float64)
    nodes = [Node(op_type, ("x",), ("y",))]
    if op_type == "Identity":
        nodes = [Node("Floor", ("x",), ("f",)), Node("Sub", ("x", "f"), ("y",))]
    expected, found = quantized(nodes, {"x": x})
    np.testing.assert_array_equal(found, expected)


@pytest.mark.parametrize("op", ["Equal", "LessOrEqual", "GreaterOrEqual", "Less", "Greater"])
@pytest.mark.parametrize("dtype", [np.int64, np.float64, np.uint8])
def test_comparison_of_whole_numbers(op: str, dtype: type) -> None:
    x = WHOLE.astype(dtype)
    nodes = [Node("Unsqueeze", ("x", "last"), ("u",)), Node(op, ("u", "range"), ("y",))]
    expected, found = quantized(nodes, {"x": x}, last=[-1], range=np.arange(5, dtype=dtype))
    np.testing.assert_array_equal(found, expected)
    both = {"x": x, "z": x[::-1].copy()}
    expected, found = quantized([Node(op, ("x", "z"), ("y",))], both)
    np.testing.assert_array_equal(found, expected)


def test_comparison_of_columns_with_other_ranges() -> None:
    x = WHOLE * np.array([1, 9, 50])
    nodes = [
        Node("Slice", ("x", "a", "b", "axis"), ("s",)),
        Node("LessOrEqual", ("x", "s"), ("y",)),
    ]
    expected, found = quantized(nodes, {"x": x}, a=[0], b=[1], axis=[1])
    np.testing.assert_array_equal(found, expected)


@pytest.mark.parametrize("divisor", [2, 3, 7, -3, [1, -4, 49]])
@pytest.mark.parametrize("between", [[], [Node("Mul", ("x", "x"), ("t",))]])
def test_integer_quotient_is_rounded_towards_zero(divisor: Any, between: list[Node]) -> None:
    nodes = [*between, Node("Div", ("t" if between else "x", "d"), ("y",))]
    expected, found = quantized(nodes, {"x": SIGNED if not between else SIGNED % 16}, d=divisor)
    np.testing.assert_array_equal(found, expected)


def test_integer_quotient_of_wide_integers() -> None:
    x = RNG.integers(0, 255, (300, 40))
    nodes = [
        Node("ReduceSum", ("x", "axis"), ("s",), {"keepdims": 1}),
        Node("Div", ("s", "d"), ("y",)),
    ]
    expected, found = quantized(nodes, {"x": x}, axis=[1], d=3)
    np.testing.assert_array_equal(found, expected)
    nodes = [Node("ReduceMean", ("x",), ("y",), {"axes": (1,)})]
    expected, found = quantized(nodes, {"x": x})
    np.testing.assert_array_equal(found, expected)


def test_inner_integers_keep_their_grid() -> None:
    nodes = [
        Node("Cast", ("x",), ("i",), {"to": 7}),
        Node("Cast", ("z",), ("j",), {"to": 7}),
        Node("Equal", ("i", "j"), ("y",)),
    ]
    x = WHOLE + 0.25 * (WHOLE > 0)
    expected, found = quantized(nodes, {"x": x, "z": x[::-1] * 1.0})
    np.testing.assert_array_equal(found, expected)


@pytest.mark.parametrize("dtype", [np.int64, np.float64])
def test_matching_more_whole_numbers_than_codes_is_refused(dtype: type) -> None:
    x = (SIGNED * 100).astype(dtype)
    nodes = [Node("Equal", ("x", "c"), ("y",))]
    with pytest.raises(UnsupportedModelError, match=r"'x'.*13 bits.*at least 13"):
        build(nodes, {"x": x}, c=np.asarray(300, dtype))
    widths = {"model_inputs": 13, "op_inputs": 8, "op_weights": 8, "model_outputs": 8}
    expected, found = quantized(nodes, {"x": x}, widths, c=np.asarray(300, dtype))
    np.testing.assert_array_equal(found, expected)


def test_values_beyond_calibration_saturate_within_twice_the_range() -> None:
    _, module = build([Node("Floor", ("x",), ("y",))], {"x": WHOLE * 1.0})
    far = module.forward(np.full((1, 3), 1e6))
    assert 4 <= far.min() <= far.max() <= 8


@pytest.mark.parametrize("dtype", [np.int64, np.float64])
@pytest.mark.parametrize("shape", [(40,), (40, 5)])
def test_constant_is_looked_up_at_integers(shape: tuple[int, ...], dtype: type) -> None:
    """An embedding: rows of a constant at the positions that an input says, also unseen ones."""
    table = RNG.normal(size=shape)
    index = np.resize([0, 3, 17, -1], (200, 3)).astype(dtype)
    nodes = [
        Node("Cast", ("x",), ("i",), {"to": 7}),
        Node("Gather", ("table", "i"), ("y",), {"axis": 0}),
    ]
    _, module = build(nodes, {"x": index}, table=table)
    unseen = np.array([[0, 5, -1], [16, 17, 9]], dtype)
    expected = table[unseen.astype(int)]
    found = module.forward(unseen)
    assert found.shape == expected.shape
    assert np.abs(found - expected).max() <= 0.51 * np.ptp(table) / 255
