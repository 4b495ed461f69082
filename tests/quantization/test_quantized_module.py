"""`QuantizedModule`: its steps, its facts, and its file, whole, damaged or forged."""

from __future__ import annotations

import copy
import io
import json
import os
import pickle
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

import skq
from skq.exceptions import SerializationError, SkqError
from skq.graph.graph import FloatGraph, Node, TensorInfo
from skq.numerics import dequantize
from skq.program import Dequantize, IntegerProgram
from skq.quantization import NumpyModule, PostTrainingAffineQuantization, QuantizedModule
from skq.serialization import dumps
from skq.serialization.document import _checksum
from skq.serialization.encoder import canonical

RNG = np.random.default_rng(5)
X = RNG.normal(size=(120, 2, 4, 4))


def build() -> QuantizedModule:
    """A small network with an instruction of most kinds, a label and probabilities."""
    graph = FloatGraph(
        (
            Node("Conv", ("x", "filters"), ("c",), {"pads": (1, 1, 1, 1)}),
            Node("Sigmoid", ("c",), ("s",)),
            Node("MaxPool", ("s",), ("p",), {"kernel_shape": (2, 2), "strides": (2, 2)}),
            Node("Flatten", ("p",), ("f",)),
            Node("MatMul", ("f", "w"), ("scores",)),
            Node("ArgMax", ("scores",), ("label",), {"axis": 1, "keepdims": 0}),
            Node("Softmax", ("scores",), ("probability",), {"axis": 1}),
        ),
        {"filters": RNG.normal(size=(3, 2, 3, 3)), "w": RNG.normal(size=(12, 4))},
        (TensorInfo("x", "float64", (None, 2, 4, 4)),),
        (TensorInfo("label", "int64", (None,)), TensorInfo("probability", "float64", (None, 4))),
        {"": 17},
    )
    return PostTrainingAffineQuantization(4, NumpyModule(graph)).quantize_module(X)


MODULE = build()
LABEL, PROBABILITY = MODULE.forward(X)
TEXT = MODULE.dumps()
DOCUMENT = json.loads(TEXT)


# ------------------------------------------------------------------ steps


def test_three_steps_are_forward() -> None:
    codes = MODULE.quantize_input(X)
    assert codes.dtype == np.int64
    integers = MODULE.quantized_forward(codes)
    assert all(array.dtype == np.int64 for array in integers)
    label, probability = MODULE.dequantize_output(*integers)
    np.testing.assert_array_equal(label, LABEL)
    np.testing.assert_array_equal(probability, PROBABILITY)
    np.testing.assert_array_equal(MODULE(X, outputs=["label"]), LABEL)
    chained = MODULE.dequantize_output(MODULE.quantized_forward(MODULE.quantize_input(X)))
    np.testing.assert_array_equal(chained[1], PROBABILITY)


def test_steps_check_what_they_are_given() -> None:
    with pytest.raises(ValueError, match="Expected 1 arrays of codes; got 2"):
        MODULE.quantized_forward(1, 2)
    codes = MODULE.quantize_input(X)
    with pytest.raises(ValueError, match="Codes must be integers"):
        MODULE.quantized_forward(codes.astype(float))
    with pytest.raises(ValueError, match=r"Codes must lie in \[0, 31\]"):
        MODULE.quantized_forward(codes + 32)
    with pytest.raises(ValueError, match=r"must have the shape \(n_rows, 2, 4, 4\)"):
        MODULE.forward(X[:, :, :3])
    with pytest.raises(ValueError, match="Expected 1 arrays of codes; got 120"):
        MODULE.quantized_forward(*codes)
    with pytest.raises(ValueError, match="Codes must be integers of rows"):
        MODULE.quantized_forward(*codes[:1])
    with pytest.raises(ValueError, match='fhe must be "disable"'):
        MODULE.forward(X, fhe="execute")


def test_report_names_the_nodes_of_the_graph() -> None:
    """Rewritten nodes bear the name of the node that the file has."""
    names = ("x", "s_x", "z_x", "b_x")
    rng = np.random.default_rng(0)
    graph = FloatGraph(
        (
            Node("Quant", names, ("q",), name="/act/Quant", domain="onnx.brevitas"),
            Node("MatMul", ("q", "w"), ("a",), name="/fc/MatMul"),
            Node("Relu", ("a",), ("r",), name="/relu"),
            Node("MatMul", ("r", "w"), ("y",)),
        ),
        {
            "s_x": np.array(0.1, np.float32),
            "z_x": np.array(0, np.float32),
            "b_x": np.array(6, np.float32),
            "w": rng.normal(size=(3, 3)).astype(np.float32),
        },
        (TensorInfo("x", "float32", (None, 3)),),
        (TensorInfo("y", "float32", (None, 3)),),
        {"": 17, "onnx.brevitas": 1},
    )
    x = rng.normal(size=(100, 3)).astype(np.float32)
    module = PostTrainingAffineQuantization(8, NumpyModule(graph)).quantize_module(x)
    again = QuantizedModule.loads(module.dumps())
    for found in (module, again):
        report = found.bitwidth_and_range_report()
        nodes = [(name.split()[1], entry["node"]) for name, entry in report.items()]
        assert nodes == [
            ("Quantize", "/act/Quant"),
            ("MatMul", "/fc/MatMul"),
            ("Requantize", "y"),
            ("MatMul", "y"),
        ]


