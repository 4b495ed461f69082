"""`calibration`: one knob on estimators, wrappers, `quantize` and converters."""

import inspect
import warnings

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.datasets import load_diabetes, load_iris
from sklearn.linear_model import LogisticRegression as FloatLogisticRegression
from sklearn.model_selection import GridSearchCV, ShuffleSplit

import skq
from skq.ensemble import GradientBoostingRegressor, RandomForestClassifier
from skq.estimators.requantize import module_at
from skq.linear_model import LinearRegression, LogisticRegression, Ridge
from skq.neural_network import MLPClassifier, MLPRegressor
from skq.quantization.search.ranges import CALIBRATION_METHODS
from tests.estimators.cases import classes
from tests.estimators.checks_of_sklearn import failures, run_checks

KEYS = ("op_inputs", "op_weights", "model_inputs", "model_outputs")

CASES = [
    LogisticRegression(max_iter=500),
    MLPClassifier(hidden_layer_sizes=(8,), max_iter=200, random_state=0),
    RandomForestClassifier(5, random_state=0),
    Ridge(),
    MLPRegressor(hidden_layer_sizes=(8,), max_iter=200, random_state=0),
    GradientBoostingRegressor(n_estimators=10, random_state=0),
]


def fitted(estimator, **parameters):
    X, y = (load_iris if hasattr(estimator, "predict_proba") else load_diabetes)(return_X_y=True)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return clone(estimator).set_params(**parameters).fit(X, y), X, y


@pytest.mark.parametrize("cls", [*classes(), skq.QuantizedClassifier, skq.QuantizedRegressor])
def test_every_class_has_it(cls):
    parameter = inspect.signature(cls).parameters["calibration"]
    assert parameter.kind is inspect.Parameter.KEYWORD_ONLY
    assert parameter.default == "auto"
    assert "calibration : {" in cls.__doc__


@pytest.mark.parametrize("estimator", CASES, ids=lambda e: type(e).__name__)
def test_methods_differ_at_few_bits_and_agree_at_many(estimator):
    found = {}
    for n in (3, 16):
        for method in CALIBRATION_METHODS:
            n_bits = dict.fromkeys(KEYS, n)
            model, X, _ = fitted(estimator, n_bits=n_bits, calibration=method)
            assert model.get_params()["calibration"] == method
            name = "predict_proba" if hasattr(model, "predict_proba") else "predict"
            found[n, method] = getattr(model, name)(X)
    few = [found[3, method] for method in CALIBRATION_METHODS]
    if not isinstance(estimator, RandomForestClassifier):  # its leaves are probabilities
        assert any(not np.array_equal(few[0], other) for other in few[1:])
    spread = np.std(found[16, "minmax"])
    for method in ("auto", "mse"):
        assert np.abs(found[16, method] - found[16, "minmax"]).max() < 0.02 * spread


def test_auto_is_the_nearest_to_the_float_model_on_other_rows():
    X, y = load_diabetes(return_X_y=True)
    errors = dict.fromkeys(CALIBRATION_METHODS, 0.0)
    for train, test in ShuffleSplit(5, test_size=0.5, random_state=0).split(X):
        for method in CALIBRATION_METHODS:
            model = Ridge(n_bits=dict.fromkeys(KEYS, 3), calibration=method)
            model.fit(X[train], y[train])
            with model._answering_in_float():
                exact = model.predict(X[test])
            errors[method] += np.mean((model.predict(X[test]) - exact) ** 2)
    assert errors["auto"] == min(errors.values())


@pytest.mark.parametrize("value", ["best", None, 3])
def test_other_names_are_refused_at_fit(value):
    X, y = load_iris(return_X_y=True)
    message = "calibration must be one of 'auto', 'minmax', 'percentile', 'mse'"
    inner = FloatLogisticRegression(max_iter=500)
    for estimator in (
        LogisticRegression(calibration=value),
        skq.QuantizedClassifier(inner, calibration=value),
    ):
        with pytest.raises(ValueError, match=message):
            estimator.fit(X, y)
    with pytest.raises(ValueError, match=message):
        skq.quantize(inner.fit(X, y), X, calibration=value)


def test_wrappers_and_quantize_give_the_same_program():
    X, y = load_iris(return_X_y=True)
    inner = FloatLogisticRegression(max_iter=500)
    for method in CALIBRATION_METHODS:
        options = {"n_bits": 3, "calibration": method}
        own = LogisticRegression(max_iter=500, **options).fit(X, y)
        wrapped = skq.QuantizedClassifier(inner, **options).fit(X, y)
        late = skq.quantize(clone(inner).fit(X, y), X, **options)
        assert late.get_params()["calibration"] == method
        expected = own.predict_proba(X)
        for other in (wrapped, late):
            np.testing.assert_array_equal(other.predict_proba(X), expected)


def test_grid_search():
    X, y = load_iris(return_X_y=True)
    grid = {"calibration": list(CALIBRATION_METHODS), "n_bits": [3]}
    search = GridSearchCV(LogisticRegression(max_iter=500), grid, cv=3, error_score="raise")
    search.fit(X, y)
    assert search.best_params_["calibration"] in CALIBRATION_METHODS
    assert len(search.cv_results_["mean_test_score"]) == len(CALIBRATION_METHODS)


def test_another_width_keeps_the_method():
    model, X, _ = fitted(CASES[0], n_bits=3, calibration="percentile")
    same, other = (module_at(model, X, 3, calibration=c) for c in (None, "auto"))
    np.testing.assert_array_equal(same.forward(X)[1], model.quantized_module_.forward(X)[1])
    assert not np.array_equal(same.forward(X)[1], other.forward(X)[1])


@pytest.mark.parametrize(
    ("cls", "method"), [(LogisticRegression, "mse"), (LinearRegression, "percentile")]
)
def test_check_estimator(cls, method):
    assert not failures(run_checks(cls, calibration=method))
