"""Stubs, written by tools/write_stubs.py from scikit-learn 1.9.1; do not edit."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Literal, Self

import numpy as np
from numpy.typing import NDArray
from sklearn import ensemble as _parents

from skq.estimators.fit_on_bins import QuantizedTrees as _QuantizedTrees

_Calibration = Literal["auto", "minmax", "percentile", "mse"]

__all__ = [
    "AdaBoostClassifier",
    "AdaBoostRegressor",
    "BaggingClassifier",
    "BaggingRegressor",
    "ExtraTreesClassifier",
    "ExtraTreesRegressor",
    "GradientBoostingClassifier",
    "GradientBoostingRegressor",
    "HistGradientBoostingClassifier",
    "HistGradientBoostingRegressor",
    "IsolationForest",
    "RandomForestClassifier",
    "RandomForestRegressor",
]

class AdaBoostClassifier(_QuantizedTrees, _parents.AdaBoostClassifier):
    def __init__(
        self,
        estimator: Any = None,
        *,
        n_estimators: int = 50,
        learning_rate: float = 1.0,
        random_state: int | np.random.RandomState | None = None,
        n_bits: int | Literal["lossless"] | Sequence[int] | Mapping[str, Any] = 8,
        rounding_threshold_bits: int | Mapping[str, int | str] | None = None,
        calibration: _Calibration = "auto",
        columns_per_feature: int | Literal["lossless"] = 1,
        fit_on_bins: bool = False,
    ) -> None: ...
    def fit(self, X: Any, y: Any, sample_weight: Any = None) -> Self: ...
    def score(self, X: Any, y: Any, sample_weight: Any = None) -> float: ...
    def predict(self, X: Any) -> NDArray[Any]: ...
    def predict_proba(self, X: Any) -> NDArray[Any]: ...
    def predict_log_proba(self, X: Any) -> NDArray[Any]: ...
    def decision_function(self, X: Any) -> NDArray[Any]: ...
    def staged_predict(self, X: Any) -> Iterator[NDArray[Any]]: ...
    def staged_predict_proba(self, X: Any) -> Iterator[NDArray[Any]]: ...
    def staged_decision_function(self, X: Any) -> Iterator[NDArray[Any]]: ...

class AdaBoostRegressor(_QuantizedTrees, _parents.AdaBoostRegressor):
    def __init__(
        self,
        estimator: Any = None,
        *,
        n_estimators: int = 50,
        learning_rate: float = 1.0,
        loss: Literal["exponential", "linear", "square"] = "linear",
        random_state: int | np.random.RandomState | None = None,
        n_bits: int | Literal["lossless"] | Sequence[int] | Mapping[str, Any] = 8,
        rounding_threshold_bits: int | Mapping[str, int | str] | None = None,
        calibration: _Calibration = "auto",
        columns_per_feature: int | Literal["lossless"] = 1,
        fit_on_bins: bool = False,
    ) -> None: ...
    def fit(self, X: Any, y: Any, sample_weight: Any = None) -> Self: ...
    def score(self, X: Any, y: Any, sample_weight: Any = None) -> float: ...
    def predict(self, X: Any) -> NDArray[Any]: ...
    def staged_predict(self, X: Any) -> Iterator[NDArray[Any]]: ...

class BaggingClassifier(_QuantizedTrees, _parents.BaggingClassifier):
    def __init__(
        self,
        estimator: Any = None,
        n_estimators: int = 10,
        *,
        max_samples: float | None = None,
        max_features: float = 1.0,
        bootstrap: bool = True,
        bootstrap_features: bool = False,
        oob_score: bool = False,
        warm_start: bool = False,
        n_jobs: int | None = None,
        random_state: int | np.random.RandomState | None = None,
        verbose: int = 0,
        n_bits: int | Literal["lossless"] | Sequence[int] | Mapping[str, Any] = 8,
        rounding_threshold_bits: int | Mapping[str, int | str] | None = None,
        calibration: _Calibration = "auto",
        columns_per_feature: int | Literal["lossless"] = 1,
        fit_on_bins: bool = False,
    ) -> None: ...
    def fit(self, X: Any, y: Any, sample_weight: Any = None, **fit_params: Any) -> Self: ...
    def score(self, X: Any, y: Any, sample_weight: Any = None) -> float: ...
    def predict(self, X: Any, **params: Any) -> NDArray[Any]: ...
    def predict_proba(self, X: Any, **params: Any) -> NDArray[Any]: ...
    def predict_log_proba(self, X: Any, **params: Any) -> NDArray[Any]: ...
    def decision_function(self, X: Any, **params: Any) -> NDArray[Any]: ...

class BaggingRegressor(_QuantizedTrees, _parents.BaggingRegressor):
    def __init__(
        self,
        estimator: Any = None,
        n_estimators: int = 10,
        *,
        max_samples: float | None = None,
        max_features: float = 1.0,
        bootstrap: bool = True,
        bootstrap_features: bool = False,
        oob_score: bool = False,
        warm_start: bool = False,
        n_jobs: int | None = None,
        random_state: int | np.random.RandomState | None = None,
        verbose: int = 0,
        n_bits: int | Literal["lossless"] | Sequence[int] | Mapping[str, Any] = 8,
        rounding_threshold_bits: int | Mapping[str, int | str] | None = None,
        calibration: _Calibration = "auto",
        columns_per_feature: int | Literal["lossless"] = 1,
        fit_on_bins: bool = False,
    ) -> None: ...
    def fit(self, X: Any, y: Any, sample_weight: Any = None, **fit_params: Any) -> Self: ...
    def score(self, X: Any, y: Any, sample_weight: Any = None) -> float: ...
    def predict(self, X: Any, **params: Any) -> NDArray[Any]: ...

class ExtraTreesClassifier(_QuantizedTrees, _parents.ExtraTreesClassifier):
    def __init__(
        self,
        n_estimators: int = 100,
        *,
        criterion: Any = "gini",
        max_depth: int | None = None,
        min_samples_split: float = 2,
        min_samples_leaf: float = 1,
        min_weight_fraction_leaf: float = 0.0,
        max_features: float | Literal["log2", "sqrt"] | None = "sqrt",
        max_leaf_nodes: int | None = None,
        min_impurity_decrease: float = 0.0,
        bootstrap: bool = False,
        oob_score: Any = False,
        n_jobs: int | None = None,
        random_state: int | np.random.RandomState | None = None,
        verbose: int = 0,
        warm_start: bool = False,
        class_weight: Any = None,
        ccp_alpha: float = 0.0,
        max_samples: float | None = None,
        monotonic_cst: Any = None,
        n_bits: int | Literal["lossless"] | Sequence[int] | Mapping[str, Any] = 8,
        rounding_threshold_bits: int | Mapping[str, int | str] | None = None,
        calibration: _Calibration = "auto",
        columns_per_feature: int | Literal["lossless"] = 1,
        fit_on_bins: bool = False,
    ) -> None: ...
    def fit(self, X: Any, y: Any, sample_weight: Any = None) -> Self: ...
    def score(self, X: Any, y: Any, sample_weight: Any = None) -> float: ...
    def predict(self, X: Any) -> NDArray[Any]: ...
    def predict_proba(self, X: Any) -> NDArray[Any]: ...
    def predict_log_proba(self, X: Any) -> NDArray[Any]: ...
    def apply(self, X: Any) -> NDArray[Any]: ...
    def decision_path(self, X: Any) -> Any: ...

class ExtraTreesRegressor(_QuantizedTrees, _parents.ExtraTreesRegressor):
    def __init__(
        self,
        n_estimators: int = 100,
        *,
        criterion: Any = "squared_error",
        max_depth: int | None = None,
        min_samples_split: float = 2,
        min_samples_leaf: float = 1,
        min_weight_fraction_leaf: float = 0.0,
        max_features: float | Literal["log2", "sqrt"] | None = 1.0,
        max_leaf_nodes: int | None = None,
        min_impurity_decrease: float = 0.0,
        bootstrap: bool = False,
        oob_score: Any = False,
        n_jobs: int | None = None,
        random_state: int | np.random.RandomState | None = None,
        verbose: int = 0,
        warm_start: bool = False,
        ccp_alpha: float = 0.0,
        max_samples: float | None = None,
        monotonic_cst: Any = None,
        n_bits: int | Literal["lossless"] | Sequence[int] | Mapping[str, Any] = 8,
        rounding_threshold_bits: int | Mapping[str, int | str] | None = None,
        calibration: _Calibration = "auto",
        columns_per_feature: int | Literal["lossless"] = 1,
        fit_on_bins: bool = False,
    ) -> None: ...
    def fit(self, X: Any, y: Any, sample_weight: Any = None) -> Self: ...
    def score(self, X: Any, y: Any, sample_weight: Any = None) -> float: ...
    def predict(self, X: Any) -> NDArray[Any]: ...
    def apply(self, X: Any) -> NDArray[Any]: ...
    def decision_path(self, X: Any) -> Any: ...

class GradientBoostingClassifier(_QuantizedTrees, _parents.GradientBoostingClassifier):
    def __init__(
        self,
        *,
        loss: Literal["exponential", "log_loss"] = "log_loss",
        learning_rate: float = 0.1,
        n_estimators: int = 100,
        subsample: float = 1.0,
        criterion: Literal["squared_error"] | Literal["deprecated", "friedman_mse"] = "deprecated",
        min_samples_split: float = 2,
        min_samples_leaf: float = 1,
        min_weight_fraction_leaf: float = 0.0,
        max_depth: int | None = 3,
        min_impurity_decrease: float = 0.0,
        init: Any = None,
        random_state: int | np.random.RandomState | None = None,
        max_features: float | Literal["log2", "sqrt"] | None = None,
        verbose: int = 0,
        max_leaf_nodes: int | None = None,
        warm_start: bool = False,
        validation_fraction: float = 0.1,
        n_iter_no_change: int | None = None,
        tol: float = 0.0001,
        ccp_alpha: float = 0.0,
        n_bits: int | Literal["lossless"] | Sequence[int] | Mapping[str, Any] = 8,
        rounding_threshold_bits: int | Mapping[str, int | str] | None = None,
        calibration: _Calibration = "auto",
        columns_per_feature: int | Literal["lossless"] = 1,
        fit_on_bins: bool = False,
    ) -> None: ...
    def fit(self, X: Any, y: Any, sample_weight: Any = None, monitor: Any = None) -> Self: ...
    def score(self, X: Any, y: Any, sample_weight: Any = None) -> float: ...
    def predict(self, X: Any) -> NDArray[Any]: ...
    def predict_proba(self, X: Any) -> NDArray[Any]: ...
    def predict_log_proba(self, X: Any) -> NDArray[Any]: ...
    def decision_function(self, X: Any) -> NDArray[Any]: ...
    def staged_predict(self, X: Any) -> Iterator[NDArray[Any]]: ...
    def staged_predict_proba(self, X: Any) -> Iterator[NDArray[Any]]: ...
    def staged_decision_function(self, X: Any) -> Iterator[NDArray[Any]]: ...
    def apply(self, X: Any) -> NDArray[Any]: ...

class GradientBoostingRegressor(_QuantizedTrees, _parents.GradientBoostingRegressor):
    def __init__(
        self,
        *,
        loss: Literal["absolute_error", "huber", "quantile", "squared_error"] = "squared_error",
        learning_rate: float = 0.1,
        n_estimators: int = 100,
        subsample: float = 1.0,
        criterion: Literal["squared_error"] | Literal["deprecated", "friedman_mse"] = "deprecated",
        min_samples_split: float = 2,
        min_samples_leaf: float = 1,
        min_weight_fraction_leaf: float = 0.0,
        max_depth: int | None = 3,
        min_impurity_decrease: float = 0.0,
        init: Any = None,
        random_state: int | np.random.RandomState | None = None,
        max_features: float | Literal["log2", "sqrt"] | None = None,
        alpha: float = 0.9,
        verbose: int = 0,
        max_leaf_nodes: int | None = None,
        warm_start: bool = False,
        validation_fraction: float = 0.1,
        n_iter_no_change: int | None = None,
        tol: float = 0.0001,
        ccp_alpha: float = 0.0,
        n_bits: int | Literal["lossless"] | Sequence[int] | Mapping[str, Any] = 8,
        rounding_threshold_bits: int | Mapping[str, int | str] | None = None,
        calibration: _Calibration = "auto",
        columns_per_feature: int | Literal["lossless"] = 1,
        fit_on_bins: bool = False,
    ) -> None: ...
    def fit(self, X: Any, y: Any, sample_weight: Any = None, monitor: Any = None) -> Self: ...
    def score(self, X: Any, y: Any, sample_weight: Any = None) -> float: ...
    def predict(self, X: Any) -> NDArray[Any]: ...
    def staged_predict(self, X: Any) -> Iterator[NDArray[Any]]: ...
    def apply(self, X: Any) -> NDArray[Any]: ...

class HistGradientBoostingClassifier(_QuantizedTrees, _parents.HistGradientBoostingClassifier):
    def __init__(
        self,
        loss: Any = "log_loss",
        *,
        learning_rate: float = 0.1,
        max_iter: int = 100,
        max_leaf_nodes: int | None = 31,
        max_depth: int | None = None,
        min_samples_leaf: int = 20,
        l2_regularization: float = 0.0,
        max_features: float = 1.0,
        max_bins: int = 255,
        categorical_features: Any = "from_dtype",
        monotonic_cst: Any = None,
        interaction_cst: Any = None,
        warm_start: bool = False,
        early_stopping: Literal["auto"] | bool = "auto",
        scoring: Any = "loss",
        validation_fraction: float | None = 0.1,
        n_iter_no_change: int = 10,
        tol: float = 1e-07,
        verbose: int = 0,
        random_state: int | np.random.RandomState | None = None,
        class_weight: Any = None,
        n_bits: int | Literal["lossless"] | Sequence[int] | Mapping[str, Any] = 8,
        rounding_threshold_bits: int | Mapping[str, int | str] | None = None,
        calibration: _Calibration = "auto",
        columns_per_feature: int | Literal["lossless"] = 1,
        fit_on_bins: bool = False,
    ) -> None: ...
    def fit(
        self,
        X: Any,
        y: Any,
        sample_weight: Any = None,
        *,
        X_val: Any = None,
        y_val: Any = None,
        sample_weight_val: Any = None,
    ) -> Self: ...
    def score(self, X: Any, y: Any, sample_weight: Any = None) -> float: ...
    def predict(self, X: Any) -> NDArray[Any]: ...
    def predict_proba(self, X: Any) -> NDArray[Any]: ...
    def decision_function(self, X: Any) -> NDArray[Any]: ...
    def staged_predict(self, X: Any) -> Iterator[NDArray[Any]]: ...
    def staged_predict_proba(self, X: Any) -> Iterator[NDArray[Any]]: ...
    def staged_decision_function(self, X: Any) -> Iterator[NDArray[Any]]: ...

class HistGradientBoostingRegressor(_QuantizedTrees, _parents.HistGradientBoostingRegressor):
    def __init__(
        self,
        loss: Any = "squared_error",
        *,
        quantile: float | None = None,
        learning_rate: float = 0.1,
        max_iter: int = 100,
        max_leaf_nodes: int | None = 31,
        max_depth: int | None = None,
        min_samples_leaf: int = 20,
        l2_regularization: float = 0.0,
        max_features: float = 1.0,
        max_bins: int = 255,
        categorical_features: Any = "from_dtype",
        monotonic_cst: Any = None,
        interaction_cst: Any = None,
        warm_start: bool = False,
        early_stopping: Literal["auto"] | bool = "auto",
        scoring: Any = "loss",
        validation_fraction: float | None = 0.1,
        n_iter_no_change: int = 10,
        tol: float = 1e-07,
        verbose: int = 0,
        random_state: int | np.random.RandomState | None = None,
        n_bits: int | Literal["lossless"] | Sequence[int] | Mapping[str, Any] = 8,
        rounding_threshold_bits: int | Mapping[str, int | str] | None = None,
        calibration: _Calibration = "auto",
        columns_per_feature: int | Literal["lossless"] = 1,
        fit_on_bins: bool = False,
    ) -> None: ...
    def fit(
        self,
        X: Any,
        y: Any,
        sample_weight: Any = None,
        *,
        X_val: Any = None,
        y_val: Any = None,
        sample_weight_val: Any = None,
    ) -> Self: ...
    def score(self, X: Any, y: Any, sample_weight: Any = None) -> float: ...
    def predict(self, X: Any) -> NDArray[Any]: ...
    def staged_predict(self, X: Any) -> Iterator[NDArray[Any]]: ...

class IsolationForest(_QuantizedTrees, _parents.IsolationForest):
    def __init__(
        self,
        *,
        n_estimators: int = 100,
        max_samples: Literal["auto"] | float = "auto",
        contamination: Literal["auto"] | float = "auto",
        max_features: float = 1.0,
        bootstrap: bool = False,
        n_jobs: int | None = None,
        random_state: int | np.random.RandomState | None = None,
        verbose: int = 0,
        warm_start: bool = False,
        n_bits: int | Literal["lossless"] | Sequence[int] | Mapping[str, Any] = 8,
        rounding_threshold_bits: int | Mapping[str, int | str] | None = None,
        calibration: _Calibration = "auto",
        columns_per_feature: int | Literal["lossless"] = 1,
        fit_on_bins: bool = False,
    ) -> None: ...
    def fit(self, X: Any, y: Any = None, sample_weight: Any = None) -> Self: ...
    def predict(self, X: Any) -> NDArray[Any]: ...
    def decision_function(self, X: Any) -> NDArray[Any]: ...
    def score_samples(self, X: Any) -> NDArray[Any]: ...

class RandomForestClassifier(_QuantizedTrees, _parents.RandomForestClassifier):
    def __init__(
        self,
        n_estimators: int = 100,
        *,
        criterion: Any = "gini",
        max_depth: int | None = None,
        min_samples_split: float = 2,
        min_samples_leaf: float = 1,
        min_weight_fraction_leaf: float = 0.0,
        max_features: float | Literal["log2", "sqrt"] | None = "sqrt",
        max_leaf_nodes: int | None = None,
        min_impurity_decrease: float = 0.0,
        bootstrap: bool = True,
        oob_score: Any = False,
        n_jobs: int | None = None,
        random_state: int | np.random.RandomState | None = None,
        verbose: int = 0,
        warm_start: bool = False,
        class_weight: Any = None,
        ccp_alpha: float = 0.0,
        max_samples: float | None = None,
        monotonic_cst: Any = None,
        n_bits: int | Literal["lossless"] | Sequence[int] | Mapping[str, Any] = 8,
        rounding_threshold_bits: int | Mapping[str, int | str] | None = None,
        calibration: _Calibration = "auto",
        columns_per_feature: int | Literal["lossless"] = 1,
        fit_on_bins: bool = False,
    ) -> None: ...
    def fit(self, X: Any, y: Any, sample_weight: Any = None) -> Self: ...
    def score(self, X: Any, y: Any, sample_weight: Any = None) -> float: ...
    def predict(self, X: Any) -> NDArray[Any]: ...
    def predict_proba(self, X: Any) -> NDArray[Any]: ...
    def predict_log_proba(self, X: Any) -> NDArray[Any]: ...
    def apply(self, X: Any) -> NDArray[Any]: ...
    def decision_path(self, X: Any) -> Any: ...

class RandomForestRegressor(_QuantizedTrees, _parents.RandomForestRegressor):
    def __init__(
        self,
        n_estimators: int = 100,
        *,
        criterion: Any = "squared_error",
        max_depth: int | None = None,
        min_samples_split: float = 2,
        min_samples_leaf: float = 1,
        min_weight_fraction_leaf: float = 0.0,
        max_features: float | Literal["log2", "sqrt"] | None = 1.0,
        max_leaf_nodes: int | None = None,
        min_impurity_decrease: float = 0.0,
        bootstrap: bool = True,
        oob_score: Any = False,
        n_jobs: int | None = None,
        random_state: int | np.random.RandomState | None = None,
        verbose: int = 0,
        warm_start: bool = False,
        ccp_alpha: float = 0.0,
        max_samples: float | None = None,
        monotonic_cst: Any = None,
        n_bits: int | Literal["lossless"] | Sequence[int] | Mapping[str, Any] = 8,
        rounding_threshold_bits: int | Mapping[str, int | str] | None = None,
        calibration: _Calibration = "auto",
        columns_per_feature: int | Literal["lossless"] = 1,
        fit_on_bins: bool = False,
    ) -> None: ...
    def fit(self, X: Any, y: Any, sample_weight: Any = None) -> Self: ...
    def score(self, X: Any, y: Any, sample_weight: Any = None) -> float: ...
    def predict(self, X: Any) -> NDArray[Any]: ...
    def apply(self, X: Any) -> NDArray[Any]: ...
    def decision_path(self, X: Any) -> Any: ...
