"""A layer's parameters are chosen by the error at its output: "auto" is never worse than a name."""

from dataclasses import replace

import numpy as np
import pytest

import skq.linear_model
from skq.frontend.numpy_module import NumpyModule
from skq.graph.graph import FloatGraph, Node, TensorInfo
from skq.program import MatMul, Quantize
from skq.quantization.lower import layers
from skq.quantization.lower.context import Settings
from skq.quantization.lower.layers import layer, output_error
from skq.quantization.lower.lowering import Lowering
from skq.quantization.lower.rounding import Rounding
from skq.quantization.post_training import PostTrainingAffineQuantization
from skq.quantization.search.ranges import CALIBRATION_METHODS, RANGE_METHODS
from skq.quantization.search.settings import LAYERS

KEYS = ("op_inputs", "op_weights", "model_inputs", "model_outputs")


def table(seed, n_rows=300, n_in=6):
    random = np.random.RandomState(seed)
    return random.standard_t(2, (n_rows, n_in)) * 10 ** random.uniform(-2, 2, n_in)


def lowering(X, n_bits, calibration, row_weight=None):
    if row_weight is None:
        row_weight = np.full(len(X), 1 / len(X))
    low = Lowering(Settings(dict.fromkeys(KEYS, n_bits), Rounding(), calibration), row_weight)
    return low, low.input(X, X.min(axis=0), X.max(axis=0))


def weights_for(X, n_out, seed):
    random = np.random.RandomState(seed + 100)
    return random.normal(size=(X.shape[1], n_out)) / X.std(axis=0)[:, None]


def first_layer_error(X, n_bits, calibration, weighted):
    weights = weights_for(X, 3, 0)
    target = X @ weights + 1.0
    low, x = lowering(X, n_bits, calibration)
    if weighted:
        low.error_weights = {"scores": 1 / (1 + target**2)}
    result = layer(low, x, weights, X, target, name="scores")
    return output_error(low, result, target, "scores")


@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("n_bits", [1, 2, 3, 4, 6, 8, 10, 16])
@pytest.mark.parametrize("seed", range(3))
def test_auto_is_never_worse_than_a_named_method(seed, n_bits, weighted):
    X = table(seed)
    auto, *named = (
        first_layer_error(X, n_bits, method, weighted) for method in CALIBRATION_METHODS
    )
    assert auto <= min(named)


def inner_layer_errors(seed, n_bits, function):
    """Errors of a second layer behind the same first one, by method."""
    X = table(seed)
    first, second = weights_for(X, 5, seed), np.random.RandomState(seed).normal(size=(5, 2))
    hidden = X @ first
    inner = function(hidden)
    target = inner @ second
    errors = {}
    for method in CALIBRATION_METHODS:
        low, x = lowering(X, n_bits, "minmax")
        sums = layer(low, x, first, X, hidden)
        low.settings = Settings(low.settings.n_bits, Rounding(), method)
        activation = sums.clipped(0.0, np.inf) if function is relu else sums.then(function)
        result = layer(low, activation, second, inner, target)
        errors[method] = output_error(low, result, target)
    return errors


def relu(x):
    return np.maximum(x, 0.0)


@pytest.mark.parametrize("function", [relu, np.tanh])
@pytest.mark.parametrize("n_bits", [2, 4, 8, 10])
def test_inner_layers_too(n_bits, function):
    for seed in range(3):
        errors = inner_layer_errors(seed, n_bits, function)
        assert errors["auto"] <= min(errors[method] for method in RANGE_METHODS)


def test_inner_codes_of_8_bits_keep_room_for_other_rows(monkeypatch):
    random = np.random.RandomState(0)
    X = random.normal(size=(300, 6))
    constants = {"w1": random.normal(size=(6, 9)), "w2": random.normal(size=(9, 1))}
    graph = FloatGraph(
        (
            Node("MatMul", ("x", "w1"), ("h",)),
            Node("Relu", ("h",), ("a",)),
            Node("MatMul", ("a", "w2"), ("y",)),
        ),
        constants,
        (TensorInfo("x", "float64", (None, 6)),),
        (TensorInfo("y", "float64", (None, 1)),),
    )
    furthest = X[(X @ constants["w1"]).argmax(axis=0)]
    beyond = np.clip(1.2 * furthest, X.min(axis=0), X.max(axis=0))
    exact = relu(beyond @ constants["w1"]) @ constants["w2"]

    def largest_error():
        module = PostTrainingAffineQuantization(8, NumpyModule(graph)).quantize_module(X)
        return np.abs(module.forward(beyond) - exact).max() / np.abs(exact).max()

    with_room = largest_error()
    monkeypatch.setattr(layers, "LAYERS", replace(LAYERS, headroom_bits=99))
    assert with_room < 0.02 < 0.5 * largest_error()


def test_a_neuron_that_hardly_any_row_reaches_has_room_too():
    random = np.random.RandomState(0)
    X = random.normal(size=(300, 6))
    first, second = random.normal(size=(6, 9)), random.normal(size=(9, 1))
    second[0] = 2.0
    bias = np.zeros(9)
    bias[0] = 0.01 - (X @ first)[:, 0].max()
    graph = FloatGraph(
        (
            Node("Gemm", ("x", "w1", "b1"), ("h",)),
            Node("Relu", ("h",), ("a",)),
            Node("MatMul", ("a", "w2"), ("y",)),
        ),
        {"w1": first, "b1": bias, "w2": second},
        (TensorInfo("x", "float64", (None, 6)),),
        (TensorInfo("y", "float64", (None, 1)),),
    )
    furthest = X[(X @ first)[:, 0].argmax()]
    beyond = np.clip(furthest + 0.3 * np.sign(first[:, 0]), X.min(axis=0), X.max(axis=0))[None]
    reached = relu(beyond @ first + bias)[0, 0]
    exact = relu(beyond @ first + bias) @ second
    module = PostTrainingAffineQuantization(8, NumpyModule(graph)).quantize_module(X)
    error = np.abs(module.forward(beyond) - exact).max()
    assert error < 0.05 * reached * second[0, 0]


