"""`save` and `load`: a fitted model in one safe file.

The file is a compressed text (see ``docs/concepts/file-format.md``). Loading executes nothing, and
needs neither scikit-learn nor torch, Hummingbird or onnx.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from skq.program.prune import pruned
from skq.quantization.n_bits import is_lossless
from skq.quantization.quantized_module import QuantizedModule
from skq.serialization import files, serializable
from skq.serving.outputs import has_output, log_probabilities
from skq.serving.predictions import IntegerPredictions

__all__ = ["IntegerPredictor", "load", "save"]


@serializable("skq.IntegerPredictor")
@dataclass(frozen=True, eq=False)
class IntegerPredictor(IntegerPredictions):
    """A loaded model: predicts exactly as the estimator that was saved, and cannot be fitted.

    Parameters
    ----------
    estimator : str
        Class name of what was saved.
    quantized_module_ : QuantizedModule
    n_bits : int or dict
    n_features_in_ : int
    takes_missing : ndarray of shape (n_features_in_,), bool
        Columns in which missing values are accepted.
    classes_ : ndarray, list of ndarray or None
        Labels of a classifier.
    feature_names_in_ : ndarray of str or None
    """

    estimator: str
    quantized_module_: QuantizedModule
    n_bits: int | Mapping[str, int]
    n_features_in_: int
    takes_missing: NDArray[np.bool_]
    classes_: Any = None
    feature_names_in_: NDArray[Any] | None = None

    def __post_init__(self) -> None:
        takes = self.takes_missing
        if not isinstance(takes, np.ndarray) or takes.dtype != np.bool_:
            raise TypeError(f"takes_missing must be an array of bool; got {takes!r}")
        if takes.shape != (self.n_features_in_,):
            raise ValueError(
                f"takes_missing must have the shape ({self.n_features_in_},); got {takes.shape}"
            )

    def predict(self, X: Any) -> Any:
        """Predict labels or values.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features_in_)

        Returns
        -------
        ndarray of shape (n_samples,) or (n_samples, n_outputs)
        """
        return self._answer("predict", X)

    def predict_proba(self, X: Any) -> Any:
        """Class probabilities, where the saved estimator has them.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features_in_)

        Returns
        -------
        ndarray of shape (n_samples, n_classes), or a list of them for several outputs
        """
        return self._answer("predict_proba", X)

    def decision_function(self, X: Any) -> Any:
        """Confidence scores, where the saved estimator has them.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features_in_)

        Returns
        -------
        ndarray of shape (n_samples,) or (n_samples, n_classes)
        """
        return self._answer("decision_function", X)

    def predict_log_proba(self, X: Any) -> Any:
        """Logarithms of `predict_proba`, where the saved estimator has them.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features_in_)

        Returns
        -------
        ndarray of shape (n_samples, n_classes), or a list of them for several outputs
        """
        return log_probabilities(self.predict_proba(X))

    def score_samples(self, X: Any) -> Any:
        """Scores of an outlier detector: the lower, the more abnormal.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features_in_)

        Returns
        -------
        ndarray of shape (n_samples,)
        """
        return self._answer("score_samples", X)

    def _answer(self, method: str, X: Any) -> Any:
        result = self._predict_table(method, X)
        if result is not None:
            return result
        if not has_output(self.quantized_module_, method):
            raise AttributeError(f"The saved {self.estimator} has no {method}.")
        return self._predict_validated(method, X)

    @property
    def _display_name(self) -> str:
        return self.estimator

    def _validated(self, X: Any) -> NDArray[Any]:
        self._check_names(X)
        X = X.toarray() if hasattr(X, "toarray") else np.asarray(X)
        if X.dtype.kind not in "fiub":
            X = X.astype(np.float64)
        if X.ndim != 2 or X.shape[1] != self.n_features_in_:
            raise ValueError(
                f"X must have the shape (n_samples, {self.n_features_in_}); got {X.shape}."
            )
        return X

    def _missing_columns(self, X: NDArray[Any]) -> NDArray[np.int64]:
        if X.dtype.kind != "f" or np.isfinite(X).all():
            return np.zeros(0, dtype=np.int64)
        if np.isinf(X).any():
            raise ValueError(f"X contains infinity; {self.estimator} takes finite numbers.")
        return np.flatnonzero(np.isnan(X).any(axis=0))

    def _takes_missing_in(self, module: QuantizedModule) -> NDArray[np.bool_]:
        return self.takes_missing

    def _check_names(self, X: Any) -> None:
        names = getattr(X, "columns", None)
        if names is None or self.feature_names_in_ is None:
            return
        if list(names) != list(self.feature_names_in_):
            raise ValueError(
                f"X must have the columns {list(self.feature_names_in_)} in this order; "
                f"got {list(names)}."
            )


def save(obj: Any, path: str | os.PathLike[str]) -> None:
    """Save a fitted model.

    Parameters
    ----------
    obj : quantized estimator, QuantizedClassifier, QuantizedRegressor or QuantizedModule
        Fitted. What predictions need is saved; the float parent and its graph are not, and of an
        estimator's trees neither are splits that no longer change an answer.
    path : str or path-like
        File to write, by convention ``*.skq``. It appears whole or not at all.

    Raises
    ------
    TypeError
        If `obj` is something else, or is not fitted.

    Examples
    --------
    >>> import tempfile, pathlib
    >>> import skq
    >>> from sklearn.datasets import load_iris
    >>> from skq.linear_model import LogisticRegression
    >>> X, y = load_iris(return_X_y=True)
    >>> model = LogisticRegression(max_iter=1000).fit(X, y)
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = pathlib.Path(folder) / "iris.skq"
    ...     skq.save(model, path)
    ...     loaded = skq.load(path)
    >>> bool((loaded.predict(X) == model.predict(X)).all())
    True
    """
    if isinstance(obj, QuantizedModule):
        files.save(replace(obj, graph=None), path)
    elif isinstance(obj, IntegerPredictor):
        files.save(obj, path)
    else:
        files.save(_predictor(obj), path)


def load(path: str | os.PathLike[str]) -> IntegerPredictor | QuantizedModule:
    """Load what `save` wrote.

    Parameters
    ----------
    path : str or path-like

    Returns
    -------
    IntegerPredictor or QuantizedModule
        An estimator comes back as an `IntegerPredictor`.

    Raises
    ------
    SerializationError
        If the file is malformed, damaged or of a newer version; it says where.
    OSError
        If the file cannot be read.
    """
    loaded = files.load(path, expected=(IntegerPredictor, QuantizedModule))
    assert isinstance(loaded, IntegerPredictor | QuantizedModule)
    return loaded


def _predictor(estimator: Any) -> IntegerPredictor:
    module = getattr(estimator, "quantized_module_", None)
    if not isinstance(module, QuantizedModule):
        raise TypeError(
            "obj must be a fitted estimator of skq or a QuantizedModule. Got "
            f"{type(estimator).__name__}. Fit it first; of a Pipeline, quantize the whole "
            "(skq.QuantizedClassifier(pipeline)) or save its last step."
        )
    from skq.estimators.validation import takes_missing

    n_bits = module.n_bits if is_lossless(estimator.n_bits) else estimator.n_bits
    return IntegerPredictor(
        estimator=type(estimator).__name__,
        quantized_module_=replace(module, graph=None, program=pruned(module.program)),
        n_bits=dict(n_bits) if isinstance(n_bits, Mapping) else int(n_bits),
        n_features_in_=int(estimator.n_features_in_),
        takes_missing=takes_missing(estimator, module),
        classes_=getattr(estimator, "classes_", None),
        feature_names_in_=getattr(estimator, "feature_names_in_", None),
    )
