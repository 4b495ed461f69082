"""`save` and `load`: a fitted model in one safe file.

The file is a compressed text (see ``docs/concepts/file-format.md``). Loading executes no code from
the file, and does not import scikit-learn, torch, Hummingbird or onnx.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from skq.exceptions import UnsupportedModelError
from skq.graph.graph import FloatGraph, Node, TensorInfo
from skq.graph.preprocessing import Column, Preprocessing
from skq.program import INSTRUCTIONS, IntegerProgram, TensorType
from skq.program.prune import pruned
from skq.quantization.n_bits import get_n_bits_dict, has_layers, is_lossless
from skq.quantization.quantized_module import QuantizedModule
from skq.serialization import files, serializable
from skq.serialization.limits import MAX_BYTES
from skq.serving.lookup_stage import CategoryCodes, TableLookup
from skq.serving.model_checks import check_lookup, check_model
from skq.serving.named_columns import arranged
from skq.serving.outputs import has_output, log_probabilities
from skq.serving.predictions import IntegerPredictions
from skq.serving.result_types import ResultTypes, check_types
from skq.serving.saved_pipeline import (
    check_preprocessing,
    refuse_texts_inside,
    stages_of,
    takes_missing_before,
)
from skq.serving.table_columns import is_columns
from skq.serving.validation import checked_numbers, columns_with_missing, has_infinity

__all__ = ["IntegerPredictor", "load", "save"]

#: Classes that a saved model may contain; no other is built.
_PARTS = (
    *(IntegerProgram, TensorType, *INSTRUCTIONS, FloatGraph, Node, TensorInfo),
    *(TableLookup, CategoryCodes, Preprocessing, Column),
)


def _n_inputs(module: Any, n_features: Any, preprocessing: Any) -> Any:
    """Columns that the program must read."""
    if preprocessing is None:
        return n_features
    shapes = [t.shape for t in module.program.inputs] if isinstance(module, QuantizedModule) else []
    n_inputs = shapes[0][0] if len(shapes) == 1 and len(shapes[0]) == 1 else 0
    check_preprocessing(preprocessing, n_features, n_inputs)
    return n_inputs


#: Methods that a saved model may have.
METHODS = ("predict", "predict_proba", "predict_log_proba", "decision_function", "score_samples")


class _Method:
    """A method that exists if the saved estimator had it."""

    def __init__(self, function: Callable[..., Any]) -> None:
        self.function = function
        self.__doc__ = function.__doc__

    def __get__(self, model: Any, owner: type | None = None) -> Any:
        if model is None:
            return self.function
        name = self.function.__name__
        computed = "predict_proba" if name == "predict_log_proba" else name
        known = model.methods is None or name in model.methods
        if not (known and has_output(model.quantized_module_, computed)):
            raise AttributeError(f"The saved {model.estimator} has no {name}.")
        return self.function.__get__(model, owner)


@serializable("skq.IntegerPredictor")
@dataclass(frozen=True, eq=False, repr=False)
class IntegerPredictor(IntegerPredictions):
    """A loaded model. Its predictions equal those of the saved estimator; it cannot be fitted.

    Parameters
    ----------
    estimator : str
        Class name of the saved estimator.
    quantized_module_ : QuantizedModule
    n_bits : int or dict
    n_features_in_ : int
    takes_missing : ndarray of shape (n_features_in_,), bool
        Columns in which missing values are accepted.
    classes_ : ndarray, list of ndarray or None
        Class labels of a classifier.
    feature_names_in_ : ndarray of str or None
    methods : tuple of str or None
        Methods of the saved estimator; None in files of earlier versions.
    result_types : dict of str to tuple of str
        See `skq.serving.result_types.ResultTypes`.
    takes_infinity : bool, default=False
        Whether infinity is accepted, as in histogram gradient boosting.
    lookup : TableLookup or None
        The stage that encodes texts and categories before the program; None for numeric models.
    columns_by_name : ndarray of shape (n_features_in_,), bool, or None
        Columns that a Pipeline uses, if it selects columns by name. Dataframes may then have the
        columns in any order, and additional columns. None means that dataframes must have the
        columns of ``feature_names_in_`` in order.
    preprocessing : Preprocessing or None
        Transformers of a Pipeline that ends in an estimator of skq. They are computed in float64
        before the program.
    """

    estimator: str
    quantized_module_: QuantizedModule
    n_bits: int | Mapping[str, Any]
    n_features_in_: int
    takes_missing: NDArray[np.bool_]
    classes_: Any = None
    feature_names_in_: NDArray[Any] | None = None
    methods: tuple[str, ...] | None = None
    result_types: Mapping[str, tuple[str, str]] = field(default_factory=dict)
    takes_infinity: bool = False
    lookup: TableLookup | None = None
    columns_by_name: NDArray[np.bool_] | None = None
    preprocessing: Preprocessing | None = None

    def __repr__(self) -> str:
        return (
            f"IntegerPredictor({self.estimator}, n_bits={self.n_bits}, "
            f"{self.n_features_in_} features, {self.quantized_module_.nbytes} bytes)"
        )

    def __post_init__(self) -> None:
        if type(self.estimator) is not str:
            raise TypeError(f"estimator must be a text; got {type(self.estimator).__name__}")
        get_n_bits_dict(self.n_bits)
        n_inputs = _n_inputs(self.quantized_module_, self.n_features_in_, self.preprocessing)
        check_model(
            self.quantized_module_,
            self.n_features_in_,
            n_inputs,
            self.takes_missing,
            self.classes_,
            self.feature_names_in_,
            self.columns_by_name,
        )
        if self.methods is not None and not (
            isinstance(self.methods, tuple) and set(self.methods) <= set(METHODS)
        ):
            raise ValueError(f"methods must be some of {METHODS}; got {self.methods!r}")
        check_types(self.result_types)
        if type(self.takes_infinity) is not bool:
            raise TypeError(f"takes_infinity must be a bool; got {self.takes_infinity!r}")
        check_lookup(self.lookup, self.n_features_in_, self.feature_names_in_)

    def predict(self, X: Any) -> Any:
        """Predict labels or values.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features_in_)

        Returns
        -------
        ndarray of shape (n_samples,) or (n_samples, n_outputs)
        """
        return self._predict_in_integers("predict", X)

    @_Method
    def predict_proba(self, X: Any) -> Any:
        """Predict class probabilities, if the saved estimator has this method.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features_in_)

        Returns
        -------
        ndarray of shape (n_samples, n_classes), or a list of them for several outputs
        """
        return self._predict_in_integers("predict_proba", X)

    @_Method
    def decision_function(self, X: Any) -> Any:
        """Compute confidence scores, if the saved estimator has this method.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features_in_)

        Returns
        -------
        ndarray of shape (n_samples,) or (n_samples, n_classes)
        """
        return self._predict_in_integers("decision_function", X)

    @_Method
    def predict_log_proba(self, X: Any) -> Any:
        """Compute logarithms of `predict_proba`, if the saved estimator has this method.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features_in_)

        Returns
        -------
        ndarray of shape (n_samples, n_classes), or a list of them for several outputs
        """
        return log_probabilities(self.predict_proba(X))

    @_Method
    def score_samples(self, X: Any) -> Any:
        """Compute the scores of an outlier detector; lower scores are more abnormal.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features_in_)

        Returns
        -------
        ndarray of shape (n_samples,)
        """
        return self._predict_in_integers("score_samples", X)

    def _predict_in_integers(self, method: str, X: Any) -> Any:
        result = self._predict_table(method, X)
        return self._predict_validated(method, X) if result is None else result

    @property
    def _types(self) -> ResultTypes | None:
        return self.result_types

    @property
    def _display_name(self) -> str:
        return self.estimator

    @property
    def _table_lookup(self) -> TableLookup | None:
        return self.lookup

    def _passes_plain_tables(self) -> bool:
        return self.lookup is None and self.preprocessing is None

    def _run_table(self, method: str, X: Any) -> Any:
        return super()._run_table(method, X) if self.preprocessing is None else None

    def _transformed(self, X: Any) -> Any:
        if self.preprocessing is None:
            return X
        X = X.toarray() if hasattr(X, "toarray") else X
        return self.preprocessing(np.asarray(X, dtype=np.float64))

    def _validated(self, X: Any) -> Any:
        if self.lookup is not None:
            return self.lookup(X)
        if is_columns(X):
            return self._of_numbers(X)
        if self.columns_by_name is not None:
            assert self.feature_names_in_ is not None  # as `check_model` has checked
            X = arranged(X, self.feature_names_in_, self.columns_by_name)
        return checked_numbers(X, self.n_features_in_, self.feature_names_in_)

    def _of_numbers(self, X: Any) -> Any:
        """Columns of a dict or an Arrow table, for a model of numbers."""
        n, names, used = self.n_features_in_, self.feature_names_in_, self.columns_by_name
        unread = np.zeros(n, dtype=bool) if used is None else ~used
        return TableLookup(n, (), unread, None if names is None else tuple(map(str, names)))(X)

    def _missing_columns(self, X: Any, module: QuantizedModule) -> NDArray[np.int64]:
        if not self.takes_infinity and has_infinity(X):
            raise ValueError(
                "X contains infinity or a value too large for dtype('float64'); "
                f"{self.estimator} takes finite numbers."
            )
        return columns_with_missing(X)

    def _takes_missing_in(self, module: QuantizedModule) -> NDArray[np.bool_]:
        return self.takes_missing


def save(obj: Any, path: str | os.PathLike[str]) -> None:
    """Save a fitted model.

    Parameters
    ----------
    obj : quantized estimator, QuantizedClassifier, QuantizedRegressor, QuantizedModule or Pipeline
        A fitted model. The last step of a scikit-learn Pipeline must be one of the other classes.
        The file contains what predictions need. It does not contain the float model, its graph,
        and splits of trees that do not change a prediction. The transformers of a Pipeline are
        saved as functions of columns, products and matrices, in float64.
    path : str or path-like
        File to write, by convention ``*.skq``. An existing file is replaced atomically.

    Raises
    ------
    TypeError
        If `obj` is something else, or is not fitted.
    UnsupportedModelError
        If a transformer of a Pipeline is not supported. The message names it.

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
    files.save(as_saved(obj), path)


