"""Networks of codes: the integer program has the codes of the network that was trained."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from skq.graph.graph import FloatGraph, Node, TensorInfo
from skq.program import Bin, Quantize
from skq.training.code_graph import quantized_as_trained
from skq.training.code_network import CodeLayer, CodeNetwork
from skq.training.fake_codes import Constraints, FakeQuantizedNetwork

ACTIVATIONS = {"relu": "Relu", "tanh": "Tanh", "logistic": "Sigmoid"}
RANGES = {"relu": (0.0, 0.7), "tanh": (-1.0, 2.0), "logistic": (0.0, 1.0)}
X = np.random.RandomState(0).normal(size=(300, 4)) * [1.0, 10.0, 0.1, 1.0] + [0, 1e4, 0, 3]


def network(activation, n_bits, *, whole=False):
    """Two layers with random integers, and grids that hold X."""
    random = np.random.RandomState(n_bits)
    top = 2**n_bits - 1
    weight_top = max(1, 2 ** (n_bits - 1) - 1)
    scale = np.ptp(X, axis=0) / top
    zero = -X.min(axis=0) / scale + 0.3
    hidden = random.randint(-weight_top, weight_top + 1, size=(4, 5))
    last = random.randint(-weight_top, weight_top + 1, size=(5, 2))
    if n_bits == 1:  # weights of one bit are -1 and 1
        hidden, last = (np.where(part > 0, 1, -1) for part in (hidden, last))
    base, unit = RANGES[activation]
    unit = unit / top if activation != "relu" else unit
    return CodeNetwork(
        input_scale=scale,
        input_zero=np.rint(zero) if whole else zero,
        input_top=top,
        hidden_top=top,
        weight_bits=n_bits,
        layers=(
            CodeLayer(hidden, random.uniform(0.2, 0.4, 5), random.normal(size=5), np.full(5, unit),
                      np.full(5, base)),
            CodeLayer(last, random.uniform(0.2, 0.4, 2), random.normal(size=2), np.ones(2),
                      np.zeros(2)),
        ),
        activation=activation,
    )  # fmt: skip


def float_graph_of(codes):
    """The float graph whose layers the network has."""
    weights, biases = codes.float_layers()
    constants = {}
    for index, (weight, bias) in enumerate(zip(weights, biases, strict=True)):
        constants |= {f"w{index}": weight, f"b{index}": bias}
    return FloatGraph(
        nodes=(
            Node("Gemm", ("X", "w0", "b0"), ("sums",)),
            Node(ACTIVATIONS[codes.activation], ("sums",), ("hidden",)),
            Node("Gemm", ("hidden", "w1", "b1"), ("scores",)),
        ),
        initializers=constants,
        inputs=(TensorInfo("X", "float64", (None, 4)),),
        outputs=(TensorInfo("scores", "float64", (None, 2)),),
    )


@pytest.mark.parametrize("whole", [False, True])
@pytest.mark.parametrize("n_bits", [1, 2, 3, 4, 8])
def test_codes_of_the_program_are_those_of_the_network(n_bits, whole):
    codes = network("relu", n_bits, whole=whole)
    module = quantized_as_trained(float_graph_of(codes), codes, X, n_bits=n_bits)
    rows = np.concatenate([X, 3 * X, -X])
    _, integers = module.forward(rows, debug=True)
    values = list(integers.values())
    expected = codes.input_codes(rows)
    np.testing.assert_array_equal(values[0], expected)
    hidden = codes.hidden_codes(codes.layers[0](expected), codes.layers[0])
    assert any(np.array_equal(value, hidden) for value in values[1:])
    np.testing.assert_allclose(module.forward(rows), codes.scores(rows), rtol=1e-9, atol=1e-9)


def test_grids_with_whole_zero_points_need_no_edges():
    for whole, kind in ((True, Quantize), (False, Bin)):
        codes = network("relu", 3, whole=whole)
        module = quantized_as_trained(float_graph_of(codes), codes, X, n_bits=3)
        assert type(module.program.instructions[0]) is kind


@pytest.mark.parametrize("activation", ["tanh", "logistic"])
def test_functions_between_layers_become_tables(activation):
    codes = network(activation, 3)
    module = quantized_as_trained(float_graph_of(codes), codes, X, n_bits=3)
    np.testing.assert_allclose(module.forward(X), codes.scores(X), rtol=1e-9, atol=1e-9)


def test_a_network_of_another_depth_is_refused():
    codes = network("relu", 3)
    graph = float_graph_of(codes)
    shorter = CodeNetwork(**{**vars(codes), "layers": codes.layers[:1]})
    with pytest.raises(ValueError, match="the graph has"):
        quantized_as_trained(graph, shorter, X, n_bits=3)


@pytest.mark.parametrize("activation", list(ACTIVATIONS))
@pytest.mark.parametrize("n_bits", [1, 2, 4])
@pytest.mark.parametrize("whole", [False, True])
def test_the_module_that_is_trained_computes_the_network(activation, n_bits, whole):
    codes = network(activation, n_bits, whole=whole)
    constraints = Constraints(whole_zeros=whole)
    module = FakeQuantizedNetwork(codes, X, constraints)
    with torch.no_grad():
        scores = module(module.prepared(X))[0].numpy()
    np.testing.assert_allclose(scores, codes.scores(X), atol=1e-9)
    random = torch.Generator().manual_seed(0)
    with torch.no_grad():
        for parameter in module.parameters():
            parameter += 0.3 * torch.randn(parameter.shape, generator=random, dtype=torch.float64)
        scores = module(module.prepared(X))[0].numpy()
    np.testing.assert_allclose(scores, module.trained().scores(X), atol=1e-9)
