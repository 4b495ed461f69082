"""Splits on another column where a threshold is no edge."""

from dataclasses import replace

import numpy as np
import pytest
from sklearn.datasets import make_classification, make_regression
from sklearn.ensemble import (
    GradientBoostingRegressor,
    RandomForestClassifier,
    RandomForestRegressor,
)
from sklearn.tree import DecisionTreeClassifier

from skq.frontend.convert import float_graph
from skq.frontend.numpy_module import NumpyModule
from skq.graph.ops import TreeArrays
from skq.program import Trees
from skq.quantization import calibration_data, conversion
from skq.quantization.calibration_settings import CALIBRATION
from skq.quantization.n_bits import KEYS
from skq.quantization.post_training import PostTrainingAffineQuantization
from skq.quantization.quantized_ops import tree_ensemble as lowering
from skq.quantization.trees import surrogates
from skq.quantization.trees.settings import EDGES
from skq.quantization.trees.surrogates import with_surrogates


def stump(feature=0, threshold=0.5, missing_true=False):
    """One split: class 0 where it holds."""
    return TreeArrays.from_attributes(
        {
            "n_targets": 2,
            "nodes_treeids": np.zeros(3, dtype=np.int64),
            "nodes_nodeids": np.arange(3),
            "nodes_modes": np.array(["BRANCH_LEQ", "LEAF", "LEAF"]),
            "nodes_featureids": np.array([feature, 0, 0]),
            "nodes_values": np.array([threshold, 0.0, 0.0]),
            "nodes_truenodeids": np.array([1, 0, 0]),
            "nodes_falsenodeids": np.array([2, 0, 0]),
            "nodes_missing_value_tracks_true": np.array([int(missing_true), 0, 0]),
            "target_ids": np.array([0, 1]),
            "target_nodeids": np.array([1, 2]),
            "target_treeids": np.zeros(2, dtype=np.int64),
            "target_weights": np.ones(2),
            "aggregate_function": "AVERAGE",
        }
    )


def replaced(trees, x, codes, *, code=0, base=None, n_edges=None, weight=None):
    """The stump on codes, with another split where there is a better one."""
    by_code = replace(
        trees,
        threshold=np.where(trees.leaf < 0, float(code), 0.0),
        missing_true=np.zeros_like(trees.missing_true),
    )
    base = np.zeros(codes.shape[1], dtype=np.int64) if base is None else np.array(base)
    n_edges = np.full(codes.shape[1], 3) if n_edges is None else np.array(n_edges)
    weight = np.full(len(x), 1 / len(x)) if weight is None else weight / weight.sum()
    return by_code, with_surrogates(trees, by_code, x, codes, base, n_edges, weight)


def same(a, b):
    return all(
        np.array_equal(getattr(a, name), getattr(b, name))
        for name in ("feature", "threshold", "true_child", "false_child")
    )


@pytest.mark.parametrize("turned", [False, True])
def test_a_column_that_parts_the_rows_alike_is_taken(turned):
    x = np.random.RandomState(0).uniform(size=(40, 2))
    left = x[:, 0] <= 0.5
    codes = np.stack([np.zeros(40, dtype=np.int64), 1 + (left if turned else ~left)], axis=1)
    trees = stump()
    _, found = replaced(trees, x, codes)
    assert found.feature[0] == 1
    assert np.array_equal(found.leaf_indices(codes), trees.leaf_indices(x))


def test_splits_that_misroute_no_row_stay():
    x = np.random.RandomState(0).uniform(size=(40, 2))
    codes = np.stack([x[:, 0] > 0.5, x[:, 0] > 0.5], axis=1).astype(np.int64)
    assert same(*replaced(stump(), x, codes))


def test_splits_on_further_columns_stay():
    x = np.random.RandomState(0).uniform(size=(40, 3))
    codes = np.stack([x[:, 2] > 0.5, x[:, 2] > 0.5, np.zeros(40)], axis=1).astype(np.int64)
    assert same(*replaced(stump(feature=2), x, codes, n_edges=[3, 3]))


@pytest.mark.parametrize("seed", range(6))
def test_the_best_of_all_columns_and_edges(seed):
    """Another column must misroute more than a row less than the nearest edge of its own."""
    random = np.random.RandomState(seed)
    x = random.uniform(size=(50, 4))
    codes = random.randint(0, 4, size=(50, 4))
    codes[:, 1 + seed % 3] = np.clip((x[:, 0] * 4 + random.normal(size=50)).astype(int), 0, 3)
    weight = random.exponential(size=50)
    by_code, found = replaced(stump(), x, codes, weight=weight)
    left, share = x[:, 0] <= 0.5, weight / weight.sum() * 50
    costs = {(0, 0, False): share @ ((codes[:, 0] <= 0) != left)}
    for g in range(4):
        for k in range(3):
            for turned in (False, True):
                wrong = share @ (((codes[:, g] <= k) != turned) != left)
                costs.setdefault((g, k, turned), wrong + (1.0 if g or turned else 0.0))
    turned = found.true_child[0] != by_code.true_child[0]
    got = (int(found.feature[0]), int(found.threshold[0]), bool(turned))
    assert got[0] == 1 + seed % 3
    assert costs[got] == pytest.approx(min(costs.values()), abs=1e-9)


