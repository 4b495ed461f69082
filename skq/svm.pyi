"""Stubs, written by tools/write_stubs.py from scikit-learn 1.9.1; do not edit."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Literal, Self

import numpy as np
from numpy.typing import NDArray
from sklearn import svm as _parents

from skq.estimators.qat import TrainedForWidth as _TrainedForWidth

_Calibration = Literal["auto", "minmax", "percentile", "mse"]

__all__ = ["LinearSVC", "LinearSVR"]

class LinearSVC(_TrainedForWidth, _parents.LinearSVC):
    def __init__(
        self,
        penalty: Literal["l1", "l2"] = "l2",
        loss: Literal["hinge", "squared_hinge"] = "squared_hinge",
        *,
        dual: bool | Literal["auto"] = "auto",
        tol: float = 0.0001,
        C: float = 1.0,
        multi_class: Literal["crammer_singer", "ovr"] = "ovr",
        fit_intercept: bool = True,
        intercept_scaling: float = 1,
        class_weight: Any = None,
        verbose: int = 0,
        random_state: int | np.random.RandomState | None = None,
        max_iter: int = 1000,
        n_bits: int | Literal["lossless"] | Sequence[int] | Mapping[str, Any] = 8,
        rounding_threshold_bits: int | Mapping[str, int | str] | None = None,
        calibration: _Calibration = "auto",
        columns_per_feature: int | Literal["lossless"] = 1,
        qat_epochs: int = 0,
    ) -> None: ...
    def fit(self, X: Any, y: Any, sample_weight: Any = None) -> Self: ...
    def score(self, X: Any, y: Any, sample_weight: Any = None) -> float: ...
    def predict(self, X: Any) -> NDArray[Any]: ...
    def decision_function(self, X: Any) -> NDArray[Any]: ...

class LinearSVR(_TrainedForWidth, _parents.LinearSVR):
    def __init__(
        self,
        *,
        epsilon: float = 0.0,
        tol: float = 0.0001,
        C: float = 1.0,
        loss: Literal["epsilon_insensitive", "squared_epsilon_insensitive"] = "epsilon_insensitive",
        fit_intercept: bool = True,
        intercept_scaling: float = 1.0,
        dual: bool | Literal["auto"] = "auto",
        verbose: int = 0,
        random_state: int | np.random.RandomState | None = None,
        max_iter: int = 1000,
        n_bits: int | Literal["lossless"] | Sequence[int] | Mapping[str, Any] = 8,
        rounding_threshold_bits: int | Mapping[str, int | str] | None = None,
        calibration: _Calibration = "auto",
        columns_per_feature: int | Literal["lossless"] = 1,
        qat_epochs: int = 0,
    ) -> None: ...
    def fit(self, X: Any, y: Any, sample_weight: Any = None) -> Self: ...
    def score(self, X: Any, y: Any, sample_weight: Any = None) -> float: ...
    def predict(self, X: Any) -> NDArray[Any]: ...
