"""The operator classes by themselves: constructor, properties, methods, files."""

from __future__ import annotations

import inspect
import io
import pickle

import numpy as np
import pytest

from skq import quantization
from skq.exceptions import SerializationError
from skq.quantization import (
    ALL_QUANTIZED_OPS,
    DEFAULT_MODEL_BITS,
    ONNX_OPS_TO_QUANTIZED_IMPL,
    QuantizationOptions,
    QuantizedArray,
    QuantizedMixingOp,
    QuantizedOp,
    QuantizedOpUnivariateOfEncrypted,
)
from skq.quantization.base_quantized_op import quantizes
from skq.quantization.quantized_ops import (
    QuantizedAdd,
    QuantizedConv,
    QuantizedGemm,
    QuantizedReshape,
    QuantizedSplit,
    QuantizedTanh,
)
from skq.serialization.registry import entry_of

RNG = np.random.default_rng(2)
X = RNG.normal(size=(50, 5))
W, B = RNG.normal(size=(5, 3)), RNG.normal(size=3)


def test_constructor_signature() -> None:
    parameters = inspect.signature(QuantizedOp).parameters
    assert list(parameters) == [
        *("n_bits_output", "op_instance_name", "int_input_names", "constant_inputs"),
        *("input_quant_opts", "attrs"),
    ]
    for name in ("int_input_names", "constant_inputs", "input_quant_opts"):
        assert parameters[name].default is None
    assert "rounding_threshold_bits" in inspect.signature(QuantizedMixingOp).parameters
    assert DEFAULT_MODEL_BITS == 5


def test_kinds() -> None:
    assert issubclass(QuantizedTanh, QuantizedOpUnivariateOfEncrypted)
    assert issubclass(QuantizedGemm, QuantizedMixingOp)
    assert QuantizedGemm.op_type() == "Gemm"
    assert QuantizedGemm.must_quantize_input(0)
    assert QuantizedGemm.must_quantize_input("b")
    assert QuantizedReshape.must_quantize_input("x")
    assert not QuantizedReshape.must_quantize_input(1)
    assert not QuantizedReshape.must_quantize_input("shape")
    with pytest.raises(ValueError, match="no input 'bias'"):
        QuantizedGemm.must_quantize_input("bias")


@pytest.mark.parametrize(
    ("cls", "names", "fuses"),
    [
        (QuantizedTanh, {"a"}, True),
        (QuantizedTanh, {"a", "b"}, False),
        (QuantizedTanh, None, True),
        (QuantizedTanh, set(), False),
        (QuantizedAdd, {"a"}, True),
        (QuantizedAdd, {"a", "b"}, False),
        (QuantizedGemm, {"a"}, False),
    ],
)
def test_can_fuse(cls: type[QuantizedOp], names: set[str] | None, fuses: bool) -> None:
    op = cls(8, "op", names)
    assert op.int_input_names == ({"0"} if names is None else names)
    assert op.can_fuse() is fuses


def test_constants_by_position_by_name_and_quantized() -> None:
    by_position = QuantizedGemm(8, "gemm", {"x"}, {1: W, 2: B})
    by_name = QuantizedGemm(8, "gemm", {"x"}, {"b": W, "c": B})
    expected = X @ W + B
    for op in (by_position, by_name):
        np.testing.assert_allclose(op.calibrate(X), expected)
        np.testing.assert_allclose(op.call_impl(X, W, B, alpha=2.0), 2 * X @ W + B)
    codes = QuantizedArray(8, X)
    np.testing.assert_array_equal(by_position(codes).qvalues, by_name.q_impl(codes).qvalues)
    weights = QuantizedArray(3, W, is_signed=True, is_symmetric=True)
    coarse = QuantizedGemm(8, "gemm", {"x"}, {1: weights, 2: B})
    np.testing.assert_allclose(coarse.calibrate(X), X @ weights.values + B)
    # the weights lie on a grid of 3 bits already: what is left are the steps of inputs and outputs
    off = np.abs(coarse(codes).values - (codes.values @ weights.values + B))
    assert off.max() < 0.1 * np.ptp(expected)


