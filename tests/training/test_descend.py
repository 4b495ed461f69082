"""Descent of a network of one layer on the exact loss."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from skq.training.code_network import CodeLayer, CodeNetwork
from skq.training.descend import DESCENT, Descent
from skq.training.fake_codes import Constraints, as_tensor
from skq.training.objectives import OF_CLASSES, Objective

N_ROWS = 200
X = np.random.RandomState(0).normal(size=(N_ROWS, 5)) * [1.0, 10.0, 0.1, 1.0, 1.0]
X += [0.0, 1e4, 0.0, 3.0, 0.0]
X[:, 4] = 2.0  # a constant column
WEIGHT = np.random.RandomState(1).uniform(0.5, 1.5, N_ROWS)
WEIGHT /= WEIGHT.sum()


def descend(*arguments):
    """The network and its objective after a descent."""
    state = Descent(*arguments)
    for _ in state.rounds(DESCENT.rounds):
        pass
    return state.network(), state.loss


def network(n_bits, n_outputs, *, has_bias=True):
    """Random integers, and grids that hold X."""
    random = np.random.RandomState(n_bits)
    top = 2**n_bits - 1
    low, high = X.min(axis=0), X.max(axis=0)
    if not has_bias:
        low, high = np.minimum(low, 0), np.maximum(high, 0)
    scale = np.where(high > low, high - low, 1.0) / top
    zero = -low / scale
    zero = zero if has_bias else np.rint(zero)
    weight_top = max(1, 2 ** (n_bits - 1) - 1)
    integers = random.randint(0, weight_top + 1, size=(5, n_outputs))
    integers = np.where(integers == 0, 1, integers) if n_bits == 1 else integers
    one, unit = np.ones(n_outputs), np.full(n_outputs, 0.3)
    offset = 0.1 * one if has_bias else -unit * (zero @ integers)
    layer = CodeLayer(integers, unit, offset, one, 0 * one)
    return CodeNetwork(
        input_scale=scale,
        input_zero=zero,
        input_top=top,
        hidden_top=top,
        weight_bits=n_bits,
        layers=(layer,),
    )


def targets_for(loss, n_outputs):
    random = np.random.RandomState(2)
    signal = X[:, [0]] + (X[:, [1]] - 1e4) / 10 + random.normal(size=(N_ROWS, n_outputs))
    if loss in OF_CLASSES:
        return torch.from_numpy(signal.argmax(axis=1))
    return as_tensor(signal if loss == "squared_error" else np.where(signal > 0, 1.0, -1.0))


def objective_at(codes, objective, targets):
    """The objective of a network, from its own scores and weights."""
    losses = objective.row_losses(as_tensor(codes.scores(X)), targets).numpy()
    weights, biases = codes.float_layers()
    penalty = objective.penalty([as_tensor(weights[0])], as_tensor(biases[0]))
    return float(WEIGHT @ losses) + float(penalty)


OBJECTIVES = [
    Objective("squared_error", l2=0.01),
    Objective("squared_error", l1=0.01, l21=0.02),
    Objective("squared_hinge", 1.0, l2=1e-4, intercept=1.0),
    Objective("hinge", 1.0),
    Objective("softmax", l2=np.array([1e-4, 1e-3, 1e-2])),
]


@pytest.mark.parametrize("n_bits", [1, 2, 4])
@pytest.mark.parametrize("objective", OBJECTIVES, ids=lambda objective: objective.loss)
def test_the_objective_falls_and_is_that_of_the_network(objective, n_bits):
    start, targets = network(n_bits, 3), targets_for(objective.loss, 3)
    before = objective_at(start, objective, targets)
    random = np.random.RandomState(0)
    end, loss = descend(start, X, targets, WEIGHT, objective, Constraints(), random)
    assert loss == pytest.approx(objective_at(end, objective, targets), rel=1e-6)
    assert loss < before
    integers = end.layers[0].integers
    assert np.abs(integers).max() <= end.weight_top
    assert n_bits > 1 or np.all(np.abs(integers[:4]) == 1)
    assert np.all(end.layers[0].scale > 0)
    assert np.all(end.input_scale > 0)


def test_it_ends_at_least_where_a_network_fits_exactly():
    """Columns on grids of 2 bits, and a target with weights of -1, 0 and 1."""
    random = np.random.RandomState(3)
    codes = random.randint(0, 4, size=(400, 6))
    rows = codes * np.array([1.0, 20.0, 0.3, 5.0, 1.0, 1.0]) + [0, 100, 0, -7, 0, 3]
    weights = np.array([[1], [-1], [1], [0], [-1], [1]])
    y = 0.7 * codes @ weights + 2.0
    one = np.ones(1)
    start = CodeNetwork(
        input_scale=rows.std(axis=0),
        input_zero=1.2 - rows.mean(axis=0) / rows.std(axis=0),
        input_top=3,
        hidden_top=3,
        weight_bits=2,
        layers=(CodeLayer(np.array([[1], [-1], [1], [1], [0], [0]]), one, one, one, 0 * one),),
    )
    weight = np.full(400, 1 / 400)
    end, loss = descend(
        start, rows, as_tensor(y), weight, Objective("squared_error"), Constraints(),
        np.random.RandomState(0),
    )  # fmt: skip
    assert loss < 1e-6
    np.testing.assert_allclose(end.scores(rows), y, atol=1e-2)


def test_constraints_hold():
    objective = Objective("squared_error")
    targets = targets_for("squared_error", 2)
    constraints = Constraints(has_bias=False, nonnegative=True)
    start, random = network(3, 2, has_bias=False), np.random.RandomState(0)
    end, _ = descend(start, X, targets, WEIGHT, objective, constraints, random)
    assert np.all(end.layers[0].integers >= 0)
    np.testing.assert_array_equal(end.scores(np.zeros((1, 5))), 0.0)
    np.testing.assert_array_equal(end.input_zero, np.rint(end.input_zero))
    whole = Constraints(whole_zeros=True)
    end, _ = descend(network(3, 2, has_bias=False), X, targets, WEIGHT, objective, whole, random)
    np.testing.assert_array_equal(end.input_zero, np.rint(end.input_zero))
