"""Linear models: one layer, and the link that their predictions need."""

from __future__ import annotations

from typing import Any

import numpy as np

from skq.exceptions import UnsupportedModelError
from skq.frontend.equivalents.writers import equivalent
from skq.frontend.predictors import Head, Layers, Predictor


def _layer(coef: Any, intercept: Any) -> Layers:
    weights = np.atleast_2d(np.asarray(coef, dtype=np.float64)).T
    bias = np.broadcast_to(np.asarray(intercept, dtype=np.float64), weights.shape[1:])
    return Layers((weights,), (np.array(bias),))


@equivalent(
    "ARDRegression",
    "BayesianRidge",
    "ElasticNet",
    "ElasticNetCV",
    "HuberRegressor",
    "Lars",
    "LarsCV",
    "Lasso",
    "LassoCV",
    "LassoLars",
    "LassoLarsCV",
    "LassoLarsIC",
    "LinearRegression",
    "LinearSVR",
    "MultiTaskElasticNet",
    "MultiTaskElasticNetCV",
    "MultiTaskLasso",
    "MultiTaskLassoCV",
    "OrthogonalMatchingPursuit",
    "OrthogonalMatchingPursuitCV",
    "QuantileRegressor",
    "Ridge",
    "RidgeCV",
    "SGDRegressor",
    "TheilSenRegressor",
)
def _linear_regressor(estimator: Any) -> Predictor:
    flat = np.ndim(estimator.coef_) == 1
    return Predictor(
        _layer(estimator.coef_, estimator.intercept_), Head("regressor", "identity", flat=flat)
    )


@equivalent("GammaRegressor", "PoissonRegressor", "TweedieRegressor")
def _generalized_linear_regressor(estimator: Any) -> Predictor:
    link = loss_link(estimator, estimator._base_loss)
    return Predictor(_layer(estimator.coef_, estimator.intercept_), Head("regressor", link))


def loss_link(estimator: Any, loss: Any) -> str:
    """Link of a head for a regression loss of scikit-learn."""
    links = {"IdentityLink": "identity", "LogLink": "exp"}
    name = type(loss.link).__name__
    if name not in links:
        raise UnsupportedModelError(
            f"{type(estimator).__name__} with the link {name} cannot be quantized; use a loss "
            f"with one of {', '.join(links)}."
        )
    return links[name]


@equivalent("LinearSVC", "Perceptron", "RidgeClassifier", "RidgeClassifierCV")
def _linear_classifier(estimator: Any) -> Predictor:
    return _classifier(estimator, link=None)


@equivalent("SGDClassifier")
def _sgd_classifier(estimator: Any) -> Predictor:
    if estimator.loss == "modified_huber":
        return _classifier(estimator, "clip")
    return _classifier(estimator, "ovr" if estimator.loss == "log_loss" else None)


@equivalent("LogisticRegression", "LogisticRegressionCV")
def _logistic_regression(estimator: Any) -> Predictor:
    binary = len(estimator.classes_) <= 2
    multi_class = getattr(estimator, "multi_class", "auto")  # gone in scikit-learn 1.8
    one_vs_rest = multi_class in ("ovr", "warn") or (
        multi_class in ("auto", "deprecated") and (binary or estimator.solver == "liblinear")
    )
    if binary:
        return _classifier(estimator, "sigmoid", score_factor=1.0 if one_vs_rest else 2.0)
    return _classifier(estimator, "ovr" if one_vs_rest else "softmax")


def _classifier(estimator: Any, link: str | None, score_factor: float = 1.0) -> Predictor:
    scores = _layer(estimator.coef_, estimator.intercept_)
    binarizer = getattr(estimator, "_label_binarizer", None)
    if binarizer is not None and binarizer.y_type_.startswith("multilabel"):
        return Predictor(scores, Head("multilabel", link, decision=True))
    if scores.n_scores == 1:
        link = "sigmoid" if link == "ovr" else link
        head = Head("binary", link, decision=True, score_factor=score_factor)
    else:
        head = Head("multiclass", link, decision=True, n_classes=(scores.n_scores,))
    return Predictor(scores, head)


@equivalent("SGDOneClassSVM")
def _one_class_svm(estimator: Any) -> Predictor:
    offset = float(np.ravel(estimator.offset_)[0])
    head = Head("outlier", "identity", outlier_offset=offset)
    return Predictor(_layer(estimator.coef_, 0.0), head)