def test_heavy_tails_are_cut_off_where_only_the_decision_counts():
    random = np.random.RandomState(0)
    X = random.standard_t(1, (800, 5))
    weights, offset = random.normal(size=(5, 1)), 0.1
    scores = X @ weights + offset
    graph = FloatGraph(
        (
            Node("Gemm", ("x", "w", "b"), ("score",)),
            Node("Greater", ("score", "zero"), ("label",)),
        ),
        {"w": weights, "b": np.array([offset]), "zero": np.zeros(1)},
        (TensorInfo("x", "float64", (None, 5)),),
        (TensorInfo("label", "bool", (None, 1)),),
    )
    agreement = {}
    for method in ("auto", "minmax"):
        n_bits = dict.fromkeys(KEYS, 4)
        converter = PostTrainingAffineQuantization(n_bits, NumpyModule(graph), calibration=method)
        module = converter.quantize_module(X)
        agreement[method] = float(np.mean(module.forward(X) == (scores > 0)))
    assert agreement["auto"] > 0.9 > agreement["minmax"]


def test_over_further_axes_too():
    random = np.random.RandomState(0)
    X = random.standard_t(2, (200, 4, 3))
    weights = random.normal(size=(3, 5))
    errors = []
    for method in CALIBRATION_METHODS:
        low, x = lowering(X, 3, method)
        result = layer(low, x, weights, X, X @ weights)
        errors.append(output_error(low, result, X @ weights))
    assert errors[0] <= min(errors[1:])
    assert len(set(errors)) > 2


def test_minmax_is_plain():
    X = table(0)
    weights = weights_for(X, 3, 0)
    low, x = lowering(X, 4, "minmax")
    layer(low, x, weights, X, X @ weights)
    quantizer, matmul = low._steps.values()
    assert (type(quantizer), type(matmul)) == (Quantize, MatMul)
    lo, hi = X.min(axis=0), X.max(axis=0)
    np.testing.assert_allclose(quantizer.scale, (hi - lo) / 15, rtol=1e-12)
    np.testing.assert_array_equal(quantizer.zero_point, np.rint(-lo / quantizer.scale))
    real = weights * quantizer.scale[:, None]
    expected = np.rint(real / (np.abs(real).max(axis=0) / 7))
    np.testing.assert_array_equal(matmul.weights, expected)


@pytest.mark.parametrize("method", CALIBRATION_METHODS)
def test_the_mean_output_is_right(method):
    X = table(1)
    weights = weights_for(X, 3, 1)
    target = X @ weights + 5.0
    row_weight = np.random.RandomState(0).dirichlet(np.ones(len(X)))
    low, x = lowering(X, 3, method, row_weight)
    result = layer(low, x, weights, X, target)
    reals = result.reals(low.sample(result.value))
    np.testing.assert_allclose(row_weight @ reals, row_weight @ target, rtol=1e-9)


class TestWholeColumns:
    """Integer columns are codes as they are, where that is as good as other grids."""

    @pytest.mark.parametrize("n_bits", [6, 8, 12])
    def test_codes_of_integers_have_scale_one(self, n_bits):
        rng = np.random.default_rng(0)
        X = rng.integers(-7, 17, (300, 6)).astype(float)
        y = X @ rng.normal(size=6)
        module = skq.linear_model.Ridge(n_bits=n_bits).fit(X, y).quantized_module_
        (step,) = (s for _, s, _ in module.program.steps() if isinstance(s, Quantize))
        assert np.array_equal(step.scale, np.ones(6))
        codes = module.quantize_input(X)
        assert np.array_equal(codes - step.zero_point, X)

    def test_columns_of_reals_and_wide_integers_keep_their_grids(self):
        rng = np.random.default_rng(0)
        X = np.stack([rng.integers(0, 9, 300), rng.uniform(0, 9, 300), rng.integers(0, 999, 300)])
        X = X.T.astype(float)
        y = X @ [1.0, 1.0, 0.01]
        module = skq.linear_model.Ridge(n_bits=8).fit(X, y).quantized_module_
        (step,) = (s for _, s, _ in module.program.steps() if isinstance(s, Quantize))
        assert step.scale[1] != 1
        assert step.scale[2] != 1

    def test_a_column_of_small_range_does_not_starve_the_others(self):
        rng = np.random.default_rng(0)
        X = np.stack([rng.integers(0, 2, 400), rng.integers(0, 200, 400)]).T.astype(float)
        y = 5.0 * X[:, 0] + 0.01 * X[:, 1]  # on grids of scale 1 the second weight would be 0
        model = skq.linear_model.LinearRegression(n_bits=8).fit(X, y)
        assert np.abs(model.predict(X) - y).max() < 0.05

    def test_no_integer_is_half_way_between_two_codes(self):
        rng = np.random.default_rng(0)
        X = rng.integers(-55, 56, (300, 4)).astype(float)
        y = X @ [1.0, -2.0, 0.5, 3.0]
        module = skq.linear_model.Ridge(n_bits=5).fit(X, y).quantized_module_
        (step,) = (s for _, s, _ in module.program.steps() if isinstance(s, Quantize))
        reals = np.arange(-55, 56)[:, None] / step.scale + step.zero_point
        assert np.abs(np.abs(reals - np.floor(reals)) - 0.5).min() > 1e-13
