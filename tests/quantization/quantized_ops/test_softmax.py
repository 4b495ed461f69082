"""Softmax and LogSoftmax inside of a model: tables and a product, close to float."""

from __future__ import annotations

import numpy as np
import pytest

from skq.graph.graph import FloatGraph, Node, TensorInfo
from skq.quantization import NumpyModule, PostTrainingAffineQuantization

RNG = np.random.default_rng(0)


@pytest.mark.parametrize("n_bits", [8, 12])
@pytest.mark.parametrize("op_type", ["Softmax", "LogSoftmax"])
@pytest.mark.parametrize(("shape", "axis"), [((5,), 1), ((4, 7), -1), ((4, 7), 1), ((64,), -1)])
@pytest.mark.parametrize("spread", [0.5, 4.0])
def test_softmax_inside(
    spread: float, shape: tuple[int, ...], axis: int, op_type: str, n_bits: int
) -> None:
    x = spread * RNG.normal(size=(200, *shape))
    w = RNG.normal(size=(shape[-1], shape[-1]))
    graph = FloatGraph(
        (
            Node("MatMul", ("x", "w"), ("s",)),
            Node(op_type, ("s",), ("p",), {"axis": axis}),
            Node("Transpose", ("p",), ("y",), {"perm": tuple(range(x.ndim))}),
        ),
        {"w": w / np.sqrt(len(w))},
        (TensorInfo("x", "float64", (None, *shape)),),
        (TensorInfo("y", "float64", ()),),
        {"": 17},
    )
    model = NumpyModule(graph)
    module = PostTrainingAffineQuantization(n_bits, model).quantize_module(x)
    expected, found = model.forward(x), module.forward(x)
    # half a step of the logits, whose codes are those of the layer in front, and of the inputs
    logits = spread * 16 / (2**n_bits - 1)
    assert np.abs(found - expected).max() <= (0.01 + 0.25 * logits) * np.ptp(expected)
    wild = module.forward(100 * x)
    if op_type == "Softmax":
        assert 0 <= wild.min() <= wild.max() <= 1.01
