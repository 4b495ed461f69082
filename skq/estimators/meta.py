"""Quantization around any estimator: `QuantizedClassifier`, `QuantizedRegressor`, `quantize`."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np
from numpy.typing import NDArray
from sklearn.base import (
    BaseEstimator,
    ClassifierMixin,
    MetaEstimatorMixin,
    OutlierMixin,
    RegressorMixin,
    clone,
    is_classifier,
    is_outlier_detector,
    is_regressor,
)
from sklearn.frozen import FrozenEstimator
from sklearn.pipeline import Pipeline
from sklearn.utils import get_tags
from sklearn.utils.metaestimators import available_if
from sklearn.utils.validation import _check_sample_weight, check_is_fitted, validate_data

from skq.estimators import blocks, category_models, changes, quantize_fitted
from skq.estimators.base import QuantizedEstimator
from skq.estimators.calibration import CalibrationData
from skq.estimators.delegation import inner_has
from skq.estimators.in_float import in_float
from skq.estimators.missing_values import takes_missing
from skq.estimators.named_columns import columns_used_by_name
from skq.estimators.overwriting import to_write_into
from skq.estimators.predictions import EstimatorPredictions
from skq.estimators.result_types import result_types
from skq.estimators.validation import numeric_array, refuse_text
from skq.exceptions import UnsupportedModelError
from skq.frontend.equivalents import check_trainable, last_step
from skq.frontend.equivalents.dask_boosters import in_memory
from skq.quantization.quantized_module import QuantizedModule
from skq.serving.named_columns import arranged
from skq.serving.outputs import log_probabilities

if TYPE_CHECKING:
    pass

Self = TypeVar("Self", bound="_QuantizedMeta")


class _QuantizedMeta(EstimatorPredictions, MetaEstimatorMixin, BaseEstimator):  # type: ignore[misc]
    """Common methods of the meta-estimators."""

    estimator: Any
    quantized_module_: QuantizedModule

    #: As in `QuantizedEstimator`; inside another estimator the wrapped estimator is used alone.
    _in_float = False

    def __init__(
        self,
        estimator: Any,
        *,
        n_bits: Any = 8,
        rounding_threshold_bits: Any = None,
        calibration: str = "auto",
        columns_per_feature: Any = 1,
    ) -> None:
        self.estimator = estimator
        self.n_bits = n_bits
        self.rounding_threshold_bits = rounding_threshold_bits
        self.calibration = calibration
        self.columns_per_feature = columns_per_feature

    def __setattr__(self, name: str, value: Any) -> None:
        changes.before_setting(self, name, value)
        super().__setattr__(name, value)

    def fit(self: Self, X: Any, y: Any = None, sample_weight: Any = None) -> Self:
        """Fit the estimator, then quantize it on the same data.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
        y : array-like of shape (n_samples,) or (n_samples, n_outputs)
        sample_weight : array-like of shape (n_samples,), default=None
            Passed to the estimator's ``fit``, and used in calibration.

        Returns
        -------
        self
        """
        quantize_fitted.check_bits(
            self.n_bits, self.rounding_threshold_bits, self.calibration, self.columns_per_feature
        )
        self.__dict__.pop("quantized_module_", None)
        changes.forget_changes(self)
        _check_is_estimator(self.estimator)
        _refuse_quantized(self.estimator)
        self._refuse_other_kinds()
        if isinstance(self.estimator, FrozenEstimator):
            self.estimator_ = in_memory(self.estimator.estimator)
        else:
            estimator = in_float(self.estimator)
            check_trainable(estimator)
            weights = {} if sample_weight is None else _weights_for(self.estimator, sample_weight)
            unfitted = clone(estimator)
            self.estimator_ = unfitted.fit(to_write_into(unfitted, X), y, **weights)
        return self._quantize(X, sample_weight)

    def _refuse_other_kinds(self) -> None:
        """Refuse a regressor in a wrapper of classifiers, and so on, before training."""
        name = type(last_step(self.estimator)).__name__
        for is_kind, kind, wrapper in _KINDS:
            if is_kind(self.estimator) and not is_kind(self):
                raise UnsupportedModelError(
                    f"{type(self).__name__} cannot quantize {name}, which is "
                    f"a {kind}. Use {wrapper}."
                )

    def _quantize(self: Self, X: Any, sample_weight: Any = None, *, verbose: bool = False) -> Self:
        self.__dict__.pop("_lookup", None)
        rows = blocks.example_of_blocks(X) if blocks.is_lazy(X) else X
        validate_data(self, rows, skip_check_array=True)
        model = self.estimator_
        self._check_width(model)
        coded = category_models.coded(model, rows)
        if coded is None:
            refuse_text(model, rows)
        else:
            self._lookup, model = coded
        data = self._calibration_data(X, sample_weight)
        if hasattr(self.estimator_, "classes_"):
            self.classes_ = self.estimator_.classes_
        self._result_types = result_types(model, data.full_rows(1))
        self.quantized_module_ = quantize_fitted.build_module(
            model,
            data,
            name=type(self.estimator_).__name__,
            n_bits=self.n_bits,
            rounding_threshold_bits=self.rounding_threshold_bits,
            calibration=self.calibration,
            columns_per_feature=self.columns_per_feature,
            verbose=verbose,
        )
        return self

    def _check_width(self, model: Any) -> None:
        """Raise if X has another number of features than the fitted model."""
        expected = getattr(model, "n_features_in_", self.n_features_in_)
        if self.n_features_in_ != expected:
            raise ValueError(
                f"X has {self.n_features_in_} features, but {type(model).__name__} is expecting "
                f"{expected} features as input."
            )

    def _calibration_data(self, X: Any, sample_weight: Any) -> CalibrationData:
        if blocks.is_lazy(X):
            if sample_weight is not None:
                raise ValueError("sample_weight needs X in memory: pass X.compute().")
            return blocks.summary_of_blocks(X, partial(numeric_array, self, dense=False))
        X = numeric_array(self, X, dense=False)
        if sample_weight is not None:
            sample_weight = _check_sample_weight(sample_weight, X)
        return CalibrationData.of(X, sample_weight)

    def predict(self, X: Any) -> Any:
        """Predict with the integer program.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)

        Returns
        -------
        ndarray of shape (n_samples,) or (n_samples, n_outputs)
            Labels of a classifier, values of a regressor.
        """
        return self._predict_in_integers("predict", X)

    def _predict_in_integers(self, method: str, X: Any) -> Any:
        result = self._predict_table(method, X)
        if result is not None:
            return result
        changes.check_unchanged(self)
        check_is_fitted(self, "quantized_module_")
        return self._predict_validated(method, X)

    def _validated(self, X: Any) -> Any:
        if self._table_lookup is not None:
            return super()._validated(X)
        used = self._columns_by_name
        X = X if used is None else arranged(X, self.feature_names_in_, used)
        return super()._validated(X)

    @property
    def _columns_by_name(self) -> NDArray[np.bool_] | None:
        return columns_used_by_name(self._float_model)

    @property
    def _float_model(self) -> Any:
        """The fitted estimator that was quantized."""
        return self.estimator_

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        inner = get_tags(self.estimator)
        tags.input_tags.sparse = inner.input_tags.sparse
        tags.input_tags.allow_nan = takes_missing(self.estimator)
        tags.target_tags.multi_output = inner.target_tags.multi_output
        tags.target_tags.single_output = inner.target_tags.single_output
        return tags


class QuantizedClassifier(ClassifierMixin, _QuantizedMeta):  # type: ignore[misc]
    """Quantize a classifier, or a Pipeline that ends in one.

    Parameters
    ----------
    estimator : estimator
        A supported classifier or Pipeline. It is cloned and fitted; wrap a fitted one in
        `sklearn.frozen.FrozenEstimator`.
    n_bits : int, sequence of int or dict, default=8
        Width of the integers, from 1 to 16; see `skq.quantization.get_n_bits_dict`.
    rounding_threshold_bits : int or dict, default=None
        Width to which an accumulator is rounded before a function or another layer reads it.
    calibration : {"auto", "minmax", "percentile", "mse"}, default="auto"
        How the range of each tensor is chosen; see `skq.quantization.search.ranges`.
    columns_per_feature : int or "lossless", default=1
        Maximum number of columns of codes for a feature, from 1 to 64. "lossless", for trees, uses
        as many columns as the splits need.

    Attributes
    ----------
    estimator_ : estimator
        The fitted float model.
    quantized_module_ : QuantizedModule
        The integer program with its quantizers.
    n_bits_ : dict
        The widths that were used, by role.
    columns_per_feature_ : int
        Largest number of columns of codes of a feature.
    onnx_model_ : onnx.ModelProto
        The float graph that was quantized.
    classes_ : ndarray of shape (n_classes,)
        Class labels.
    n_features_in_ : int
        Number of features seen in ``fit``.
    feature_names_in_ : ndarray of shape (`n_features_in_`,)
        Names of the features, if X has feature names.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from sklearn.linear_model import LogisticRegression
    >>> from sklearn.pipeline import make_pipeline
    >>> from sklearn.preprocessing import StandardScaler
    >>> from skq import QuantizedClassifier
    >>> X, y = load_iris(return_X_y=True)
    >>> pipeline = make_pipeline(StandardScaler(), LogisticRegression())
    >>> QuantizedClassifier(pipeline, n_bits=6).fit(X, y).score(X, y) > 0.9
    True
    """

    @available_if(inner_has("predict_proba", "estimator_"))
    def predict_proba(self, X: Any) -> Any:
        """Compute class probabilities from the scores of the integer program.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)

        Returns
        -------
        ndarray of shape (n_samples, n_classes), or a list of them for several outputs
        """
        return self._predict_in_integers("predict_proba", X)

    @available_if(inner_has("predict_proba", "estimator_"))
    def predict_log_proba(self, X: Any) -> Any:
        """Compute logarithms of the class probabilities.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)

        Returns
        -------
        ndarray of shape (n_samples, n_classes), or a list of them for several outputs
        """
        return log_probabilities(self.predict_proba(X))

    @available_if(inner_has("decision_function", "estimator_"))
    def decision_function(self, X: Any) -> Any:
        """Compute confidence scores, which are dequantized accumulators of the integer program.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)

        Returns
        -------
        ndarray of shape (n_samples,) or (n_samples, n_classes)
        """
        return self._predict_in_integers("decision_function", X)


class QuantizedRegressor(RegressorMixin, _QuantizedMeta):  # type: ignore[misc]
    """Quantize a regressor, or a Pipeline that ends in one.

    Parameters
    ----------
    estimator : estimator
        A supported regressor or Pipeline. It is cloned and fitted; wrap a fitted one in
        `sklearn.frozen.FrozenEstimator`.
    n_bits : int, sequence of int or dict, default=8
        Width of the integers, from 1 to 16; see `skq.quantization.get_n_bits_dict`.
    rounding_threshold_bits : int or dict, default=None
        Width to which an accumulator is rounded before a function or another layer reads it.
    calibration : {"auto", "minmax", "percentile", "mse"}, default="auto"
        How the range of each tensor is chosen; see `skq.quantization.search.ranges`.
    columns_per_feature : int or "lossless", default=1
        Maximum number of columns of codes for a feature, from 1 to 64. "lossless", for trees, uses
        as many columns as the splits need.

    Attributes
    ----------
    estimator_ : estimator
        The fitted float model.
    quantized_module_ : QuantizedModule
        The integer program with its quantizers.
    n_bits_ : dict
        The widths that were used, by role.
    columns_per_feature_ : int
        Largest number of columns of codes of a feature.
    onnx_model_ : onnx.ModelProto
        The float graph that was quantized.
    n_features_in_ : int
        Number of features seen in ``fit``.
    feature_names_in_ : ndarray of shape (`n_features_in_`,)
        Names of the features, if X has feature names.

    Examples
    --------
    >>> from sklearn.datasets import load_diabetes
    >>> from sklearn.linear_model import Ridge
    >>> from skq import QuantizedRegressor
    >>> X, y = load_diabetes(return_X_y=True)
    >>> QuantizedRegressor(Ridge(), n_bits=6).fit(X, y).score(X, y) > 0.4
    True
    """


class QuantizedOutlierDetector(OutlierMixin, _QuantizedMeta):  # type: ignore[misc]
    """Quantize an outlier detector, or a Pipeline that ends in one.

    Parameters
    ----------
    estimator : estimator
        `sklearn.ensemble.IsolationForest`, `sklearn.linear_model.SGDOneClassSVM`, or a Pipeline
        that ends in one of them. It is cloned and fitted; wrap a fitted one in
        `sklearn.frozen.FrozenEstimator`.
    n_bits : int, sequence of int or dict, default=8
        Width of the integers, from 1 to 16; see `skq.quantization.get_n_bits_dict`.
    rounding_threshold_bits : int or dict, default=None
        Width to which an accumulator is rounded before a function or another layer reads it.
    calibration : {"auto", "minmax", "percentile", "mse"}, default="auto"
        How the range of each tensor is chosen; see `skq.quantization.search.ranges`.
    columns_per_feature : int or "lossless", default=1
        Maximum number of columns of codes for a feature, from 1 to 64. "lossless", for trees, uses
        as many columns as the splits need.

    Attributes
    ----------
    estimator_ : estimator
        The fitted float model. Its offset is not changed, even if it was computed from a
        ``contamination``; `skq.ensemble.IsolationForest` computes the offset from integer scores.
    quantized_module_ : QuantizedModule
        The integer program with its quantizers.
    n_bits_ : dict
        The widths that were used, by role.
    columns_per_feature_ : int
        Largest number of columns of codes of a feature.
    onnx_model_ : onnx.ModelProto
        The float graph that was quantized.
    n_features_in_ : int
        Number of features seen in ``fit``.
    feature_names_in_ : ndarray of shape (`n_features_in_`,)
        Names of the features, if X has feature names.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from sklearn.ensemble import IsolationForest
    >>> from skq import quantize
    >>> X, _ = load_iris(return_X_y=True)
    >>> forest = IsolationForest(n_estimators=20, random_state=0).fit(X)
    >>> bool((quantize(forest, X).predict(X) == forest.predict(X)).mean() > 0.95)
    True
    """

    def decision_function(self, X: Any) -> Any:
        """Compute the scores minus the offset; they are negative for outliers.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)

        Returns
        -------
        ndarray of shape (n_samples,)
        """
        return self._predict_in_integers("decision_function", X)

    def score_samples(self, X: Any) -> Any:
        """Compute the scores of samples; lower scores are more abnormal.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)

        Returns
        -------
        ndarray of shape (n_samples,)
        """
        return self._predict_in_integers("score_samples", X)


def quantize(
    fitted: Any,
    X: Any,
    *,
    n_bits: Any = 8,
    rounding_threshold_bits: Any = None,
    calibration: str = "auto",
    columns_per_feature: Any = 1,
    verbose: bool = False,
) -> QuantizedClassifier | QuantizedRegressor | QuantizedOutlierDetector:
    """Quantize a fitted estimator.

    Parameters
    ----------
    fitted : estimator or Pipeline
        A fitted classifier, regressor or outlier detector.
    X : {array-like, sparse matrix, Dask array or dataframe} of shape (n_samples, n_features)
        Calibration data, for example the training data. They must be similar to the rows that the
        model will predict on. Of a Dask collection this process gets the ranges of all rows and
        2000 evenly spaced rows, the same that are used of X in memory, so the integers are the
        same. Blocks with an unknown number of rows, such as those of a dataframe, are computed
        twice.
    n_bits : int, sequence of int or dict, default=8
        Width of the integers, from 1 to 16; see `skq.quantization.get_n_bits_dict`.
    rounding_threshold_bits : int or dict, default=None
        Width to which an accumulator is rounded before a function or another layer reads it.
    calibration : {"auto", "minmax", "percentile", "mse"}, default="auto"
        How the range of each tensor is chosen; see `skq.quantization.search.ranges`.
    columns_per_feature : int or "lossless", default=1
        Maximum number of columns of codes for a feature, from 1 to 64. "lossless", for trees, uses
        as many columns as the splits need.
    verbose : bool, default=False
        Whether to print each step of the quantization and its duration.

    Returns
    -------
    QuantizedClassifier, QuantizedRegressor or QuantizedOutlierDetector
        Fitted wrapper around ``FrozenEstimator(fitted)``.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from sklearn.ensemble import RandomForestClassifier
    >>> from skq import quantize
    >>> X, y = load_iris(return_X_y=True)
    >>> forest = RandomForestClassifier(20, random_state=0).fit(X, y)
    >>> bool((quantize(forest, X).predict(X) == forest.predict(X)).all())
    True
    """
    _check_is_estimator(fitted)
    check_is_fitted(fitted)
    _refuse_quantized(fitted)
    if is_classifier(fitted):
        wrapper: Any = QuantizedClassifier
    elif is_regressor(fitted):
        wrapper = QuantizedRegressor
    elif is_outlier_detector(fitted):
        wrapper = QuantizedOutlierDetector
    else:
        raise UnsupportedModelError(
            "fitted must be a classifier, a regressor or an outlier detector. Got "
            f"{type(fitted).__name__} instead."
        )
    result = wrapper(
        FrozenEstimator(fitted),
        n_bits=n_bits,
        rounding_threshold_bits=rounding_threshold_bits,
        calibration=calibration,
        columns_per_feature=columns_per_feature,
    )
    quantize_fitted.check_bits(n_bits, rounding_threshold_bits, calibration, columns_per_feature)
    result.estimator_ = in_memory(fitted)
    return result._quantize(X, verbose=verbose)


#: Kinds of estimators, and the wrapper of each.
_KINDS = (
    (is_classifier, "classifier", "QuantizedClassifier"),
    (is_regressor, "regressor", "QuantizedRegressor"),
    (is_outlier_detector, "detector of outliers", "QuantizedOutlierDetector"),
)


def _weights_for(estimator: Any, sample_weight: Any) -> dict[str, Any]:
    """Arguments that pass sample weights to an estimator, or to a Pipeline's last step."""
    if isinstance(estimator, Pipeline):
        return {f"{estimator.steps[-1][0]}__sample_weight": sample_weight}
    return {"sample_weight": sample_weight}


def _check_is_estimator(estimator: Any) -> None:
    """Raise a TypeError if an object is not an estimator instance."""
    if isinstance(estimator, type):
        raise TypeError(
            f"An estimator instance is expected. Got the class {estimator.__name__}: write "
            f"{estimator.__name__}()."
        )
    if not hasattr(estimator, "fit"):
        raise TypeError(
            "A scikit-learn estimator, or a Pipeline that ends in one, is expected. Got "
            f"{type(estimator).__name__}; networks are quantized by "
            "skq.quantization.PostTrainingAffineQuantization around a NumpyModule."
        )


def _refuse_quantized(estimator: Any) -> None:
    last = last_step(estimator)
    if isinstance(last, QuantizedEstimator | _QuantizedMeta):
        raise UnsupportedModelError(
            f"{type(last).__name__} is quantized already. Set its n_bits, or wrap its "
            "scikit-learn parent."
        )
