"""Voting: the mean of members' probabilities or values, or the label that most of them give."""

from __future__ import annotations

from typing import Any

from skq.frontend.equivalents.combining import averaged_answers, class_head, committee
from skq.frontend.equivalents.lookup import equivalent
from skq.frontend.equivalents.pipelines import to_member
from skq.frontend.equivalents.refused import unsupported
from skq.frontend.predictors import Head, Member, Predictor


def _members(estimator: Any, answer: str) -> list[Member]:
    return [
        Member(to_member(member, estimator), answer, estimator.n_features_in_)
        for member in estimator.estimators_
    ]


@equivalent("VotingClassifier")
def _voting_classifier(estimator: Any) -> Predictor:
    soft = estimator.voting == "soft"
    members = _members(estimator, "predict_proba" if soft else "vote")
    class_head(members, estimator)
    n_classes = len(estimator.classes_)
    weights = estimator._weights_not_none
    joint = averaged_answers(members, weights) if soft else None
    scores = joint or committee(members, n_classes, weights)
    link = "identity" if soft else None
    return Predictor(scores, Head("multiclass", link, n_classes=(n_classes,)))


@equivalent("VotingRegressor")
def _voting_regressor(estimator: Any) -> Predictor:
    members = _members(estimator, "predict")
    if any(member.head.kind != "regressor" for member in members):
        raise unsupported(estimator, "its members must be regressors")
    weights = estimator._weights_not_none
    scores = averaged_answers(members, weights) or committee(members, 1, weights)
    return Predictor(scores, Head("regressor"))
