"""A model behind a `Front`: the same predictor, reading X itself.

Layers take up matrices and scalers in their first weights, and read stepwise columns as bits
(`layers_behind`). A tree asks the same question about the raw feature, or about a bit where one
threshold does not do, or about a further column that a layer computes (`trees_behind`).
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from skq.frontend.equivalents.folding_layers import layers_behind
from skq.frontend.equivalents.folding_trees import trees_behind
from skq.frontend.equivalents.transformers import scaled
from skq.frontend.predictors import (
    Committee,
    Layers,
    Mixture,
    Predictor,
    Scores,
    TreeEnsemble,
)
from skq.frontend.preprocessing import Front


def predictor_behind(front: Front, predictor: Predictor) -> Predictor:
    """The predictor that computes from X what the given one computes from the front's outputs."""
    decision = predictor.decision
    return replace(
        predictor,
        scores=_scores_behind(front, predictor.scores),
        decision=None if decision is None else _scores_behind(front, decision),
    )


def _scores_behind(front: Front, scores: Scores) -> Any:
    if isinstance(scores, Layers):
        return layers_behind(front, scores)
    if isinstance(scores, TreeEnsemble):
        return trees_behind(front, scores)
    if isinstance(scores, Mixture):
        return replace(scores, members=_scores_behind(front, scores.members))
    return _committee_behind(front, scores)


def _committee_behind(front: Front, committee: Committee) -> Committee:
    members = []
    for member in committee.members:
        own = front if member.features is None else front.selected(member.features)
        model = member.model
        if not isinstance(model, Predictor):  # a Pipeline of scalers
            for _, scaler in model.steps[:-1]:
                own = scaled(scaler, own)
            model = model.steps[-1][1]
        model = predictor_behind(own, model)
        members.append(replace(member, model=model, n_features=front.n_features, features=None))
    return replace(committee, members=tuple(members))
