"""Stubs, written by tools/write_stubs.py from scikit-learn 1.9.1; do not edit."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Literal, Self

import numpy as np
import onnx
from numpy.typing import NDArray
from sklearn import linear_model as _parents

from skq.quantization.quantized_module import QuantizedModule

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

class ARDRegression(_parents.ARDRegression):
    @property
    def quantized_module_(self) -> QuantizedModule: ...
    @property
    def n_bits_(self) -> dict[str, Any]: ...
    @property
    def columns_per_feature_(self) -> int: ...
    @property
    def onnx_model_(self) -> onnx.ModelProto: ...
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
    n_bits: int | Literal["lossless"] | Sequence[int] | Mapping[str, Any]
    rounding_threshold_bits: int | Mapping[str, int | str] | None
    calibration: _Calibration
    columns_per_feature: int | Literal["lossless"]
    def fit(self, X: Any, y: Any) -> Self: ...
    def score(self, X: Any, y: Any, sample_weight: Any = None) -> float: ...
    def predict(self, X: Any, return_std: Any = False) -> NDArray[Any]: ...

class BayesianRidge(_parents.BayesianRidge):
    @property
    def quantized_module_(self) -> QuantizedModule: ...
    @property
    def n_bits_(self) -> dict[str, Any]: ...
    @property
    def columns_per_feature_(self) -> int: ...
    @property
    def onnx_model_(self) -> onnx.ModelProto: ...
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
    n_bits: int | Literal["lossless"] | Sequence[int] | Mapping[str, Any]
    rounding_threshold_bits: int | Mapping[str, int | str] | None
    calibration: _Calibration
    columns_per_feature: int | Literal["lossless"]
    def fit(self, X: Any, y: Any, sample_weight: Any = None) -> Self: ...
    def score(self, X: Any, y: Any, sample_weight: Any = None) -> float: ...
    def predict(self, X: Any, return_std: Any = False) -> NDArray[Any]: ...

class ElasticNet(_parents.ElasticNet):
    @property
    def quantized_module_(self) -> QuantizedModule: ...
    @property
    def n_bits_(self) -> dict[str, Any]: ...
    @property
    def columns_per_feature_(self) -> int: ...
    @property
    def onnx_model_(self) -> onnx.ModelProto: ...
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
    n_bits: int | Literal["lossless"] | Sequence[int] | Mapping[str, Any]
    rounding_threshold_bits: int | Mapping[str, int | str] | None
    calibration: _Calibration
    columns_per_feature: int | Literal["lossless"]
    qat_epochs: int
    def fit(self, X: Any, y: Any, sample_weight: Any = None, check_input: Any = True) -> Self: ...
    def score(self, X: Any, y: Any, sample_weight: Any = None) -> float: ...
    def predict(self, X: Any) -> NDArray[Any]: ...

class ElasticNetCV(_parents.ElasticNetCV):
    @property
    def quantized_module_(self) -> QuantizedModule: ...
    @property
    def n_bits_(self) -> dict[str, Any]: ...
    @property
    def columns_per_feature_(self) -> int: ...
    @property
    def onnx_model_(self) -> onnx.ModelProto: ...
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
    n_bits: int | Literal["lossless"] | Sequence[int] | Mapping[str, Any]
    rounding_threshold_bits: int | Mapping[str, int | str] | None
    calibration: _Calibration
    columns_per_feature: int | Literal["lossless"]
    qat_epochs: int
    def fit(self, X: Any, y: Any, sample_weight: Any = None, **params: Any) -> Self: ...
    def score(self, X: Any, y: Any, sample_weight: Any = None) -> float: ...
    def predict(self, X: Any) -> NDArray[Any]: ...

class GammaRegressor(_parents.GammaRegressor):
    @property
    def quantized_module_(self) -> QuantizedModule: ...
    @property
    def n_bits_(self) -> dict[str, Any]: ...
    @property
    def columns_per_feature_(self) -> int: ...
    @property
    def onnx_model_(self) -> onnx.ModelProto: ...
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
    n_bits: int | Literal["lossless"] | Sequence[int] | Mapping[str, Any]
    rounding_threshold_bits: int | Mapping[str, int | str] | None
    calibration: _Calibration
    columns_per_feature: int | Literal["lossless"]
    qat_epochs: int
    def fit(self, X: Any, y: Any, sample_weight: Any = None) -> Self: ...
    def score(self, X: Any, y: Any, sample_weight: Any = None) -> float: ...
    def predict(self, X: Any) -> NDArray[Any]: ...

class HuberRegressor(_parents.HuberRegressor):
    @property
    def quantized_module_(self) -> QuantizedModule: ...
    @property
    def n_bits_(self) -> dict[str, Any]: ...
    @property
    def columns_per_feature_(self) -> int: ...
    @property
    def onnx_model_(self) -> onnx.ModelProto: ...
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
    n_bits: int | Literal["lossless"] | Sequence[int] | Mapping[str, Any]
    rounding_threshold_bits: int | Mapping[str, int | str] | None
    calibration: _Calibration
    columns_per_feature: int | Literal["lossless"]
    qat_epochs: int
    def fit(self, X: Any, y: Any, sample_weight: Any = None) -> Self: ...
    def score(self, X: Any, y: Any, sample_weight: Any = None) -> float: ...
    def predict(self, X: Any) -> NDArray[Any]: ...

class Lars(_parents.Lars):
    @property
    def quantized_module_(self) -> QuantizedModule: ...
    @property
    def n_bits_(self) -> dict[str, Any]: ...
    @property
    def columns_per_feature_(self) -> int: ...
    @property
    def onnx_model_(self) -> onnx.ModelProto: ...
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
    n_bits: int | Literal["lossless"] | Sequence[int] | Mapping[str, Any]
    rounding_threshold_bits: int | Mapping[str, int | str] | None
    calibration: _Calibration
    columns_per_feature: int | Literal["lossless"]
    def fit(self, X: Any, y: Any, Xy: Any = None) -> Self: ...
    def score(self, X: Any, y: Any, sample_weight: Any = None) -> float: ...
    def predict(self, X: Any) -> NDArray[Any]: ...

class LarsCV(_parents.LarsCV):
    @property
    def quantized_module_(self) -> QuantizedModule: ...
    @property
    def n_bits_(self) -> dict[str, Any]: ...
    @property
    def columns_per_feature_(self) -> int: ...
    @property
    def onnx_model_(self) -> onnx.ModelProto: ...
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
    n_bits: int | Literal["lossless"] | Sequence[int] | Mapping[str, Any]
    rounding_threshold_bits: int | Mapping[str, int | str] | None
    calibration: _Calibration
    columns_per_feature: int | Literal["lossless"]
    def fit(self, X: Any, y: Any, **params: Any) -> Self: ...
    def score(self, X: Any, y: Any, sample_weight: Any = None) -> float: ...
    def predict(self, X: Any) -> NDArray[Any]: ...

class Lasso(_parents.Lasso):
    @property
    def quantized_module_(self) -> QuantizedModule: ...
    @property
    def n_bits_(self) -> dict[str, Any]: ...
    @property
    def columns_per_feature_(self) -> int: ...
    @property
    def onnx_model_(self) -> onnx.ModelProto: ...
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
    n_bits: int | Literal["lossless"] | Sequence[int] | Mapping[str, Any]
    rounding_threshold_bits: int | Mapping[str, int | str] | None
    calibration: _Calibration
    columns_per_feature: int | Literal["lossless"]
    qat_epochs: int
    def fit(self, X: Any, y: Any, sample_weight: Any = None, check_input: Any = True) -> Self: ...
    def score(self, X: Any, y: Any, sample_weight: Any = None) -> float: ...
    def predict(self, X: Any) -> NDArray[Any]: ...

class LassoCV(_parents.LassoCV):
    @property
    def quantized_module_(self) -> QuantizedModule: ...
    @property
    def n_bits_(self) -> dict[str, Any]: ...
    @property
    def columns_per_feature_(self) -> int: ...
    @property
    def onnx_model_(self) -> onnx.ModelProto: ...
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
    n_bits: int | Literal["lossless"] | Sequence[int] | Mapping[str, Any]
    rounding_threshold_bits: int | Mapping[str, int | str] | None
    calibration: _Calibration
    columns_per_feature: int | Literal["lossless"]
    qat_epochs: int
    def fit(self, X: Any, y: Any, sample_weight: Any = None, **params: Any) -> Self: ...
    def score(self, X: Any, y: Any, sample_weight: Any = None) -> float: ...
    def predict(self, X: Any) -> NDArray[Any]: ...

class LassoLars(_parents.LassoLars):
    @property
    def quantized_module_(self) -> QuantizedModule: ...
    @property
    def n_bits_(self) -> dict[str, Any]: ...
    @property
    def columns_per_feature_(self) -> int: ...
    @property
    def onnx_model_(self) -> onnx.ModelProto: ...
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
    n_bits: int | Literal["lossless"] | Sequence[int] | Mapping[str, Any]
    rounding_threshold_bits: int | Mapping[str, int | str] | None
    calibration: _Calibration
    columns_per_feature: int | Literal["lossless"]
    qat_epochs: int
    def fit(self, X: Any, y: Any, Xy: Any = None) -> Self: ...
    def score(self, X: Any, y: Any, sample_weight: Any = None) -> float: ...
    def predict(self, X: Any) -> NDArray[Any]: ...

class LassoLarsCV(_parents.LassoLarsCV):
    @property
    def quantized_module_(self) -> QuantizedModule: ...
    @property
    def n_bits_(self) -> dict[str, Any]: ...
    @property
    def columns_per_feature_(self) -> int: ...
    @property
    def onnx_model_(self) -> onnx.ModelProto: ...
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
    n_bits: int | Literal["lossless"] | Sequence[int] | Mapping[str, Any]
    rounding_threshold_bits: int | Mapping[str, int | str] | None
    calibration: _Calibration
    columns_per_feature: int | Literal["lossless"]
    qat_epochs: int
    def fit(self, X: Any, y: Any, **params: Any) -> Self: ...
    def score(self, X: Any, y: Any, sample_weight: Any = None) -> float: ...
    def predict(self, X: Any) -> NDArray[Any]: ...

class LassoLarsIC(_parents.LassoLarsIC):
    @property
    def quantized_module_(self) -> QuantizedModule: ...
    @property
    def n_bits_(self) -> dict[str, Any]: ...
    @property
    def columns_per_feature_(self) -> int: ...
    @property
    def onnx_model_(self) -> onnx.ModelProto: ...
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
    n_bits: int | Literal["lossless"] | Sequence[int] | Mapping[str, Any]
    rounding_threshold_bits: int | Mapping[str, int | str] | None
    calibration: _Calibration
    columns_per_feature: int | Literal["lossless"]
    qat_epochs: int
    def fit(self, X: Any, y: Any, copy_X: Any = None) -> Self: ...
    def score(self, X: Any, y: Any, sample_weight: Any = None) -> float: ...
    def predict(self, X: Any) -> NDArray[Any]: ...

class LinearRegression(_parents.LinearRegression):
    @property
    def quantized_module_(self) -> QuantizedModule: ...
    @property
    def n_bits_(self) -> dict[str, Any]: ...
    @property
    def columns_per_feature_(self) -> int: ...
    @property
    def onnx_model_(self) -> onnx.ModelProto: ...
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
    n_bits: int | Literal["lossless"] | Sequence[int] | Mapping[str, Any]
    rounding_threshold_bits: int | Mapping[str, int | str] | None
    calibration: _Calibration
    columns_per_feature: int | Literal["lossless"]
    qat_epochs: int
    def fit(self, X: Any, y: Any, sample_weight: Any = None) -> Self: ...
    def score(self, X: Any, y: Any, sample_weight: Any = None) -> float: ...
    def predict(self, X: Any) -> NDArray[Any]: ...

class LogisticRegression(_parents.LogisticRegression):
    @property
    def quantized_module_(self) -> QuantizedModule: ...
    @property
    def n_bits_(self) -> dict[str, Any]: ...
    @property
    def columns_per_feature_(self) -> int: ...
    @property
    def onnx_model_(self) -> onnx.ModelProto: ...
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
    n_bits: int | Literal["lossless"] | Sequence[int] | Mapping[str, Any]
    rounding_threshold_bits: int | Mapping[str, int | str] | None
    calibration: _Calibration
    columns_per_feature: int | Literal["lossless"]
    qat_epochs: int
    def fit(self, X: Any, y: Any, sample_weight: Any = None) -> Self: ...
    def score(self, X: Any, y: Any, sample_weight: Any = None) -> float: ...
    def predict(self, X: Any) -> NDArray[Any]: ...
    def predict_proba(self, X: Any) -> NDArray[Any]: ...
    def predict_log_proba(self, X: Any) -> NDArray[Any]: ...
    def decision_function(self, X: Any) -> NDArray[Any]: ...

class LogisticRegressionCV(_parents.LogisticRegressionCV):
    @property
    def quantized_module_(self) -> QuantizedModule: ...
    @property
    def n_bits_(self) -> dict[str, Any]: ...
    @property
    def columns_per_feature_(self) -> int: ...
    @property
    def onnx_model_(self) -> onnx.ModelProto: ...
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
    n_bits: int | Literal["lossless"] | Sequence[int] | Mapping[str, Any]
    rounding_threshold_bits: int | Mapping[str, int | str] | None
    calibration: _Calibration
    columns_per_feature: int | Literal["lossless"]
    qat_epochs: int
    def fit(self, X: Any, y: Any, sample_weight: Any = None, **params: Any) -> Self: ...
    def score(self, X: Any, y: Any, *, sample_weight: Any = None, **score_params: Any) -> float: ...
    def predict(self, X: Any) -> NDArray[Any]: ...
    def predict_proba(self, X: Any) -> NDArray[Any]: ...
    def predict_log_proba(self, X: Any) -> NDArray[Any]: ...
    def decision_function(self, X: Any) -> NDArray[Any]: ...

class MultiTaskElasticNet(_parents.MultiTaskElasticNet):
    @property
    def quantized_module_(self) -> QuantizedModule: ...
    @property
    def n_bits_(self) -> dict[str, Any]: ...
    @property
    def columns_per_feature_(self) -> int: ...
    @property
    def onnx_model_(self) -> onnx.ModelProto: ...
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
    n_bits: int | Literal["lossless"] | Sequence[int] | Mapping[str, Any]
    rounding_threshold_bits: int | Mapping[str, int | str] | None
    calibration: _Calibration
    columns_per_feature: int | Literal["lossless"]
    qat_epochs: int
    def fit(self, X: Any, y: Any, sample_weight: Any = None) -> Self: ...
    def score(self, X: Any, y: Any, sample_weight: Any = None) -> float: ...
    def predict(self, X: Any) -> NDArray[Any]: ...

class MultiTaskElasticNetCV(_parents.MultiTaskElasticNetCV):
    @property
    def quantized_module_(self) -> QuantizedModule: ...
    @property
    def n_bits_(self) -> dict[str, Any]: ...
    @property
    def columns_per_feature_(self) -> int: ...
    @property
    def onnx_model_(self) -> onnx.ModelProto: ...
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
    n_bits: int | Literal["lossless"] | Sequence[int] | Mapping[str, Any]
    rounding_threshold_bits: int | Mapping[str, int | str] | None
    calibration: _Calibration
    columns_per_feature: int | Literal["lossless"]
    qat_epochs: int
    def fit(self, X: Any, y: Any, sample_weight: Any = None, **params: Any) -> Self: ...
    def score(self, X: Any, y: Any, sample_weight: Any = None) -> float: ...
    def predict(self, X: Any) -> NDArray[Any]: ...

class MultiTaskLasso(_parents.MultiTaskLasso):
    @property
    def quantized_module_(self) -> QuantizedModule: ...
    @property
    def n_bits_(self) -> dict[str, Any]: ...
    @property
    def columns_per_feature_(self) -> int: ...
    @property
    def onnx_model_(self) -> onnx.ModelProto: ...
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
    n_bits: int | Literal["lossless"] | Sequence[int] | Mapping[str, Any]
    rounding_threshold_bits: int | Mapping[str, int | str] | None
    calibration: _Calibration
    columns_per_feature: int | Literal["lossless"]
    qat_epochs: int
    def fit(self, X: Any, y: Any, sample_weight: Any = None) -> Self: ...
    def score(self, X: Any, y: Any, sample_weight: Any = None) -> float: ...
    def predict(self, X: Any) -> NDArray[Any]: ...

class MultiTaskLassoCV(_parents.MultiTaskLassoCV):
    @property
    def quantized_module_(self) -> QuantizedModule: ...
    @property
    def n_bits_(self) -> dict[str, Any]: ...
    @property
    def columns_per_feature_(self) -> int: ...
    @property
    def onnx_model_(self) -> onnx.ModelProto: ...
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
    n_bits: int | Literal["lossless"] | Sequence[int] | Mapping[str, Any]
    rounding_threshold_bits: int | Mapping[str, int | str] | None
    calibration: _Calibration
    columns_per_feature: int | Literal["lossless"]
    qat_epochs: int
    def fit(self, X: Any, y: Any, sample_weight: Any = None, **params: Any) -> Self: ...
    def score(self, X: Any, y: Any, sample_weight: Any = None) -> float: ...
    def predict(self, X: Any) -> NDArray[Any]: ...

class OrthogonalMatchingPursuit(_parents.OrthogonalMatchingPursuit):
    @property
    def quantized_module_(self) -> QuantizedModule: ...
    @property
    def n_bits_(self) -> dict[str, Any]: ...
    @property
    def columns_per_feature_(self) -> int: ...
    @property
    def onnx_model_(self) -> onnx.ModelProto: ...
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
    n_bits: int | Literal["lossless"] | Sequence[int] | Mapping[str, Any]
    rounding_threshold_bits: int | Mapping[str, int | str] | None
    calibration: _Calibration
    columns_per_feature: int | Literal["lossless"]
    def fit(self, X: Any, y: Any) -> Self: ...
    def score(self, X: Any, y: Any, sample_weight: Any = None) -> float: ...
    def predict(self, X: Any) -> NDArray[Any]: ...

class OrthogonalMatchingPursuitCV(_parents.OrthogonalMatchingPursuitCV):
    @property
    def quantized_module_(self) -> QuantizedModule: ...
    @property
    def n_bits_(self) -> dict[str, Any]: ...
    @property
    def columns_per_feature_(self) -> int: ...
    @property
    def onnx_model_(self) -> onnx.ModelProto: ...
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
    n_bits: int | Literal["lossless"] | Sequence[int] | Mapping[str, Any]
    rounding_threshold_bits: int | Mapping[str, int | str] | None
    calibration: _Calibration
    columns_per_feature: int | Literal["lossless"]
    def fit(self, X: Any, y: Any, **fit_params: Any) -> Self: ...
    def score(self, X: Any, y: Any, sample_weight: Any = None) -> float: ...
    def predict(self, X: Any) -> NDArray[Any]: ...

class Perceptron(_parents.Perceptron):
    @property
    def quantized_module_(self) -> QuantizedModule: ...
    @property
    def n_bits_(self) -> dict[str, Any]: ...
    @property
    def columns_per_feature_(self) -> int: ...
    @property
    def onnx_model_(self) -> onnx.ModelProto: ...
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
    n_bits: int | Literal["lossless"] | Sequence[int] | Mapping[str, Any]
    rounding_threshold_bits: int | Mapping[str, int | str] | None
    calibration: _Calibration
    columns_per_feature: int | Literal["lossless"]
    qat_epochs: int
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

class PoissonRegressor(_parents.PoissonRegressor):
    @property
    def quantized_module_(self) -> QuantizedModule: ...
    @property
    def n_bits_(self) -> dict[str, Any]: ...
    @property
    def columns_per_feature_(self) -> int: ...
    @property
    def onnx_model_(self) -> onnx.ModelProto: ...
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
    n_bits: int | Literal["lossless"] | Sequence[int] | Mapping[str, Any]
    rounding_threshold_bits: int | Mapping[str, int | str] | None
    calibration: _Calibration
    columns_per_feature: int | Literal["lossless"]
    qat_epochs: int
    def fit(self, X: Any, y: Any, sample_weight: Any = None) -> Self: ...
    def score(self, X: Any, y: Any, sample_weight: Any = None) -> float: ...
    def predict(self, X: Any) -> NDArray[Any]: ...

class QuantileRegressor(_parents.QuantileRegressor):
    @property
    def quantized_module_(self) -> QuantizedModule: ...
    @property
    def n_bits_(self) -> dict[str, Any]: ...
    @property
    def columns_per_feature_(self) -> int: ...
    @property
    def onnx_model_(self) -> onnx.ModelProto: ...
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
    n_bits: int | Literal["lossless"] | Sequence[int] | Mapping[str, Any]
    rounding_threshold_bits: int | Mapping[str, int | str] | None
    calibration: _Calibration
    columns_per_feature: int | Literal["lossless"]
    qat_epochs: int
    def fit(self, X: Any, y: Any, sample_weight: Any = None) -> Self: ...
    def score(self, X: Any, y: Any, sample_weight: Any = None) -> float: ...
    def predict(self, X: Any) -> NDArray[Any]: ...

class Ridge(_parents.Ridge):
    @property
    def quantized_module_(self) -> QuantizedModule: ...
    @property
    def n_bits_(self) -> dict[str, Any]: ...
    @property
    def columns_per_feature_(self) -> int: ...
    @property
    def onnx_model_(self) -> onnx.ModelProto: ...
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
    n_bits: int | Literal["lossless"] | Sequence[int] | Mapping[str, Any]
    rounding_threshold_bits: int | Mapping[str, int | str] | None
    calibration: _Calibration
    columns_per_feature: int | Literal["lossless"]
    qat_epochs: int
    def fit(self, X: Any, y: Any, sample_weight: Any = None) -> Self: ...
    def score(self, X: Any, y: Any, sample_weight: Any = None) -> float: ...
    def predict(self, X: Any) -> NDArray[Any]: ...

class RidgeCV(_parents.RidgeCV):
    @property
    def quantized_module_(self) -> QuantizedModule: ...
    @property
    def n_bits_(self) -> dict[str, Any]: ...
    @property
    def columns_per_feature_(self) -> int: ...
    @property
    def onnx_model_(self) -> onnx.ModelProto: ...
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
    n_bits: int | Literal["lossless"] | Sequence[int] | Mapping[str, Any]
    rounding_threshold_bits: int | Mapping[str, int | str] | None
    calibration: _Calibration
    columns_per_feature: int | Literal["lossless"]
    qat_epochs: int
    def fit(self, X: Any, y: Any, sample_weight: Any = None, **params: Any) -> Self: ...
    def score(self, X: Any, y: Any, sample_weight: Any = None) -> float: ...
    def predict(self, X: Any) -> NDArray[Any]: ...

class RidgeClassifier(_parents.RidgeClassifier):
    @property
    def quantized_module_(self) -> QuantizedModule: ...
    @property
    def n_bits_(self) -> dict[str, Any]: ...
    @property
    def columns_per_feature_(self) -> int: ...
    @property
    def onnx_model_(self) -> onnx.ModelProto: ...
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
    n_bits: int | Literal["lossless"] | Sequence[int] | Mapping[str, Any]
    rounding_threshold_bits: int | Mapping[str, int | str] | None
    calibration: _Calibration
    columns_per_feature: int | Literal["lossless"]
    qat_epochs: int
    def fit(self, X: Any, y: Any, sample_weight: Any = None) -> Self: ...
    def score(self, X: Any, y: Any, sample_weight: Any = None) -> float: ...
    def predict(self, X: Any) -> NDArray[Any]: ...
    def decision_function(self, X: Any) -> NDArray[Any]: ...

class RidgeClassifierCV(_parents.RidgeClassifierCV):
    @property
    def quantized_module_(self) -> QuantizedModule: ...
    @property
    def n_bits_(self) -> dict[str, Any]: ...
    @property
    def columns_per_feature_(self) -> int: ...
    @property
    def onnx_model_(self) -> onnx.ModelProto: ...
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
    n_bits: int | Literal["lossless"] | Sequence[int] | Mapping[str, Any]
    rounding_threshold_bits: int | Mapping[str, int | str] | None
    calibration: _Calibration
    columns_per_feature: int | Literal["lossless"]
    qat_epochs: int
    def fit(self, X: Any, y: Any, sample_weight: Any = None, **params: Any) -> Self: ...
    def score(self, X: Any, y: Any, sample_weight: Any = None) -> float: ...
    def predict(self, X: Any) -> NDArray[Any]: ...
    def decision_function(self, X: Any) -> NDArray[Any]: ...

class SGDClassifier(_parents.SGDClassifier):
    @property
    def quantized_module_(self) -> QuantizedModule: ...
    @property
    def n_bits_(self) -> dict[str, Any]: ...
    @property
    def columns_per_feature_(self) -> int: ...
    @property
    def onnx_model_(self) -> onnx.ModelProto: ...
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
    n_bits: int | Literal["lossless"] | Sequence[int] | Mapping[str, Any]
    rounding_threshold_bits: int | Mapping[str, int | str] | None
    calibration: _Calibration
    columns_per_feature: int | Literal["lossless"]
    qat_epochs: int
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

class SGDOneClassSVM(_parents.SGDOneClassSVM):
    @property
    def quantized_module_(self) -> QuantizedModule: ...
    @property
    def n_bits_(self) -> dict[str, Any]: ...
    @property
    def columns_per_feature_(self) -> int: ...
    @property
    def onnx_model_(self) -> onnx.ModelProto: ...
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
    n_bits: int | Literal["lossless"] | Sequence[int] | Mapping[str, Any]
    rounding_threshold_bits: int | Mapping[str, int | str] | None
    calibration: _Calibration
    columns_per_feature: int | Literal["lossless"]
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

class SGDRegressor(_parents.SGDRegressor):
    @property
    def quantized_module_(self) -> QuantizedModule: ...
    @property
    def n_bits_(self) -> dict[str, Any]: ...
    @property
    def columns_per_feature_(self) -> int: ...
    @property
    def onnx_model_(self) -> onnx.ModelProto: ...
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
    n_bits: int | Literal["lossless"] | Sequence[int] | Mapping[str, Any]
    rounding_threshold_bits: int | Mapping[str, int | str] | None
    calibration: _Calibration
    columns_per_feature: int | Literal["lossless"]
    qat_epochs: int
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

class TheilSenRegressor(_parents.TheilSenRegressor):
    @property
    def quantized_module_(self) -> QuantizedModule: ...
    @property
    def n_bits_(self) -> dict[str, Any]: ...
    @property
    def columns_per_feature_(self) -> int: ...
    @property
    def onnx_model_(self) -> onnx.ModelProto: ...
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
    n_bits: int | Literal["lossless"] | Sequence[int] | Mapping[str, Any]
    rounding_threshold_bits: int | Mapping[str, int | str] | None
    calibration: _Calibration
    columns_per_feature: int | Literal["lossless"]
    def fit(self, X: Any, y: Any) -> Self: ...
    def score(self, X: Any, y: Any, sample_weight: Any = None) -> float: ...
    def predict(self, X: Any) -> NDArray[Any]: ...

class TweedieRegressor(_parents.TweedieRegressor):
    @property
    def quantized_module_(self) -> QuantizedModule: ...
    @property
    def n_bits_(self) -> dict[str, Any]: ...
    @property
    def columns_per_feature_(self) -> int: ...
    @property
    def onnx_model_(self) -> onnx.ModelProto: ...
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
    n_bits: int | Literal["lossless"] | Sequence[int] | Mapping[str, Any]
    rounding_threshold_bits: int | Mapping[str, int | str] | None
    calibration: _Calibration
    columns_per_feature: int | Literal["lossless"]
    qat_epochs: int
    def fit(self, X: Any, y: Any, sample_weight: Any = None) -> Self: ...
    def score(self, X: Any, y: Any, sample_weight: Any = None) -> float: ...
    def predict(self, X: Any) -> NDArray[Any]: ...
