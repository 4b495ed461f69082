"""QuantizedClassifier, QuantizedRegressor and quantize."""

import numpy as np
import pytest
from sklearn.base import clone, is_classifier, is_regressor
from sklearn.cluster import KMeans
from sklearn.datasets import load_diabetes, load_iris
from sklearn.ensemble import IsolationForest, RandomForestClassifier, RandomForestRegressor
from sklearn.exceptions import NotFittedError
from sklearn.frozen import FrozenEstimator
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.model_selection import GridSearchCV
from sklearn.neural_network import MLPClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import MaxAbsScaler, MinMaxScaler, RobustScaler, StandardScaler
from sklearn.svm import LinearSVC
from sklearn.utils.estimator_checks import parametrize_with_checks

import skq
from skq import QuantizedClassifier, QuantizedRegressor, quantize
from skq.exceptions import UnsupportedModelError
from skq.program import MatMul, Quantize

X, Y = load_iris(return_X_y=True)
DATA, TARGET = load_diabetes(return_X_y=True)


@parametrize_with_checks(
    [
        QuantizedClassifier(LogisticRegression()),
        QuantizedRegressor(Ridge()),
    ]
)
def test_sklearn_checks(estimator, check):
    check(estimator)


@pytest.mark.parametrize(
    "scaler", [StandardScaler(), MinMaxScaler(), MaxAbsScaler(), RobustScaler()]
)
def test_a_scaler_is_folded_into_the_input_quantizer(scaler):
    pipe = make_pipeline(scaler, LogisticRegression(max_iter=1000))
    model = QuantizedClassifier(pipe, n_bits=8).fit(X, Y)
    steps = model.quantized_module_.program.instructions
    assert sum(isinstance(step, Quantize) for step in steps) == 1
    assert sum(isinstance(step, MatMul) for step in steps) == 1
    assert np.mean(model.predict(X) == model.estimator_.predict(X)) >= 0.99


def test_trees_behind_a_scaler_are_lossless():
    pipe = make_pipeline(StandardScaler(), RandomForestClassifier(10, random_state=0))
    model = QuantizedClassifier(pipe, n_bits=16).fit(X, Y)
    grid = np.random.default_rng(0).uniform(X.min(0), X.max(0), (2000, 4))
    np.testing.assert_array_equal(model.predict(grid), model.estimator_.predict(grid))


def test_conventions():
    model = QuantizedClassifier(LogisticRegression(max_iter=1000), n_bits=6)
    assert model.get_params()["n_bits"] == 6
    assert model.get_params()["estimator__max_iter"] == 1000
    with pytest.raises(NotFittedError):
        model.predict(X)
    inner = model.estimator
    model.fit(X, Y)
    assert not hasattr(inner, "coef_")
    assert model.n_features_in_ == 4
    assert model.classes_.tolist() == [0, 1, 2]
    assert is_classifier(model)
    assert is_regressor(QuantizedRegressor(Ridge()))
    assert model.onnx_model_.graph.node[0].op_type == "Gemm"
    assert clone(model).get_params()["n_bits"] == 6


def test_methods_are_those_of_the_estimator():
    assert not hasattr(QuantizedClassifier(LinearSVC()), "predict_proba")
    assert not hasattr(QuantizedClassifier(RandomForestClassifier()), "decision_function")
    forest = QuantizedClassifier(RandomForestClassifier(5, random_state=0)).fit(X, Y)
    np.testing.assert_allclose(forest.predict_proba(X).sum(axis=1), 1)
    svc = QuantizedClassifier(LinearSVC(random_state=0)).fit(X, Y)
    assert svc.decision_function(X).shape == (150, 3)


def test_a_frozen_estimator_is_not_fitted_again():
    fitted = RandomForestRegressor(5, random_state=0).fit(DATA, TARGET)
    model = QuantizedRegressor(FrozenEstimator(fitted)).fit(DATA[:50], TARGET[:50])
    assert model.estimator_ is fitted
    assert np.corrcoef(model.predict(DATA), fitted.predict(DATA))[0, 1] > 0.99


def test_quantize_needs_no_targets():
    fitted = MLPClassifier(random_state=0, max_iter=500).fit(X, Y)
    model = quantize(fitted, X, n_bits=8)
    assert isinstance(model, QuantizedClassifier)
    assert np.mean(model.predict(X) == fitted.predict(X)) > 0.97
    assert isinstance(quantize(Ridge().fit(DATA, TARGET), DATA), QuantizedRegressor)


def test_n_bits_is_searched_around_a_pipeline():
    model = QuantizedClassifier(make_pipeline(StandardScaler(), LogisticRegression()))
    found = GridSearchCV(model, {"n_bits": [2, 6], "estimator__logisticregression__C": [1, 10]})
    assert found.fit(X, Y).best_score_ > 0.9


def test_sample_weight_reaches_the_last_step():
    weight = (Y != 2).astype(float)
    for inner in (LogisticRegression(), make_pipeline(StandardScaler(), LogisticRegression())):
        model = QuantizedClassifier(inner).fit(X, Y, sample_weight=weight)
        assert 2 not in model.predict(X[Y != 2])


def test_refusals_name_the_model_and_the_way_out():
    with pytest.raises(UnsupportedModelError, match=r"Ridge is quantized already"):
        QuantizedRegressor(skq.linear_model.Ridge()).fit(DATA, TARGET)
    with pytest.raises(UnsupportedModelError, match="outlier detector. Got KMeans"):
        quantize(KMeans(2, n_init=1).fit(X), X)
    with pytest.raises(NotFittedError):
        quantize(Ridge(), DATA)
    with pytest.raises(ValueError, match="n_bits must be"):
        quantize(Ridge().fit(DATA, TARGET), DATA, n_bits=40)
    clipping = QuantizedRegressor(make_pipeline(MinMaxScaler(clip=True), Ridge()))
    with pytest.raises(UnsupportedModelError, match="clip=True"):
        clipping.fit(DATA, TARGET)


@pytest.mark.parametrize(
    ("wrapper", "estimator", "advice"),
    [
        (QuantizedClassifier, Ridge(), "Use QuantizedRegressor"),
        (QuantizedClassifier, make_pipeline(StandardScaler(), Ridge()), "Use QuantizedRegressor"),
        (QuantizedRegressor, LogisticRegression(), "Use QuantizedClassifier"),
        (QuantizedClassifier, IsolationForest(), "Use QuantizedOutlierDetector"),
    ],
    ids=str,
)
def test_an_estimator_of_another_kind_is_refused_before_training(wrapper, estimator, advice):
    X, y = np.zeros((0, 2)), np.zeros(0)  # no training on these
    with pytest.raises(UnsupportedModelError, match=advice):
        wrapper(estimator).fit(X, y)
    trained = np.arange(20.0).reshape(10, 2)
    frozen = FrozenEstimator(clone(estimator).fit(trained, np.arange(10) % 2))
    with pytest.raises(UnsupportedModelError, match=advice):
        wrapper(frozen).fit(trained, np.arange(10) % 2)
