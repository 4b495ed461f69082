"""Stubs, written by tools/write_stubs.py from scikit-learn 1.9.1; do not edit."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Literal, Self

import numpy as np
from numpy.typing import NDArray
from sklearn import tree as _parents

from skq.estimators.fit_on_bins import QuantizedTrees as _QuantizedTrees

_Calibration = Literal["auto", "minmax", "percentile", "mse"]

__all__ = [
    "DecisionTreeClassifier",
    "DecisionTreeRegressor",
    "ExtraTreeClassifier",
    "ExtraTreeRegressor",
]

class DecisionTreeClassifier(_QuantizedTrees, _parents.DecisionTreeClassifier):
    def __init__(
        self,
        *,
        criterion: Any = "gini",
        splitter: Literal["best", "random"] = "best",
        max_depth: int | None = None,
        min_samples_split: float = 2,
        min_samples_leaf: float = 1,
        min_weight_fraction_leaf: float = 0.0,
        max_features: float | Literal["log2", "sqrt"] | None = None,
        random_state: int | np.random.RandomState | None = None,
        max_leaf_nodes: int | None = None,
        min_impurity_decrease: float = 0.0,
        class_weight: Any = None,
        ccp_alpha: float = 0.0,
        monotonic_cst: Any = None,
        n_bits: int | Literal["lossless"] | Sequence[int] | Mapping[str, Any] = 8,
        rounding_threshold_bits: int | Mapping[str, int | str] | None = None,
        calibration: _Calibration = "auto",
        columns_per_feature: int | Literal["lossless"] = 1,
        fit_on_bins: bool = False,
    ) -> None: ...
    def fit(self, X: Any, y: Any, sample_weight: Any = None, check_input: Any = True) -> Self: ...
    def score(self, X: Any, y: Any, sample_weight: Any = None) -> float: ...
    def predict(self, X: Any, check_input: Any = True) -> NDArray[Any]: ...
    def predict_proba(self, X: Any, check_input: Any = True) -> NDArray[Any]: ...
    def predict_log_proba(self, X: Any) -> NDArray[Any]: ...
    def apply(self, X: Any, check_input: Any = True) -> NDArray[Any]: ...
    def decision_path(self, X: Any, check_input: Any = True) -> Any: ...

class DecisionTreeRegressor(_QuantizedTrees, _parents.DecisionTreeRegressor):
    def __init__(
        self,
        *,
        criterion: Any = "squared_error",
        splitter: Literal["best", "random"] = "best",
        max_depth: int | None = None,
        min_samples_split: float = 2,
        min_samples_leaf: float = 1,
        min_weight_fraction_leaf: float = 0.0,
        max_features: float | Literal["log2", "sqrt"] | None = None,
        random_state: int | np.random.RandomState | None = None,
        max_leaf_nodes: int | None = None,
        min_impurity_decrease: float = 0.0,
        ccp_alpha: float = 0.0,
        monotonic_cst: Any = None,
        n_bits: int | Literal["lossless"] | Sequence[int] | Mapping[str, Any] = 8,
        rounding_threshold_bits: int | Mapping[str, int | str] | None = None,
        calibration: _Calibration = "auto",
        columns_per_feature: int | Literal["lossless"] = 1,
        fit_on_bins: bool = False,
    ) -> None: ...
    def fit(self, X: Any, y: Any, sample_weight: Any = None, check_input: Any = True) -> Self: ...
    def score(self, X: Any, y: Any, sample_weight: Any = None) -> float: ...
    def predict(self, X: Any, check_input: Any = True) -> NDArray[Any]: ...
    def apply(self, X: Any, check_input: Any = True) -> NDArray[Any]: ...
    def decision_path(self, X: Any, check_input: Any = True) -> Any: ...

class ExtraTreeClassifier(_QuantizedTrees, _parents.ExtraTreeClassifier):
    def __init__(
        self,
        *,
        criterion: Any = "gini",
        splitter: Literal["best", "random"] = "random",
        max_depth: int | None = None,
        min_samples_split: float = 2,
        min_samples_leaf: float = 1,
        min_weight_fraction_leaf: float = 0.0,
        max_features: float | Literal["log2", "sqrt"] | None = "sqrt",
        random_state: int | np.random.RandomState | None = None,
        max_leaf_nodes: int | None = None,
        min_impurity_decrease: float = 0.0,
        class_weight: Any = None,
        ccp_alpha: float = 0.0,
        monotonic_cst: Any = None,
        n_bits: int | Literal["lossless"] | Sequence[int] | Mapping[str, Any] = 8,
        rounding_threshold_bits: int | Mapping[str, int | str] | None = None,
        calibration: _Calibration = "auto",
        columns_per_feature: int | Literal["lossless"] = 1,
        fit_on_bins: bool = False,
    ) -> None: ...
    def fit(self, X: Any, y: Any, sample_weight: Any = None, check_input: Any = True) -> Self: ...
    def score(self, X: Any, y: Any, sample_weight: Any = None) -> float: ...
    def predict(self, X: Any, check_input: Any = True) -> NDArray[Any]: ...
    def predict_proba(self, X: Any, check_input: Any = True) -> NDArray[Any]: ...
    def predict_log_proba(self, X: Any) -> NDArray[Any]: ...
    def apply(self, X: Any, check_input: Any = True) -> NDArray[Any]: ...
    def decision_path(self, X: Any, check_input: Any = True) -> Any: ...

class ExtraTreeRegressor(_QuantizedTrees, _parents.ExtraTreeRegressor):
    def __init__(
        self,
        *,
        criterion: Any = "squared_error",
        splitter: Literal["best", "random"] = "random",
        max_depth: int | None = None,
        min_samples_split: float = 2,
        min_samples_leaf: float = 1,
        min_weight_fraction_leaf: float = 0.0,
        max_features: float | Literal["log2", "sqrt"] | None = 1.0,
        random_state: int | np.random.RandomState | None = None,
        min_impurity_decrease: float = 0.0,
        max_leaf_nodes: int | None = None,
        ccp_alpha: float = 0.0,
        monotonic_cst: Any = None,
        n_bits: int | Literal["lossless"] | Sequence[int] | Mapping[str, Any] = 8,
        rounding_threshold_bits: int | Mapping[str, int | str] | None = None,
        calibration: _Calibration = "auto",
        columns_per_feature: int | Literal["lossless"] = 1,
        fit_on_bins: bool = False,
    ) -> None: ...
    def fit(self, X: Any, y: Any, sample_weight: Any = None, check_input: Any = True) -> Self: ...
    def score(self, X: Any, y: Any, sample_weight: Any = None) -> float: ...
    def predict(self, X: Any, check_input: Any = True) -> NDArray[Any]: ...
    def apply(self, X: Any, check_input: Any = True) -> NDArray[Any]: ...
    def decision_path(self, X: Any, check_input: Any = True) -> Any: ...
