"""Bagging: members' scores, probabilities or votes averaged; isolation forests."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np

from skq.exceptions import UnsupportedModelError
from skq.frontend.equivalents.combining import averaged, on_features, side_by_side
from skq.frontend.equivalents.registry import equivalent, to_predictor
from skq.frontend.equivalents.trees import from_sklearn, stack
from skq.frontend.predictors import Head, Mixture, Predictor, Scores, TreeEnsemble


def _members(estimator: Any) -> list[Predictor]:
    """Members of a bagging estimator, on all features."""
    members = []
    for member, features in zip(estimator.estimators_, estimator.estimators_features_, strict=True):
        form = to_predictor(member, estimator)
        scores = on_features(form.scores, features, estimator.n_features_in_)
        members.append(replace(form, scores=scores))
    return members


@equivalent("BaggingRegressor")
def _bagging_regressor(estimator: Any) -> Predictor:
    members = _members(estimator)
    head = members[0].head
    if head.kind != "regressor":
        raise _unsupported(estimator, "its members must be regressors")
    if head.link == "identity":
        return Predictor(averaged([m.scores for m in members]), head)
    n = members[0].scores.n_scores
    mean = np.tile(np.eye(n), (len(members), 1)) / len(members)
    joint = side_by_side([m.scores for m in members])
    mixture = Mixture(joint, len(members), str(head.link), mean, np.zeros(n))
    return Predictor(mixture, replace(head, link="identity"))


@equivalent("BaggingClassifier")
def _bagging_classifier(estimator: Any) -> Predictor:
    members = _members(estimator)
    head, n_classes = members[0].head, int(estimator.n_classes_)
    classes = [np.asarray(member.classes_) for member in estimator.estimators_]
    if head.kind not in ("binary", "multiclass") or len(head.n_classes) > 1:
        raise _unsupported(estimator, "its members must be classifiers with one output")
    result = Head("multiclass", "identity", n_classes=(n_classes,))
    if head.kind == "multiclass" and head.link == "identity":
        scores = [
            m.scores if len(c) == n_classes else _with_all_classes(m.scores, c, n_classes)
            for m, c in zip(members, classes, strict=True)
        ]
        return Predictor(averaged(scores), result)
    if any(len(c) != n_classes for c in classes):
        raise _unsupported(
            estimator, "a member has not seen every class; use a larger max_samples, or trees"
        )
    mean = side_by_side([m.scores for m in members])
    decision = averaged([m.scores for m in members]) if head.decision else None
    if head.link not in (None, "sigmoid"):
        name = type(estimator.estimators_[0]).__name__
        raise _unsupported(
            estimator,
            f"it averages probabilities of {name} over {n_classes} classes, and these are "
            "normalized in each member. Use trees, forests, or members that vote (LinearSVC, "
            "RidgeClassifier)",
        )
    weight = np.full(len(members), 1.0 / len(members))
    mixture = mixed(mean, members, n_classes, weight)
    if n_classes == 2:
        # the positive class's column; probabilities of both add up to 1 by construction
        mixture = replace(mixture, weights=mixture.weights[:, 1:], bias=mixture.bias[1:])
        result = Head("binary", "identity", threshold=0.5)
    return Predictor(mixture, replace(result, decision=head.decision), decision)


def mixed(joint: Any, members: list[Predictor], n_classes: int, weight: Any) -> Mixture:
    """Weighted mean of members' class probabilities, or of their votes where they have none.

    Parameters
    ----------
    joint : Layers or TreeEnsemble
        Members' scores side by side.
    members : list of Predictor
    n_classes : int
    weight : ndarray of shape (n_members,)
    """
    head = members[0].head
    weight = np.asarray(weight, dtype=np.float64)[:, np.newaxis, np.newaxis]
    if head.kind == "binary":
        # [1 - p, p] of the positive class's probability or vote p
        function = "sigmoid" if head.link == "sigmoid" else "vote"
        matrix, first = np.array([[-1.0, 1.0]]), np.array([1.0, 0.0])
    elif head.link is None:
        # bits [class > k] of the winning class, k = 0 ... n_classes - 2
        function = "vote"
        matrix = np.eye(n_classes)[1:] - np.eye(n_classes)[:-1]
        first = np.eye(n_classes)[0]
    else:
        function, matrix, first = str(head.link), np.eye(n_classes), np.zeros(n_classes)
    return Mixture(
        joint,
        len(members),
        function,
        (weight * matrix).reshape(-1, n_classes),
        weight.sum() * first,
        score_factor=head.score_factor,
        zero_is_positive=head.zero_is_positive,
    )


def _with_all_classes(scores: Scores, classes: Any, n_classes: int) -> TreeEnsemble:
    """A member that has not seen every class, with probability 0 for the others."""
    assert isinstance(scores, TreeEnsemble)  # the only scores that are probabilities
    weights = np.zeros((len(scores.leaf_weights), n_classes))
    weights[:, classes.astype(int)] = scores.leaf_weights
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


def _unsupported(estimator: Any, reason: str) -> UnsupportedModelError:
    return UnsupportedModelError(f"{type(estimator).__name__} cannot be quantized: {reason}.")
