"""Missing values, categories, exact zeros: predictions equal the parent's if nothing is lost."""

import numpy as np
import pandas as pd
import pytest
from sklearn import linear_model, tree
from sklearn.impute import SimpleImputer
from sklearn.pipeline import make_pipeline

import skq
from skq.ensemble import (
    BaggingRegressor,
    ExtraTreesRegressor,
    HistGradientBoostingClassifier,
    HistGradientBoostingRegressor,
    IsolationForest,
    RandomForestClassifier,
    RandomForestRegressor,
)
from skq.tree import DecisionTreeClassifier, DecisionTreeRegressor, ExtraTreeRegressor

#: Roundings of leaf values of 16 bits, relative to the spread of the target.
TINY = 1e-4

CATEGORIES = np.array([-3.0, 1.5, 2.0, 7.0, 100.0])


def in_float(estimator, X, method="predict"):
    with estimator._answering_in_float():
        return getattr(estimator, method)(X)


@pytest.fixture(scope="module")
def data():
    """X with NaN, a column of integers 0-11 and one of odd numbers, both categories; y."""
    rng = np.random.default_rng(0)
    n = 600
    X = rng.normal(size=(n, 5))
    X[:, 2] = rng.integers(0, 12, n)
    X[:, 4] = rng.choice(CATEGORIES, n)
    y = (
        2 * X[:, 0]
        + 3 * rng.normal(size=12)[X[:, 2].astype(int)]
        + np.where(np.isin(X[:, 4], [1.5, 100.0]), 2.0, -2.0)
    )
    X[rng.random(X.shape) < 0.1] = np.nan
    return X, y


@pytest.fixture(scope="module")
def new_rows():
    """Rows with NaN and with categories that were never seen, between and beyond the known ones."""
    rng = np.random.default_rng(1)
    X = rng.normal(size=(400, 5))
    X[:, 2] = rng.integers(-1, 15, 400)
    X[:, 4] = rng.choice([*CATEGORIES, 50.0, 1.7, -8.0], 400)
    X[rng.random(X.shape) < 0.1] = np.nan
    return X


@pytest.mark.parametrize(
    "estimator",
    [
        HistGradientBoostingRegressor(max_iter=20),
        HistGradientBoostingRegressor(max_iter=20, categorical_features=[2, 4]),
        HistGradientBoostingRegressor(max_iter=20, categorical_features=[4], loss="absolute_error"),
        DecisionTreeRegressor(random_state=0),
        ExtraTreeRegressor(random_state=0),
        RandomForestRegressor(8, random_state=0),
        ExtraTreesRegressor(8, random_state=0),
        BaggingRegressor(n_estimators=4, max_features=0.6, random_state=0),
    ],
    ids=lambda e: type(e).__name__,
)
def test_missing_values_and_categories_go_where_the_parent_sends_them(estimator, data, new_rows):
    X, y = data
    estimator.set_params(n_bits=16).fit(X, y)
    for rows in (X, new_rows):
        error = np.abs(estimator.predict(rows) - in_float(estimator, rows))
        assert error.max() < TINY * np.std(y)


@pytest.mark.parametrize(
    "estimator",
    [
        HistGradientBoostingClassifier(max_iter=10, categorical_features=[2, 4], n_bits=8),
        RandomForestClassifier(8, random_state=0, n_bits=16),
        DecisionTreeClassifier(random_state=0, n_bits=16),
    ],
    ids=lambda e: type(e).__name__,
)
def test_labels_with_missing_values_equal_the_parents(estimator, data, new_rows):
    X, y = data
    labels = np.array(["low", "middle", "high"])[np.digitize(y, [-2.0, 2.0])]
    estimator.fit(X, labels)
    np.testing.assert_array_equal(estimator.predict(new_rows), in_float(estimator, new_rows))


def test_text_categories_of_a_dataframe(data):
    X, y = data
    frame = pd.DataFrame(X, columns=list("abcde"))
    frame["c"] = pd.Categorical([None if np.isnan(v) else f"kind {v:.0f}" for v in X[:, 2]])
    estimator = HistGradientBoostingRegressor(
        max_iter=20, categorical_features="from_dtype", n_bits=16
    ).fit(frame, y)
    assert np.abs(estimator.predict(frame) - in_float(estimator, frame)).max() < TINY * np.std(y)
    *_, last = estimator.staged_predict(frame)
    np.testing.assert_array_equal(last, estimator.predict(frame))


