"""Models written for some of the columns of X, all others being 0."""

from __future__ import annotations

from dataclasses import fields, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.pipeline import Pipeline

from skq.frontend.predictors import (
    Affine,
    Ensemble,
    EnsembleEstimator,
    LayerInputs,
    Layers,
    Median,
    Mixture,
    Predictor,
    Scores,
    TreeEnsemble,
)

Indices = NDArray[np.int64]


class _ReadsOthers(Exception):
    """A model that cannot be written for the columns alone."""


def on_columns(model: Predictor | Pipeline, columns: Indices) -> Predictor | Pipeline | None:
    """A model that reads some columns of X instead of all.

    Parameters
    ----------
    model : Predictor, or Pipeline of Affine steps that ends in one
        Reads X.
    columns : ndarray of shape (n_columns,), rising

    Returns
    -------
    Predictor or Pipeline or None
        None if the model compares another column with thresholds, or computes derived columns.
        Weights of other columns are left out: 0 times a weight is 0.
    """
    try:
        return _model(model, columns)
    except _ReadsOthers:
        return None


def _model(model: Any, columns: Indices) -> Any:
    if isinstance(model, Pipeline):
        *steps, last = (step for _, step in model.steps)
        narrow = [*(_affine(step, columns) for step in steps), _model(last, columns)]
        return Pipeline([(f"step{k}", step) for k, step in enumerate(narrow)])
    assert isinstance(model, Predictor)
    decision: Any = None if model.decision is None else _scores(model.decision, columns)
    return replace(model, scores=_scores(model.scores, columns), decision=decision)


def _affine(step: Any, columns: Indices) -> Affine:
    if not isinstance(step, Affine) or step.subtract is not None or step.add is not None:
        raise _ReadsOthers  # the other columns are not 0 after it
    values = {field.name: getattr(step, field.name) for field in fields(step)}
    return Affine(**{k: None if v is None else np.asarray(v)[columns] for k, v in values.items()})


def _scores(scores: Scores, columns: Indices) -> Scores:
    if isinstance(scores, Layers):
        inputs = None if scores.inputs is None else _layer_inputs(scores.inputs, columns)
        weights = (scores.weights[0][columns], *scores.weights[1:])
        return replace(scores, weights=weights, inputs=inputs)
    if isinstance(scores, TreeEnsemble):
        if scores.derived:
            raise _ReadsOthers
        inner = scores.feature >= 0
        position = np.searchsorted(columns, scores.feature[inner])
        if not np.array_equal(
            columns[np.minimum(position, len(columns) - 1)], scores.feature[inner]
        ):
            raise _ReadsOthers
        feature = np.full(len(inner), -1, dtype=np.int32)
        feature[inner] = position
        return replace(scores, feature=feature)
    if isinstance(scores, Mixture | Median):
        narrow: Any = _scores(scores.base_estimators, columns)
        return replace(scores, base_estimators=narrow)
    assert isinstance(scores, Ensemble)
    inside = tuple(_base_estimator(m, columns) for m in scores.base_estimators)
    return replace(scores, base_estimators=inside)


def _layer_inputs(inputs: LayerInputs, columns: Indices) -> LayerInputs:
    """Inputs that are features with a fill value; in other columns this must be 0."""
    if inputs.fill is None or inputs.bits is not None or inputs.n_products:
        raise _ReadsOthers
    others = np.delete(inputs.fill, columns)
    if np.any(others[~np.isnan(others)] != 0):
        raise _ReadsOthers
    return replace(inputs, fill=inputs.fill[columns])


def _base_estimator(base_estimator: EnsembleEstimator, columns: Indices) -> EnsembleEstimator:
    if base_estimator.features is not None:
        raise _ReadsOthers
    model = _model(base_estimator.model, columns)
    return replace(base_estimator, model=model, n_features=len(columns))
