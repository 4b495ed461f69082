"""Data types that a fitted scikit-learn estimator returns, from its predictions for one row."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.ensemble import (
    BaggingClassifier,
    BaggingRegressor,
    HistGradientBoostingClassifier,
    HistGradientBoostingRegressor,
    IsolationForest,
)
from sklearn.ensemble._forest import BaseForest
from sklearn.ensemble._gb import BaseGradientBoosting
from sklearn.ensemble._weight_boosting import BaseWeightBoosting
from sklearn.linear_model._base import LinearClassifierMixin, LinearModel
from sklearn.tree import BaseDecisionTree

from skq.frontend.equivalents.hist_boosting import taking_encoded
from skq.frontend.parity import call_method

#: Methods whose results are compared.
_METHODS = ("predict", "predict_proba", "decision_function", "score_samples")

#: Sums of trees, which are in float64 for every data type of X.
_TREES = (
    BaseDecisionTree,
    BaseForest,
    HistGradientBoostingClassifier,
    HistGradientBoostingRegressor,
    IsolationForest,
)

#: Ensembles whose results have the data type of their base estimators' results, or float64.
_ENSEMBLES = (BaggingClassifier, BaggingRegressor, BaseWeightBoosting)

_LARGEST = np.finfo(np.float32).max


def result_types(estimator: Any, rows: NDArray[Any]) -> dict[str, tuple[str, str]]:
    """Data types of results that are not those of the integer program.

    The program gives float64, labels in the data type of ``classes_``, and int64 for outliers.

    Parameters
    ----------
    estimator : estimator
        Fitted, predicting in float.
    rows : ndarray of shape (n_rows, n_features)
        Valid rows, of which one is used.

    Returns
    -------
    dict of str to tuple of str
        See `skq.serving.result_types.ResultTypes`.
    """
    if _sums_trees(estimator) or _multiplies_float64(estimator):
        return {}  # known without a prediction, which takes long for a forest
    estimator = taking_encoded(estimator)  # the rows are encoded
    row = np.asarray(rows[:1], dtype=np.float64)
    float32 = np.clip(row, -_LARGEST, _LARGEST).astype(np.float32)
    types = {}
    for method in _METHODS:
        if not hasattr(estimator, method):
            continue
        single = _dtype(call_method(estimator, method, float32))
        if single.kind in "fiu" and single != _usual(estimator, method):
            double = _dtype(call_method(estimator, method, row))
            types[method] = (double.name, single.name)
    return types


def _sums_trees(estimator: Any) -> bool:
    """Whether all scores are in float64 for every estimator of this class."""
    if isinstance(estimator, BaseGradientBoosting):
        return estimator.init is None or estimator.init == "zero"
    if isinstance(estimator, _ENSEMBLES):
        return all(map(_sums_trees, estimator.estimators_))
    return isinstance(estimator, _TREES)


def _multiplies_float64(estimator: Any) -> bool:
    """Whether scores are products of X and coefficients in float64."""
    if not isinstance(estimator, LinearModel | LinearClassifierMixin):
        return False
    coefficients = getattr(estimator, "coef_", None)
    return isinstance(coefficients, np.ndarray) and coefficients.dtype == np.float64


def _dtype(result: Any) -> np.dtype[Any]:
    return np.asarray(result[0] if isinstance(result, list) else result).dtype


def _usual(estimator: Any, method: str) -> np.dtype[Any]:
    """The data type that the integer program returns."""
    classes = getattr(estimator, "classes_", None)
    if method != "predict":
        return np.dtype(np.float64)
    if classes is not None:
        return np.asarray(classes[0] if isinstance(classes, list) else classes).dtype
    return np.dtype(np.int64 if hasattr(estimator, "score_samples") else np.float64)
