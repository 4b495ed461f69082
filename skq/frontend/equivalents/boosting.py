"""Gradient boosting on `sklearn.tree`'s trees."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
from sklearn.dummy import DummyClassifier, DummyRegressor

from skq.exceptions import UnsupportedModelError
from skq.frontend.equivalents.decision_trees import from_sklearn, stack
from skq.frontend.equivalents.writers import before_training, equivalent
from skq.frontend.predictors import Head, Predictor, TreeEnsemble


@equivalent("GradientBoostingRegressor")
def _boosting_regressor(estimator: Any) -> Predictor:
    return Predictor(_boosting_ensemble(estimator), Head("regressor"))


@equivalent("GradientBoostingClassifier")
def _boosting_classifier(estimator: Any) -> Predictor:
    ensemble = _boosting_ensemble(estimator)
    if ensemble.n_scores > 1:
        head = Head("multiclass", "softmax", decision=True, n_classes=(ensemble.n_scores,))
        return Predictor(ensemble, head)
    factor = 2.0 if estimator.loss == "exponential" else 1.0
    head = Head("binary", "sigmoid", decision=True, score_factor=factor, zero_is_positive=True)
    return Predictor(ensemble, head)


@before_training("GradientBoostingClassifier", "GradientBoostingRegressor")
def _check_init(estimator: Any) -> None:
    init = estimator.init
    if init is None or isinstance(init, str | DummyClassifier | DummyRegressor):
        return
    raise UnsupportedModelError(
        f"{type(estimator).__name__} with init={init!r} cannot be quantized: its "
        "first scores are another model's, so use init=None or init='zero'."
    )


def _boosting_ensemble(estimator: Any) -> TreeEnsemble:
    _check_init(estimator)
    stages = estimator.estimators_
    base = estimator._raw_predict_init(np.zeros((1, estimator.n_features_in_), dtype=np.float32))
    trees = [
        from_sklearn(tree.tree_, estimator.learning_rate * tree.tree_.value[:, :, 0])
        for tree in stages.ravel()
    ]
    return stack(
        # gradient boosting compares itself: NaN always goes right
        [replace(tree, missing_left=np.zeros_like(tree.missing_left)) for tree in trees],
        base=base[0],
        average=False,
        output=np.tile(np.arange(stages.shape[1]), len(stages)),
    )