def test_output_lies_on_the_calibrated_grid() -> None:
    op = QuantizedTanh(5, "tanh", {"x"})
    y = op.calibrate(X)
    result, prepared = op(QuantizedArray(12, X)), op.prepare_output(y)
    assert result.n_bits == prepared.n_bits == 5
    step = np.ptp(y) / 31
    np.testing.assert_allclose(result.quantizer.scale, step)
    assert result.quantizer.zero_point == prepared.quantizer.zero_point
    assert np.abs(prepared.values - y).max() == 0
    assert np.abs(result.qvalues - prepared.qvalues).max() <= 1
    # half a step, and what the 10-bit index of the table adds
    assert np.abs(result.values - y).max() <= 0.6 * step


def test_floats_are_quantized_on_the_calibrated_range() -> None:
    op = QuantizedTanh(8, "tanh", {"x"}, input_quant_opts=QuantizationOptions(6))
    op.calibrate(X)
    np.testing.assert_array_equal(op(X).qvalues, op(QuantizedArray(6, X)).qvalues)
    np.testing.assert_array_equal(op(50 * X).qvalues.max(), op(X).qvalues.max())


def test_attributes_may_be_replaced_in_a_call() -> None:
    op = QuantizedGemm(10, "gemm", {"x"}, {1: W}, alpha=1.0)
    op.calibrate(X)
    codes = QuantizedArray(10, X)
    doubled = op.q_impl(codes, alpha=2.0)
    assert np.abs(doubled.values - 2 * X @ W).max() < 0.01 * np.ptp(2 * X @ W)
    np.testing.assert_array_equal(op.q_impl(codes, alpha=1.0).qvalues, op(codes).qvalues)


def test_several_outputs() -> None:
    op = QuantizedSplit(8, "split", {"x"}, {1: np.array([2, 3])}, axis=1)
    parts = op.calibrate(X)
    results = op(QuantizedArray(8, X))
    for part, result in zip(parts, results, strict=True):
        assert np.abs(result.values - part).max() < 0.02 * np.ptp(part)


def test_order_of_calls() -> None:
    op = QuantizedTanh(8, "late", {"x"})
    for call in (lambda: op(QuantizedArray(8, X)), lambda: op.prepare_output(X)):
        with pytest.raises(ValueError, match="QuantizedTanh 'late' must be calibrated first"):
            call()
    op.calibrate(X)
    with pytest.raises(ValueError, match="takes 1 inputs"):
        op(QuantizedArray(8, X), QuantizedArray(8, X))


def test_cnp_round() -> None:
    op = QuantizedConv(8, "conv", {"x"}, rounding_threshold_bits=4)
    x = np.array([0, 7, 8, 100, 119, 120, 127])
    with pytest.raises(ValueError, match="not been calibrated"):
        op.cnp_round(x, calibrate_rounding=False)
    np.testing.assert_array_equal(
        op.cnp_round(x, calibrate_rounding=True), [0, 8, 8, 104, 120, 120, 128]
    )
    np.testing.assert_array_equal(op.cnp_round(np.array([-5, 3]), False), [-8, 0])
    assert set(op.cnp_round(x, True, "other") % 8) == {0}
    assert op.lsbs_to_remove == {"single_rounding_op": 3, "other": 3}
    exact = QuantizedConv(8, "conv", {"x"})
    np.testing.assert_array_equal(exact.cnp_round(x, calibrate_rounding=True), x)


def test_make_output_quant_parameters() -> None:
    op = QuantizedGemm(4, "gemm", {"x"})
    array = op.make_output_quant_parameters(np.array([0, 3, 40]), 0.5, 2)
    np.testing.assert_array_equal(array.qvalues, [0, 3, 40])
    np.testing.assert_array_equal(array.values, [-1.0, 0.5, 19.0])
    assert array.n_bits == 4


