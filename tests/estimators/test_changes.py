"""Learned attributes that are set after ``fit`` are not ignored."""

import copy
from pickle import dumps, loads

import numpy as np
import pytest
from scipy import sparse
from sklearn import linear_model as floats
from sklearn import neural_network
from sklearn.exceptions import NotFittedError

import skq
import skq.ensemble
import skq.linear_model
import skq.neural_network
import skq.tree


def data():
    random = np.random.default_rng(0)
    X = random.normal(size=(120, 3))
    return X, X @ [1.0, -2.0, 0.5]


def doubled(value):
    return [2 * part for part in value] if isinstance(value, list) else 2 * value


CASES = [
    (skq.linear_model.Ridge(), "coef_"),
    (skq.linear_model.Ridge(), "intercept_"),
    (skq.linear_model.LogisticRegression(), "coef_"),
    (skq.linear_model.SGDOneClassSVM(), "offset_"),
    (skq.ensemble.IsolationForest(n_estimators=10), "offset_"),
    (skq.neural_network.MLPRegressor(hidden_layer_sizes=(4,), max_iter=20), "coefs_"),
]


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
@pytest.mark.parametrize(("model", "name"), CASES, ids=lambda part: str(part).partition("(")[0])
def test_a_changed_attribute_raises_until_fit(model, name):
    X, y = data()
    y = (y > 0).astype(int) if "Logistic" in type(model).__name__ else y
    before = model.fit(X, y).predict(X)
    setattr(model, name, doubled(getattr(model, name)))
    for rows in (X, X[:1]):
        with pytest.raises(NotFittedError, match=rf"{name} of this .* set after fit.*skq.quantize"):
            model.predict(rows)
    assert model.fit(X, y).predict(X).shape == before.shape


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
@pytest.mark.parametrize("copied", [lambda m: m, copy.deepcopy, lambda m: loads(dumps(m))])
@pytest.mark.parametrize(
    ("model", "name"),
    [
        (skq.linear_model.Ridge(), "coef_"),
        (skq.linear_model.LogisticRegression(), "coef_"),
        (skq.linear_model.LogisticRegression(), "intercept_"),
        (skq.linear_model.SGDClassifier(random_state=0), "coef_"),
        (skq.neural_network.MLPClassifier((4,), max_iter=20, random_state=0), "coefs_"),
    ],
    ids=str,
)
def test_values_cannot_be_written_into_coefficients(model, name, copied):
    X, y = data()
    model = copied(model.fit(X, y if type(model).__name__ == "Ridge" else y > 0))
    model.predict(X)
    before = getattr(model, name)
    array = before[0] if isinstance(before, list) else before
    with pytest.raises(ValueError, match="read-only"):
        array[:] = 0.0


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
@pytest.mark.parametrize("copied", [lambda m: m, copy.deepcopy, lambda m: loads(dumps(m))])
@pytest.mark.parametrize(
    ("cls", "parameters"),
    [
        ("SGDClassifier", {"random_state": 0}),
        ("MLPClassifier", {"hidden_layer_sizes": (4,), "max_iter": 5, "random_state": 0}),
        ("SGDClassifier", {"average": True, "random_state": 0}),
        ("SGDRegressor", {"warm_start": True, "random_state": 0, "max_iter": 5}),
        ("Perceptron", {"warm_start": True, "random_state": 0}),
        ("Lasso", {"warm_start": True, "alpha": 0.01}),
        (
            "LogisticRegression",
            {"warm_start": True, "solver": "saga", "max_iter": 5, "random_state": 0},
        ),
    ],
)
def test_training_goes_on_with_the_same_coefficients(cls, parameters, copied):
    X, y = data()
    y = y if cls in ("SGDRegressor", "Lasso") else y > 0
    modules = (
        (skq.neural_network, neural_network) if cls[:3] == "MLP" else (skq.linear_model, floats)
    )
    models = []
    for module in modules:
        model = getattr(module, cls)(**parameters).fit(X, y)
        model.predict(X)
        model = copied(model)
        getattr(model, "partial_fit", model.fit)(X[::-1], y[::-1])
        models.append(model)
    for name in ("coef_", "coefs_"):
        if hasattr(models[0], name):
            for one, other in zip(*(getattr(m, name) for m in models), strict=True):
                np.testing.assert_array_equal(one, other)


def test_other_trees_raise():
    X, y = data()
    model = skq.ensemble.RandomForestRegressor(5, random_state=0).fit(X, y)
    model.estimators_ = model.estimators_[:2]
    with pytest.raises(NotFittedError, match="estimators_"):
        model.predict(X)


def test_another_model_inside_raises():
    X, y = data()
    model = skq.QuantizedRegressor(floats.Ridge()).fit(X, y)
    model.estimator_ = floats.Ridge(alpha=100.0).fit(X, y)
    with pytest.raises(NotFittedError, match="estimator_"):
        model.predict(X)
    assert model.fit(X, y).predict(X).shape == y.shape


def test_what_changes_nothing_is_allowed():
    X, y = data()
    model = skq.linear_model.LogisticRegression().fit(X, y > 0)
    before = model.predict_proba(X)
    model.sparsify()
    model.densify()
    model.coef_ = model.coef_.copy()
    vector = skq.linear_model.Ridge().fit(X, y)
    vector.coef_ = sparse.csr_matrix(vector.coef_)
    assert vector.predict(X).shape == y.shape
    model.note_ = "of the user"
    model.C = 3.0
    np.testing.assert_array_equal(model.predict_proba(X), before)
