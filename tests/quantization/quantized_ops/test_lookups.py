"""Lookups by whole numbers: embeddings, tables of integers, and LabelEncoder of ai.onnx.ml."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from skq import config_context
from skq.exceptions import ConversionError, UnsupportedModelError
from skq.graph.graph import ML_DOMAIN, FloatGraph, Node, TensorInfo
from skq.program import Table
from skq.quantization import NumpyModule, PostTrainingAffineQuantization, QuantizedModule

RNG = np.random.default_rng(0)


def model_of(
    *nodes: Node, dtype: str = "int64", shape: tuple[int, ...] = (3,), **constants: Any
) -> NumpyModule:
    return NumpyModule(
        FloatGraph(
            nodes=nodes,
            initializers={name: np.asarray(value) for name, value in constants.items()},
            inputs=(TensorInfo("x", dtype, (None, *shape)),),
            outputs=(TensorInfo("y", "float32", (None,)),),
            opsets={"": 17, ML_DOMAIN: 4},
        )
    )


def quantize(model: NumpyModule, x: np.ndarray, n_bits: Any = 8) -> QuantizedModule:
    return PostTrainingAffineQuantization(n_bits, model).quantize_module(x)


def check_engines(module: QuantizedModule, *x: np.ndarray) -> np.ndarray:
    found = module.forward(*x)
    for engine in ("reference", "numpy"):
        with config_context(engine=engine):
            np.testing.assert_array_equal(module.forward(*x), found)
    return found


@pytest.mark.parametrize("size", [5, 300, 5000])
@pytest.mark.parametrize("n_bits", [4, 8])
def test_every_entry_of_an_embedding_is_held(size: int, n_bits: int) -> None:
    """The calibration rows show a few of the entries only, and not their range."""
    table = RNG.normal(size=(size, 4)).astype(np.float32)
    table[-1] *= 9
    model = model_of(Node("Gather", ("table", "x"), ("y",)), table=table)
    module = quantize(model, RNG.integers(0, 3, (50, 3)), n_bits)
    x = RNG.integers(-size, size, (200, 3))
    x[:2] = [0, size - 1, -size]
    found = check_engines(module, x)
    step = float(np.ptp(table)) / (2**n_bits - 1)
    assert np.abs(found - table[x]).max() <= 0.51 * step
    assert [s.table.shape[-1] for s in module.program.instructions if isinstance(s, Table)] == [
        size
    ]


def test_an_index_outside_of_the_table_is_an_error_as_in_numpy() -> None:
    model = model_of(Node("Gather", ("table", "x"), ("y",)), table=np.arange(10.0))
    module = quantize(model, RNG.integers(0, 10, (50, 3)))
    for wrong in (10, -11, 2**40):
        x = np.array([[0, 1, wrong]])
        for run in (model.forward, module.forward, module.quantize_input):
            with pytest.raises(
                (IndexError, ValueError),
                match=str(wrong) if run != model.forward else "out of bounds",
            ):
                run(x)
    again = type(module).loads(module.dumps())
    with pytest.raises(IndexError, match="has 10 entries: indices must lie in .-10, 9."):
        again.forward(np.array([[0, 1, 10]]))


def test_only_the_elements_that_count_entries_are_checked() -> None:
    """The first column is an index, the others are numbers."""
    model = model_of(
        Node("Slice", ("x", "zero", "one", "last"), ("i",)),
        Node("Cast", ("i",), ("j",), {"to": 7}),
        Node("Gather", ("table", "j"), ("e",)),
        Node("Squeeze", ("e", "last"), ("f",)),
        Node("Concat", ("f", "x"), ("y",), {"axis": 1}),
        dtype="float64",
        zero=np.array([0]),
        one=np.array([1]),
        last=np.array([1]),
        table=RNG.normal(size=(6, 2)),
    )
    x = np.column_stack([RNG.integers(0, 4, 200), RNG.normal(size=(200, 2)) * 50])
    module = quantize(model, x)
    assert module.indices == ((0, (0,), 6),)
    x[:, 0] = np.arange(200) % 6
    steps = np.ptp(x, axis=0).max() / 100
    assert np.abs(check_engines(module, x) - model.forward(x)).max() <= steps
    with pytest.raises(IndexError, match="index 6"):
        module.forward(np.array([[6.5, 0, 0]]))


def test_integers_that_calibration_rows_do_not_show_are_looked_up() -> None:
    labels = np.array([70, -1, 3, 1000])
    model = model_of(Node("Gather", ("labels", "x"), ("y",)), labels=labels)
    module = quantize(model, np.zeros((20, 3), np.int64) + 1, 2)
    x = RNG.integers(0, 4, (50, 3))
    np.testing.assert_array_equal(check_engines(module, x), labels[x])


def test_too_many_entries_are_refused() -> None:
    model = model_of(Node("Gather", ("t", "x"), ("y",)), t=np.zeros(70000))
    with pytest.raises(UnsupportedModelError, match="'x' is an index.*17 bits; tables support 16"):
        quantize(model, np.zeros((20, 3), np.int64))
    mixed = model_of(
        Node("Split", ("x", "sizes"), ("a", "b"), {"axis": 1}),
        Node("Gather", ("t", "a"), ("c",)),
        Node("Sub", ("b", "two"), ("d",)),
        Node("Mul", ("c", "d"), ("y",)),
        sizes=np.array([1, 2]),
        two=np.array(2),
        t=np.arange(600),
    )
    with pytest.raises(UnsupportedModelError, match="10 bits.*at least 10 there, or make them two"):
        quantize(mixed, np.ones((20, 3), np.int64))


# ------------------------------------------------------------------ LabelEncoder


def encoder(**attributes: Any) -> Node:
    return Node("LabelEncoder", ("x",), ("y",), attributes, domain=ML_DOMAIN)


KEYS = np.array([7, -2, 3, 40])
ENCODERS = {
    "to integers": {"keys_int64s": KEYS, "values_int64s": np.array([1, 5, 2, 9])},
    "to floats": {"keys_int64s": KEYS, "values_floats": np.float32([0.5, -1, 2, 8])},
    "tensors": {
        "keys_tensor": KEYS,
        "values_tensor": np.array([100, 200, -300, 0], np.int32),
        "default_tensor": np.array([44], np.int32),
    },
}


@pytest.mark.parametrize("case", list(ENCODERS))
@pytest.mark.parametrize("n_bits", [6, 8])
def test_label_encoder(case: str, n_bits: int) -> None:
    """Also numbers that the calibration rows do not show, between the keys and beyond."""
    model = model_of(encoder(**ENCODERS[case]))
    module = quantize(model, np.array([[7, 3, 7]] * 20), n_bits)
    x = np.vstack([RNG.permutation(np.arange(-9, 60))[:3] for _ in range(100)])
    x[0], x[1] = [7, -2, 3], [40, 1000, -1000]
    expected, found = model.forward(x), check_engines(module, x)
    values = ENCODERS[case].get("values_floats", np.zeros(1))
    tolerance = 0.51 * np.ptp(values) / (2**n_bits - 1)
    assert np.abs(found - expected).max() <= tolerance
    defaults = {"to integers": -1, "to floats": 0, "tensors": 44}
    np.testing.assert_allclose(expected[1, 1:], defaults[case])


def test_label_encoder_after_argmax_and_after_softmax() -> None:
    labels = {"keys_int64s": np.arange(3), "values_int64s": np.array([70, -1, 3])}
    after = Node("LabelEncoder", ("i",), ("y",), labels, domain=ML_DOMAIN)
    x = RNG.normal(size=(200, 3))
    for first in (
        (Node("ArgMax", ("x",), ("i",), {"axis": 1}),),
        (Node("Softmax", ("x",), ("p",)), Node("ArgMax", ("p",), ("i",), {"axis": 1})),
    ):
        module = quantize(model_of(*first, after, dtype="float64"), x[:50])
        again = type(module).loads(module.dumps())
        expected = np.array([70, -1, 3])[x.argmax(axis=1)]
        assert np.mean(check_engines(again, x)[:, 0] == expected) > 0.97


def test_label_encoder_of_text() -> None:
    attributes = {"keys_strings": np.array(["a", "b"]), "values_int64s": np.array([4, 5])}
    x = np.array([["a", "c", "b"]], object)
    model = model_of(encoder(**attributes), dtype="object")
    np.testing.assert_array_equal(model.forward(x), [[4, -1, 5]])
    with pytest.raises(UnsupportedModelError, match="Input 'x' holds text.*encode it before"):
        quantize(model, x)
    to_text = {"keys_int64s": np.array([4, 5]), "values_strings": np.array(["a", "b"])}
    model = model_of(encoder(**to_text))
    assert model.forward(np.array([[4, 5, 6]])).tolist() == [["a", "b", "_Unused"]]
    with pytest.raises(UnsupportedModelError, match="LabelEncoder node 'y'.*encodes text"):
        quantize(model, np.array([[4, 5, 4]]))


def test_keys_that_are_no_whole_numbers_are_refused() -> None:
    node = encoder(keys_floats=np.float32([0.5, 1]), values_floats=np.float32([1, 2]))
    with pytest.raises(UnsupportedModelError, match="keys must be whole numbers"):
        quantize(model_of(node, dtype="float32"), np.ones((20, 3)))
    with pytest.raises(UnsupportedModelError, match="input must hold whole numbers"):
        quantize(model_of(encoder(**ENCODERS["to floats"]), dtype="float32"), np.full((20, 3), 0.5))


@pytest.mark.parametrize(
    ("attributes", "reason"),
    [
        ({"keys_int64s": KEYS, "values_int64s": KEYS[:2]}, "4 keys and 2 values"),
        ({}, "0 keys"),
        ({"keys_ints": KEYS}, "unknown attributes .'keys_ints'"),
    ],
)
def test_label_encoder_without_sense(attributes: dict[str, Any], reason: str) -> None:
    with pytest.raises(ConversionError, match=f"LabelEncoder node 'y'.*{reason}"):
        model_of(encoder(**attributes))
