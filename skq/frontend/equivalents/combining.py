"""Several members' scores as one: on their own features, side by side, or averaged."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from scipy.linalg import block_diag

from skq.exceptions import UnsupportedModelError
from skq.frontend.predictors import Layers, Scores, TreeEnsemble


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
    if isinstance(scores, TreeEnsemble):
        inner = scores.feature >= 0
        return replace(scores, feature=np.where(inner, features[scores.feature], -1))
    if isinstance(scores, Layers):
        weights = np.zeros((n_features, scores.weights[0].shape[1]))
        np.add.at(weights, features, scores.weights[0])
        return replace(scores, weights=(weights, *scores.weights[1:]))
    raise _no_form(scores)


def side_by_side(members: Sequence[Scores]) -> Layers | TreeEnsemble:
    """All members' scores, one member's after another's."""
    if all(isinstance(m, TreeEnsemble) for m in members):
        return _trees_side_by_side([m for m in members if isinstance(m, TreeEnsemble)])
    if all(isinstance(m, Layers) for m in members):
        layers = [m for m in members if isinstance(m, Layers)]
        if len({(len(m.weights), m.activation) for m in layers}) == 1:
            return _layers_side_by_side(layers)
    raise _no_form(members[0])


def averaged(members: Sequence[Scores]) -> Layers | TreeEnsemble:
    """The mean of the members' scores, which are of one number."""
    n_scores = members[0].n_scores
    joint = side_by_side(members)
    if isinstance(joint, Layers):
        mean = np.tile(np.eye(n_scores), (len(members), 1)) / len(members)
        last = joint.weights[-1] @ mean
        return replace(
            joint,
            weights=(*joint.weights[:-1], last),
            biases=(*joint.biases[:-1], joint.biases[-1] @ mean),
        )
    ensembles = [m for m in members if isinstance(m, TreeEnsemble)]
    if all(m.average for m in ensembles) and len({len(m.roots) for m in ensembles}) == 1:
        base = joint.base.reshape(len(members), n_scores).mean(axis=0)
        weights = np.concatenate([m.leaf_weights for m in ensembles])
        average = True
    else:
        base = joint.base.reshape(len(members), n_scores).mean(axis=0)
        weights = joint.leaf_weights / len(members)
        average = False
    return replace(
        joint,
        leaf_weights=weights,
        output=np.concatenate([m.output for m in ensembles]),
        base=base,
        average=average,
    )


def _trees_side_by_side(members: list[TreeEnsemble]) -> TreeEnsemble:
    if len({m.float32_input for m in members}) != 1:
        raise _no_form(members[0])
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


def _no_form(scores: Any) -> UnsupportedModelError:
    return UnsupportedModelError(
        f"members of the form {type(scores).__name__}, or of several forms, cannot be combined in "
        "integers; use members of one class, linear, trees or neural networks of equal depth"
    )
