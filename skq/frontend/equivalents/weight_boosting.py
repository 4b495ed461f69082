"""AdaBoost: weighted votes of classifiers, weighted median of regressors."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from skq.frontend.equivalents.bagging import mixed
from skq.frontend.equivalents.combining import side_by_side
from skq.frontend.equivalents.decision_trees import from_sklearn, stack
from skq.frontend.equivalents.pipelines import check_trainable_inside, to_predictor
from skq.frontend.equivalents.refused import unsupported
from skq.frontend.equivalents.writers import before_training, equivalent, sklearn_class
from skq.frontend.predictors import Floats, Head, Layers, Median, Mixture, Predictor

#: Bits of the sum of the integer weights of a median.
MEDIAN_BITS = 62


@before_training("AdaBoostClassifier", "AdaBoostRegressor")
def _check(estimator: Any) -> None:
    check_trainable_inside(estimator.estimator, estimator)


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
    """The weighted median of the base estimators' scores, then the link that they share."""
    base_estimators = [
        to_predictor(base_estimator, estimator) for base_estimator in estimator.estimators_
    ]
    links = {base_estimator.head.link for base_estimator in base_estimators}
    if len(links) > 1 or any(m.scores.n_scores != 1 for m in base_estimators):
        raise unsupported(estimator, "its base estimators must be regressors with one output")
    scores = side_by_side([base_estimator.scores for base_estimator in base_estimators])
    weights = estimator.estimator_weights_[: len(base_estimators)]
    return Predictor(Median(scores, *median_weights(weights)), Head("regressor", links.pop()))


def median_weights(weights: Any) -> tuple[NDArray[np.int64], int]:
    """Integer weights of a median, and the sum at which half of them is reached.

    scikit-learn adds up the weights of the sorted values in float64 and takes the first value at
    which the sum is at least half of the last one. Sums of n weights have a relative error of at
    most ``n * 2**-53`` there. The weights here are the same numbers times a power of two, rounded
    only below ``2**-MEDIAN_BITS`` of their sum, and are added up exactly. So the decision is the
    same unless a sum is within ``2 * n * 2**-52`` of one half of all. There scikit-learn's depends
    on the order of the values, and here half counts as reached. If all weights are equal, that is a
    likely case, in which the order does not matter: scikit-learn's sums then say how many values
    it takes.

    Parameters
    ----------
    weights : array-like of shape (n_estimators,), at least 0
        All 0 for a single tree that is worse than chance; it then counts.

    Returns
    -------
    weights : ndarray of shape (n_estimators,), int64
    threshold : int

    Examples
    --------
    >>> median_weights([0.1] * 20)
    (array([1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1]), 11)
    >>> weights, threshold = median_weights([1.0, 2.0, 4.0])
    >>> bool(weights[2] == 4 * weights[0]), bool(weights[:2].sum() < threshold <= weights[2])
    (True, True)
    """
    given = np.asarray(weights, dtype=np.float64)
    n = len(given)
    if np.all(given == given[0]):
        sums = np.cumsum(given)
        return np.ones(n, dtype=np.int64), int(np.argmax(sums >= 0.5 * sums[-1])) + 1
    shift = MEDIAN_BITS - 1 - int(np.frexp(given.sum())[1])
    integers = np.rint(np.ldexp(given, shift)).astype(np.int64)
    total = int(integers.sum())
    return integers, max(1, (total + 1) // 2 - (2 * n * total >> 52))


def _vote_matrix(n_classes: int) -> Floats:
    """What a vote for each class adds to the decision."""
    if n_classes == 2:
        return np.array([[-2.0], [2.0]])
    against = -1.0 / (n_classes - 1)
    return np.where(np.eye(n_classes) > 0, 1.0, against)


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
