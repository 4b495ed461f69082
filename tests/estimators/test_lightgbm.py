"""LightGBM's scikit-learn classes in `quantize` and the meta-estimators, where it is installed."""

import numpy as np
import pytest
from sklearn.datasets import load_diabetes, load_iris

import skq
from skq.exceptions import UnsupportedModelError

lightgbm = pytest.importorskip("lightgbm")


@pytest.fixture(scope="module")
def data():
    rng = np.random.default_rng(0)
    X = rng.normal(size=(600, 4))
    X[:, 2] = rng.integers(0, 8, 600)
    y = 2 * X[:, 0] + np.isin(X[:, 2], [1, 4, 5]) * 3.0 + 5.0
    X[rng.random(X.shape) < 0.1] = np.nan
    return X, np.abs(y)


@pytest.mark.parametrize("objective", ["regression", "regression_l1", "huber", "poisson", "gamma"])
@pytest.mark.parametrize("categorical", ["auto", [2]])
def test_regressor(objective, categorical, data):
    X, y = data
    model = lightgbm.LGBMRegressor(n_estimators=15, objective=objective, verbose=-1, n_jobs=1)
    model.fit(X, y, categorical_feature=categorical)
    quantized = skq.quantize(model, X, n_bits=16)
    np.testing.assert_allclose(quantized.predict(X), model.predict(X), atol=1e-3 * np.std(y))


@pytest.mark.parametrize("n_classes", [2, 3])
def test_classifier(n_classes, data):
    X, y = data
    labels = np.array(["a", "b", "c"])[np.digitize(y, [5.0, 7.0][: n_classes - 1])]
    model = lightgbm.LGBMClassifier(n_estimators=8, verbose=-1, n_jobs=1)
    quantized = skq.QuantizedClassifier(model, n_bits=16).fit(X, labels)
    fitted = quantized.estimator_
    np.testing.assert_array_equal(quantized.predict(X), fitted.predict(X))
    np.testing.assert_allclose(quantized.predict_proba(X), fitted.predict_proba(X), atol=1e-4)
    if hasattr(fitted, "decision_function"):
        expected = fitted.decision_function(X)
        np.testing.assert_allclose(quantized.decision_function(X), expected, atol=1e-3)
    coarse = skq.quantize(fitted, X, n_bits=8)
    assert np.mean(coarse.predict(X) == fitted.predict(X)) >= 0.99
    for engine in ("numpy", "reference"):
        with skq.config_context(engine=engine):
            np.testing.assert_array_equal(coarse.predict(X[:99]), coarse.predict(X)[:99])


def test_zeros_as_missing_are_refused(data):
    X, y = data
    X = np.where(np.isnan(X), 0.0, X)
    model = lightgbm.LGBMRegressor(n_estimators=3, zero_as_missing=True, verbose=-1, n_jobs=1).fit(
        X, y
    )
    with pytest.raises(UnsupportedModelError, match="LGBMRegressor.*zero_as_missing=False"):
        skq.quantize(model, X)


@pytest.mark.parametrize("n_classes", [2, 3])
def test_averaged_classifiers(n_classes):
    X, y = load_iris(return_X_y=True)
    X, y = X[y < n_classes], y[y < n_classes]
    options = {"boosting_type": "rf", "bagging_freq": 1, "bagging_fraction": 0.5, "verbose": -1}
    fitted = lightgbm.LGBMClassifier(n_estimators=5, min_child_samples=5, **options).fit(X, y)
    model = skq.quantize(fitted, X, n_bits=16)
    assert np.mean(model.predict(X) == fitted.predict(X)) > 0.99  # but for ties
    np.testing.assert_allclose(model.predict_proba(X), fitted.predict_proba(X), atol=1e-4)
    raw = fitted.predict(X, raw_score=True)
    if hasattr(fitted, "decision_function"):
        np.testing.assert_allclose(model.decision_function(X), raw, atol=1e-4 * np.abs(raw).max())


OPTIONS = [
    ({"linear_tree": True}, "use linear_tree=False"),
    ({"objective": "cross_entropy"}, "its objective 'cross_entropy'"),
    ({"zero_as_missing": True}, "use zero_as_missing=False"),
]


@pytest.mark.parametrize(("options", "message"), OPTIONS, ids=str)
def test_options_are_refused_before_training(options, message, monkeypatch):
    monkeypatch.setattr(lightgbm.LGBMRegressor, "fit", None)
    model = skq.QuantizedRegressor(lightgbm.LGBMRegressor(**options))
    with pytest.raises(UnsupportedModelError, match=message):
        model.fit(np.eye(4), np.arange(4.0))


def test_linear_trees_that_are_fitted_are_refused():
    X, y = load_diabetes(return_X_y=True)
    fitted = lightgbm.LGBMRegressor(n_estimators=3, linear_tree=True, verbose=-1).fit(X, y)
    with pytest.raises(UnsupportedModelError, match="linear_tree=True.*use linear_tree=False"):
        skq.quantize(fitted, X)
