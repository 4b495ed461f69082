"""Infinity, and NaN under ``assume_finite``: where the parent goes, or an error."""

import numpy as np
import pytest
from sklearn import config_context, ensemble
from sklearn.ensemble import BaggingRegressor, VotingRegressor

import skq
import skq.ensemble
import skq.linear_model
import skq.tree


def data(n_rows=300):
    random = np.random.default_rng(0)
    X = random.normal(size=(n_rows, 3))
    y = X @ [1.0, 2.0, -1.0]
    X[::7, 0], X[::11, 1] = np.inf, -np.inf
    y[::7] += 5
    y[::11] -= 5
    return X, y


@pytest.mark.parametrize("missing", [False, True])
@pytest.mark.parametrize("options", [{}, {"fit_on_bins": True}, {"n_bits": "lossless"}])
def test_histogram_boosting_takes_infinity(options, missing, tmp_path):
    X, y = data()
    if missing:
        X[::13, 2] = np.nan
    model = skq.ensemble.HistGradientBoostingRegressor(max_iter=20, **{"n_bits": 16, **options})
    model.fit(X, y)
    with model._answering_in_float():
        expected = model.predict(X)
    np.testing.assert_allclose(model.predict(X), expected, atol=1e-4 * np.std(y))
    np.testing.assert_allclose(model.predict(X[:1]), expected[:1], atol=1e-4 * np.std(y))
    skq.save(model, tmp_path / "model.skq")
    np.testing.assert_array_equal(skq.load(tmp_path / "model.skq").predict(X), model.predict(X))


def test_histogram_boosting_takes_infinity_that_training_had_not():
    X, y = data()
    finite = np.isfinite(X).all(axis=1)
    model = skq.ensemble.HistGradientBoostingClassifier(max_iter=20).fit(X[finite], y[finite] > 0)
    with model._answering_in_float():
        expected = model.predict(X)
    np.testing.assert_array_equal(model.predict(X), expected)


@pytest.mark.parametrize("width", [2, 3, 5])
def test_narrow_bins_of_infinite_values_are_finite(width):
    X, y = data()
    model = skq.ensemble.HistGradientBoostingRegressor(max_iter=20, n_bits=dict.fromkeys(
        ("op_inputs", "op_weights", "model_inputs", "model_outputs"), width))  # fmt: skip
    assert model.fit(X, y).score(X, y) > 0.5


@pytest.mark.parametrize("around", ["bagging", "voting", "quantize"])
def test_estimators_around_histogram_boosting_take_infinity(around):
    X, y = data()
    inner = ensemble.HistGradientBoostingRegressor(max_iter=10)
    model = {
        "bagging": BaggingRegressor(inner, 3, random_state=0),
        "voting": VotingRegressor([("a", inner)]),
        "quantize": inner,
    }[around]
    quantized = skq.quantize(model.fit(X, y), X, n_bits=16)
    np.testing.assert_allclose(quantized.predict(X), model.predict(X), atol=1e-3 * np.std(y))


def test_lightgbm_takes_infinity():
    lightgbm = pytest.importorskip("lightgbm")
    X, y = data()
    model = lightgbm.LGBMRegressor(n_estimators=10, verbose=-1, n_jobs=1).fit(X, y)
    quantized = skq.quantize(model, X, n_bits=16)
    np.testing.assert_allclose(quantized.predict(X), model.predict(X), atol=1e-3 * np.std(y))


@pytest.mark.parametrize("value", [np.inf, -np.inf])
@pytest.mark.parametrize(
    "model", [skq.ensemble.RandomForestRegressor(5), skq.linear_model.Ridge()], ids=str
)
def test_others_refuse_infinity_as_their_parents(model, value, tmp_path):
    X, y = data()
    with pytest.raises(ValueError, match="infinity"):
        model.fit(X, y)
    X = np.nan_to_num(X, posinf=3.0, neginf=-3.0)
    model.fit(X, y)
    skq.save(model, tmp_path / "model.skq")
    X[0, 0] = value
    for fitted in (model, skq.load(tmp_path / "model.skq")):
        with pytest.raises(ValueError, match="infinity"):
            fitted.predict(X)


LINEAR = [
    skq.linear_model.Ridge(),
    skq.linear_model.LogisticRegression(),
    skq.QuantizedRegressor(skq.linear_model.Ridge._parent()),
]


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
@pytest.mark.parametrize("model", LINEAR, ids=lambda model: type(model).__name__)
def test_layers_refuse_what_is_not_finite_though_it_is_assumed(model, value):
    X, y = data()
    X = np.nan_to_num(X, posinf=3.0, neginf=-3.0)
    model.fit(X, (y > 0).astype(int))
    with config_context(assume_finite=True):
        before = model.predict(X)
        for rows in (X[:1].copy(), X.copy()):
            rows[0, 1] = value
            with pytest.raises(ValueError, match="NaN|infinity"):
                model.predict(rows)
        np.testing.assert_array_equal(model.predict(X), before)


TREES = [
    skq.ensemble.GradientBoostingRegressor(n_estimators=10, n_bits=16),
    skq.ensemble.RandomForestRegressor(10, n_bits=16, random_state=0),
    skq.tree.DecisionTreeRegressor(max_depth=5, n_bits=16),
]

#: Forests send NaN where more training rows went: no number goes there at every node.
CASES = [(TREES[0], np.nan), *((model, value) for model in TREES for value in (np.inf, -np.inf))]


@pytest.mark.parametrize(("model", "value"), CASES, ids=lambda part: str(part).partition("(")[0])
def test_trees_go_where_the_parent_goes_if_finite_is_assumed(model, value):
    X, y = data()
    X = np.nan_to_num(X, posinf=3.0, neginf=-3.0)
    model.fit(X, y)
    rows = X.copy()
    rows[::3, 1] = value
    with config_context(assume_finite=True):
        with model._answering_in_float():
            expected = model.predict(rows)
        np.testing.assert_allclose(model.predict(rows), expected, atol=1e-3 * np.std(y))
    with pytest.raises(ValueError, match="NaN|infinity"):
        model.predict(rows)
