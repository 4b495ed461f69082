"""Quantized estimators inside of others, and copies of one while it trains."""

import warnings

import numpy as np
import pytest
from sklearn import ensemble, linear_model, tree
from sklearn.base import BaseEstimator, ClassifierMixin, clone
from sklearn.compose import ColumnTransformer
from sklearn.datasets import make_classification, make_regression
from sklearn.neighbors import KNeighborsRegressor
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer, StandardScaler
from sklearn.svm import SVC, SVR

import skq
from skq.estimators import base, quantize_fitted
from skq.exceptions import UnsupportedModelError

X, Y = make_classification(240, 6, n_informative=4, random_state=0)
DATA, TARGET = make_regression(240, 6, noise=5.0, random_state=0)


@pytest.fixture
def quantizations(monkeypatch):
    """Names of the estimators that are quantized."""
    found = []
    build = quantize_fitted.build_module

    def counted(estimator, *args, **kwargs):
        found.append(type(estimator).__name__)
        return build(estimator, *args, **kwargs)

    monkeypatch.setattr(base.quantize_fitted, "build_module", counted)
    return found


@pytest.mark.parametrize("name", ["SGDClassifier", "SGDRegressor", "Perceptron"])
def test_early_stopping_learns_what_the_parent_learns(name, quantizations):
    data = (DATA, TARGET) if name == "SGDRegressor" else (X, Y)
    options = {"early_stopping": True, "random_state": 0}
    ours = getattr(skq.linear_model, name)(**options).fit(*data)
    theirs = getattr(linear_model, name)(**options).fit(*data)
    np.testing.assert_array_equal(ours.coef_, theirs.coef_)
    assert ours.n_iter_ == theirs.n_iter_
    assert quantizations == [name]


INSIDE = {
    "bagged trees": ("BaggingClassifier", "tree.DecisionTreeClassifier"),
    "bagged linear models": ("BaggingRegressor", "linear_model.Ridge"),
    "boosted trees": ("AdaBoostClassifier", "tree.DecisionTreeClassifier"),
    "boosted linear models": ("AdaBoostClassifier", "linear_model.LogisticRegression"),
    "median of trees": ("AdaBoostRegressor", "tree.DecisionTreeRegressor"),
    "median of linear models": ("AdaBoostRegressor", "linear_model.Ridge"),
}


PROCESSES = [(case, 2) for case in INSIDE if case.startswith("bagged")]


@pytest.mark.parametrize(("case", "n_jobs"), [*((case, None) for case in INSIDE), *PROCESSES])
def test_members_act_as_their_parents(case, n_jobs, quantizations):
    name, member = INSIDE[case]
    module, member = member.split(".")
    options = {"n_estimators": 5, "random_state": 0, **({"n_jobs": n_jobs} if n_jobs else {})}
    inner = {
        library: getattr(getattr(library, module, None) or getattr(PARENTS, module), member)()
        for library in (skq, PARENTS)
    }
    data = (DATA, TARGET) if "Regressor" in name else (X, Y)
    ours = getattr(skq.ensemble, name)(inner[skq], n_bits=16, **options).fit(*data)
    theirs = getattr(ensemble, name)(inner[PARENTS], **options).fit(*data)
    with ours._answering_in_float():
        np.testing.assert_array_equal(ours.predict(data[0]), theirs.predict(data[0]))
    assert quantizations == [name]
    assert isinstance(ours.estimators_[0], type(inner[skq]))
    assert ours.estimator is inner[skq]  # as it was given
    assert ours.get_params()["estimator__n_bits"] == 8
    if "Classifier" in name:
        assert np.mean(ours.predict(X) == theirs.predict(X)) > 0.99
    else:
        np.testing.assert_allclose(
            ours.predict(DATA), theirs.predict(DATA), atol=1e-2 * np.std(TARGET)
        )


class PARENTS:
    linear_model, tree, ensemble = linear_model, tree, ensemble


