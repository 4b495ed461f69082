"""Stubs, written by tools/write_stubs.py from scikit-learn 1.9.1; do not edit."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Literal, Self

import numpy as np
from numpy.typing import NDArray
from sklearn import neural_network as _parents

from skq.estimators.qat import TrainedForWidth as _TrainedForWidth

_Calibration = Literal["auto", "minmax", "percentile", "mse"]

__all__ = ["MLPClassifier", "MLPRegressor"]

class MLPClassifier(_TrainedForWidth, _parents.MLPClassifier):
    def __init__(
        self,
        hidden_layer_sizes: Any = ...,
        activation: Literal["identity", "logistic", "relu", "tanh"] = "relu",
        *,
        solver: Literal["adam", "lbfgs", "sgd"] = "adam",
        alpha: float = 0.0001,
        batch_size: Literal["auto"] | int = "auto",
        learning_rate: Literal["adaptive", "constant", "invscaling"] = "constant",
        learning_rate_init: float = 0.001,
        power_t: float = 0.5,
        max_iter: int = 200,
        shuffle: bool = True,
        random_state: int | np.random.RandomState | None = None,
        tol: float = 0.0001,
        verbose: int = False,
        warm_start: bool = False,
        momentum: float = 0.9,
        nesterovs_momentum: bool = True,
        early_stopping: bool = False,
        validation_fraction: float = 0.1,
        beta_1: float = 0.9,
        beta_2: float = 0.999,
        epsilon: float = 1e-08,
        n_iter_no_change: Any = 10,
        max_fun: int = 15000,
        n_bits: int | Literal["lossless"] | Sequence[int] | Mapping[str, Any] = 8,
        rounding_threshold_bits: int | Mapping[str, int | str] | None = None,
        calibration: _Calibration = "auto",
        columns_per_feature: int | Literal["lossless"] = 1,
        qat_epochs: int = 0,
    ) -> None: ...
    def fit(self, X: Any, y: Any, sample_weight: Any = None) -> Self: ...
    def partial_fit(
        self, X: Any, y: Any, sample_weight: Any = None, classes: Any = None
    ) -> Self: ...
    def score(self, X: Any, y: Any, sample_weight: Any = None) -> float: ...
    def predict(self, X: Any) -> NDArray[Any]: ...
    def predict_proba(self, X: Any) -> NDArray[Any]: ...
    def predict_log_proba(self, X: Any) -> NDArray[Any]: ...

class MLPRegressor(_TrainedForWidth, _parents.MLPRegressor):
    def __init__(
        self,
        loss: Literal["poisson", "squared_error"] = "squared_error",
        hidden_layer_sizes: Any = ...,
        activation: Literal["identity", "logistic", "relu", "tanh"] = "relu",
        *,
        solver: Literal["adam", "lbfgs", "sgd"] = "adam",
        alpha: float = 0.0001,
        batch_size: Literal["auto"] | int = "auto",
        learning_rate: Literal["adaptive", "constant", "invscaling"] = "constant",
        learning_rate_init: float = 0.001,
        power_t: float = 0.5,
        max_iter: int = 200,
        shuffle: bool = True,
        random_state: int | np.random.RandomState | None = None,
        tol: float = 0.0001,
        verbose: int = False,
        warm_start: bool = False,
        momentum: float = 0.9,
        nesterovs_momentum: bool = True,
        early_stopping: bool = False,
        validation_fraction: float = 0.1,
        beta_1: float = 0.9,
        beta_2: float = 0.999,
        epsilon: float = 1e-08,
        n_iter_no_change: Any = 10,
        max_fun: int = 15000,
        n_bits: int | Literal["lossless"] | Sequence[int] | Mapping[str, Any] = 8,
        rounding_threshold_bits: int | Mapping[str, int | str] | None = None,
        calibration: _Calibration = "auto",
        columns_per_feature: int | Literal["lossless"] = 1,
        qat_epochs: int = 0,
    ) -> None: ...
    def fit(self, X: Any, y: Any, sample_weight: Any = None) -> Self: ...
    def partial_fit(self, X: Any, y: Any, sample_weight: Any = None) -> Self: ...
    def score(self, X: Any, y: Any, sample_weight: Any = None) -> float: ...
    def predict(self, X: Any) -> NDArray[Any]: ...