def as_saved(obj: Any) -> IntegerPredictor | QuantizedModule:
    """What a file of a fitted model holds; `save` tells of the parameter and the errors."""
    if isinstance(obj, QuantizedModule):
        return replace(obj, graph=None)
    if isinstance(obj, IntegerPredictor):
        return obj
    return _pipeline(obj) if hasattr(obj, "steps") else _predictor(obj)


#: What a file may hold.
_MODELS = (IntegerPredictor, QuantizedModule)


def load(
    path: str | os.PathLike[str], *, max_bytes: int = MAX_BYTES
) -> IntegerPredictor | Any:  # Any: scripts need no type check
    """Load a model that `save` wrote.

    A file is untrusted input: nothing in it is executed, and it is checked completely before the
    model is returned.

    Parameters
    ----------
    path : str or path-like
    max_bytes : int, default=2**28
        Limit of the size of the model's constants in bytes, and of the memory that the program
        needs for a row (8 bytes per element of a value, and some thousand per instruction). A file
        that exceeds the limit raises an error. Pass a larger limit for a large model from a source
        that you trust.

    Returns
    -------
    IntegerPredictor or QuantizedModule
        An `IntegerPredictor` if an estimator was saved.

    Raises
    ------
    SerializationError
        If the file is malformed, damaged, of a newer version, or exceeds the limit. The message
        contains the location in the file.
    OSError
        If the file cannot be read.

    Examples
    --------
    >>> import os, tempfile
    >>> from sklearn.datasets import load_iris
    >>> import skq
    >>> from skq.tree import DecisionTreeClassifier
    >>> X, y = load_iris(return_X_y=True)
    >>> model = DecisionTreeClassifier(random_state=0, n_bits=4).fit(X, y)
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = os.path.join(folder, "tree.skq")
    ...     skq.save(model, path)
    ...     loaded = skq.load(path)
    >>> bool((loaded.predict(X) == model.predict(X)).all())
    True
    """
    loaded: IntegerPredictor | QuantizedModule = files.load(
        path, expected=_MODELS, max_bytes=max_bytes, classes={*_MODELS, *_PARTS}
    )
    return loaded