def test_debug_returns_the_integers_of_each_instruction() -> None:
    (label, probability), integers = MODULE.forward(X, debug=True, fhe="disable")
    np.testing.assert_array_equal(label, LABEL)
    np.testing.assert_array_equal(probability, PROBABILITY)
    report = MODULE.bitwidth_and_range_report()
    assert list(integers) == list(report)
    for name, values in integers.items():
        lo, hi = report[name]["range"]
        assert values.dtype == np.int64
        assert lo <= values.min() <= values.max() <= hi
    codes = next(values for name, values in integers.items() if "Quantize" in name)
    np.testing.assert_array_equal(codes, MODULE.quantize_input(X))


def test_quantizers_of_inputs_and_outputs() -> None:
    (quantizer,) = MODULE.input_quantizers
    np.testing.assert_array_equal(quantizer.quant(X), MODULE.quantize_input(X))
    np.testing.assert_array_equal(quantizer.quant(9 * X), MODULE.quantize_input(9 * X))
    integers = dict(
        zip(MODULE.program.outputs, MODULE.quantized_forward(MODULE.quantize_input(X)), strict=True)
    )
    (quantizer,) = MODULE.output_quantizers
    scores = quantizer.dequant(integers["scores"])
    np.testing.assert_array_equal(scores.argmax(axis=1), LABEL)


def test_facts() -> None:
    assert isinstance(MODULE.program, IntegerProgram)
    widths = [t.bits for _, s, t in MODULE.program.steps() if type(s).__name__ == "MatMul"]
    assert MODULE.max_accumulator_bits == max(widths)
    report = MODULE.bitwidth_and_range_report()
    assert len(report) == sum(t.is_integer for t in MODULE.program.types)
    for name, entry in report.items():
        lo, hi = entry["range"]
        assert name.startswith("%")
        assert lo <= hi < 2 ** entry["bitwidth"]
    assert "MatMul" in str(MODULE)
    assert MODULE.nbytes > 0


def test_onnx_model() -> None:
    pytest.importorskip("onnx")
    again = NumpyModule(MODULE.onnx_model)
    first = MODULE.forward(X, outputs=["probability"])
    assert np.abs(again.forward(X, outputs=["probability"]) - first).max() < 0.6
    kept = QuantizedModule(MODULE.program, MODULE.epilogue, MODULE.n_bits)
    with pytest.raises(AttributeError, match="not stored"):
        _ = kept.onnx_model


def test_scores_are_dequantized_from_their_accumulator() -> None:
    steps = [s for s in MODULE.program.instructions if isinstance(s, Dequantize)]
    (last,) = steps
    integers = dict(
        zip(MODULE.program.outputs, MODULE.quantized_forward(MODULE.quantize_input(X)), strict=True)
    )
    scores = dequantize(integers["scores"], last.scale, last.zero_point)
    exponents = np.exp(scores - scores.max(axis=1, keepdims=True))
    np.testing.assert_allclose(PROBABILITY, exponents / exponents.sum(axis=1, keepdims=True))


def test_pickle() -> None:
    again = pickle.loads(pickle.dumps(MODULE))
    np.testing.assert_array_equal(again.forward(X)[1], PROBABILITY)


# ------------------------------------------------------------------ files


def test_round_trip() -> None:
    file = io.StringIO()
    MODULE.dump(file)
    assert file.getvalue() == TEXT == dumps(MODULE)
    file.seek(0)
    for again in (
        QuantizedModule.load(file),
        QuantizedModule.loads(TEXT),
        QuantizedModule.load_dict(MODULE.dump_dict()),
    ):
        assert again.dumps() == TEXT
        assert str(again.program) == str(MODULE.program)
        for a, b in zip(again.forward(X), (LABEL, PROBABILITY), strict=True):
            np.testing.assert_array_equal(a, b)


def test_another_process_without_torch_and_onnx(tmp_path: Path) -> None:
    skq.save(MODULE, tmp_path / "module.skq")
    np.save(tmp_path / "x.npy", X)
    code = """
import sys
for name in ("torch", "onnx", "hummingbird", "sklearn"):
    sys.modules[name] = None
import numpy as np, skq
label, probability = skq.load("module.skq").forward(np.load("x.npy"))
np.save("label.npy", label)
np.save("probability.npy", probability)
"""
    path = {**os.environ, "PYTHONPATH": str(Path(skq.__file__).parent.parent)}
    subprocess.run([sys.executable, "-c", code], cwd=tmp_path, env=path, check=True)
    np.testing.assert_array_equal(np.load(tmp_path / "label.npy"), LABEL)
    np.testing.assert_array_equal(np.load(tmp_path / "probability.npy"), PROBABILITY)


