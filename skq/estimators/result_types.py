"""Data types that a fitted scikit-learn estimator returns, from its predictions for one row."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from skq.frontend.equivalents.hist_boosting import taking_encoded
from skq.frontend.parity import call_method

#: Methods whose results are compared.
_METHODS = ("predict", "predict_proba", "decision_function", "score_samples")

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
