"""Edges between bins of X as post-training quantization chooses them for the float model."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.base import clone

from skq.estimators import quantize_fitted
from skq.estimators.calibration import CalibrationData
from skq.program import Bin

Floats = NDArray[np.float64]


def edges_of_model(estimator: Any, X: Any, y: Any, sample_weight: Any) -> list[Floats]:
    """Edges of each feature after a fit of the float model on X.

    Parameters
    ----------
    estimator : skq.estimators.base.QuantizedEstimator
        Of trees; it is not changed.
    X : {ndarray, sparse matrix} of shape (n_rows, n_features), float
    y : array-like or None
    sample_weight : ndarray of shape (n_rows,) or None

    Returns
    -------
    list of n_features ndarrays, rising
        Empty for features that the model does not compare.
    """
    parent = clone(estimator._as_parent())
    for name, quiet in (("verbose", 0), ("warm_start", False)):
        if hasattr(parent, name):
            setattr(parent, name, quiet)
    weights = {} if sample_weight is None else {"sample_weight": sample_weight}
    parent.fit(X, y, **weights)
    graph, data, columns = quantize_fitted.graph_and_rows(
        parent, CalibrationData.of(X, sample_weight)
    )
    module = quantize_fitted.quantize_graph(
        graph,
        data,
        n_bits=estimator.n_bits,
        rounding_threshold_bits=estimator.rounding_threshold_bits,
        calibration=estimator.calibration,
        columns_per_feature=estimator.columns_per_feature,
    )
    result: list[Floats] = [np.zeros(0)] * X.shape[1]
    for _, step, _ in module.program.steps():
        if isinstance(step, Bin):
            for c, feature in enumerate(step.feature.tolist()):
                f = feature if columns is None else int(columns.columns[feature])
                edges = step.edges[step.offsets[c] : step.offsets[c + 1]]
                result[f] = np.union1d(result[f], edges[np.isfinite(edges)])
    return result