@pytest.mark.parametrize("missing_true", [False, True])
def test_missing_values_go_where_the_float_model_sends_them(missing_true):
    x = np.linspace(0, 1, 40)[:, None] * np.ones(2)
    x[::4, 0] = np.nan
    trees = stump(missing_true=missing_true)
    left = trees.leaf_indices(x)[:, 0] == 0
    codes = np.stack([np.full(40, 2), 2 - left], axis=1)
    _, found = replaced(trees, x, codes, code=3, base=[0, 1])
    assert np.array_equal(found.leaf_indices(codes), trees.leaf_indices(x))


def converted(model, X, n_bits):
    graph = NumpyModule(float_graph(model, X))
    return PostTrainingAffineQuantization(dict.fromkeys(KEYS, n_bits), graph).quantize_module(X)


def trees_of(module):
    return next(step for _, step, _ in module.program.steps() if isinstance(step, Trees))


@pytest.mark.parametrize(
    "model",
    [
        DecisionTreeClassifier(random_state=0),
        RandomForestClassifier(10, random_state=0),
    ],
    ids=lambda m: type(m).__name__,
)
def test_other_rows_gain(model, monkeypatch):
    """On rows that nothing was fitted to, more labels agree with the float model's."""
    gain = []
    for seed in range(4):
        random = np.random.RandomState(seed)
        z = random.uniform(size=(2500, 3))
        X = z @ random.normal(size=(3, 8)) + 0.02 * random.normal(size=(2500, 8))
        model.fit(X[:1500], (z[:1500] * 3).astype(int) @ [9, 3, 1])
        wanted = model.predict(X[1500:])
        agreement = []
        for most in (EDGES.max_surrogate_bits, 0):
            monkeypatch.setattr(lowering, "EDGES", replace(EDGES, max_surrogate_bits=most))
            labels = converted(model, X[:1500], 2).forward(X[1500:], outputs=["predict"])
            agreement.append(np.mean(np.ravel(labels) == wanted))
        gain.append(agreement[0] - agreement[1])
    assert np.mean(gain) > 0.01


@pytest.mark.parametrize("n_bits", [2, 4])
def test_values_of_a_regression_and_wide_codes_keep_their_splits(n_bits, monkeypatch):
    if n_bits == 2:
        X, y = make_regression(300, 6, random_state=0)
        model = RandomForestRegressor(5, random_state=0).fit(X, y)
    else:
        X, y = make_classification(300, 6, random_state=0)
        model = RandomForestClassifier(5, random_state=0).fit(X, y)

    def refuse(*_):
        raise AssertionError("no split is replaced")

    monkeypatch.setattr(lowering, "with_surrogates", refuse)
    assert len(trees_of(converted(model, X, n_bits)).threshold)


def test_few_columns_are_offered(monkeypatch):
    """With one column to choose from, nodes of the others keep theirs."""
    monkeypatch.setattr(surrogates, "EDGES", replace(EDGES, max_surrogate_columns=1))
    x = np.random.RandomState(0).uniform(size=(40, 2))
    codes = np.stack([np.zeros(40, dtype=np.int64), x[:, 0] > 0.8], axis=1)
    assert same(*replaced(stump(threshold=0.8), x, codes))


@pytest.mark.parametrize(
    ("model", "n_bits", "n_rows"),
    [
        (RandomForestRegressor(3, random_state=0), 2, 200),
        (RandomForestRegressor(3, random_state=0), 4, 50),
        (GradientBoostingRegressor(n_estimators=3, random_state=0), 2, 50),
    ],
    ids=["narrow forest", "forest", "narrow boosting"],
)
def test_narrow_forests_are_calibrated_on_all_rows(model, n_bits, n_rows, monkeypatch):
    small = replace(CALIBRATION, large_ensemble_nodes=10, max_ensemble_rows=50)
    for module in (calibration_data, conversion):
        monkeypatch.setattr(module, "CALIBRATION", small)
    X, y = make_regression(200, 6, random_state=0)
    model.fit(X, y)
    seen = []
    walk = TreeArrays.leaf_indices

    def count(self, x):
        seen.append(len(x))
        return walk(self, x)

    graph = NumpyModule(float_graph(model, X))
    monkeypatch.setattr(TreeArrays, "leaf_indices", count)
    PostTrainingAffineQuantization(dict.fromkeys(KEYS, n_bits), graph).quantize_module(X)
    assert set(seen) == {n_rows}
