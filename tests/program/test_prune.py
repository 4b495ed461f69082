"""Pruned trees: fewer nodes, the same integers for every row of codes."""

from dataclasses import replace

import numpy as np
import pytest
from sklearn.datasets import make_classification, make_regression

from skq.engines.reference import evaluate
from skq.ensemble import (
    GradientBoostingClassifier,
    HistGradientBoostingRegressor,
    RandomForestClassifier,
    RandomForestRegressor,
)
from skq.program import Trees
from skq.program.prune import prune_trees, pruned
from skq.quantization.n_bits import KEYS
from skq.serving.saved_model import load, save
from skq.tree import DecisionTreeClassifier, DecisionTreeRegressor

MODELS = {
    "tree": DecisionTreeClassifier(random_state=0),
    "forest": RandomForestClassifier(6, random_state=0),
    "boosting": GradientBoostingClassifier(n_estimators=5, random_state=0),
    "regression tree": DecisionTreeRegressor(random_state=0),
    "regression forest": RandomForestRegressor(6, random_state=0),
    "histogram boosting": HistGradientBoostingRegressor(max_iter=5, random_state=0),
}


@pytest.fixture(scope="module", params=[1, 2, 4, 8])
def n_bits(request):
    return request.param


@pytest.fixture(scope="module", params=MODELS)
def fitted(request, n_bits):
    kind = request.param
    if kind.startswith(("regression", "histogram")):
        X, y = make_regression(300, 5, random_state=0)
    else:
        X, y = make_classification(
            300, 5, n_informative=5, n_redundant=0, n_classes=3, random_state=0
        )
    if kind != "boosting":
        X = np.where(np.random.RandomState(0).uniform(size=X.shape) < 0.1, np.nan, X)
    model = MODELS[kind].set_params(n_bits=dict.fromkeys(KEYS, n_bits))
    return model.fit(X, y), X


def trees_of(program):
    ((number, trees),) = [(n, s) for n, s, _ in program.steps() if isinstance(s, Trees)]
    return number, trees


@pytest.mark.filterwarnings("ignore::skq.exceptions.PrecisionWarning")
def test_every_row_of_codes_has_the_same_sums(fitted, n_bits):
    model, _ = fitted
    program = model.quantized_module_.program
    small = pruned(program)
    number, trees = trees_of(program)
    _, few = trees_of(small)
    codes_type = program.types[trees.inputs[0]]
    lo, hi = codes_type.interval
    codes = np.random.RandomState(0).randint(lo, hi + 1, (3000, codes_type.size))
    (expected,) = evaluate(program, {trees.inputs[0]: codes}, [number])
    (found,) = evaluate(small, {trees.inputs[0]: codes}, [number])
    np.testing.assert_array_equal(found, expected)
    assert len(few.feature) <= len(trees.feature)
    assert len(few.leaf_values) == len(np.unique(few.leaf_values, axis=0))
    if n_bits <= 2:
        assert len(few.feature) < len(trees.feature)
    again = prune_trees(few, lo, hi)
    for name in ("roots", "feature", "threshold", "left", "right", "leaf_values"):
        np.testing.assert_array_equal(getattr(again, name), getattr(few, name))


@pytest.mark.filterwarnings("ignore::skq.exceptions.PrecisionWarning")
def test_saved_models_are_pruned_and_predict_the_same(fitted, n_bits, tmp_path):
    model, X = fitted
    save(model, tmp_path / "model.skq")
    loaded = load(tmp_path / "model.skq")
    np.testing.assert_array_equal(loaded.predict(X), model.predict(X))
    if hasattr(model, "classes_"):
        np.testing.assert_array_equal(loaded.predict_proba(X), model.predict_proba(X))
    assert loaded.quantized_module_.nbytes <= model.quantized_module_.nbytes
    assert (
        loaded.quantized_module_.max_accumulator_bits
        <= model.quantized_module_.max_accumulator_bits
    )


def tree(**changes):
    """x0 <= 1 ? (x0 <= 2 ? 5 : 6) : (x0 <= 1 ? 7 : (x1 <= 0 ? 8 : 8))."""
    whole = Trees(
        (0,),
        roots=np.array([0]),
        feature=np.array([0, 0, -1, -1, 0, -1, 1, -1, -1]),
        threshold=np.array([1, 2, 0, 0, 1, 0, 0, 0, 0]),
        left=np.array([1, 2, 0, 1, 5, 2, 7, 3, 4]),
        right=np.array([4, 3, 0, 0, 6, 0, 8, 0, 0]),
        leaf_values=np.array([[5], [6], [7], [8], [8]]),
        output=np.array([0]),
        multiplier=np.array([1]),
        n_outputs=1,
    )
    return replace(whole, **changes)


def test_implied_splits_and_equal_leaves_go():
    few = prune_trees(tree(), 0, 3)
    np.testing.assert_array_equal(few.feature, [0, -1, -1])
    np.testing.assert_array_equal(few.leaf_values[few.left[1:], 0], [5, 8])


def test_splits_outside_of_the_codes_go():
    few = prune_trees(tree(), 0, 1)  # every code is at most 1, and at most 2
    np.testing.assert_array_equal(few.feature, [-1])
    np.testing.assert_array_equal(few.leaf_values, [[5]])
    few = prune_trees(tree(), 2, 3)
    np.testing.assert_array_equal(few.leaf_values, [[8]])


def test_trees_that_end_alike_are_one_leaf():
    few = prune_trees(tree(leaf_values=np.full((5, 2), 3), n_outputs=2), 0, 3)
    np.testing.assert_array_equal(few.feature, [-1])
    np.testing.assert_array_equal(few.leaf_values, [[3, 3]])
