"""Edges chosen by the rows that they misroute."""

import itertools

import numpy as np
import pytest
from sklearn.datasets import make_regression
from sklearn.ensemble import (
    GradientBoostingRegressor,
    RandomForestClassifier,
    RandomForestRegressor,
)
from sklearn.tree import DecisionTreeRegressor

from skq.frontend.convert import float_graph
from skq.frontend.numpy_module import NumpyModule
from skq.quantization.post_training import PostTrainingAffineQuantization
from skq.quantization.trees.routing import route_edges

WIDTHS = ("op_inputs", "op_weights", "model_inputs", "model_outputs")


def misrouted(values, threshold, x, weight, edges):
    """Least weight of misrouted meetings with these edges, each threshold at its best one."""
    total = 0.0
    for a in range(len(values)):
        own = threshold == a
        left = x[own] <= values[a]
        total += min((weight[own] * (left != (x[own] <= values[k]))).sum() for k in edges)
    return total


@pytest.mark.parametrize("budget", [1, 2, 3])
@pytest.mark.parametrize("seed", range(4))
def test_near_the_best_of_all_choices_and_not_above_the_start(seed, budget):
    random = np.random.RandomState(seed)
    values = np.sort(random.normal(size=9))
    threshold = random.randint(0, 9, 200)
    x, weight = values[threshold] + random.normal(size=200), random.exponential(size=200)
    start = np.arange(budget)
    kept, assigned = route_edges(values, threshold, x, weight, budget, start)
    assert len(kept) <= budget
    assert assigned.max() < len(kept)
    found = sum(
        (weight * ((x <= values[threshold]) != (x <= values[kept[assigned[threshold]]])))[
            threshold == a
        ].sum()
        for a in range(9)
    )
    every = [
        misrouted(values, threshold, x, weight, edges)
        for edges in itertools.combinations(range(9), budget)
    ]
    assert found <= misrouted(values, threshold, x, weight, start) + 1e-6
    assert found <= 1.1 * min(every) + 1e-6


def test_many_thresholds():
    random = np.random.RandomState(0)
    values = np.sort(random.normal(size=1000))
    threshold = random.randint(0, 1000, 5000)
    x = values[threshold] + random.normal(size=5000)
    start = np.array([100, 500, 900])
    kept, assigned = route_edges(values, threshold, x, np.ones(5000), 3, start)
    assert len(kept) == 3
    assert np.all(np.diff(kept) > 0)
    assert len(assigned) == 1000


def outputs(model, X, n_bits, calibration):
    converter = PostTrainingAffineQuantization(
        dict.fromkeys(WIDTHS, n_bits), NumpyModule(float_graph(model, X)), calibration=calibration
    )
    name = "predict_proba" if hasattr(model, "classes_") else "predict"
    return converter.quantize_module(X).forward(X, outputs=[name])


MODELS = {
    "tree": DecisionTreeRegressor(random_state=0),
    "forest": RandomForestRegressor(10, random_state=0),
    "boosting": GradientBoostingRegressor(n_estimators=20, random_state=0),
    "classifier": RandomForestClassifier(10, random_state=0),
}


@pytest.mark.parametrize("n_bits", [1, 2, 3, 4, 8])
@pytest.mark.parametrize("kind", MODELS)
def test_whole_ensembles_are_never_worse_than_minmax(kind, n_bits):
    X, y = make_regression(400, 6, n_informative=4, random_state=0)
    X = np.sign(X) * np.expm1(np.abs(X))
    y = (y > np.median(y)).astype(int) if kind == "classifier" else y
    model = MODELS[kind].fit(X, y)
    exact = model.predict_proba(X) if kind == "classifier" else model.predict(X)
    auto, plain = (
        np.mean((np.asarray(outputs(model, X, n_bits, method)) - exact) ** 2)
        for method in ("auto", "minmax")
    )
    assert auto <= plain * (1 + 1e-9)