def test_inside_of_what_is_wrapped():
    def votes(package, *others):
        members = [("a", package.LogisticRegression()), *others]
        return ensemble.VotingClassifier(members)

    wrapped = ("b", skq.QuantizedClassifier(linear_model.LogisticRegression(C=0.1)))
    plain = ("b", linear_model.LogisticRegression(C=0.1))
    ours = skq.QuantizedClassifier(votes(skq.linear_model, wrapped), n_bits=16).fit(X, Y)
    theirs = votes(linear_model, plain).fit(X, Y)
    assert np.mean(ours.predict(X) == theirs.predict(X)) > 0.99


def test_a_copy_of_an_estimator_in_float_is_in_float():
    model = skq.linear_model.SGDClassifier(n_bits=5)
    with model._answering_in_float():
        copy = clone(model)
    assert copy._in_float
    assert not model._in_float
    assert copy.n_bits == 5
    assert not clone(model)._in_float


class Untrained(ClassifierMixin, BaseEstimator):
    """Must not be trained."""

    def fit(self, X, y, sample_weight=None):
        raise AssertionError("trained")


def refused_before_training():
    bagging, boosting = skq.ensemble.BaggingClassifier, skq.ensemble.AdaBoostClassifier
    yield bagging(SVC()), "SVC cannot be quantized: a kernel machine"
    yield bagging(Untrained()), "BaggingClassifier of Untrained cannot be quantized.*Use"
    yield bagging(make_pipeline(StandardScaler(), Untrained())), "of Untrained cannot"
    yield boosting(Untrained()), "AdaBoostClassifier of Untrained cannot be quantized.*Use"
    yield skq.ensemble.BaggingRegressor(KNeighborsRegressor()), "it compares with its training"
    yield skq.ensemble.AdaBoostRegressor(Untrained()), "AdaBoostRegressor of Untrained cannot"
    init = linear_model.Ridge()
    yield skq.ensemble.GradientBoostingRegressor(init=init), r"init=Ridge\(\).*use init=None"
    yield skq.ensemble.GradientBoostingClassifier(init=Untrained()), "cannot be quantized.*use"
    yield skq.QuantizedClassifier(Untrained()), "Untrained cannot be quantized"
    yield skq.QuantizedRegressor(SVR()), "SVR cannot be quantized: a kernel machine"
    members = ensemble.VotingClassifier([("a", linear_model.LogisticRegression()), ("b", SVC())])
    yield skq.QuantizedClassifier(members), "SVC cannot be quantized"
    function, unknown = (
        FunctionTransformer(np.log1p),
        "FunctionTransformer.*cannot convert its function",
    )
    ridge = make_pipeline(function, StandardScaler(), linear_model.Ridge())
    yield skq.QuantizedRegressor(ridge), unknown
    yield skq.ensemble.BaggingRegressor(ridge), unknown
    columns = make_pipeline(ColumnTransformer([("f", function, [0])]), linear_model.Ridge())
    yield skq.QuantizedRegressor(columns), unknown


@pytest.mark.parametrize(("model", "message"), [*refused_before_training()], ids=str)
def test_refused_before_training(model, message, monkeypatch):
    def fit(*args, **kwargs):
        raise AssertionError("trained")

    for cls in (SVC, SVR, linear_model.Ridge, linear_model.LogisticRegression, StandardScaler):
        monkeypatch.setattr(cls, "fit", fit)
    with pytest.raises(UnsupportedModelError, match=message):
        model.fit(X, Y)


def test_boosting_of_one_class_answers_as_the_parent():
    one = np.full(len(X), "only")
    ours = skq.ensemble.AdaBoostClassifier(n_estimators=3).fit(X, one)
    theirs = ensemble.AdaBoostClassifier(n_estimators=3).fit(X, one)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for name in ("predict", "predict_proba", "decision_function"):
            np.testing.assert_array_equal(getattr(ours, name)(X), getattr(theirs, name)(X))


def test_a_network_of_one_class_always_predicts_it():
    model = skq.neural_network.MLPClassifier(max_iter=3, random_state=0)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        model.fit(X, np.full(len(X), "only"))
    np.testing.assert_array_equal(model.predict(100 * X), "only")
