"""Voting: the mean of base estimators' probabilities or values, or the majority's label."""

from __future__ import annotations

from typing import Any

from skq.frontend.equivalents.combining import averaged_responses, class_head, ensemble
from skq.frontend.equivalents.pipelines import to_base_estimator
from skq.frontend.equivalents.refused import unsupported
from skq.frontend.equivalents.writers import equivalent
from skq.frontend.predictors import EnsembleEstimator, Head, Predictor


def _base_estimators(estimator: Any, response_method: str) -> list[EnsembleEstimator]:
    return [
        EnsembleEstimator(
            to_base_estimator(base_estimator, estimator), response_method, estimator.n_features_in_
        )
        for base_estimator in estimator.estimators_
    ]


@equivalent("VotingClassifier")
def _voting_classifier(estimator: Any) -> Predictor:
    soft = estimator.voting == "soft"
    base_estimators = _base_estimators(estimator, "predict_proba" if soft else "vote")
    class_head(base_estimators, estimator)
    n_classes = len(estimator.classes_)
    weights = estimator._weights_not_none
    joint = averaged_responses(base_estimators, weights) if soft else None
    scores = joint or ensemble(base_estimators, n_classes, weights)
    link = "identity" if soft else None
    return Predictor(scores, Head("multiclass", link, n_classes=(n_classes,)))


@equivalent("VotingRegressor")
def _voting_regressor(estimator: Any) -> Predictor:
    base_estimators = _base_estimators(estimator, "predict")
    if any(base_estimator.head.kind != "regressor" for base_estimator in base_estimators):
        raise unsupported(estimator, "its base estimators must be regressors")
    weights = estimator._weights_not_none
    scores = averaged_responses(base_estimators, weights) or ensemble(base_estimators, 1, weights)
    return Predictor(scores, Head("regressor"))
