"""Several members' scores as one: on their own features, side by side, or averaged."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from scipy.linalg import block_diag

from skq.exceptions import UnsupportedModelError
from skq.frontend.equivalents.refused import unsupported
from skq.frontend.predictors import (
    Committee,
    Head,
    Layers,
    Member,
    Predictor,
    Scores,
    TreeEnsemble,
)


def on_features(scores: Scores, features: Any, n_features: int) -> Scores:
    """The same scores from all columns of X, where they were from some of them.

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
        raise _no_form(scores)
    if isinstance(scores, TreeEnsemble):
        inner = scores.feature >= 0
        return replace(scores, feature=np.where(inner, features[scores.feature], -1))
    assert isinstance(scores, Layers)
    weights = np.zeros((n_features, scores.weights[0].shape[1]))
    np.add.at(weights, features, scores.weights[0])
    return replace(scores, weights=(weights, *scores.weights[1:]))


def can_move_features(scores: Scores) -> bool:
    """Whether `on_features` knows the scores."""
    if isinstance(scores, Layers):
        return scores.inputs is None
    return isinstance(scores, TreeEnsemble) and not scores.further


def can_stand_side_by_side(members: Sequence[Scores]) -> bool:
    """Whether `side_by_side` knows the members: linear, networks of equal depth, or trees."""
    if not all(can_move_features(m) for m in members):
        return False
    trees = [m for m in members if isinstance(m, TreeEnsemble)]
    if len(trees) == len(members):
        return len({m.float32_input for m in trees}) == 1
    layers = [m for m in members if isinstance(m, Layers)]
    return (
        len(layers) == len(members) and len({(len(m.weights), m.activation) for m in layers}) == 1
    )


def side_by_side(members: Sequence[Scores]) -> Layers | TreeEnsemble:
    """All members' scores, one member's after another's."""
    if not can_stand_side_by_side(members):
        raise _no_form(members[0])
    layers = [m for m in members if isinstance(m, Layers)]
    if layers:
        return _layers_side_by_side(layers)
    return _trees_side_by_side([m for m in members if isinstance(m, TreeEnsemble)])


def averaged(members: Sequence[Scores], weights: Any = None) -> Layers | TreeEnsemble:
    """The mean of the members' scores, which are of one number; weighted where weights differ."""
    n_scores = members[0].n_scores
    joint = side_by_side(members)
    share = np.ones(len(members)) if weights is None else np.asarray(weights, dtype=np.float64)
    share = share / share.sum()
    if isinstance(joint, Layers):
        mean = np.kron(share[:, np.newaxis], np.eye(n_scores))
        last = joint.weights[-1] @ mean
        return replace(
            joint,
            weights=(*joint.weights[:-1], last),
            biases=(*joint.biases[:-1], joint.biases[-1] @ mean),
        )
    ensembles = [m for m in members if isinstance(m, TreeEnsemble)]
    base = share @ joint.base.reshape(len(members), n_scores)
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


def _trees_side_by_side(members: list[TreeEnsemble]) -> TreeEnsemble:
    sizes = np.array([len(m.feature) for m in members])
    shift = np.cumsum(sizes) - sizes
    starts = np.cumsum([0, *(m.n_scores for m in members[:-1])])

    def joined(name: str) -> Any:
        return np.concatenate([getattr(m, name) for m in members])

    def children(name: str) -> Any:
        return np.concatenate(
            [
                np.where(m.feature < 0, -1, getattr(m, name) + s)
                for m, s in zip(members, shift, strict=True)
            ]
        )

    return TreeEnsemble(
        roots=np.concatenate([m.roots + s for m, s in zip(members, shift, strict=True)]),
        feature=joined("feature"),
        threshold=joined("threshold"),
        left=children("left"),
        right=children("right"),
        missing_left=joined("missing_left"),
        leaf_weights=np.concatenate(
            [m.leaf_weights / (len(m.roots) if m.average else 1) for m in members]
        ),
        output=np.concatenate([m.output + s for m, s in zip(members, starts, strict=True)]),
        base=joined("base"),
        average=False,
        float32_input=members[0].float32_input,
    )


def _layers_side_by_side(members: list[Layers]) -> Layers:
    first = np.concatenate([m.weights[0] for m in members], axis=1)
    depth = len(members[0].weights)
    later = [block_diag(*(m.weights[i] for m in members)) for i in range(1, depth)]
    biases = [np.concatenate([m.biases[i] for m in members]) for i in range(depth)]
    return Layers((first, *later), tuple(biases), members[0].activation)


def committee(members: Sequence[Member], n_scores: int, weights: Any = None) -> Committee:
    """The weighted mean of members' answers; each counts alike by default."""
    weights = np.ones(len(members)) if weights is None else np.asarray(weights, dtype=np.float64)
    return Committee(tuple(members), weights, n_scores)


def averaged_answers(
    members: Sequence[Member], weights: Any = None
) -> Layers | TreeEnsemble | None:
    """The weighted mean as one set of scores, where members answer with scores of one kind."""
    models = [m.model for m in members if isinstance(m.model, Predictor) and m.features is None]
    if len(models) < len(members) or any(m.head.link != "identity" for m in models):
        return None
    scores = [m.scores for m in models]
    if len({s.n_scores for s in scores}) > 1 or not can_stand_side_by_side(scores):
        return None
    return averaged(scores, weights)


def class_head(members: Sequence[Member], owner: Any) -> Head:
    """Head of the first member, which must be a classifier with one output, as all others.

    Raises
    ------
    UnsupportedModelError
        Names the owner, if a member is anything else.
    """
    for member in members:
        head = member.head
        if head.kind not in ("binary", "multiclass") or len(head.n_classes) > 1:
            raise unsupported(
                owner, "its members must be classifiers with one output; fit one for each output"
            )
    return members[0].head


def _no_form(scores: Any) -> UnsupportedModelError:
    return UnsupportedModelError(
        f"members of the form {type(scores).__name__}, or of several forms, cannot be combined in "
        "integers; use members of one class, linear, trees or neural networks of equal depth"
    )
