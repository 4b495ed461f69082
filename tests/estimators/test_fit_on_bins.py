"""`fit_on_bins` and `n_bits="lossless"`: parents that choose among the splits integers have."""

import pickle

import numpy as np
import pandas as pd
import pytest
from scipy import sparse
from sklearn.base import clone
from sklearn.datasets import make_friedman1
from sklearn.linear_model import LogisticRegression as FloatLogisticRegression
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

import skq
from skq.ensemble import (
    BaggingClassifier,
    GradientBoostingRegressor,
    HistGradientBoostingClassifier,
    HistGradientBoostingRegressor,
    IsolationForest,
    RandomForestClassifier,
    RandomForestRegressor,
)
from skq.exceptions import UnsupportedModelError
from skq.linear_model import Ridge
from skq.program import Bin
from skq.tree import DecisionTreeClassifier, DecisionTreeRegressor
from tests.estimators.cases import classes, data_for, quick
from tests.estimators.checks_of_sklearn import failures, run_checks

TREES = [cls for cls in classes() if cls._has_trees]
KEYS = ("op_inputs", "op_weights", "model_inputs", "model_outputs")


def widths(n_bits, leaves=12):
    """Few codes of X, and leaves wide enough to see nothing but the splits."""
    return dict.fromkeys(KEYS, leaves) | {"model_inputs": n_bits}


def skewed(cls):
    X, X_test, y, _ = data_for(cls)
    return np.exp(X / X.std()), np.exp(X_test / X.std()), y


def in_float(model, X, method="predict"):
    with model._answering_in_float():
        return getattr(model, method)(X)


def binned(model, X):
    return model._feature_bins.represent(np.asarray(X, dtype=dtype_of(model)))


def dtype_of(model):
    return np.float64 if hasattr(model, "max_bins") else np.float32


def test_the_classes_that_have_it():
    assert {cls.__module__ for cls in TREES} == {"skq.tree", "skq.ensemble"}
    assert len(TREES) == 17
    for cls in classes():
        assert ("fit_on_bins" in cls().get_params(deep=False)) == (cls in TREES)
        assert ("fit_on_bins" in cls.__doc__) == (cls in TREES)
    assert "{lossless}" not in Ridge.__doc__


@pytest.mark.parametrize("n_bits", [2, 6])
@pytest.mark.parametrize("cls", TREES, ids=lambda cls: cls.__name__)
def test_the_parent_predicts_the_same_for_bins_and_integers(cls, n_bits):
    X, new, y = skewed(cls)
    model = quick(cls, fit_on_bins=True, n_bits=widths(n_bits)).fit(X, y)
    methods = [m for m in ("predict_proba", "decision_function", "predict") if hasattr(model, m)]
    for method in methods:
        expected = in_float(model, new, method)
        np.testing.assert_array_equal(expected, in_float(model, binned(model, new), method))
        tolerance = 2e-3 * max(1.0, np.abs(expected).max())
        if method != "predict" or not hasattr(model, "classes_"):
            np.testing.assert_allclose(getattr(model, method)(new), expected, atol=tolerance)
    if hasattr(model, "apply"):
        np.testing.assert_array_equal(model.apply(new), in_float(model, new, "apply"))
    assert len(model.bin_edges_) == X.shape[1]
    assert all(len(edges) <= 2**n_bits - 1 for edges in model.bin_edges_)


@pytest.mark.parametrize("cls", TREES, ids=lambda cls: cls.__name__)
def test_lossless_keeps_every_leaf(cls):
    X, new, y = skewed(cls)
    model = quick(cls, n_bits="lossless").fit(X, y)
    expected = in_float(model, new)
    if hasattr(model, "classes_") or cls is IsolationForest:
        np.testing.assert_array_equal(model.predict(new), expected)
    else:
        np.testing.assert_allclose(model.predict(new), expected, atol=1e-3 * np.std(expected))
    if hasattr(model, "apply"):
        np.testing.assert_array_equal(model.apply(new), in_float(model, new, "apply"))
    assert model.n_bits_["op_weights"] == 16
    assert model.n_bits_["model_inputs"] == model.quantized_module_.n_bits["model_inputs"] < 16


@pytest.mark.parametrize(
    "cls",
    [DecisionTreeClassifier, RandomForestRegressor, GradientBoostingRegressor],
    ids=lambda cls: cls.__name__,
)
def test_check_estimator(cls):
    assert not failures(run_checks(cls, fit_on_bins=True))


def test_thresholds_lie_at_the_edges_in_units_of_x():
    X, _, y = skewed(DecisionTreeClassifier)
    model = DecisionTreeClassifier(random_state=0, fit_on_bins=True, n_bits=widths(3)).fit(X, y)
    inner = model.tree_.children_left >= 0
    for feature, threshold in zip(
        model.tree_.feature[inner], model.tree_.threshold[inner], strict=True
    ):
        assert threshold in model.bin_edges_[feature]
    np.testing.assert_array_equal(model.tree_.threshold[~inner], -2)
    (bins,) = [s for _, s, _ in model.quantized_module_.program.steps() if isinstance(s, Bin)]
    edges = np.concatenate(model.bin_edges_)
    assert all(np.isclose(edges, edge, rtol=1e-6).any() for edge in bins.edges)


