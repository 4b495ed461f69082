"""Multi-layer perceptrons."""

from __future__ import annotations

from typing import Any

import numpy as np

from skq.frontend.equivalents.writers import equivalent
from skq.frontend.predictors import Floats, Head, Layers, Predictor


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
    if len(estimator.classes_) == 1:  # for every probability
        return Predictor(layers, Head("binary", "sigmoid", threshold=np.inf))
    return Predictor(layers, Head("multilabel" if multilabel else "binary", "sigmoid"))


def _mlp_layers(estimator: Any) -> Layers:
    weights = [np.asarray(w, dtype=np.float64) for w in estimator.coefs_]
    biases = [np.asarray(b, dtype=np.float64) for b in estimator.intercepts_]
    if estimator.activation == "identity":
        weights, biases = _joined(weights, biases)
    return Layers(tuple(weights), tuple(biases), estimator.activation)


def _joined(weights: list[Floats], biases: list[Floats]) -> tuple[list[Floats], list[Floats]]:
    """Consecutive affine layers as one, where that has no more weights than the two."""
    joined_weights, joined_biases = [weights[0]], [biases[0]]
    for matrix, bias in zip(weights[1:], biases[1:], strict=True):
        before = joined_weights[-1]
        if len(before) * matrix.shape[1] > before.size + matrix.size:
            joined_weights.append(matrix)
            joined_biases.append(bias)
            continue
        joined_weights[-1] = before @ matrix
        joined_biases[-1] = joined_biases[-1] @ matrix + bias
    return joined_weights, joined_biases