def load_bytes(data: bytes, *, max_bytes: int = MAX_BYTES) -> IntegerPredictor | QuantizedModule:
    """The same from the bytes of a file, as `skq.serialization.files.to_bytes` gives them."""
    loaded: IntegerPredictor | QuantizedModule = files.from_bytes(
        data, expected=_MODELS, max_bytes=max_bytes, classes={*_MODELS, *_PARTS}
    )
    return loaded


def _pipeline(pipeline: Any) -> IntegerPredictor:
    """A scikit-learn Pipeline whose last step is an estimator of skq."""
    last = pipeline.steps[-1][1]
    if not isinstance(getattr(last, "quantized_module_", None), QuantizedModule):
        raise _not_a_model(pipeline)
    saved = _predictor(last)
    refuse_texts_inside(pipeline, last)
    lookup, preprocessing = stages_of(pipeline)
    names = getattr(pipeline, "feature_names_in_", None)
    return replace(
        saved,
        estimator=f"{type(pipeline).__name__} of {saved.estimator}",
        n_features_in_=preprocessing.n_features,
        takes_missing=takes_missing_before(preprocessing, saved.takes_missing, lookup),
        feature_names_in_=names,
        methods=tuple(m for m in METHODS if hasattr(pipeline, m)),
        lookup=lookup,
        columns_by_name=None,
        preprocessing=preprocessing,
    )