@pytest.mark.parametrize("n_bits", [2, 4])
def test_few_bits_take_the_edges_of_the_float_model(n_bits):
    X, y = make_friedman1(300, n_features=5, noise=1.0, random_state=0)
    rounded, trained = (
        RandomForestRegressor(
            10, random_state=0, n_bits=widths(n_bits), fit_on_bins=fit_on_bins
        ).fit(X, y)
        for fit_on_bins in (False, True)
    )
    program = rounded.quantized_module_.program
    (bins,) = (step for _, step, _ in program.steps() if isinstance(step, Bin))
    chosen = np.split(bins.edges, bins.offsets[1:-1])
    same = [
        np.array_equal(edges, chosen[bins.feature.tolist().index(f)])
        for f, edges in enumerate(trained.bin_edges_)
    ]
    assert all(same) if n_bits == 2 else not any(same)


@pytest.mark.parametrize("make", [sparse.csr_matrix, sparse.csc_matrix, sparse.csr_array])
def test_sparse_rows_are_dense_rows(make):
    X, new, y = skewed(RandomForestClassifier)
    X, new = (np.where(A < 1, 0, A) for A in (X, new))
    models = [
        RandomForestClassifier(5, random_state=0, fit_on_bins=True, n_bits=widths(2)).fit(A, y)
        for A in (X, make(X))
    ]
    for own, expected in zip(*(m.bin_edges_ for m in models), strict=True):
        np.testing.assert_allclose(own, expected, rtol=1e-12)
    np.testing.assert_array_equal(models[0].predict_proba(new), models[1].predict_proba(make(new)))


@pytest.mark.parametrize("cls", [DecisionTreeClassifier, HistGradientBoostingClassifier])
def test_missing_values_keep_a_code(cls):
    X, new, y = skewed(cls)
    random = np.random.RandomState(0)
    X, new = (np.where(random.uniform(size=A.shape) < 0.2, np.nan, A) for A in (X, new))
    model = quick(cls, fit_on_bins=True, n_bits=widths(2, 14)).fit(X, y)
    assert all(len(edges) == 2 for edges in model.bin_edges_)
    np.testing.assert_array_equal(model.predict(new), in_float(model, new))
    np.testing.assert_array_equal(in_float(model, new), in_float(model, binned(model, new)))


def test_sample_weights_are_repetitions():
    X, new, y = skewed(DecisionTreeRegressor)
    weight = np.random.RandomState(0).randint(0, 3, len(X))
    options = {"random_state": 0, "fit_on_bins": True, "n_bits": widths(2), "max_depth": 3}
    rows = np.repeat(np.arange(len(X)), weight)
    weighted = DecisionTreeRegressor(**options).fit(X, y, sample_weight=weight)
    repeated = DecisionTreeRegressor(**options).fit(X[rows], y[rows])
    for own, expected in zip(weighted.bin_edges_, repeated.bin_edges_, strict=True):
        np.testing.assert_array_equal(own, expected)
    np.testing.assert_allclose(weighted.predict(new), repeated.predict(new), rtol=1e-9)


@pytest.mark.parametrize("cls", [RandomForestRegressor, GradientBoostingRegressor])
def test_warm_start_keeps_bins(cls):
    X, new, y = skewed(cls)
    options = {"random_state": 0, "fit_on_bins": True, "n_bits": widths(3)}
    model = cls(n_estimators=4, warm_start=True, **options).fit(X[::2], y[::2])
    edges = model.bin_edges_
    model.set_params(n_estimators=8).fit(X, y)
    for own, expected in zip(model.bin_edges_, edges, strict=True):
        np.testing.assert_array_equal(own, expected)
    np.testing.assert_array_equal(model.apply(new), in_float(model, new, "apply"))
    cold = cls(n_estimators=4, **options).fit(X[::2], y[::2]).fit(X, y)
    assert any(
        len(a) != len(b) or np.any(a != b) for a, b in zip(cold.bin_edges_, edges, strict=True)
    )