@pytest.mark.parametrize("calibrated", [False, True])
def test_files(calibrated: bool) -> None:
    op = QuantizedGemm(
        6, "gemm", {"x"}, {1: W}, QuantizationOptions(7), alpha=0.5, rounding_threshold_bits=9
    )
    if calibrated:
        op.calibrate(X)
    file = io.StringIO()
    op.dump(file)
    again = QuantizedGemm.loads(file.getvalue())
    assert again.dumps() == op.dumps() == file.getvalue()
    assert again.int_input_names == {"x"}
    assert again.rounding_threshold_bits == 9
    assert again.input_quant_opts == op.input_quant_opts
    if calibrated:
        np.testing.assert_array_equal(again(X).qvalues, op(X).qvalues)
    document = op.dump_dict()
    document["content"]["fields"]["n_bits_output"] = 0
    with pytest.raises(SerializationError):
        QuantizedGemm.load_dict(document)
    with pytest.raises(SerializationError, match="QuantizedTanh"):
        QuantizedTanh.load_dict(op.dump_dict())


@pytest.mark.parametrize(
    "cls",
    [c for n, c in vars(quantization).items() if isinstance(c, type) and n[0] != "_"]
    + [QuantizedConv, QuantizedAdd],
    ids=lambda cls: cls.__name__,
)
def test_every_class_of_the_vocabulary_can_be_written(cls: type) -> None:
    for method in ("dump", "dumps", "dump_dict", "load_dict"):
        assert callable(getattr(cls, method))
    is_base = cls in (QuantizedOp, QuantizedMixingOp, QuantizedOpUnivariateOfEncrypted)
    assert is_base or entry_of(cls) is not None


def test_an_operator_is_registered_once() -> None:
    with pytest.raises(ValueError, match="Tanh is quantized by QuantizedTanh"):
        quantizes("Tanh")(type("Another", (QuantizedOp,), {}))
    with pytest.raises(ValueError, match="no NumPy implementation"):
        quantizes("Nonsense")(type("Another", (QuantizedOp,), {}))
    assert set(ONNX_OPS_TO_QUANTIZED_IMPL.values()) == ALL_QUANTIZED_OPS


def test_files_and_pickles_hold_statistics_of_the_samples_and_no_row():
    rng = np.random.default_rng(0)
    samples = rng.normal(size=(10_000, 100)) * rng.uniform(0.1, 9, 100)
    op = QuantizedTanh(8, "r")
    op.calibrate(samples)
    text, pickled = op.dumps(), pickle.dumps(op)
    assert max(len(text), len(pickled)) < samples.nbytes / 50
    assert all(row.tobytes() not in pickled for row in samples)
    (kept,) = op._calibration
    np.testing.assert_array_equal(kept.min(axis=0), samples.min(axis=0))
    np.testing.assert_array_equal(kept.max(axis=0), samples.max(axis=0))
    assert not any((kept == row).all(axis=1).any() for row in samples)
    x = QuantizedArray(8, samples[:50])
    for other in (QuantizedTanh.loads(text), pickle.loads(pickled)):
        np.testing.assert_array_equal(other(x).qvalues, op(x).qvalues)
        assert other(x).quantizer == op(x).quantizer


def test_operators_that_were_saved_with_their_samples_are_read():
    samples = np.random.default_rng(0).normal(size=(300, 4))
    op = QuantizedTanh(8, "r")
    op.calibrate(samples)
    state = {**op.__skq_state__(), "calibration": (samples,)}
    del state["output_ranges"]
    old = QuantizedTanh.__skq_build__(state)
    x = QuantizedArray(8, samples)
    np.testing.assert_array_equal(old(x).qvalues, op(x).qvalues)


# ------------------------------------------------------------------ integer data


