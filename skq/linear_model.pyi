"""Stubs, written by tools/write_stubs.py from scikit-learn 1.9.1; do not edit."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Literal, Self

import numpy as np
from numpy.typing import NDArray
from sklearn import linear_model as _parents

from skq.estimators.base import QuantizedEstimator as _QuantizedEstimator
from skq.estimators.qat import TrainedForWidth as _TrainedForWidth

_Calibration = Literal["auto", "minmax", "percentile", "mse"]

__all__ = [
    "ARDRegression",
    "BayesianRidge",
    "ElasticNet",
    "ElasticNetCV",
    "GammaRegressor",
    "HuberRegressor",
    "Lars",
    "LarsCV",
    "Lasso",
    "LassoCV",
    "LassoLars",
    "LassoLarsCV",
    "LassoLarsIC",
    "LinearRegression",
    "LogisticRegression",
    "LogisticRegressionCV",
    "MultiTaskElasticNet",
    "MultiTaskElasticNetCV",
    "MultiTaskLasso",
    "MultiTaskLassoCV",
    "OrthogonalMatchingPursuit",
    "OrthogonalMatchingPursuitCV",
    "Perceptron",
    "PoissonRegressor",
    "QuantileRegressor",
    "Ridge",
    "RidgeCV",
    "RidgeClassifier",
    "RidgeClassifierCV",
    "SGDClassifier",
    "SGDOneClassSVM",
    "SGDRegressor",
    "TheilSenRegressor",
    "TweedieRegressor",
]

class ARDRegression(_QuantizedEstimator, _parents.ARDRegression):
    def __init__(
        self,
        *,
        max_iter: int = 300,
        tol: float = 0.001,
        alpha_1: float = 1e-06,
        alpha_2: float = 1e-06,
        lambda_1: float = 1e-06,
        lambda_2: float = 1e-06,
        compute_score: bool = False,
        threshold_lambda: float = 10000.0,
        fit_intercept: bool = True,
        copy_X: bool = True,
        verbose: int = False,
        n_bits: int | Literal["lossless"] | Sequence[int] | Mapping[str, Any] = 8,
        rounding_threshold_bits: int | Mapping[str, int | str] | None = None,
        calibration: _Calibration = "auto",
        columns_per_feature: int | Literal["lossless"] = 1,
    ) -> None: ...
    def fit(self, X: Any, y: Any) -> Self: ...
    def score(self, X: Any, y: Any, sample_weight: Any = None) -> float: ...
    def predict(self, X: Any, return_std: Any = False) -> NDArray[Any]: ...

class BayesianRidge(_QuantizedEstimator, _parents.BayesianRidge):
    def __init__(
        self,
        *,
        max_iter: int = 300,
        tol: float = 0.001,
        alpha_1: float = 1e-06,
        alpha_2: float = 1e-06,
        lambda_1: float = 1e-06,
        lambda_2: float = 1e-06,
        alpha_init: float | None = None,
        lambda_init: float | None = None,
        compute_score: bool = False,
        fit_intercept: bool = True,
        copy_X: bool = True,
        verbose: int = False,
        n_bits: int | Literal["lossless"] | Sequence[int] | Mapping[str, Any] = 8,
        rounding_threshold_bits: int | Mapping[str, int | str] | None = None,
        calibration: _Calibration = "auto",
        columns_per_feature: int | Literal["lossless"] = 1,
    ) -> None: ...
    def fit(self, X: Any, y: Any, sample_weight: Any = None) -> Self: ...
    def score(self, X: Any, y: Any, sample_weight: Any = None) -> float: ...
    def predict(self, X: Any, return_std: Any = False) -> NDArray[Any]: ...

class ElasticNet(_TrainedForWidth, _parents.ElasticNet):
    def __init__(
        self,
        alpha: float = 1.0,
        *,
        l1_ratio: float = 0.5,
        fit_intercept: bool = True,
        precompute: Any = False,
        max_iter: int | None = 1000,
        copy_X: bool = True,
        tol: float = 0.0001,
        warm_start: bool = False,
        positive: bool = False,
        random_state: int | np.random.RandomState | None = None,
        selection: Literal["cyclic", "random"] = "cyclic",
        n_bits: int | Literal["lossless"] | Sequence[int] | Mapping[str, Any] = 8,
        rounding_threshold_bits: int | Mapping[str, int | str] | None = None,
        calibration: _Calibration = "auto",
        columns_per_feature: int | Literal["lossless"] = 1,
        qat_epochs: int = 0,
    ) -> None: ...
    def fit(self, X: Any, y: Any, sample_weight: Any = None, check_input: Any = True) -> Self: ...
    def score(self, X: Any, y: Any, sample_weight: Any = None) -> float: ...
    def predict(self, X: Any) -> NDArray[Any]: ...

class ElasticNetCV(_TrainedForWidth, _parents.ElasticNetCV):
    def __init__(
        self,
        *,
        l1_ratio: Any = 0.5,
        eps: float = 0.001,
        alphas: Any = 100,
        fit_intercept: bool = True,
        precompute: Any = "auto",
        max_iter: int = 1000,
        tol: float = 0.0001,
        cv: Any = None,
        copy_X: bool = True,
        verbose: int = 0,
        n_jobs: int | None = None,
        positive: bool = False,
        random_state: int | np.random.RandomState | None = None,
        selection: Literal["cyclic", "random"] = "cyclic",
        n_bits: int | Literal["lossless"] | Sequence[int] | Mapping[str, Any] = 8,
        rounding_threshold_bits: int | Mapping[str, int | str] | None = None,
        calibration: _Calibration = "auto",
        columns_per_feature: int | Literal["lossless"] = 1,
        qat_epochs: int = 0,
    ) -> None: ...
    def fit(self, X: Any, y: Any, sample_weight: Any = None, **params: Any) -> Self: ...
    def score(self, X: Any, y: Any, sample_weight: Any = None) -> float: ...
    def predict(self, X: Any) -> NDArray[Any]: ...

class GammaRegressor(_TrainedForWidth, _parents.GammaRegressor):
    def __init__(
        self,
        *,
        alpha: float = 1.0,
        fit_intercept: bool = True,
        solver: Any = "lbfgs",
        max_iter: int = 100,
        tol: float = 0.0001,
        warm_start: bool = False,
        verbose: int = 0,
        n_bits: int | Literal["lossless"] | Sequence[int] | Mapping[str, Any] = 8,
        rounding_threshold_bits: int | Mapping[str, int | str] | None = None,
        calibration: _Calibration = "auto",
        columns_per_feature: int | Literal["lossless"] = 1,
        qat_epochs: int = 0,
    ) -> None: ...
    def fit(self, X: Any, y: Any, sample_weight: Any = None) -> Self: ...
    def score(self, X: Any, y: Any, sample_weight: Any = None) -> float: ...
    def predict(self, X: Any) -> NDArray[Any]: ...

class HuberRegressor(_TrainedForWidth, _parents.HuberRegressor):
    def __init__(
        self,
        *,
        epsilon: float = 1.35,
        max_iter: int = 100,
        alpha: float = 0.0001,
        warm_start: bool = False,
        fit_intercept: bool = True,
        tol: float = 1e-05,
        n_bits: int | Literal["lossless"] | Sequence[int] | Mapping[str, Any] = 8,
        rounding_threshold_bits: int | Mapping[str, int | str] | None = None,
        calibration: _Calibration = "auto",
        columns_per_feature: int | Literal["lossless"] = 1,
        qat_epochs: int = 0,
    ) -> None: ...
    def fit(self, X: Any, y: Any, sample_weight: Any = None) -> Self: ...
    def score(self, X: Any, y: Any, sample_weight: Any = None) -> float: ...
    def predict(self, X: Any) -> NDArray[Any]: ...

class Lars(_QuantizedEstimator, _parents.Lars):
    def __init__(
        self,
        *,
        fit_intercept: bool = True,
        verbose: int = False,
        precompute: Any = "auto",
        n_nonzero_coefs: int = 500,
        eps: float = np.float64(2.220446049250313e-16),
        copy_X: bool = True,
        fit_path: bool = True,
        jitter: float | None = None,
        random_state: int | np.random.RandomState | None = None,
        n_bits: int | Literal["lossless"] | Sequence[int] | Mapping[str, Any] = 8,
        rounding_threshold_bits: int | Mapping[str, int | str] | None = None,
        calibration: _Calibration = "auto",
        columns_per_feature: int | Literal["lossless"] = 1,
    ) -> None: ...
    def fit(self, X: Any, y: Any, Xy: Any = None) -> Self: ...
    def score(self, X: Any, y: Any, sample_weight: Any = None) -> float: ...
    def predict(self, X: Any) -> NDArray[Any]: ...

class LarsCV(_QuantizedEstimator, _parents.LarsCV):
    def __init__(
        self,
        *,
        fit_intercept: bool = True,
        verbose: int = False,
        max_iter: int = 500,
        precompute: Any = "auto",
        cv: Any = None,
        max_n_alphas: int = 1000,
        n_jobs: int | None = None,
        eps: float = np.float64(2.220446049250313e-16),
        copy_X: bool = True,
        n_bits: int | Literal["lossless"] | Sequence[int] | Mapping[str, Any] = 8,
        rounding_threshold_bits: int | Mapping[str, int | str] | None = None,
        calibration: _Calibration = "auto",
        columns_per_feature: int | Literal["lossless"] = 1,
    ) -> None: ...
    def fit(self, X: Any, y: Any, **params: Any) -> Self: ...
    def score(self, X: Any, y: Any, sample_weight: Any = None) -> float: ...
    def predict(self, X: Any) -> NDArray[Any]: ...

class Lasso(_TrainedForWidth, _parents.Lasso):
    def __init__(
        self,
        alpha: float = 1.0,
        *,
        fit_intercept: bool = True,
        precompute: Any = False,
        copy_X: bool = True,
        max_iter: int | None = 1000,
        tol: float = 0.0001,
        warm_start: bool = False,
        positive: bool = False,
        random_state: int | np.random.RandomState | None = None,
        selection: Literal["cyclic", "random"] = "cyclic",
        n_bits: int | Literal["lossless"] | Sequence[int] | Mapping[str, Any] = 8,
        rounding_threshold_bits: int | Mapping[str, int | str] | None = None,
        calibration: _Calibration = "auto",
        columns_per_feature: int | Literal["lossless"] = 1,
        qat_epochs: int = 0,
    ) -> None: ...
    def fit(self, X: Any, y: Any, sample_weight: Any = None, check_input: Any = True) -> Self: ...
    def score(self, X: Any, y: Any, sample_weight: Any = None) -> float: ...
    def predict(self, X: Any) -> NDArray[Any]: ...

class LassoCV(_TrainedForWidth, _parents.LassoCV):
    def __init__(
        self,
        *,
        eps: float = 0.001,
        alphas: Any = 100,
        fit_intercept: bool = True,
        precompute: Any = "auto",
        max_iter: int = 1000,
        tol: float = 0.0001,
        copy_X: bool = True,
        cv: Any = None,
        verbose: int = False,
        n_jobs: int | None = None,
        positive: bool = False,
        random_state: int | np.random.RandomState | None = None,
        selection: Literal["cyclic", "random"] = "cyclic",
        n_bits: int | Literal["lossless"] | Sequence[int] | Mapping[str, Any] = 8,
        rounding_threshold_bits: int | Mapping[str, int | str] | None = None,
        calibration: _Calibration = "auto",
        columns_per_feature: int | Literal["lossless"] = 1,
        qat_epochs: int = 0,
    ) -> None: ...
    def fit(self, X: Any, y: Any, sample_weight: Any = None, **params: Any) -> Self: ...
    def score(self, X: Any, y: Any, sample_weight: Any = None) -> float: ...
    def predict(self, X: Any) -> NDArray[Any]: ...

class LassoLars(_TrainedForWidth, _parents.LassoLars):
    def __init__(
        self,
        alpha: float = 1.0,
        *,
        fit_intercept: bool = True,
        verbose: int = False,
        precompute: Any = "auto",
        max_iter: int = 500,
        eps: float = np.float64(2.220446049250313e-16),
        copy_X: bool = True,
        fit_path: bool = True,
        positive: bool = False,
        jitter: float | None = None,
        random_state: int | np.random.RandomState | None = None,
        n_bits: int | Literal["lossless"] | Sequence[int] | Mapping[str, Any] = 8,
        rounding_threshold_bits: int | Mapping[str, int | str] | None = None,
        calibration: _Calibration = "auto",
        columns_per_feature: int | Literal["lossless"] = 1,
        qat_epochs: int = 0,
    ) -> None: ...
    def fit(self, X: Any, y: Any, Xy: Any = None) -> Self: ...
    def score(self, X: Any, y: Any, sample_weight: Any = None) -> float: ...
    def predict(self, X: Any) -> NDArray[Any]: ...

class LassoLarsCV(_TrainedForWidth, _parents.LassoLarsCV):
    def __init__(
        self,
        *,
        fit_intercept: bool = True,
        verbose: int = False,
        max_iter: int = 500,
        precompute: Any = "auto",
        cv: Any = None,
        max_n_alphas: int = 1000,
        n_jobs: int | None = None,
        eps: float = np.float64(2.220446049250313e-16),
        copy_X: bool = True,
        positive: bool = False,
        n_bits: int | Literal["lossless"] | Sequence[int] | Mapping[str, Any] = 8,
        rounding_threshold_bits: int | Mapping[str, int | str] | None = None,
        calibration: _Calibration = "auto",
        columns_per_feature: int | Literal["lossless"] = 1,
        qat_epochs: int = 0,
    ) -> None: ...
    def fit(self, X: Any, y: Any, **params: Any) -> Self: ...
    def score(self, X: Any, y: Any, sample_weight: Any = None) -> float: ...
    def predict(self, X: Any) -> NDArray[Any]: ...

class LassoLarsIC(_TrainedForWidth, _parents.LassoLarsIC):
    def __init__(
        self,
        criterion: Literal["aic", "bic"] = "aic",
        *,
        fit_intercept: bool = True,
        verbose: int = False,
        precompute: Any = "auto",
        max_iter: int = 500,
        eps: float = np.float64(2.220446049250313e-16),
        copy_X: bool = True,
        positive: bool = False,
        noise_variance: float | None = None,
        n_bits: int | Literal["lossless"] | Sequence[int] | Mapping[str, Any] = 8,
        rounding_threshold_bits: int | Mapping[str, int | str] | None = None,
        calibration: _Calibration = "auto",
        columns_per_feature: int | Literal["lossless"] = 1,
        qat_epochs: int = 0,
    ) -> None: ...
    def fit(self, X: Any, y: Any, copy_X: Any = None) -> Self: ...
    def score(self, X: Any, y: Any, sample_weight: Any = None) -> float: ...
    def predict(self, X: Any) -> NDArray[Any]: ...

class LinearRegression(_TrainedForWidth, _parents.LinearRegression):
    def __init__(
        self,
        *,
        fit_intercept: bool = True,
        copy_X: bool = True,
        tol: float = 1e-06,
        n_jobs: int | None = None,
        positive: bool = False,
        n_bits: int | Literal["lossless"] | Sequence[int] | Mapping[str, Any] = 8,
        rounding_threshold_bits: int | Mapping[str, int | str] | None = None,
        calibration: _Calibration = "auto",
        columns_per_feature: int | Literal["lossless"] = 1,
        qat_epochs: int = 0,
    ) -> None: ...
    def fit(self, X: Any, y: Any, sample_weight: Any = None) -> Self: ...
    def score(self, X: Any, y: Any, sample_weight: Any = None) -> float: ...
    def predict(self, X: Any) -> NDArray[Any]: ...

class LogisticRegression(_TrainedForWidth, _parents.LogisticRegression):
    def __init__(
        self,
        penalty: Literal["elasticnet", "l1", "l2"] | Literal["deprecated"] | None = "deprecated",
        *,
        C: float = 1.0,
        l1_ratio: float | None = 0.0,
        dual: bool = False,
        tol: float = 0.0001,
        fit_intercept: bool = True,
        intercept_scaling: float = 1,
        class_weight: Any = None,
        random_state: int | np.random.RandomState | None = None,
        solver: Literal[
            "lbfgs", "liblinear", "newton-cg", "newton-cholesky", "sag", "saga"
        ] = "lbfgs",
        max_iter: int = 100,
        verbose: int = 0,
        warm_start: bool = False,
        n_jobs: int | None = None,
        n_bits: int | Literal["lossless"] | Sequence[int] | Mapping[str, Any] = 8,
        rounding_threshold_bits: int | Mapping[str, int | str] | None = None,
        calibration: _Calibration = "auto",
        columns_per_feature: int | Literal["lossless"] = 1,
        qat_epochs: int = 0,
    ) -> None: ...
    def fit(self, X: Any, y: Any, sample_weight: Any = None) -> Self: ...
    def score(self, X: Any, y: Any, sample_weight: Any = None) -> float: ...
    def predict(self, X: Any) -> NDArray[Any]: ...
    def predict_proba(self, X: Any) -> NDArray[Any]: ...
    def predict_log_proba(self, X: Any) -> NDArray[Any]: ...
    def decision_function(self, X: Any) -> NDArray[Any]: ...

class LogisticRegressionCV(_TrainedForWidth, _parents.LogisticRegressionCV):
    def __init__(
        self,
        *,
        Cs: Any = 10,
        l1_ratios: Any = "warn",
        fit_intercept: bool = True,
        cv: Any = None,
        dual: bool = False,
        penalty: Literal["elasticnet", "l1", "l2"] | Literal["deprecated"] = "deprecated",
        scoring: Any = "warn",
        solver: Literal[
            "lbfgs", "liblinear", "newton-cg", "newton-cholesky", "sag", "saga"
        ] = "lbfgs",
        tol: float = 0.0001,
        max_iter: int = 100,
        class_weight: Any = None,
        n_jobs: int | None = None,
        verbose: int = 0,
        refit: bool = True,
        intercept_scaling: float = 1.0,
        random_state: int | np.random.RandomState | None = None,
        use_legacy_attributes: bool | Literal["warn"] = "warn",
        n_bits: int | Literal["lossless"] | Sequence[int] | Mapping[str, Any] = 8,
        rounding_threshold_bits: int | Mapping[str, int | str] | None = None,
        calibration: _Calibration = "auto",
        columns_per_feature: int | Literal["lossless"] = 1,
        qat_epochs: int = 0,
    ) -> None: ...
    def fit(self, X: Any, y: Any, sample_weight: Any = None, **params: Any) -> Self: ...
    def score(self, X: Any, y: Any, *, sample_weight: Any = None, **score_params: Any) -> float: ...
    def predict(self, X: Any) -> NDArray[Any]: ...
    def predict_proba(self, X: Any) -> NDArray[Any]: ...
    def predict_log_proba(self, X: Any) -> NDArray[Any]: ...
    def decision_function(self, X: Any) -> NDArray[Any]: ...

class MultiTaskElasticNet(_TrainedForWidth, _parents.MultiTaskElasticNet):
    def __init__(
        self,
        alpha: float = 1.0,
        *,
        l1_ratio: float = 0.5,
        fit_intercept: bool = True,
        copy_X: bool = True,
        max_iter: int | None = 1000,
        tol: float = 0.0001,
        warm_start: bool = False,
        random_state: int | np.random.RandomState | None = None,
        selection: Literal["cyclic", "random"] = "cyclic",
        n_bits: int | Literal["lossless"] | Sequence[int] | Mapping[str, Any] = 8,
        rounding_threshold_bits: int | Mapping[str, int | str] | None = None,
        calibration: _Calibration = "auto",
        columns_per_feature: int | Literal["lossless"] = 1,
        qat_epochs: int = 0,
    ) -> None: ...
    def fit(self, X: Any, y: Any, sample_weight: Any = None) -> Self: ...
    def score(self, X: Any, y: Any, sample_weight: Any = None) -> float: ...
    def predict(self, X: Any) -> NDArray[Any]: ...

class MultiTaskElasticNetCV(_TrainedForWidth, _parents.MultiTaskElasticNetCV):
    def __init__(
        self,
        *,
        l1_ratio: Any = 0.5,
        eps: float = 0.001,
        alphas: Any = 100,
        fit_intercept: bool = True,
        max_iter: int = 1000,
        tol: float = 0.0001,
        cv: Any = None,
        copy_X: bool = True,
        verbose: int = 0,
        n_jobs: int | None = None,
        random_state: int | np.random.RandomState | None = None,
        selection: Literal["cyclic", "random"] = "cyclic",
        n_bits: int | Literal["lossless"] | Sequence[int] | Mapping[str, Any] = 8,
        rounding_threshold_bits: int | Mapping[str, int | str] | None = None,
        calibration: _Calibration = "auto",
        columns_per_feature: int | Literal["lossless"] = 1,
        qat_epochs: int = 0,
    ) -> None: ...
    def fit(self, X: Any, y: Any, sample_weight: Any = None, **params: Any) -> Self: ...
    def score(self, X: Any, y: Any, sample_weight: Any = None) -> float: ...
    def predict(self, X: Any) -> NDArray[Any]: ...

class MultiTaskLasso(_TrainedForWidth, _parents.MultiTaskLasso):
    def __init__(
        self,
        alpha: float = 1.0,
        *,
        fit_intercept: bool = True,
        copy_X: bool = True,
        max_iter: int | None = 1000,
        tol: float = 0.0001,
        warm_start: bool = False,
        random_state: int | np.random.RandomState | None = None,
        selection: Literal["cyclic", "random"] = "cyclic",
        n_bits: int | Literal["lossless"] | Sequence[int] | Mapping[str, Any] = 8,
        rounding_threshold_bits: int | Mapping[str, int | str] | None = None,
        calibration: _Calibration = "auto",
        columns_per_feature: int | Literal["lossless"] = 1,
        qat_epochs: int = 0,
    ) -> None: ...
    def fit(self, X: Any, y: Any, sample_weight: Any = None) -> Self: ...
    def score(self, X: Any, y: Any, sample_weight: Any = None) -> float: ...
    def predict(self, X: Any) -> NDArray[Any]: ...

class MultiTaskLassoCV(_TrainedForWidth, _parents.MultiTaskLassoCV):
    def __init__(
        self,
        *,
        eps: float = 0.001,
        alphas: Any = 100,
        fit_intercept: bool = True,
        max_iter: int = 1000,
        tol: float = 0.0001,
        copy_X: bool = True,
        cv: Any = None,
        verbose: int = False,
        n_jobs: int | None = None,
        random_state: int | np.random.RandomState | None = None,
        selection: Literal["cyclic", "random"] = "cyclic",
        n_bits: int | Literal["lossless"] | Sequence[int] | Mapping[str, Any] = 8,
        rounding_threshold_bits: int | Mapping[str, int | str] | None = None,
        calibration: _Calibration = "auto",
        columns_per_feature: int | Literal["lossless"] = 1,
        qat_epochs: int = 0,
    ) -> None: ...
    def fit(self, X: Any, y: Any, sample_weight: Any = None, **params: Any) -> Self: ...
    def score(self, X: Any, y: Any, sample_weight: Any = None) -> float: ...
    def predict(self, X: Any) -> NDArray[Any]: ...

class OrthogonalMatchingPursuit(_QuantizedEstimator, _parents.OrthogonalMatchingPursuit):
    def __init__(
        self,
        *,
        n_nonzero_coefs: int | None = None,
        tol: float | None = None,
        fit_intercept: bool = True,
        precompute: Literal["auto"] | bool = "auto",
        n_bits: int | Literal["lossless"] | Sequence[int] | Mapping[str, Any] = 8,
        rounding_threshold_bits: int | Mapping[str, int | str] | None = None,
        calibration: _Calibration = "auto",
        columns_per_feature: int | Literal["lossless"] = 1,
    ) -> None: ...
    def fit(self, X: Any, y: Any) -> Self: ...
    def score(self, X: Any, y: Any, sample_weight: Any = None) -> float: ...
    def predict(self, X: Any) -> NDArray[Any]: ...

class OrthogonalMatchingPursuitCV(_QuantizedEstimator, _parents.OrthogonalMatchingPursuitCV):
    def __init__(
        self,
        *,
        copy: bool = True,
        fit_intercept: bool = True,
        max_iter: int | None = None,
        cv: Any = None,
        n_jobs: int | None = None,
        verbose: int = False,
        n_bits: int | Literal["lossless"] | Sequence[int] | Mapping[str, Any] = 8,
        rounding_threshold_bits: int | Mapping[str, int | str] | None = None,
        calibration: _Calibration = "auto",
        columns_per_feature: int | Literal["lossless"] = 1,
    ) -> None: ...
    def fit(self, X: Any, y: Any, **fit_params: Any) -> Self: ...
    def score(self, X: Any, y: Any, sample_weight: Any = None) -> float: ...
    def predict(self, X: Any) -> NDArray[Any]: ...

class Perceptron(_TrainedForWidth, _parents.Perceptron):
    def __init__(
        self,
        *,
        penalty: Literal["elasticnet", "l1", "l2"] | None = None,
        alpha: float = 0.0001,
        l1_ratio: float = 0.15,
        fit_intercept: bool = True,
        max_iter: int = 1000,
        tol: float | None = 0.001,
        shuffle: bool = True,
        verbose: int = 0,
        eta0: float = 1.0,
        n_jobs: int | None = None,
        random_state: int | np.random.RandomState | None = 0,
        early_stopping: bool = False,
        validation_fraction: float = 0.1,
        n_iter_no_change: int = 5,
        class_weight: Any = None,
        warm_start: bool = False,
        n_bits: int | Literal["lossless"] | Sequence[int] | Mapping[str, Any] = 8,
        rounding_threshold_bits: int | Mapping[str, int | str] | None = None,
        calibration: _Calibration = "auto",
        columns_per_feature: int | Literal["lossless"] = 1,
        qat_epochs: int = 0,
    ) -> None: ...
    def fit(
        self,
        X: Any,
        y: Any,
        coef_init: Any = None,
        intercept_init: Any = None,
        sample_weight: Any = None,
    ) -> Self: ...
    def partial_fit(
        self, X: Any, y: Any, classes: Any = None, sample_weight: Any = None
    ) -> Self: ...
    def score(self, X: Any, y: Any, sample_weight: Any = None) -> float: ...
    def predict(self, X: Any) -> NDArray[Any]: ...
    def decision_function(self, X: Any) -> NDArray[Any]: ...

class PoissonRegressor(_TrainedForWidth, _parents.PoissonRegressor):
    def __init__(
        self,
        *,
        alpha: float = 1.0,
        fit_intercept: bool = True,
        solver: Any = "lbfgs",
        max_iter: int = 100,
        tol: float = 0.0001,
        warm_start: bool = False,
        verbose: int = 0,
        n_bits: int | Literal["lossless"] | Sequence[int] | Mapping[str, Any] = 8,
        rounding_threshold_bits: int | Mapping[str, int | str] | None = None,
        calibration: _Calibration = "auto",
        columns_per_feature: int | Literal["lossless"] = 1,
        qat_epochs: int = 0,
    ) -> None: ...
    def fit(self, X: Any, y: Any, sample_weight: Any = None) -> Self: ...
    def score(self, X: Any, y: Any, sample_weight: Any = None) -> float: ...
    def predict(self, X: Any) -> NDArray[Any]: ...

class QuantileRegressor(_TrainedForWidth, _parents.QuantileRegressor):
    def __init__(
        self,
        *,
        quantile: float = 0.5,
        alpha: float = 1.0,
        fit_intercept: bool = True,
        solver: Literal[
            "highs", "highs-ds", "highs-ipm", "interior-point", "revised simplex"
        ] = "highs",
        solver_options: Any = None,
        n_bits: int | Literal["lossless"] | Sequence[int] | Mapping[str, Any] = 8,
        rounding_threshold_bits: int | Mapping[str, int | str] | None = None,
        calibration: _Calibration = "auto",
        columns_per_feature: int | Literal["lossless"] = 1,
        qat_epochs: int = 0,
    ) -> None: ...
    def fit(self, X: Any, y: Any, sample_weight: Any = None) -> Self: ...
    def score(self, X: Any, y: Any, sample_weight: Any = None) -> float: ...
    def predict(self, X: Any) -> NDArray[Any]: ...

class Ridge(_TrainedForWidth, _parents.Ridge):
    def __init__(
        self,
        alpha: Any = 1.0,
        *,
        fit_intercept: bool = True,
        copy_X: bool = True,
        max_iter: int | None = None,
        tol: float = 0.0001,
        solver: Literal[
            "auto", "cholesky", "lbfgs", "lsqr", "sag", "saga", "sparse_cg", "svd"
        ] = "auto",
        positive: bool = False,
        random_state: int | np.random.RandomState | None = None,
        n_bits: int | Literal["lossless"] | Sequence[int] | Mapping[str, Any] = 8,
        rounding_threshold_bits: int | Mapping[str, int | str] | None = None,
        calibration: _Calibration = "auto",
        columns_per_feature: int | Literal["lossless"] = 1,
        qat_epochs: int = 0,
    ) -> None: ...
    def fit(self, X: Any, y: Any, sample_weight: Any = None) -> Self: ...
    def score(self, X: Any, y: Any, sample_weight: Any = None) -> float: ...
    def predict(self, X: Any) -> NDArray[Any]: ...

class RidgeCV(_TrainedForWidth, _parents.RidgeCV):
    def __init__(
        self,
        alphas: Any = ...,
        *,
        fit_intercept: bool = True,
        scoring: Any = None,
        cv: Any = None,
        gcv_mode: Literal["auto", "eigen", "svd"] | None = None,
        store_cv_results: bool = False,
        alpha_per_target: bool = False,
        n_bits: int | Literal["lossless"] | Sequence[int] | Mapping[str, Any] = 8,
        rounding_threshold_bits: int | Mapping[str, int | str] | None = None,
        calibration: _Calibration = "auto",
        columns_per_feature: int | Literal["lossless"] = 1,
        qat_epochs: int = 0,
    ) -> None: ...
    def fit(self, X: Any, y: Any, sample_weight: Any = None, **params: Any) -> Self: ...
    def score(self, X: Any, y: Any, sample_weight: Any = None) -> float: ...
    def predict(self, X: Any) -> NDArray[Any]: ...

class RidgeClassifier(_TrainedForWidth, _parents.RidgeClassifier):
    def __init__(
        self,
        alpha: Any = 1.0,
        *,
        fit_intercept: bool = True,
        copy_X: bool = True,
        max_iter: int | None = None,
        tol: float = 0.0001,
        class_weight: Any = None,
        solver: Literal[
            "auto", "cholesky", "lbfgs", "lsqr", "sag", "saga", "sparse_cg", "svd"
        ] = "auto",
        positive: bool = False,
        random_state: int | np.random.RandomState | None = None,
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

class RidgeClassifierCV(_TrainedForWidth, _parents.RidgeClassifierCV):
    def __init__(
        self,
        alphas: Any = ...,
        *,
        fit_intercept: bool = True,
        scoring: Any = None,
        cv: Any = None,
        class_weight: Any = None,
        store_cv_results: bool = False,
        n_bits: int | Literal["lossless"] | Sequence[int] | Mapping[str, Any] = 8,
        rounding_threshold_bits: int | Mapping[str, int | str] | None = None,
        calibration: _Calibration = "auto",
        columns_per_feature: int | Literal["lossless"] = 1,
        qat_epochs: int = 0,
    ) -> None: ...
    def fit(self, X: Any, y: Any, sample_weight: Any = None, **params: Any) -> Self: ...
    def score(self, X: Any, y: Any, sample_weight: Any = None) -> float: ...
    def predict(self, X: Any) -> NDArray[Any]: ...
    def decision_function(self, X: Any) -> NDArray[Any]: ...

class SGDClassifier(_TrainedForWidth, _parents.SGDClassifier):
    def __init__(
        self,
        loss: Literal[
            "epsilon_insensitive",
            "hinge",
            "huber",
            "log_loss",
            "modified_huber",
            "perceptron",
            "squared_epsilon_insensitive",
            "squared_error",
            "squared_hinge",
        ] = "hinge",
        *,
        penalty: Literal["elasticnet", "l1", "l2"] | None = "l2",
        alpha: float = 0.0001,
        l1_ratio: float | None = 0.15,
        fit_intercept: bool = True,
        max_iter: int = 1000,
        tol: float | None = 0.001,
        shuffle: bool = True,
        verbose: int = 0,
        epsilon: float = 0.1,
        n_jobs: int | None = None,
        random_state: int | np.random.RandomState | None = None,
        learning_rate: Literal[
            "adaptive", "constant", "invscaling", "optimal", "pa1", "pa2"
        ] = "optimal",
        eta0: float = 0.01,
        power_t: float = 0.5,
        early_stopping: bool = False,
        validation_fraction: float = 0.1,
        n_iter_no_change: int = 5,
        class_weight: Any = None,
        warm_start: bool = False,
        average: int | bool = False,
        n_bits: int | Literal["lossless"] | Sequence[int] | Mapping[str, Any] = 8,
        rounding_threshold_bits: int | Mapping[str, int | str] | None = None,
        calibration: _Calibration = "auto",
        columns_per_feature: int | Literal["lossless"] = 1,
        qat_epochs: int = 0,
    ) -> None: ...
    def fit(
        self,
        X: Any,
        y: Any,
        coef_init: Any = None,
        intercept_init: Any = None,
        sample_weight: Any = None,
    ) -> Self: ...
    def partial_fit(
        self, X: Any, y: Any, classes: Any = None, sample_weight: Any = None
    ) -> Self: ...
    def score(self, X: Any, y: Any, sample_weight: Any = None) -> float: ...
    def predict(self, X: Any) -> NDArray[Any]: ...
    def predict_proba(self, X: Any) -> NDArray[Any]: ...
    def predict_log_proba(self, X: Any) -> NDArray[Any]: ...
    def decision_function(self, X: Any) -> NDArray[Any]: ...

class SGDOneClassSVM(_QuantizedEstimator, _parents.SGDOneClassSVM):
    def __init__(
        self,
        nu: float = 0.5,
        fit_intercept: bool = True,
        max_iter: int = 1000,
        tol: float | None = 0.001,
        shuffle: bool = True,
        verbose: int = 0,
        random_state: int | np.random.RandomState | None = None,
        learning_rate: Literal["adaptive", "constant", "invscaling", "optimal"]
        | Literal["pa1", "pa2"] = "optimal",
        eta0: float = 0.01,
        power_t: float = 0.5,
        warm_start: bool = False,
        average: int | bool = False,
        *,
        n_bits: int | Literal["lossless"] | Sequence[int] | Mapping[str, Any] = 8,
        rounding_threshold_bits: int | Mapping[str, int | str] | None = None,
        calibration: _Calibration = "auto",
        columns_per_feature: int | Literal["lossless"] = 1,
    ) -> None: ...
    def fit(
        self,
        X: Any,
        y: Any = None,
        coef_init: Any = None,
        offset_init: Any = None,
        sample_weight: Any = None,
    ) -> Self: ...
    def partial_fit(self, X: Any, y: Any = None, sample_weight: Any = None) -> Self: ...
    def predict(self, X: Any) -> NDArray[Any]: ...
    def decision_function(self, X: Any) -> NDArray[Any]: ...
    def score_samples(self, X: Any) -> NDArray[Any]: ...

class SGDRegressor(_TrainedForWidth, _parents.SGDRegressor):
    def __init__(
        self,
        loss: Literal[
            "epsilon_insensitive", "huber", "squared_epsilon_insensitive", "squared_error"
        ] = "squared_error",
        *,
        penalty: Literal["elasticnet", "l1", "l2"] | None = "l2",
        alpha: float = 0.0001,
        l1_ratio: float | None = 0.15,
        fit_intercept: bool = True,
        max_iter: int = 1000,
        tol: float | None = 0.001,
        shuffle: bool = True,
        verbose: int = 0,
        epsilon: float = 0.1,
        random_state: int | np.random.RandomState | None = None,
        learning_rate: Literal[
            "adaptive", "constant", "invscaling", "optimal", "pa1", "pa2"
        ] = "invscaling",
        eta0: float = 0.01,
        power_t: float = 0.25,
        early_stopping: bool = False,
        validation_fraction: float = 0.1,
        n_iter_no_change: int = 5,
        warm_start: bool = False,
        average: int | bool = False,
        n_bits: int | Literal["lossless"] | Sequence[int] | Mapping[str, Any] = 8,
        rounding_threshold_bits: int | Mapping[str, int | str] | None = None,
        calibration: _Calibration = "auto",
        columns_per_feature: int | Literal["lossless"] = 1,
        qat_epochs: int = 0,
    ) -> None: ...
    def fit(
        self,
        X: Any,
        y: Any,
        coef_init: Any = None,
        intercept_init: Any = None,
        sample_weight: Any = None,
    ) -> Self: ...
    def partial_fit(self, X: Any, y: Any, sample_weight: Any = None) -> Self: ...
    def score(self, X: Any, y: Any, sample_weight: Any = None) -> float: ...
    def predict(self, X: Any) -> NDArray[Any]: ...

class TheilSenRegressor(_QuantizedEstimator, _parents.TheilSenRegressor):
    def __init__(
        self,
        *,
        fit_intercept: bool = True,
        max_subpopulation: float = 10000.0,
        n_subsamples: int | None = None,
        max_iter: int = 300,
        tol: float = 0.001,
        random_state: int | np.random.RandomState | None = None,
        n_jobs: int | None = None,
        verbose: int = False,
        n_bits: int | Literal["lossless"] | Sequence[int] | Mapping[str, Any] = 8,
        rounding_threshold_bits: int | Mapping[str, int | str] | None = None,
        calibration: _Calibration = "auto",
        columns_per_feature: int | Literal["lossless"] = 1,
    ) -> None: ...
    def fit(self, X: Any, y: Any) -> Self: ...
    def score(self, X: Any, y: Any, sample_weight: Any = None) -> float: ...
    def predict(self, X: Any) -> NDArray[Any]: ...

class TweedieRegressor(_TrainedForWidth, _parents.TweedieRegressor):
    def __init__(
        self,
        *,
        power: float = 0.0,
        alpha: float = 1.0,
        fit_intercept: bool = True,
        link: Literal["auto", "identity", "log"] = "auto",
        solver: Any = "lbfgs",
        max_iter: int = 100,
        tol: float = 0.0001,
        warm_start: bool = False,
        verbose: int = 0,
        n_bits: int | Literal["lossless"] | Sequence[int] | Mapping[str, Any] = 8,
        rounding_threshold_bits: int | Mapping[str, int | str] | None = None,
        calibration: _Calibration = "auto",
        columns_per_feature: int | Literal["lossless"] = 1,
        qat_epochs: int = 0,
    ) -> None: ...
    def fit(self, X: Any, y: Any, sample_weight: Any = None) -> Self: ...
    def score(self, X: Any, y: Any, sample_weight: Any = None) -> float: ...
    def predict(self, X: Any) -> NDArray[Any]: ...