def _not_a_model(obj: Any) -> TypeError:
    """Error for an object that `save` does not support, with an alternative."""
    name = type(obj).__name__
    start = f"obj must be a fitted estimator of skq or a QuantizedModule. Got {name}"
    if isinstance(obj, type):
        return TypeError(f"{start}, the class {obj.__name__}: save a fitted instance of it.")
    if hasattr(obj, "n_bits"):
        return TypeError(f"{start}, which is not fitted: call fit first.")
    if hasattr(obj, "steps"):
        return TypeError(
            f"{start}: quantize the whole of it, skq.quantize({name.lower()}, X), or save its "
            "last step."
        )
    if hasattr(obj, "fit"):
        return TypeError(f"{start}, a float model: quantize it first, skq.quantize(model, X).")
    return TypeError(f"{start}.")


def _predictor(estimator: Any) -> IntegerPredictor:
    module = getattr(estimator, "quantized_module_", None)
    if not isinstance(module, QuantizedModule):
        raise _not_a_model(estimator)
    overridden = getattr(estimator, "_overridden", None)
    if overridden:
        raise UnsupportedModelError(
            f"{type(estimator).__name__} overrides {', '.join(sorted(overridden))}, which skq.save "
            "cannot store. Save its skq parent class, or pickle it."
        )
    n_bits = estimator.n_bits
    if is_lossless(n_bits) or has_layers(n_bits):
        n_bits = module.n_bits
    return IntegerPredictor(
        estimator=type(estimator).__name__,
        quantized_module_=replace(module, graph=None, program=pruned(module.program)),
        n_bits=dict(n_bits) if isinstance(n_bits, Mapping) else int(n_bits),
        n_features_in_=int(estimator.n_features_in_),
        takes_missing=estimator._takes_missing_in(module),
        classes_=getattr(estimator, "classes_", None),
        feature_names_in_=getattr(estimator, "feature_names_in_", None),
        methods=tuple(m for m in METHODS if hasattr(estimator, m)),
        result_types=dict(estimator._types or {}),
        takes_infinity=estimator._takes_infinity,
        lookup=estimator._table_lookup,
        columns_by_name=estimator._columns_by_name,
    )
