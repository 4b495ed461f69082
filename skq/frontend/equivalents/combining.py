"""Scores of several base estimators as one: on subsets of features, concatenated, or averaged."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from scipy.linalg import block_diag

from skq.exceptions import UnsupportedModelError
from skq.frontend.equivalents.refused import unsupported
from skq.frontend.predictors import (
    Ensemble,
    EnsembleEstimator,
    Head,
    Layers,
    Predictor,
    Scores,
    TreeEnsemble,
)


def on_features(scores: Scores, features: Any, n_features: int) -> Scores:
    """Scores that read some columns of X, as scores that read all of X.

    Parameters
    ----------
    scores : Layers or TreeEnsemble
    features : ndarray of shape (n_used,)
        Columns that the scores read, in their order; one may appear more than once.
    n_features : int
        Columns of X.
    """
    features = np.asarray(features)
    if not can_move_features(scores):
        raise _no_representation(scores)
    if isinstance(scores, TreeEnsemble):
        inner = scores.feature >= 0
        return replace(scores, feature=np.where(inner, features[scores.feature], -1))
    assert isinstance(scores, Layers)
    weights = np.zeros((n_features, scores.weights[0].shape[1]))
    np.add.at(weights, features, scores.weights[0])
    return replace(scores, weights=(weights, *scores.weights[1:]))


def can_move_features(scores: Scores) -> bool:
    """Whether `on_features` supports the scores."""
    if isinstance(scores, Layers):
        return scores.inputs is None
    return isinstance(scores, TreeEnsemble) and not scores.derived


def can_stand_side_by_side(base_estimators: Sequence[Scores]) -> bool:
    """Whether `side_by_side` takes them: linear, networks of equal depth, or trees."""
    if not all(can_move_features(m) for m in base_estimators):
        return False
    trees = [m for m in base_estimators if isinstance(m, TreeEnsemble)]
    if len(trees) == len(base_estimators):
        return len({m.float32_input for m in trees}) == 1
    layers = [m for m in base_estimators if isinstance(m, Layers)]
    return (
        len(layers) == len(base_estimators)
        and len({(len(m.weights), m.activation) for m in layers}) == 1
    )


def side_by_side(base_estimators: Sequence[Scores]) -> Layers | TreeEnsemble:
    """The scores of all base estimators, concatenated in their order."""
    if not can_stand_side_by_side(base_estimators):
        raise _no_representation(base_estimators[0])
    layers = [m for m in base_estimators if isinstance(m, Layers)]
    if layers:
        return _layers_side_by_side(layers)
    return _trees_side_by_side([m for m in base_estimators if isinstance(m, TreeEnsemble)])


def averaged(base_estimators: Sequence[Scores], weights: Any = None) -> Layers | TreeEnsemble:
    """The weighted mean of the base estimators' scores; each has the same number of scores."""
    n_scores = base_estimators[0].n_scores
    joint = side_by_side(base_estimators)
    share = (
        np.ones(len(base_estimators)) if weights is None else np.asarray(weights, dtype=np.float64)
    )
    share = share / share.sum()
    if isinstance(joint, Layers):
        mean = np.kron(share[:, np.newaxis], np.eye(n_scores))
        last = joint.weights[-1] @ mean
        return replace(
            joint,
            weights=(*joint.weights[:-1], last),
            biases=(*joint.biases[:-1], joint.biases[-1] @ mean),
        )
    ensembles = [m for m in base_estimators if isinstance(m, TreeEnsemble)]
    base = share @ joint.base.reshape(len(base_estimators), n_scores)
    alike = len({len(m.roots) for m in ensembles}) == 1 and np.ptp(share) == 0
    average = alike and all(m.average for m in ensembles)
    if average:
        leaf_weights = np.concatenate([m.leaf_weights for m in ensembles])
    else:
        sizes = [len(m.feature) for m in ensembles]
        leaf_weights = joint.leaf_weights * np.repeat(share, sizes)[:, np.newaxis]
    return replace(
        joint,
        leaf_weights=leaf_weights,
        output=np.concatenate([m.output for m in ensembles]),
        base=base,
        average=average,
    )


def _trees_side_by_side(base_estimators: list[TreeEnsemble]) -> TreeEnsemble:
    sizes = np.array([len(m.feature) for m in base_estimators])
    shift = np.cumsum(sizes) - sizes
    starts = np.cumsum([0, *(m.n_scores for m in base_estimators[:-1])])

    def joined(name: str) -> Any:
        return np.concatenate([getattr(m, name) for m in base_estimators])

    def children(name: str) -> Any:
        return np.concatenate(
            [
                np.where(m.feature < 0, -1, getattr(m, name) + s)
                for m, s in zip(base_estimators, shift, strict=True)
            ]
        )

    return TreeEnsemble(
        roots=np.concatenate([m.roots + s for m, s in zip(base_estimators, shift, strict=True)]),
        feature=joined("feature"),
        threshold=joined("threshold"),
        left=children("left"),
        right=children("right"),
        missing_left=joined("missing_left"),
        leaf_weights=np.concatenate(
            [m.leaf_weights / (len(m.roots) if m.average else 1) for m in base_estimators]
        ),
        output=np.concatenate([m.output + s for m, s in zip(base_estimators, starts, strict=True)]),
        base=joined("base"),
        average=False,
        float32_input=base_estimators[0].float32_input,
    )


def _layers_side_by_side(base_estimators: list[Layers]) -> Layers:
    first = np.concatenate([m.weights[0] for m in base_estimators], axis=1)
    depth = len(base_estimators[0].weights)
    later = [block_diag(*(m.weights[i] for m in base_estimators)) for i in range(1, depth)]
    biases = [np.concatenate([m.biases[i] for m in base_estimators]) for i in range(depth)]
    return Layers((first, *later), tuple(biases), base_estimators[0].activation)


def ensemble(
    base_estimators: Sequence[EnsembleEstimator], n_scores: int, weights: Any = None
) -> Ensemble:
    """The weighted mean of base estimators' responses, by default with equal weights."""
    weights = (
        np.ones(len(base_estimators)) if weights is None else np.asarray(weights, dtype=np.float64)
    )
    return Ensemble(tuple(base_estimators), weights, n_scores)


def averaged_responses(
    base_estimators: Sequence[EnsembleEstimator], weights: Any = None
) -> Layers | TreeEnsemble | None:
    """The weighted mean as one set of scores, where the responses are scores of one kind."""
    models = [
        m.model for m in base_estimators if isinstance(m.model, Predictor) and m.features is None
    ]
    if len(models) < len(base_estimators) or any(m.head.link != "identity" for m in models):
        return None
    scores = [m.scores for m in models]
    if len({s.n_scores for s in scores}) > 1 or not can_stand_side_by_side(scores):
        return None
    return averaged(scores, weights)


def class_head(base_estimators: Sequence[EnsembleEstimator], owner: Any) -> Head:
    """Head of the first base estimator, which must be a classifier with one output, as all others.

    Raises
    ------
    UnsupportedModelError
        Names the owner, if a base estimator is anything else.
    """
    for base_estimator in base_estimators:
        head = base_estimator.head
        if head.kind not in ("binary", "multiclass") or len(head.n_classes) > 1:
            raise unsupported(
                owner,
                "its base estimators must be classifiers with one output; fit one for each output",
            )
    return base_estimators[0].head


def _no_representation(scores: Any) -> UnsupportedModelError:
    return UnsupportedModelError(
        f"base estimators of the kind {type(scores).__name__}, or of several kinds, cannot be "
        "combined in integers; use base estimators of one class: linear models, trees or neural "
        "networks of equal depth"
    )
