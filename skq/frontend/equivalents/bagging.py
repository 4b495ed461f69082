"""Bagging: members' scores, probabilities or votes averaged; isolation forests."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
from sklearn.pipeline import Pipeline

from skq.frontend.equivalents.combining import (
    averaged,
    can_move_features,
    can_stand_side_by_side,
    class_head,
    committee,
    on_features,
    side_by_side,
)
from skq.frontend.equivalents.decision_trees import from_sklearn, stack
from skq.frontend.equivalents.lookup import equivalent
from skq.frontend.equivalents.pipelines import to_member
from skq.frontend.equivalents.refused import unsupported
from skq.frontend.predictors import Head, Member, Mixture, Predictor, TreeEnsemble


def _members(estimator: Any, answer: str) -> list[Member]:
    """Members of a bagging estimator, each with the features and classes that it has seen."""
    n_features = estimator.n_features_in_
    members = []
    for member, features in zip(estimator.estimators_, estimator.estimators_features_, strict=True):
        classes = getattr(member, "classes_", None)
        all_seen = classes is None or len(classes) == estimator.n_classes_
        places = None if all_seen else np.asarray(classes).astype(np.int64)
        some = None if np.array_equal(features, np.arange(n_features)) else np.asarray(features)
        form = to_member(member, estimator, some, n_features)
        if isinstance(member, Pipeline) and isinstance(form, Predictor):
            members.append(Member(form, answer, n_features, classes=places))  # it reads X itself
        else:
            members.append(Member(form, answer, len(features), some, places))
    return members


def _on_all_features(members: list[Member], n_features: int) -> list[Predictor] | None:
    """Members as predictors on all features, where layers or trees compute them."""
    found = []
    for member in members:
        form = member.model
        if not isinstance(form, Predictor):
            return None
        if member.features is not None:
            if not can_move_features(form.scores):
                return None
            form = replace(form, scores=on_features(form.scores, member.features, n_features))
        found.append(form)
    return found if can_stand_side_by_side([form.scores for form in found]) else None


@equivalent("BaggingRegressor")
def _bagging_regressor(estimator: Any) -> Predictor:
    members = _members(estimator, "predict")
    head = members[0].head
    if head.kind != "regressor":
        raise unsupported(estimator, "its members must be regressors")
    forms = _on_all_features(members, estimator.n_features_in_)
    if forms is None:
        return Predictor(committee(members, 1), Head("regressor"))
    if head.link == "identity":
        return Predictor(averaged([m.scores for m in forms]), head)
    n = forms[0].scores.n_scores
    mean = np.tile(np.eye(n), (len(forms), 1)) / len(forms)
    joint = side_by_side([m.scores for m in forms])
    mixture = Mixture(joint, len(forms), str(head.link), mean, np.zeros(n))
    return Predictor(mixture, replace(head, link="identity"))


@equivalent("BaggingClassifier")
def _bagging_classifier(estimator: Any) -> Predictor:
    """The mean of members' probabilities; of their votes where they have none.

    Trees add up to one ensemble, and the sigmoid of a single score is a table of integers. Votes,
    and probabilities that each member normalizes, are averaged by a committee.
    """
    members = _members(estimator, "predict_proba")
    head, n_classes = class_head(members, estimator), int(estimator.n_classes_)
    result = Head("multiclass", "identity", n_classes=(n_classes,), decision=head.decision)
    forms = _on_all_features(members, estimator.n_features_in_)
    all_seen = all(m.classes is None for m in members)
    if forms is not None and head.kind == "multiclass" and head.link == "identity":
        scores = [
            form.scores if m.classes is None else _with_all_classes(form, m.classes, n_classes)
            for m, form in zip(members, forms, strict=True)
        ]
        return Predictor(averaged(scores), result)
    if forms is not None and all_seen and head.link == "sigmoid":
        return _mixed_classifier(forms, result)
    if head.link is None:
        members = [replace(m, answer="vote") for m in members]
    decision = None
    if head.decision:
        own = [replace(m, answer="decision_function") for m in members]
        decision = committee(own, 1 if n_classes == 2 else n_classes)
    return Predictor(committee(members, n_classes), result, decision)


def _mixed_classifier(members: list[Predictor], head: Head) -> Predictor:
    """Sigmoids, averaged in integers."""
    (n_classes,) = head.n_classes
    decision = averaged([m.scores for m in members]) if head.decision else None
    weight = np.full(len(members), 1.0 / len(members))
    mixture = mixed(side_by_side([m.scores for m in members]), members, n_classes, weight)
    # the positive class's column; probabilities of both add up to 1 by construction
    mixture = replace(mixture, weights=mixture.weights[:, 1:], bias=mixture.bias[1:])
    head = Head("binary", "identity", threshold=0.5, decision=head.decision)
    return Predictor(mixture, head, decision)


def mixed(joint: Any, members: list[Predictor], n_classes: int, weight: Any) -> Mixture:
    """Weighted mean of members' class probabilities, or of their votes where they have none.

    Parameters
    ----------
    joint : Layers or TreeEnsemble
        Members' scores side by side.
    members : list of Predictor
        Each with the probability of one class behind a sigmoid, or with votes.
    n_classes : int
    weight : ndarray of shape (n_members,)
    """
    head = members[0].head
    weight = np.asarray(weight, dtype=np.float64)[:, np.newaxis, np.newaxis]
    if head.kind == "binary":
        # [1 - p, p] of the positive class's probability or vote p
        function = "sigmoid" if head.link == "sigmoid" else "vote"
        matrix, first = np.array([[-1.0, 1.0]]), np.array([1.0, 0.0])
    else:
        # bits [class > k] of the winning class, k = 0 ... n_classes - 2
        function = "vote"
        matrix = np.eye(n_classes)[1:] - np.eye(n_classes)[:-1]
        first = np.eye(n_classes)[0]
    return Mixture(
        joint,
        len(members),
        function,
        (weight * matrix).reshape(-1, n_classes),
        weight.sum() * first,
        score_factor=head.score_factor,
        zero_is_positive=head.zero_is_positive,
    )


def _with_all_classes(member: Predictor, classes: Any, n_classes: int) -> TreeEnsemble:
    """A member that has not seen every class, with probability 0 for the others."""
    scores = member.scores
    assert isinstance(scores, TreeEnsemble)  # the only scores that are probabilities
    weights = np.zeros((len(scores.leaf_weights), n_classes))
    weights[:, classes] = scores.leaf_weights
    return replace(scores, leaf_weights=weights, base=np.zeros(n_classes))


@equivalent("IsolationForest")
def _isolation_forest(estimator: Any) -> Predictor:
    """Mean path length over the expected one; the score is ``-2 ** -mean``."""
    size = int(estimator._max_samples)
    expected = float(_path_length(np.array([size]))[0])
    trees, members = [], zip(estimator.estimators_, estimator.estimators_features_, strict=True)
    for member, features in members:
        tree = member.tree_
        length = _depth(tree) + _path_length(tree.n_node_samples)
        share = length / expected if expected else np.zeros(len(length))
        trees.append(from_sklearn(tree, share[:, np.newaxis], features))
    base = [0.0 if expected else 1.0]
    head = Head("outlier", "exp2", outlier_offset=float(estimator.offset_))
    return Predictor(stack(trees, base=base, average=True), head)


def _path_length(n: Any) -> Any:
    """Mean depth of an unsuccessful search in a binary search tree of n entries.

    Source: Liu, Ting, Zhou, "Isolation Forest", ICDM 2008, equation 1.
    """
    n = np.asarray(n, dtype=np.float64)
    several = np.maximum(n, 3.0)
    length = 2.0 * (np.log(several - 1.0) + np.euler_gamma) - 2.0 * (several - 1.0) / several
    return np.where(n <= 1, 0.0, np.where(n == 2, 1.0, length))


def _depth(tree: Any) -> Any:
    """Edges between the root and each node."""
    depth = np.zeros(tree.node_count)
    for node in np.flatnonzero(tree.children_left >= 0):  # parents stand before children
        depth[tree.children_left[node]] = depth[node] + 1
        depth[tree.children_right[node]] = depth[node] + 1
    return depth
