"""Without an intercept, a row of zeros gives exactly 0, as it does for the parent."""

import inspect

import numpy as np
import pytest
from scipy import sparse
from sklearn import linear_model as floats
from sklearn.base import is_classifier
from sklearn.impute import SimpleImputer
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import MaxAbsScaler, StandardScaler

import skq
import skq.linear_model
import skq.svm

#: Their links or options give no score that is 0 for zeros, or they take other targets.
_OTHERS = ("Multi", "Poisson", "Gamma", "Tweedie")


def classes_with_intercepts():
    for module in (skq.linear_model, skq.svm):
        for name in module.__all__:
            found = getattr(module, name)
            has = "fit_intercept" in inspect.signature(found).parameters
            if has and not name.startswith(_OTHERS):
                yield pytest.param(found, id=name)


def data():
    """Columns of several units, of which two are far from 0, and one holds whole numbers."""
    random = np.random.default_rng(0)
    X = random.normal(size=(120, 5)) * [1, 10, 0.1, 1, 5] + [0, 5, 0, 100, -40]
    X[:, 1] = np.rint(X[:, 1])
    return X, X @ [1.0, 0.1, 5.0, 0.02, 0.0]


def scores(model, X):
    return model.decision_function(X) if hasattr(model, "decision_function") else model.predict(X)


@pytest.mark.parametrize("n_bits", [2, 8, 16])
@pytest.mark.parametrize("estimator", list(classes_with_intercepts()))
@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
@pytest.mark.filterwarnings("ignore::skq.exceptions.PrecisionWarning")
@pytest.mark.filterwarnings("ignore::FutureWarning")
def test_zeros_give_zero(estimator, n_bits):
    X, y = data()
    model = estimator(fit_intercept=False, n_bits=n_bits)
    if is_classifier(model):
        y = np.digitize(y, np.quantile(y, [0.3, 0.6]))
    model.fit(X, y)
    zeros = np.zeros((2, 5))
    with model._answering_in_float():
        expected = scores(model, zeros), model.predict(zeros)
    np.testing.assert_array_equal(scores(model, zeros), expected[0])
    np.testing.assert_array_equal(model.predict(zeros), expected[1])
    assert not np.any(expected[0])


@pytest.mark.parametrize("calibration", ["minmax", "percentile", "mse"])
def test_every_method_of_calibration_has_a_code_for_zero(calibration):
    X, y = data()
    model = skq.linear_model.Ridge(fit_intercept=False, calibration=calibration).fit(X, y)
    assert model.predict(np.zeros((1, 5))) == 0


def test_sparse_rows_without_entries():
    random = np.random.default_rng(0)
    X = sparse.random(300, 40, 0.1, format="csr", random_state=random)
    y = X @ random.normal(size=40) > 0
    model = skq.svm.LinearSVC(fit_intercept=False).fit(X, y)
    empty = sparse.csr_matrix((3, 40))
    np.testing.assert_array_equal(model.decision_function(empty), 0.0)
    assert not model.predict(empty).any()
    assert np.mean(model.predict(X) == y) > 0.8


@pytest.mark.parametrize(
    "step",
    [MaxAbsScaler(), StandardScaler(with_mean=False), SimpleImputer()],
    ids=lambda step: type(step).__name__,
)
def test_zeros_behind_steps_that_keep_them(step):
    X, y = data()
    pipeline = make_pipeline(step, floats.LogisticRegression(fit_intercept=False))
    model = skq.QuantizedClassifier(pipeline).fit(X, y > np.median(y))
    assert model.decision_function(np.zeros((1, 5))) == 0
    assert model.predict_proba(np.zeros((1, 5)))[0, 0] == 0.5


def test_far_columns_keep_their_precision_where_there_is_an_intercept():
    X = np.linspace(100, 120, 200)[:, np.newaxis]
    model = skq.linear_model.Ridge().fit(X, X[:, 0])
    np.testing.assert_allclose(model.predict(X), X[:, 0], atol=0.1)
