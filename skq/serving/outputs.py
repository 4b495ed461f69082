"""Results of an estimator's methods from the outputs of a quantized module. No scikit-learn."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from skq._config import saturation_setting
from skq.engines.session import outputs_of
from skq.quantization.quantized_module import QuantizedModule
from skq.serving.saturation import warn_if_saturated

Array = NDArray[Any]


def has_output(module: QuantizedModule, method: str) -> bool:
    """Whether the module computes what an estimator's method returns."""
    return bool(outputs_of(method, module.output_names))


def predict_with(
    module: QuantizedModule,
    method: str,
    X: Array,
    classes: Any = None,
    *,
    n_threads: int | None = None,
    feature_names: Any = None,
) -> Any:
    """The result of an estimator's method, computed by the integer program.

    Parameters
    ----------
    module : QuantizedModule
    method : {"predict", "predict_proba", "decision_function"}
    X : ndarray of shape (n_samples, n_features)
    classes : ndarray, list of ndarray or None
        ``classes_`` of a classifier; the program predicts indices of labels.
    n_threads : int, default=None
        As in `QuantizedModule.forward`.
    feature_names : ndarray of shape (n_features,), default=None
        For the warning of values that saturate, where it is enabled.
    """
    share = saturation_setting()
    if share is not None:
        warn_if_saturated(module.program, X, share, feature_names)
    names = outputs_of(method, module.output_names)
    return as_predicted(method, module.forward(X, outputs=names, n_threads=n_threads), classes)


def as_predicted(method: str, result: Any, classes: Any) -> Any:
    """An output of the module, or a tuple of them, as the estimator's method returns it."""
    several = isinstance(result, tuple)
    if method == "predict_proba":  # sums of rounded terms may leave [0, 1] by a rounding error
        clipped = [np.minimum(np.maximum(p, 0.0), 1.0) for p in (result if several else [result])]
        return clipped if several else clipped[0]
    if method != "predict" or classes is None:
        return list(result) if several else result
    if several:
        columns = [labels.take(index) for labels, index in zip(classes, result, strict=True)]
        dtype = label_dtype(classes)
        return np.stack([column.astype(dtype) for column in columns], axis=1)
    if result.ndim == 2:  # multilabel indicators
        return result
    return np.asarray(classes).take(result)


def label_dtype(classes: list[Array]) -> np.dtype[Any]:
    """Data type that holds the labels of all outputs without a change.

    Parameters
    ----------
    classes : list of ndarray
        Labels of each output.

    Returns
    -------
    dtype
        The common one of texts, or of numbers; that of objects where outputs mix the two.

    Examples
    --------
    >>> import numpy as np
    >>> label_dtype([np.array(["no", "yes"]), np.array(["never", "sometimes"])])
    dtype('<U9')
    >>> label_dtype([np.array(["no", "yes"]), np.array([0, 1])])
    dtype('O')
    """
    dtypes = [labels.dtype for labels in classes]
    if len({_kind(dtype) for dtype in dtypes}) > 1:
        return np.dtype(object)
    return np.result_type(*dtypes)


def _kind(dtype: np.dtype[Any]) -> str:
    """Data types of one kind convert to each other without a change of the labels."""
    return "number" if dtype.kind in "iuf" else dtype.kind


def check_missing(
    name: str, module: QuantizedModule, takes: Array, columns: Array, feature_names: Any = None
) -> None:
    """Raise where X has NaN in columns in which an estimator takes none.

    Parameters
    ----------
    name : str
        The estimator's class.
    module : QuantizedModule
    takes : ndarray of shape (n_features,), bool
        Columns in which it takes NaN.
    columns : ndarray of int
        Columns in which X has NaN.
    feature_names : ndarray of shape (n_features,), default=None
    """
    refused = columns[~takes[columns]]
    if len(refused) == 0:
        return
    has_no_code = np.isin(refused, module.features_without_missing_code)
    if has_no_code.all():
        reason = (
            f"the data that this {name} was fitted on had no missing values, so its integer "
            "program has no code for them; fit on data that has some, or impute X"
        )
    else:
        refused = refused[~has_no_code]
        reason = f"this {name} takes no missing values there; impute X"
    shown = refused[:5] if feature_names is None else np.asarray(feature_names)[refused[:5]]
    more = ", ..." if len(refused) > 5 else ""
    raise ValueError(f"X contains NaN in the columns {', '.join(map(str, shown))}{more}: {reason}.")


def log_probabilities(probabilities: Any) -> Any:
    """Logarithms of an array, or of each of a list; -inf for 0."""
    with np.errstate(divide="ignore"):
        if isinstance(probabilities, list):
            return [np.log(part) for part in probabilities]
        return np.log(probabilities)
