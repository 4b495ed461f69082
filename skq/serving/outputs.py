"""From the outputs of a quantized module to what an estimator's methods return. No scikit-learn."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from skq._config import saturation_setting
from skq.quantization.quantized_module import QuantizedModule
from skq.serving.saturation import warn_if_saturated

Array = NDArray[Any]

#: Key of what a module has prepared: whether NaN is taken in every column.
_TAKES_MISSING = "takes missing"


def has_output(module: QuantizedModule, method: str) -> bool:
    """Whether the module computes what an estimator's method returns."""
    return bool(output_names(module, method))


def predict_with(
    module: QuantizedModule,
    method: str,
    X: Array,
    classes: Any = None,
    *,
    n_threads: int | None = None,
    feature_names: Any = None,
) -> Any:
    """What the estimator's method returns, from the integer program.

    Parameters
    ----------
    module : QuantizedModule
    method : {"predict", "predict_proba", "decision_function"}
    X : ndarray of shape (n_samples, n_features)
    classes : ndarray, list of ndarray or None
        ``classes_`` of a classifier; the program knows labels by their index.
    n_threads : int, default=None
        As in `QuantizedModule.forward`.
    feature_names : ndarray of shape (n_features,), default=None
        For the warning of values that saturate, where it is asked for.
    """
    share = saturation_setting()
    if share is not None:
        warn_if_saturated(module.program, X, share, feature_names)
    names = output_names(module, method)
    return _as_predicted(method, module.forward(X, outputs=names, n_threads=n_threads), classes)


def quick_table(
    module: QuantizedModule, method: str, X: Any, classes: Any = None, n_threads: int | None = None
) -> Any:
    """What `predict_with` returns, where X is a plain table that any validation would pass.

    The kernels check shape and dtype, and find NaN and infinity in the pass that quantizes. NaN is
    left to `predict_with` until `check_missing` has found that the module takes it in every column.

    Returns
    -------
    None
        Where X is anything else: validation and `predict_with` have the last word.
    """
    if (
        type(X) is not np.ndarray
        or X.ndim != 2
        or X.size == 0
        or saturation_setting() is not None  # predict_with warns of values that saturate
    ):
        return None
    found = TableMethod.of(module, method)
    if found is None:
        return None
    return found.predict(X, classes, n_threads, module.prepared.get(_TAKES_MISSING, False))


class TableMethod:
    """`predict_with` by the short way, with everything prepared but the rows.

    There is one for each method of a module, kept with the module, which never changes; pickles and
    copies leave it behind.
    """

    def __init__(self, module: QuantizedModule, method: str) -> None:
        names = output_names(module, method)
        route = module.route(names)
        self._method, self._table, self._finish = method, route.table, route.finish

    @staticmethod
    def of(module: QuantizedModule, method: str) -> TableMethod | None:
        """The prepared method; None where the module does not compute it."""
        found: TableMethod | None = module.prepared.get(method)
        if found is None and has_output(module, method):
            found = module.prepared[method] = TableMethod(module, method)
        return found

    def predict(self, X: Array, classes: Any, n_threads: int | None, takes_missing: bool) -> Any:
        """What `predict_with` returns, or None where that has the last word.

        See Also
        --------
        skq.engines.dispatch.TableRun : Which tables may take the short way.
        """
        values = self._table.run(X, n_threads, takes_missing)
        if values is None:
            return None
        return _as_predicted(self._method, self._finish(values), classes)


def _as_predicted(method: str, result: Any, classes: Any) -> Any:
    """An output of the module, or a tuple of them, as the estimator's method returns it."""
    several = isinstance(result, tuple)
    if method == "predict_proba":  # sums of rounded parts may leave [0, 1] by a rounding
        clipped = [np.minimum(np.maximum(p, 0.0), 1.0) for p in (result if several else [result])]
        return clipped if several else clipped[0]
    if method != "predict" or classes is None:
        return list(result) if several else result
    if several:
        columns = [labels.take(index) for labels, index in zip(classes, result, strict=True)]
        return np.stack([column.astype(classes[0].dtype) for column in columns], axis=1)
    if result.ndim == 2:  # multilabel indicators
        return result
    return np.asarray(classes).take(result)


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
        module.prepared[_TAKES_MISSING] = bool(takes.all())
        return
    uncoded = np.isin(refused, module.uncoded)
    if uncoded.all():
        reason = (
            f"the data that this {name} was fitted on had no missing values, so its integer "
            "program has no code for them; fit on data that has some, or impute X"
        )
    else:
        refused = refused[~uncoded]
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


def output_names(module: QuantizedModule, method: str) -> tuple[str, ...]:
    """Outputs that make up a method's result: itself, or its numbered parts."""
    if method in module.output_names:
        return (method,)
    numbered = [f"{method}_{k}" for k in range(len(module.output_names))]
    return tuple(name for name in numbered if name in module.output_names)
