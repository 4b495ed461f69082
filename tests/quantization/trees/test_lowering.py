"""Whole ensembles: what is chosen beside uniform bins, and widths that keep every split."""

from dataclasses import replace
from functools import cache

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.datasets import load_digits, make_classification, make_regression
from sklearn.ensemble import (
    GradientBoostingClassifier,
    HistGradientBoostingRegressor,
    RandomForestClassifier,
    RandomForestRegressor,
)
from sklearn.linear_model import Ridge
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.tree import DecisionTreeClassifier, DecisionTreeRegressor

from skq.engines.reference import evaluate
from skq.frontend.convert import float_graph
from skq.frontend.numpy_module import NumpyModule
from skq.program import Bin, Trees
from skq.quantization.n_bits import KEYS
from skq.quantization.post_training import PostTrainingAffineQuantization
from skq.quantization.trees.bins import SortedValues, uniform_edges
from skq.quantization.trees.code_columns import Columns

MODELS = {
    "tree": DecisionTreeClassifier(random_state=0),
    "forest": RandomForestClassifier(10, random_state=0),
    "boosting": GradientBoostingClassifier(n_estimators=8, random_state=0),
    "regression tree": DecisionTreeRegressor(random_state=0),
    "regression forest": RandomForestRegressor(10, random_state=0),
    "histogram boosting": HistGradientBoostingRegressor(max_iter=15, random_state=0),
}


def data(kind, name):
    if kind == "digits":
        X, y = load_digits(return_X_y=True)
        X, y = X[:300], y[:300]
        return (X, y) if is_classifier(name) else (X, X[:, 20] + 0.3 * X[:, 42] * X[:, 28])
    make = make_classification if is_classifier(name) else make_regression
    X, y = make(300, 8, n_informative=5, random_state=0)
    return np.exp(X), y


@cache
def fitted(name, kind="skewed"):
    X, y = data(kind, name)
    return X, clone(MODELS[name]).fit(X, y)


def is_classifier(name):
    return not name.startswith(("regression", "histogram"))


def convert(model, X, n_bits):
    widths = n_bits if isinstance(n_bits, str) else dict.fromkeys(KEYS, n_bits)
    return PostTrainingAffineQuantization(
        widths, NumpyModule(float_graph(model, X))
    ).quantize_module(X)


def scores(module, X):
    names = [n for n in module.output_names if not n.startswith("predict_log")]
    numeric = names[-1] if names[0] == "predict" and len(names) > 1 else names[0]
    return np.asarray(module.forward(X, outputs=[numeric]), dtype=float)


@pytest.mark.parametrize("n_bits", [2, 3, 4])
@pytest.mark.parametrize("kind", ["digits", "skewed"])
@pytest.mark.parametrize("name", sorted({*MODELS} - {"histogram boosting"}))
def test_uniform_bins_are_never_better(name, kind, n_bits, monkeypatch):
    """On the calibration rows, by the error of the scores; integer pixels are their best case."""
    X, model = fitted(name, kind)
    exact = scores(convert(model, X, "lossless"), X)
    chosen = np.mean((scores(convert(model, X, n_bits), X) - exact) ** 2)
    options = Columns.options.__func__

    def uniform_alone(cls, *arguments):
        found = {columns.kind: columns for columns in options(cls, *arguments)}
        yield replace(found.get("uniform", found["distance"]), kind="distance")

    monkeypatch.setattr(Columns, "options", classmethod(uniform_alone))
    uniform = np.mean((scores(convert(model, X, n_bits), X) - exact) ** 2)
    assert chosen <= uniform * (1 + 1e-9)


def test_each_feature_may_have_the_cheaper_bins(monkeypatch):
    X, model = fitted("forest", "digits")
    options, found = Columns.options.__func__, {}

    def seen(cls, *arguments):
        for columns in options(cls, *arguments):
            found[columns.kind] = columns
            yield columns

    monkeypatch.setattr(Columns, "options", classmethod(seen))
    convert(model, X, 3)
    kinds = set()
    for place, edges in enumerate(found["cheaper"].edges):
        alike = [k for k in ("distance", "uniform") if np.array_equal(edges, found[k].edges[place])]
        assert alike
        kinds.update(alike if len(alike) == 1 else [])
    assert kinds == {"distance", "uniform"}


def test_uniform_bins_are_taken_where_they_are_better():
    """Two clouds of rows around each of two thresholds; the third lies in no cloud."""
    values = np.array([0.0, 1.0, 2.0, 3.0, 100.0])
    x = np.concatenate([np.linspace(0, 100, 101)])
    edges, assigned = uniform_edges(values, SortedValues.of(x, np.full(101, 1 / 101)), 3)
    np.testing.assert_allclose(edges, [100 / 6, 500 / 6])
    np.testing.assert_array_equal(assigned, [0, 0, 0, 0, 1])


