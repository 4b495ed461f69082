"""What a method returns, known before any row is predicted: data types, shapes and column names."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from skq.quantization.quantized_module import QuantizedModule
from skq.serving.outputs import log_probabilities
from skq.serving.saved_model import IntegerPredictor

__all__ = ["METHODS", "ResultForm", "columns_of", "form_of"]

Array = NDArray[Any]

#: First part of the names of output columns, by method.
METHODS = {
    "predict": "prediction",
    "predict_proba": "probability",
    "predict_log_proba": "log_probability",
    "decision_function": "score",
    "score_samples": "score",
    "apply": "leaf",
    "transform": "transformed",
    "forward": "output",
}


@dataclass(frozen=True)
class ResultForm:
    """Data types, shapes and column names of the results of a method.

    Parameters
    ----------
    parts : tuple of ndarray
        The result for one row, of shape (1, ...); several where the method returns a list of them.
    is_list : bool
        Whether the method returns a list of arrays.
    names : tuple of str
        A name for each column of the results.
    examples : tuple of ndarray
        Values of each column: all labels of a classifier's predictions.
    """

    parts: tuple[Array, ...]
    is_list: bool
    names: tuple[str, ...]
    examples: tuple[Array, ...]

    def for_no_rows(self) -> Any:
        """What the method would return for no rows; methods themselves refuse that."""
        empty = [part[:0] for part in self.parts]
        return empty if self.is_list else empty[0]


def columns_of(result: Any) -> list[Array]:
    """Columns of a method's result, each an array of shape (n_rows,).

    Parameters
    ----------
    result : ndarray of shape (n_rows,) or (n_rows, n_columns), or list of them
    """
    parts = result if isinstance(result, list) else [result]
    return [column for part in parts for column in (part.T if part.ndim == 2 else [part])]


def form_of(
    model: Any, method: str, dtype: Any = np.float64, stem: str | None = None
) -> ResultForm:
    """Form of the results of a method, from the result for one row of zeros.

    Parameters
    ----------
    model : IntegerPredictor, QuantizedModule or fitted estimator
    method : str
        One of `METHODS`.
    dtype : dtype, default=float64
        Of the data: models of float32 return float32 for it.
    stem : str, default=None
        First part of the column names; that of the method in `METHODS` by default.

    Raises
    ------
    AttributeError
        If the model has no such method.
    """
    result = _of_zeros(model, method, dtype)
    is_list = isinstance(result, list)
    stem = stem or METHODS[method]
    classes = getattr(model, "classes_", None)
    parts: list[Array] = [np.asarray(p) for p in (result if is_list else [result])]
    names = _names(stem, parts, is_list, None if method == "predict" else classes)
    examples = columns_of(parts)
    if method == "predict" and isinstance(classes, list):
        examples = [np.asarray(c).astype(parts[0].dtype) for c in classes]
    elif method == "predict" and classes is not None and parts[0].ndim == 1:
        examples = [np.asarray(classes)]
    return ResultForm(tuple(parts), is_list, tuple(names), tuple(examples))


def _of_zeros(model: Any, method: str, dtype: Any) -> Any:
    """A method's result for one row of zeros, which no lookup of texts and categories reads."""
    if isinstance(model, QuantizedModule):
        row = [np.zeros((1, *t.shape), dtype) for t in model.program.inputs]
        result: Any = model.forward(*row)
        return list(result) if isinstance(result, tuple) else result
    zeros = np.zeros((1, model.n_features_in_), dtype)
    if not isinstance(model, IntegerPredictor):
        return getattr(model, method)(zeros)
    getattr(model, method)  # an error that names the model if it has none
    is_log = method == "predict_log_proba"
    computed = "predict_proba" if is_log else method
    values = model._predict_array(computed, zeros, model.quantized_module_)
    return log_probabilities(values) if is_log else values


def _names(stem: str, parts: Sequence[Array], is_list: bool, classes: Any) -> list[str]:
    """A name for each column of the parts: with the label of its class, or with its number."""
    if is_list:
        labels = classes if isinstance(classes, list) else [range(p[0].size) for p in parts]
        return [f"{stem}_{k}_{label}" for k, known in enumerate(labels) for label in _listed(known)]
    if parts[0].ndim == 1:
        return [stem]
    n_columns = parts[0][0].size
    if isinstance(classes, np.ndarray) and len(classes) == n_columns:
        return [f"{stem}_{label}" for label in classes.tolist()]
    return [f"{stem}_{k}" for k in range(n_columns)]


def _listed(labels: Any) -> list[Any]:
    return labels.tolist() if isinstance(labels, np.ndarray) else list(labels)
