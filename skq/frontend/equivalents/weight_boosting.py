"""AdaBoost: weighted votes of classifiers, weighted median of regressors."""

from __future__ import annotations

from typing import Any

import numpy as np

from skq.exceptions import UnsupportedModelError
from skq.frontend.equivalents.bagging import mixed
from skq.frontend.equivalents.combining import side_by_side
from skq.frontend.equivalents.decision_trees import from_sklearn, stack
from skq.frontend.equivalents.pipelines import check_trainable_inside, to_predictor
from skq.frontend.equivalents.refused import unsupported
from skq.frontend.equivalents.writers import before_training, equivalent, sklearn_class
from skq.frontend.predictors import Floats, Head, Layers, Mixture, Predictor

#: Entries of the table from which the median of trees is read (leaves times values), at most.
MAX_MEDIAN_ENTRIES = 4_000_000

#: Relative tolerance within which half of the weight counts as reached.
ROUNDING = 1e-12


@before_training("AdaBoostClassifier")
def _check_classifier(estimator: Any) -> None:
    check_trainable_inside(estimator.estimator, estimator)


@before_training("AdaBoostRegressor")
def _check_regressor(estimator: Any) -> None:
    if hasattr(estimator.estimator, "fit"):
        _check_median_of(estimator, estimator.estimator)


@equivalent("AdaBoostClassifier")
def _adaboost_classifier(estimator: Any) -> Predictor:
    n_classes = int(estimator.n_classes_)
    if n_classes < 2:
        return _one_class(estimator)
    weights = estimator.estimator_weights_[: len(estimator.estimators_)]
    vote = _vote_matrix(n_classes)
    if n_classes == 2:
        head = Head("binary", "sigmoid", decision=True)
    else:
        factor = 1.0 / (n_classes - 1)
        head = Head(
            "multiclass", "softmax", decision=True, n_classes=(n_classes,), score_factor=factor
        )
    total = estimator.estimator_weights_.sum()
    if all(is_tree(base_estimator) for base_estimator in estimator.estimators_):
        trees = []
        for base_estimator, weight in zip(estimator.estimators_, weights, strict=True):
            winner = base_estimator.tree_.value[:, 0, : base_estimator.n_classes_].argmax(axis=1)
            label = np.searchsorted(estimator.classes_, base_estimator.classes_)[winner]
            trees.append(from_sklearn(base_estimator.tree_, vote[label] * (weight / total)))
        scores = stack(trees, base=np.zeros(vote.shape[1]), average=False)
        return Predictor(scores, head)
    base_estimators = [
        to_predictor(base_estimator, estimator) for base_estimator in estimator.estimators_
    ]
    if any(len(base_estimator.classes_) != n_classes for base_estimator in estimator.estimators_):
        raise unsupported(
            estimator,
            "a base estimator has not seen every class; use decision trees as its estimator",
        )
    share = mixed(
        side_by_side([m.scores for m in base_estimators]),
        [_voting(m) for m in base_estimators],
        n_classes,
        weights / total,
    )
    mixture = Mixture(
        share.base_estimators,
        share.n_estimators,
        share.function,
        share.weights @ vote,
        share.bias @ vote,
        zero_is_positive=share.zero_is_positive,
    )
    return Predictor(mixture, head)


def _one_class(estimator: Any) -> Predictor:
    """All decisions are 0, as the parent's, and the one class has probability 1."""
    nothing = Layers((np.zeros((estimator.n_features_in_, 1)),), (np.zeros(1),))
    return Predictor(nothing, Head("multiclass", "softmax", decision=True, n_classes=(1,)))


@equivalent("AdaBoostRegressor")
def _adaboost_regressor(estimator: Any) -> Predictor:
    """The weighted median over trees, without sorting.

    With the values v[0] < v[1] < … of all leaves and F[j], the weight of the trees that predict at
    most v[j], the median is the first v[j] with ``F[j] >= 1/2``: the last value minus every
    step ``v[j + 1] - v[j]`` whose ``F[j] >= 1/2``. Each F is a sum over trees.
    """
    name = type(estimator).__name__
    for base_estimator in estimator.estimators_:
        _check_median_of(estimator, base_estimator)
    trees = [base_estimator.tree_ for base_estimator in estimator.estimators_]
    leaf_values = [tree.value[tree.children_left < 0, 0, 0] for tree in trees]
    values = np.unique(np.concatenate(leaf_values))
    n_leaves = sum(len(leaves) for leaves in leaf_values)
    if n_leaves * len(values) > MAX_MEDIAN_ENTRIES:
        raise UnsupportedModelError(
            f"{name} cannot be quantized: its {n_leaves} leaves make the table of its median too "
            "large. Limit its trees (max_depth, max_leaf_nodes) or use GradientBoostingRegressor."
        )
    weights = np.asarray(estimator.estimator_weights_[: len(trees)], dtype=np.float64)
    if not weights.any():  # a single tree that is worse than chance has weight 0
        weights = np.ones(len(trees))
    weights = weights / weights.sum()
    steps = np.append(np.diff(values), 0.0) if len(values) == 1 else np.diff(values)
    candidates = values[: len(steps)]
    ensemble = stack(
        [
            from_sklearn(tree, weight * (tree.value[:, 0, :1] <= candidates))
            for tree, weight in zip(trees, weights, strict=True)
        ],
        base=np.full(len(steps), ROUNDING - 0.5),
        average=False,
    )
    median = Mixture(
        ensemble,
        len(steps),
        "vote",
        -steps[:, np.newaxis],
        values[-1:],
        zero_is_positive=True,
    )
    return Predictor(median, Head("regressor"))


def _vote_matrix(n_classes: int) -> Floats:
    """What a vote for each class adds to the decision."""
    if n_classes == 2:
        return np.array([[-2.0], [2.0]])
    against = -1.0 / (n_classes - 1)
    return np.where(np.eye(n_classes) > 0, 1.0, against)


def _check_median_of(estimator: Any, base_estimator: Any) -> None:
    name = type(estimator).__name__
    if not is_tree(base_estimator):
        raise UnsupportedModelError(
            f"{name} of {type(base_estimator).__name__} cannot be quantized: its "
            f"prediction is a median, which integers can compute for trees only. Use {name} of "
            "DecisionTreeRegressor."
        )


def is_tree(base_estimator: Any) -> bool:
    """Whether an estimator is a single decision tree of scikit-learn."""
    return sklearn_class(base_estimator).__module__ == "sklearn.tree._classes"


def _voting(base_estimator: Predictor) -> Predictor:
    """The base estimator with its vote instead of its probabilities."""
    head = base_estimator.head
    return Predictor(
        base_estimator.scores,
        Head(head.kind, None, n_classes=head.n_classes, zero_is_positive=head.zero_is_positive),
    )
