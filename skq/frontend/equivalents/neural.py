"""Multi-layer perceptrons."""

from __future__ import annotations

from typing import Any

import numpy as np

from skq.frontend.equivalents.registry import equivalent
from skq.frontend.predictors import Head, Layers, Predictor


@equivalent("MLPRegressor")
def _mlp_regressor(estimator: Any) -> Predictor:
    link = {"identity": "identity", "exp": "exp"}.get(estimator.out_activation_, "identity")
    return Predictor(_mlp_layers(estimator), Head("regressor", link, flat=True))


@equivalent("MLPClassifier")
def _mlp_classifier(estimator: Any) -> Predictor:
    layers = _mlp_layers(estimator)
    if estimator.out_activation_ == "softmax":
        return Predictor(layers, Head("multiclass", "softmax", n_classes=(layers.n_scores,)))
    multilabel = estimator._label_binarizer.y_type_.startswith("multilabel")
    return Predictor(layers, Head("multilabel" if multilabel else "binary", "sigmoid"))


def _mlp_layers(estimator: Any) -> Layers:
    return Layers(
        tuple(np.asarray(w, dtype=np.float64) for w in estimator.coefs_),
        tuple(np.asarray(b, dtype=np.float64) for b in estimator.intercepts_),
        estimator.activation,
    )