def test_frames_keep_their_names_and_categories_their_values():
    X, new, y = skewed(HistGradientBoostingRegressor)
    frame, new_frame = (pd.DataFrame(A).add_prefix("x") for A in (X, new))
    forest = RandomForestRegressor(5, random_state=0, fit_on_bins=True).fit(frame, y)
    assert list(forest.feature_names_in_) == list(frame.columns)
    np.testing.assert_array_equal(forest.predict(new_frame), forest.predict(new_frame))
    for table in (frame, new_frame):
        kind = np.array(["a", "b", "c"])[np.arange(len(table)) % 3]
        table["kind"] = pd.Categorical(kind, categories=["a", "b", "c"])
    target = y + 5 * (np.arange(len(y)) % 3 == 1)
    model = HistGradientBoostingRegressor(
        max_iter=10, random_state=0, fit_on_bins=True, n_bits=widths(3, 14)
    ).fit(frame, target)
    assert len(model.bin_edges_[-1]) == 0
    assert model.is_categorical_[-1]
    expected = in_float(model, new_frame)
    np.testing.assert_allclose(model.predict(new_frame), expected, atol=1e-2)
    numbers = new_frame.drop(columns="kind").to_numpy()
    moved = new_frame.copy()
    for i, values in enumerate(
        binned(model, np.column_stack([numbers, np.zeros(len(new))])).T[:-1]
    ):
        moved.isetitem(i, values)
    np.testing.assert_array_equal(in_float(model, moved), expected)


def test_categories_by_number():
    X, _, y = skewed(HistGradientBoostingRegressor)
    X[:, 2] = np.arange(len(X)) % 9
    for given in ([2], np.arange(X.shape[1]) == 2):
        model = HistGradientBoostingRegressor(
            max_iter=5, categorical_features=given, fit_on_bins=True, n_bits=widths(2)
        ).fit(X, y)
        assert len(model.bin_edges_[2]) == 0
        assert len(model.bin_edges_[1]) == 3


def test_members_of_bagging_see_their_own_features():
    X, new, y = skewed(BaggingClassifier)
    model = BaggingClassifier(
        n_estimators=5, max_features=0.5, random_state=0, fit_on_bins=True, n_bits=widths(2)
    ).fit(X, y)
    np.testing.assert_array_equal(in_float(model, new), in_float(model, binned(model, new)))
    with pytest.raises(
        UnsupportedModelError, match=r"base estimators of the class LogisticRegression"
    ):
        BaggingClassifier(FloatLogisticRegression(), n_estimators=2, fit_on_bins=True).fit(X, y)


def test_scikit_learns_tools():
    X, new, y = skewed(DecisionTreeClassifier)
    grid = {"fit_on_bins": [False, True], "n_bits": [widths(2), widths(4)]}
    search = GridSearchCV(DecisionTreeClassifier(random_state=0), grid, cv=2).fit(X, y)
    assert set(search.best_params_) == set(grid)
    pipeline = make_pipeline(StandardScaler(), clone(search.best_estimator_)).fit(X, y)
    restored = pickle.loads(pickle.dumps(pipeline))
    np.testing.assert_array_equal(restored.predict(new), pipeline.predict(new))
    model = DecisionTreeClassifier(fit_on_bins=True).fit(X, y)
    model.set_params(fit_on_bins=False).fit(X, y)
    assert not hasattr(model, "bin_edges_")


def test_wrong_values():
    X, _, y = skewed(DecisionTreeClassifier)
    with pytest.raises(ValueError, match="fit_on_bins must be True or False. Got 'yes'"):
        DecisionTreeClassifier(fit_on_bins="yes").fit(X, y)
    with pytest.raises(ValueError, match="fit_on_bins=True needs a width before training"):
        DecisionTreeClassifier(fit_on_bins=True, n_bits="lossless").fit(X, y)
    with pytest.raises(ValueError, match="number of samples"):
        DecisionTreeClassifier(fit_on_bins=True).fit(X, y[:-1])


def test_lossless_without_trees():
    X, _, y = skewed(Ridge)
    with pytest.raises(ValueError, match="keeps the splits of decision trees, and Ridge has none"):
        Ridge(n_bits="lossless").fit(X, y)
    with pytest.raises(ValueError, match="keeps the splits of decision trees"):
        BaggingClassifier(FloatLogisticRegression(), n_bits="lossless").fit(X, y > 0)


def test_lossless_in_the_wrapper_and_quantize(tmp_path):
    X, new, y = skewed(RandomForestClassifier)
    forest = RandomForestClassifier._parent(5, random_state=0)
    wrapper = skq.QuantizedClassifier(make_pipeline(StandardScaler(), forest), n_bits="lossless")
    wrapper.fit(X, y)
    np.testing.assert_array_equal(wrapper.predict(new), wrapper.estimator_.predict(new))
    assert wrapper.n_bits_["model_inputs"] < 12
    quantized = skq.quantize(forest.fit(X, y), X, n_bits="lossless")
    np.testing.assert_array_equal(quantized.predict(new), forest.predict(new))
    skq.save(quantized, tmp_path / "forest.skq")
    loaded = skq.load(tmp_path / "forest.skq")
    assert loaded.n_bits == quantized.n_bits_
    np.testing.assert_array_equal(loaded.predict(new), forest.predict(new))


def test_n_bits_used_at_ordinary_widths():
    X, _, y = skewed(Ridge)
    assert Ridge(n_bits=3).fit(X, y).n_bits_ == {
        "model_inputs": 5, "op_inputs": 3, "op_weights": 3, "model_outputs": 5,
    }  # fmt: skip
