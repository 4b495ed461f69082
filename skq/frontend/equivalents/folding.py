"""Folding: a predictor and the preprocessing before it become one predictor that reads X.

Matrices and scalers are folded into the first weights of layers, which read stepwise columns as
bits (`fold_layers`). A tree node compares the feature itself, a bit where one threshold is not
enough, or a derived column that a layer computes (`fold_trees`).
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from skq.frontend.equivalents.folding_layers import fold_layers
from skq.frontend.equivalents.folding_trees import fold_trees
from skq.frontend.equivalents.transformers import scaled
from skq.frontend.predictors import (
    Ensemble,
    Layers,
    Median,
    Mixture,
    Predictor,
    Scores,
    TreeEnsemble,
)
from skq.graph.preprocessing import Preprocessing


def fold_predictor(preprocessing: Preprocessing, predictor: Predictor) -> Predictor:
    """A predictor on X, equal to the given one on the outputs of the preprocessing."""
    decision = predictor.decision
    return replace(
        predictor,
        scores=_fold_scores(preprocessing, predictor.scores),
        decision=None if decision is None else _fold_scores(preprocessing, decision),
    )


def _fold_scores(preprocessing: Preprocessing, scores: Scores) -> Any:
    if isinstance(scores, Layers):
        return fold_layers(preprocessing, scores)
    if isinstance(scores, TreeEnsemble):
        return fold_trees(preprocessing, scores)
    if isinstance(scores, Mixture | Median):
        return replace(scores, base_estimators=_fold_scores(preprocessing, scores.base_estimators))
    return _fold_ensemble(preprocessing, scores)


def _fold_ensemble(preprocessing: Preprocessing, ensemble: Ensemble) -> Ensemble:
    base_estimators = []
    for base_estimator in ensemble.base_estimators:
        chain = (
            preprocessing
            if base_estimator.features is None
            else preprocessing.selected(base_estimator.features)
        )
        model = base_estimator.model
        if not isinstance(model, Predictor):  # a Pipeline of scalers
            for _, scaler in model.steps[:-1]:
                chain = scaled(scaler, chain)
            model = model.steps[-1][1]
        model = fold_predictor(chain, model)
        base_estimators.append(
            replace(base_estimator, model=model, n_features=preprocessing.n_features, features=None)
        )
    return replace(ensemble, base_estimators=tuple(base_estimators))
