"""Bagging: base estimators' scores, probabilities or votes averaged; isolation forests."""

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
    ensemble,
    on_features,
    side_by_side,
)
from skq.frontend.equivalents.decision_trees import from_sklearn, stack
from skq.frontend.equivalents.pipelines import to_base_estimator
from skq.frontend.equivalents.refused import unsupported
from skq.frontend.equivalents.writers import equivalent
from skq.frontend.predictors import EnsembleEstimator, Head, Mixture, Predictor, TreeEnsemble


def _base_estimators(estimator: Any, response_method: str) -> list[EnsembleEstimator]:
    """Base estimators of a bagging estimator, with the features and classes of each."""
    n_features = estimator.n_features_in_
    base_estimators = []
    for base_estimator, features in zip(
        estimator.estimators_, estimator.estimators_features_, strict=True
    ):
        classes = getattr(base_estimator, "classes_", None)
        all_seen = classes is None or len(classes) == estimator.n_classes_
        indices = None if all_seen else np.asarray(classes).astype(np.int64)
        some = None if np.array_equal(features, np.arange(n_features)) else np.asarray(features)
        representation = to_base_estimator(base_estimator, estimator, some, n_features)
        if isinstance(base_estimator, Pipeline) and isinstance(representation, Predictor):
            base_estimators.append(
                EnsembleEstimator(representation, response_method, n_features, classes=indices)
            )  # it reads X itself
        else:
            base_estimators.append(
                EnsembleEstimator(representation, response_method, len(features), some, indices)
            )
    return base_estimators


def _on_all_features(
    base_estimators: list[EnsembleEstimator], n_features: int
) -> list[Predictor] | None:
    """Base estimators as predictors on all features; None if that is not possible."""
    predictors = []
    for base_estimator in base_estimators:
        representation = base_estimator.model
        if not isinstance(representation, Predictor):
            return None
        if base_estimator.features is not None:
            if not can_move_features(representation.scores):
                return None
            representation = replace(
                representation,
                scores=on_features(representation.scores, base_estimator.features, n_features),
            )
        predictors.append(representation)
    return (
        predictors
        if can_stand_side_by_side([representation.scores for representation in predictors])
        else None
    )


@equivalent("BaggingRegressor")
def _bagging_regressor(estimator: Any) -> Predictor:
    base_estimators = _base_estimators(estimator, "predict")
    head = base_estimators[0].head
    if head.kind != "regressor":
        raise unsupported(estimator, "its base estimators must be regressors")
    representations = _on_all_features(base_estimators, estimator.n_features_in_)
    if representations is None:
        return Predictor(ensemble(base_estimators, 1), Head("regressor"))
    if head.link == "identity":
        return Predictor(averaged([m.scores for m in representations]), head)
    n = representations[0].scores.n_scores
    mean = np.tile(np.eye(n), (len(representations), 1)) / len(representations)
    joint = side_by_side([m.scores for m in representations])
    mixture = Mixture(joint, len(representations), str(head.link), mean, np.zeros(n))
    return Predictor(mixture, replace(head, link="identity"))


@equivalent("BaggingClassifier")
def _bagging_classifier(estimator: Any) -> Predictor:
    """The mean of base estimators' probabilities; of their votes where they have none.

    Trees add up to one ensemble, and the sigmoid of a single score is a table of integers. Votes,
    and probabilities that each base estimator normalizes, are averaged by an ensemble.
    """
    base_estimators = _base_estimators(estimator, "predict_proba")
    head, n_classes = class_head(base_estimators, estimator), int(estimator.n_classes_)
    result = Head("multiclass", "identity", n_classes=(n_classes,), decision=head.decision)
    representations = _on_all_features(base_estimators, estimator.n_features_in_)
    all_seen = all(m.classes is None for m in base_estimators)
    if representations is not None and head.kind == "multiclass" and head.link == "identity":
        scores = [
            representation.scores
            if m.classes is None
            else _with_all_classes(representation, m.classes, n_classes)
            for m, representation in zip(base_estimators, representations, strict=True)
        ]
        return Predictor(averaged(scores), result)
    if representations is not None and all_seen and head.link == "sigmoid":
        return _mixed_classifier(representations, result)
    if head.link is None:
        base_estimators = [replace(m, response_method="vote") for m in base_estimators]
    decision = None
    if head.decision:
        decisions = [replace(m, response_method="decision_function") for m in base_estimators]
        decision = ensemble(decisions, 1 if n_classes == 2 else n_classes)
    return Predictor(ensemble(base_estimators, n_classes), result, decision)


def _mixed_classifier(base_estimators: list[Predictor], head: Head) -> Predictor:
    """Sigmoids, averaged in integers."""
    (n_classes,) = head.n_classes
    decision = averaged([m.scores for m in base_estimators]) if head.decision else None
    weight = np.full(len(base_estimators), 1.0 / len(base_estimators))
    mixture = mixed(
        side_by_side([m.scores for m in base_estimators]), base_estimators, n_classes, weight
    )
    # the positive class's column; probabilities of both add up to 1 by construction
    mixture = replace(mixture, weights=mixture.weights[:, 1:], bias=mixture.bias[1:])
    head = Head("binary", "identity", threshold=0.5, decision=head.decision)
    return Predictor(mixture, head, decision)


def mixed(joint: Any, base_estimators: list[Predictor], n_classes: int, weight: Any) -> Mixture:
    """Weighted mean of base estimators' probabilities, or of their votes where they have none.

    Parameters
    ----------
    joint : Layers or TreeEnsemble
        Scores of the base estimators, concatenated.
    base_estimators : list of Predictor
        Each with a probability from a sigmoid, or with votes.
    n_classes : int
    weight : ndarray of shape (n_estimators,)
    """
    head = base_estimators[0].head
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
        len(base_estimators),
        function,
        (weight * matrix).reshape(-1, n_classes),
        weight.sum() * first,
        score_factor=head.score_factor,
        zero_is_positive=head.zero_is_positive,
    )


def _with_all_classes(base_estimator: Predictor, classes: Any, n_classes: int) -> TreeEnsemble:
    """A base estimator that has not seen every class, with probability 0 for the others."""
    scores = base_estimator.scores
    assert isinstance(scores, TreeEnsemble)  # the only scores that are probabilities
    weights = np.zeros((len(scores.leaf_weights), n_classes))
    weights[:, classes] = scores.leaf_weights
    return replace(scores, leaf_weights=weights, base=np.zeros(n_classes))


@equivalent("IsolationForest")
def _isolation_forest(estimator: Any) -> Predictor:
    """Mean path length over the expected one; the score is ``-2 ** -mean``."""
    size = int(estimator._max_samples)
    expected = float(_path_length(np.array([size]))[0])
    trees, base_estimators = (
        [],
        zip(estimator.estimators_, estimator.estimators_features_, strict=True),
    )
    for base_estimator, features in base_estimators:
        tree = base_estimator.tree_
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