def test_categories_are_integers_in_the_program(data):
    X, y = data
    estimator = HistGradientBoostingRegressor(max_iter=5, categorical_features=[2, 4]).fit(X, y)
    text = str(estimator.quantized_module_.program)
    assert text.count("= Trees(") == 2, "one forest for memberships, one for the scores"
    assert text.count("Quantize(") == 0


def test_exactly_zero_thresholds_and_leaves():
    rng = np.random.default_rng(0)
    X = np.round(rng.normal(size=(500, 3)))
    y = np.where(X[:, 0] > 0, 70.0, 0.0) - (X[:, 1] >= 0)
    estimator = HistGradientBoostingRegressor(max_iter=20, n_bits=16).fit(X, y)
    thresholds = [p.nodes["num_threshold"] for stage in estimator._predictors for p in stage]
    assert not np.all(np.concatenate(thresholds)), "the case has exact zeros"
    assert np.abs(estimator.predict(X) - in_float(estimator, X)).max() < TINY * np.std(y)


def test_thresholds_are_compared_in_float64():
    X = (1.0 + np.arange(64) * 2.0**-40)[:, np.newaxis]
    y = (np.arange(64) >= 31).astype(float)
    estimator = HistGradientBoostingRegressor(max_iter=3, min_samples_leaf=1, n_bits=16).fit(X, y)
    assert np.ptp(estimator.predict(X)) > 0
    np.testing.assert_allclose(estimator.predict(X), in_float(estimator, X), atol=TINY)


def test_isolation_forest_takes_missing_values(data, new_rows):
    X, _ = data
    forest = IsolationForest(n_estimators=10, random_state=0, n_bits=16).fit(X)
    np.testing.assert_array_equal(forest.predict(new_rows), in_float(forest, new_rows))


def test_nan_without_any_in_training_is_an_error(data, new_rows):
    X, y = data
    complete = np.nan_to_num(X)
    forest = RandomForestRegressor(4, random_state=0).fit(complete, y)
    with pytest.raises(ValueError, match=r"NaN in the columns 0, .*RandomForestRegressor.*impute"):
        forest.predict(new_rows)
    assert np.isfinite(forest.predict(complete)).all()


@pytest.mark.parametrize(
    "estimator",
    [
        RandomForestRegressor(4, random_state=0),
        DecisionTreeRegressor(random_state=0),
        HistGradientBoostingRegressor(max_iter=10),
    ],
    ids=lambda e: type(e).__name__,
)
def test_calibration_rows_with_nan_give_it_codes(estimator, data, new_rows):
    X, y = data
    parent = estimator._parent(
        **{k: v for k, v in estimator.get_params().items() if k in estimator._parent().get_params()}
    ).fit(np.nan_to_num(X), y)
    quantized = skq.quantize(parent, X, n_bits=16)
    error = np.abs(quantized.predict(new_rows) - parent.predict(new_rows))
    assert error.max() < TINY * np.std(y)


def test_infinity_is_an_error_like_the_parents(data):
    X, y = data
    forest = RandomForestRegressor(4, random_state=0).fit(X, y)
    with pytest.raises(ValueError, match="infinity"):
        forest.predict(np.where(np.isnan(X), np.inf, X))


@pytest.mark.parametrize("inner", [linear_model.Ridge(), tree.DecisionTreeRegressor(max_depth=3)])
def test_bagging_takes_what_its_base_estimators_fill(inner):
    """The tags of a Pipeline tell its first step alone; scikit-learn's Bagging passes NaN on."""
    rng = np.random.default_rng(0)
    X = rng.normal(size=(200, 3))
    X[rng.random(X.shape) < 0.2] = np.nan
    y = np.nan_to_num(X) @ [1.0, -2.0, 0.5]
    model = BaggingRegressor(
        make_pipeline(SimpleImputer(), inner), n_estimators=4, random_state=0, n_bits=16
    ).fit(X, y)
    expected = in_float(model, X)
    assert np.abs(model.predict(X) - expected).max() < 1e-3 * np.ptp(expected)


def test_bagging_refuses_what_its_base_estimators_refuse():
    X = np.array([[0.0], [1.0], [np.nan]])
    with pytest.raises(ValueError, match="NaN"):
        BaggingRegressor(linear_model.Ridge(), n_estimators=2).fit(X, [0.0, 1.0, 2.0])