@pytest.mark.parametrize(
    ("field", "value", "text"),
    [
        ("n_bits", {"op_inputs": 4, "op_weights": 4}, "all four widths"),
        ("n_bits", {"op_inputs": 99, "op_weights": 4}, "1 to 16"),
        ("graph", 3, "FloatGraph or None"),
        ("program", None, "IntegerProgram"),
        ("epilogue", [], "FloatGraph"),
    ],
)
def test_inconsistent_fields_are_named(field: str, value: Any, text: str) -> None:
    document = copy.deepcopy(DOCUMENT)
    document["content"]["fields"][field] = value
    with pytest.raises(SerializationError, match=text):
        QuantizedModule.load_dict(forged(document))


def test_the_epilogue_must_fit_the_program() -> None:
    epilogue = MODULE.epilogue
    other = TensorInfo("scores", "float64", (None, 5))
    inputs = tuple(other if info.name == "scores" else info for info in epilogue.inputs)
    wrong = FloatGraph(
        epilogue.nodes, epilogue.initializers, inputs, epilogue.outputs, epilogue.opsets
    )
    with pytest.raises(ValueError, match="the epilogue reads"):
        QuantizedModule(MODULE.program, wrong, MODULE.n_bits)


def forged(document: dict[str, Any]) -> dict[str, Any]:
    """The document with the checksum that belongs to its content."""
    return {**document, "checksum": _checksum(canonical(document["content"]))}


FUZZ = settings(
    max_examples=200, deadline=None, suppress_health_check=list(HealthCheck), derandomize=True
)


@FUZZ
@given(st.integers(0, len(TEXT)))
def test_truncated_file(end: int) -> None:
    if end == len(TEXT):
        return
    with pytest.raises(SerializationError):
        QuantizedModule.loads(TEXT[:end])


@FUZZ
@given(
    st.lists(st.tuples(st.integers(0, len(TEXT) - 1), st.integers(32, 126)), min_size=1, max_size=4)
)
def test_damaged_file(edits: list[tuple[int, int]]) -> None:
    characters = list(TEXT)
    for place, code in edits:
        characters[place] = chr(code)
    text = "".join(characters)
    if text == TEXT:
        return
    try:
        module = QuantizedModule.loads(text)
    except SerializationError:
        return
    # white space or the like: the content is the same
    assert module.dumps() == TEXT


def places(node: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """Every place in a JSON value."""
    found = [path]
    if isinstance(node, dict):
        for key, value in node.items():
            found += places(value, (*path, key))
    elif isinstance(node, list):
        for index, value in enumerate(node):
            found += places(value, (*path, index))
    return found


PLACES = places(DOCUMENT["content"])[1:]
PROGRAM_PLACES = [p for p in PLACES if "program" in p]
VALUES = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-3, 70),
    st.integers(-(2**70), 2**70),
    st.floats(allow_nan=False, allow_infinity=False),
    st.text(max_size=4),
    st.sampled_from([[], {}, {"$tuple": []}, {"$int": "0x7fffffffffffffffff"}]),
)


@settings(parent=FUZZ, max_examples=400)
@given(st.sampled_from(PROGRAM_PLACES) | st.sampled_from(PLACES), VALUES, st.booleans())
@example(("fields", "tail", "fields", "initializers"), "", False)
def test_forged_file(place: tuple[Any, ...], value: Any, remove: bool) -> None:
    """With a right checksum: refused, or a verified program that runs without a crash."""
    document = copy.deepcopy(DOCUMENT)
    parent = document["content"]
    for key in place[:-1]:
        parent = parent[key]
    if remove:
        del parent[place[-1]]
    else:
        parent[place[-1]] = value
    try:
        module = QuantizedModule.load_dict(forged(document))
    except SerializationError:
        return
    shapes = [type_.shape for type_ in module.program.inputs]
    if any(np.prod(shape) > 10_000 for shape in shapes):
        return
    try:
        results = module.forward(*(np.ones((3, *shape)) for shape in shapes))
    except (SkqError, ValueError):
        return
    assert all(len(array) == 3 for array in (results if isinstance(results, tuple) else [results]))


def test_old_names_of_attributes_are_deprecated():
    with pytest.warns(FutureWarning, match="tail is deprecated; use epilogue"):
        assert MODULE.tail is MODULE.epilogue
    with pytest.warns(FutureWarning, match="use features_without_missing_code"):
        assert MODULE.uncoded == MODULE.features_without_missing_code


def test_files_name_the_fields_as_the_first_version_did():
    document = MODULE.dump_dict()
    assert {"tail", "uncoded"} <= set(document["content"]["fields"])
    loaded = QuantizedModule.load_dict(document)
    assert loaded.epilogue.output_names == MODULE.epilogue.output_names


def test_a_module_is_immutable():
    with pytest.raises(AttributeError):
        MODULE.n_bits = {}
    before = dict(vars(MODULE))
    MODULE.forward(np.zeros((1, *MODULE.program.inputs[0].shape)))
    assert vars(MODULE) == before
    assert set(vars(MODULE.program)) == {"inputs", "instructions", "outputs", "types"}