@pytest.mark.parametrize("budget", [1, 3])
def test_uniform_edges_of_a_constant_or_missing_feature(budget):
    for x in (np.full(9, 2.0), np.full(9, np.nan)):
        values = SortedValues.of(x, np.full(9, 1 / 9))
        edges, assigned = uniform_edges(np.array([1.0, 3.0]), values, budget)
        assert len(edges) == 1
        np.testing.assert_array_equal(assigned, [0, 0])


def program_step(module, kind):
    (found,) = [step for _, step, _ in module.program.steps() if isinstance(step, kind)]
    return found


@pytest.mark.parametrize("name", MODELS)
def test_lossless_is_the_smallest_width_without_a_lost_edge(name):
    X, model = fitted(name)
    module = convert(model, X, "lossless")
    width = module.n_bits["model_inputs"]
    most = int(np.diff(program_step(module, Bin).offsets).max())
    assert 2 ** (width - 1) - 1 < most <= 2**width - 1
    same = convert(model, X, width)
    np.testing.assert_array_equal(program_step(same, Bin).edges, program_step(module, Bin).edges)
    narrower = convert(model, X, width - 1)
    assert len(program_step(narrower, Bin).edges) < len(program_step(module, Bin).edges)


@pytest.mark.parametrize("name", MODELS)
def test_lossless_sends_every_row_to_its_leaf(name):
    X, model = fitted(name)
    graph = NumpyModule(float_graph(model, X))
    module = convert(model, X, "lossless")
    new = np.exp(1.5 * np.random.RandomState(1).normal(size=(2000, 8)))
    expected = graph.run({"X": new}, ("predict",))["predict"]
    got = module.forward(new, outputs=["predict"])
    if is_classifier(name):
        np.testing.assert_array_equal(got, expected)
    else:
        np.testing.assert_allclose(got, expected, atol=1e-3 * np.std(expected))


def test_lossless_behind_a_scaler():
    X, y = data("skewed", "forest")
    model = make_pipeline(StandardScaler(), RandomForestClassifier(5, random_state=0)).fit(X, y)
    module = convert(model, X, "lossless")
    new = np.exp(1.5 * np.random.RandomState(1).normal(size=(2000, 8)))
    np.testing.assert_array_equal(module.forward(new, outputs=["predict"]), model.predict(new))


def test_lossless_needs_trees():
    X, y = data("skewed", "regression tree")
    with pytest.raises(ValueError, match="n_bits='lossless' keeps the splits of decision trees"):
        convert(Ridge().fit(X, y), X, "lossless")


def test_lossless_refuses_more_thresholds_than_codes():
    random = np.random.RandomState(0)
    X = random.uniform(size=(70_000, 1))
    model = DecisionTreeRegressor(random_state=0).fit(X, random.uniform(size=len(X)))
    with pytest.raises(ValueError, match="different thresholds of one feature"):
        convert(model, X, "lossless")


def test_bins_leaves_and_sums_are_what_the_program_says():
    """The reference engine's sums from bins and leaves by hand."""
    X, model = fitted("regression forest")
    module = convert(model, X, 3)
    bins, trees = program_step(module, Bin), program_step(module, Trees)
    number = {type(step): n for n, step, _ in module.program.steps()}
    codes = np.stack(
        [
            bins.base[c]
            + np.searchsorted(bins.edges[slice(*bins.offsets[c : c + 2])], X[:, f], side="left")
            for c, f in enumerate(bins.feature)
        ],
        axis=1,
    )
    totals = np.zeros((len(X), 1), dtype=np.int64)
    for root, multiplier in zip(trees.roots, trees.multiplier, strict=True):
        node = np.full(len(X), root)
        while np.any(trees.feature[node] >= 0):
            inner = trees.feature[node] >= 0
            left = codes[np.arange(len(X)), trees.feature[node]] <= trees.threshold[node]
            child = np.where(left, trees.left[node], trees.right[node])
            node = np.where(inner, child, node)
        totals[:, 0] += multiplier * trees.leaf_values[trees.left[node], 0]
    (found,) = evaluate(module.program, {0: X}, [number[Trees]])
    np.testing.assert_array_equal(found, totals)
    assert trees.leaf_values.min() >= 0
    assert trees.leaf_values.max() <= 7
    assert codes.max() <= 7