INTEGERS = np.random.default_rng(5).integers(0, 50, (40, 2))
FRACTIONS = {
    "Gemm": ({1: np.array([[0.3], [0.25]])}, {}),
    "MatMul": ({1: np.array([[0.3], [0.25]])}, {}),
    "Add": ({1: np.array(0.5)}, {}),
    "Mul": ({1: np.array(0.3)}, {}),
    "Div": ({1: np.array(8)}, {}),
    "Mean": ({1: np.array(0.5)}, {}),
    "Pow": ({1: np.array(0.5)}, {}),
    "Sigmoid": ({}, {}),
    "Tanh": ({}, {}),
    "Sqrt": ({}, {}),
    "LeakyRelu": ({}, {"alpha": 0.3}),
    "PRelu": ({1: np.array(0.25)}, {}),
    "Clip": ({1: np.array(0.5), 2: np.array(30.25)}, {}),
    "ReduceMean": ({}, {"axes": (1,)}),
    "BatchNormalization": ({i: np.array([0.5, 1.5]) for i in range(1, 5)}, {}),
    "Pad": ({1: np.array([0, 1, 0, 0]), 2: np.array(0.5)}, {}),
    "Where": ({1: np.array(0.5), 2: np.array(0.25)}, {}),
}


@pytest.mark.parametrize("op_type", FRACTIONS)
def test_operator_calibrated_on_integers_keeps_fractions(op_type: str) -> None:
    constants, attributes = FRACTIONS[op_type]
    integers = -INTEGERS if op_type in ("LeakyRelu", "PRelu") else INTEGERS
    results = []
    for data in (integers, integers.astype(np.float64)):
        op = ONNX_OPS_TO_QUANTIZED_IMPL[op_type](8, "op", {"x"}, constants, **attributes)
        results.append((op.calibrate(data), op(QuantizedArray(8, integers)).values))
    np.testing.assert_array_equal(results[0][0], results[1][0])
    np.testing.assert_array_equal(results[0][1], results[1][1])
    assert np.any(results[0][0] % 1)


@pytest.mark.parametrize(
    ("op_type", "arguments", "attributes", "expected"),
    [
        ("Gemm", ([[5, 5]], [[1], [2]]), {"alpha": 3.5}, 52.5),
        ("Gemm", ([[5, 5]], [[1], [2]], [0.25]), {}, 15.25),
        ("Gemm", ([[5, 5]], [[1], [2]], [1]), {"beta": 0.5}, 15.5),
        ("Gemm", ([[5, 5]], [[0.25], [0.5]]), {}, 3.75),
        ("Div", ([7], [2.0]), {}, 3.5),
        ("Div", ([-7], [2]), {}, -3),
        ("Mean", ([1], [2]), {}, 1.5),
        ("LeakyRelu", ([-1],), {"alpha": 0.25}, -0.25),
        ("PRelu", ([-1], [0.25]), {}, -0.25),
        ("Clip", ([9], 0.5, 2.5), {}, 2.5),
        ("Exp", ([1],), {}, np.e),
        ("GlobalAveragePool", ([[[1, 2]]],), {}, 1.5),
        ("AveragePool", ([[[1, 2]]],), {"kernel_shape": (2,)}, 1.5),
    ],
)
def test_numpy_operators_do_not_cut_fractions_off(
    op_type: str, arguments: tuple, attributes: dict, expected: float
) -> None:
    found = quantization.ONNX_OPS_TO_NUMPY_IMPL[op_type](*map(np.asarray, arguments), **attributes)
    np.testing.assert_allclose(np.ravel(found), expected)


@pytest.mark.parametrize("op_type", ["Not", "And", "Or"])
def test_logic_takes_what_is_not_zero_as_true(op_type: str) -> None:
    x = np.array([[0.0, 0.25, 2.0, -3.0, 0.0]] * 4)
    others = () if op_type == "Not" else (np.array([[0.0, 0.0, 0.5, 4.0, -1.0]] * 4),)
    op = ONNX_OPS_TO_QUANTIZED_IMPL[op_type](8, "op", {"x"})
    expected = op.calibrate(x, *others)
    found = op(*(QuantizedArray(8, values) for values in (x, *others))).values
    np.testing.assert_allclose(found, expected)


def test_rounding_keeps_the_widest_calibration() -> None:
    op = QuantizedGemm(8, "gemm", {"x"}, {1: W}, rounding_threshold_bits=4)
    wide = op.cnp_round(np.array([1023]), True)
    op.cnp_round(np.array([3]), True)
    np.testing.assert_array_equal(op.cnp_round(np.array([1023]), False), wide)
    assert op.cnp_round(np.array([3]), True)[0] == 0
