"""What was given to ``fit`` is what is calibrated on, whatever the parent does to it."""

import inspect

import numpy as np
import pytest
from scipy import sparse
from sklearn import linear_model as floats
from sklearn.decomposition import PCA
from sklearn.ensemble import VotingRegressor
from sklearn.impute import SimpleImputer
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import (
    Binarizer,
    MaxAbsScaler,
    MinMaxScaler,
    RobustScaler,
    StandardScaler,
)

import skq
import skq.linear_model
from skq.inspection import quantization_report


def classes_that_copy():
    for name in skq.linear_model.__all__:
        found = getattr(skq.linear_model, name)
        for parameter in ("copy_X", "copy"):
            if parameter in inspect.signature(found).parameters:
                yield pytest.param(found, parameter, id=name)


@pytest.mark.parametrize(("estimator", "parameter"), list(classes_that_copy()))
def test_parents_that_overwrite_x_change_nothing(estimator, parameter):
    random = np.random.default_rng(0)
    X = random.normal(100.0, 5.0, (60, 3))
    y = X @ [1.0, -2.0, 0.5]
    if "Multi" in estimator.__name__:
        y = np.stack([y, -y], axis=1)
    if "Classifier" in estimator.__name__:
        y = (y > np.median(y)).astype(int)
    given = np.asfortranarray(X)
    expected = estimator(n_bits=16).fit(X.copy(), y).predict(X)
    got = estimator(n_bits=16, **{parameter: False}).fit(given, y).predict(X)
    np.testing.assert_array_equal(given, X)
    np.testing.assert_allclose(got, expected, atol=1e-3 * np.std(y))


def test_the_smallest_case():
    X = np.arange(100.0, 120.0)[:, np.newaxis]
    model = skq.linear_model.LinearRegression(copy_X=False, n_bits=16).fit(X, X[:, 0].copy())
    np.testing.assert_allclose(model.predict([[105.0], [118.0]]), [105, 118], atol=1e-2)


TRANSFORMERS = [
    StandardScaler(copy=False),
    MinMaxScaler(copy=False),
    MaxAbsScaler(copy=False),
    RobustScaler(copy=False),
    PCA(2, copy=False),
    SimpleImputer(copy=False),
    Binarizer(threshold=100.0, copy=False),
]


@pytest.mark.parametrize("transformer", TRANSFORMERS, ids=lambda step: type(step).__name__)
@pytest.mark.parametrize("outer", ["pipeline", "voting"])
def test_transformers_that_overwrite_x_change_nothing(transformer, outer):
    random = np.random.default_rng(0)
    X = random.normal(100.0, 5.0, (80, 3))
    y = X @ [1.0, -2.0, 0.5]

    def model_of(step):
        pipeline = make_pipeline(step, floats.Ridge())
        return pipeline if outer == "pipeline" else VotingRegressor([("a", pipeline)])

    copying = type(transformer)(**{**transformer.get_params(), "copy": True})
    given = X.copy()
    model = skq.QuantizedRegressor(model_of(transformer), n_bits=16).fit(given, y)
    expected = skq.QuantizedRegressor(model_of(copying), n_bits=16).fit(X, y)
    np.testing.assert_array_equal(given, X)
    np.testing.assert_array_equal(model.predict(X), expected.predict(X))
    fitted = skq.quantize(model.estimator_, given, n_bits=16)
    np.testing.assert_array_equal(given, X)
    np.testing.assert_array_equal(fitted.predict(X), expected.predict(X))


@pytest.mark.parametrize("form", ["sparse", "frame"])
def test_other_forms_of_x_are_copied_too(form):
    random = np.random.default_rng(0)
    X = random.normal(100.0, 5.0, (80, 3))
    y = X @ [1.0, -2.0, 0.5]
    given = sparse.csr_matrix(X)
    if form == "frame":
        given = pytest.importorskip("pandas").DataFrame(X, columns=["a", "b", "c"], copy=False)
    scaler = MaxAbsScaler(copy=False)
    model = skq.QuantizedRegressor(make_pipeline(scaler, floats.LinearRegression()), n_bits=16).fit(
        given, y
    )
    np.testing.assert_allclose(model.predict(given), y, atol=0.05 * np.std(y))
    np.testing.assert_array_equal(given.toarray() if form == "sparse" else given, X)


def test_a_report_calls_a_pipeline_that_overwrites_x_more_than_once():
    random = np.random.default_rng(0)
    X = random.normal(100.0, 5.0, (80, 3))
    y = X @ [1.0, -2.0, 0.5]
    model = make_pipeline(StandardScaler(copy=False), skq.linear_model.Ridge())
    model.fit(X.copy(), y)
    report = quantization_report(model, X, y)
    assert report.agreement > 0.99
    assert report.score == pytest.approx(report.float_score, abs=0.01)
