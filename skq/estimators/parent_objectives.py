"""The objective of a scikit-learn estimator, as an `Objective` in torch.

Losses are means over the rows, and regularizers are divided accordingly: by ``C`` times the total
weight for logistic regression and liblinear, by the total weight for ridge regression.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from sklearn.utils import compute_sample_weight

if TYPE_CHECKING:
    from skq.training.objectives import Objective

Floats = NDArray[np.float64]

#: Share of the loss of multi-layer perceptrons that is measured against the float probabilities.
DISTILLED = 0.7


class Fitted(NamedTuple):
    """Data that the objective of a fitted estimator depends on.

    Parameters
    ----------
    estimator : estimator
    head : skq.frontend.predictors.Head
    n_scores : int
    total_weight : float
        Sum of the weights of the rows.
    scores : ndarray of shape (n_rows, n_scores)
        Of the float model, on training rows.
    """

    estimator: Any
    head: Any
    n_scores: int
    total_weight: float
    scores: Floats


_Maker = Callable[[Fitted], "Objective"]
_OBJECTIVES: dict[str, _Maker] = {}


def _of(*names: str) -> Callable[[_Maker], _Maker]:
    def register(maker: _Maker) -> _Maker:
        _OBJECTIVES.update(dict.fromkeys(names, maker))
        return maker

    return register


def objective_of(name: str, fitted: Fitted) -> Objective:
    """The objective of an estimator of the scikit-learn class of this name."""
    return _OBJECTIVES[name](fitted)


def trainable_classes() -> list[str]:
    """Names of the scikit-learn classes whose objective is known."""
    return sorted(_OBJECTIVES)


def _objective(loss: str, parameter: float = 0.0, **factors: Any) -> Objective:
    from skq.training.objectives import Objective

    return Objective(loss, parameter, **factors)


def _elastic(alpha: Any, l1_ratio: Any) -> dict[str, Any]:
    alpha = np.asarray(alpha, dtype=np.float64)
    return {"l1": alpha * l1_ratio, "l2": alpha * (1.0 - l1_ratio)}


def _by_penalty(estimator: Any, alpha: Any) -> dict[str, Any]:
    """Factors of ``penalty``, ``l1_ratio`` of SGD and of logistic regression."""
    penalty = estimator.penalty
    l1_ratio = getattr(estimator, "l1_ratio_", getattr(estimator, "l1_ratio", 0.0))
    l1_ratio = float(np.mean(np.asarray(l1_ratio, dtype=np.float64))) if l1_ratio is not None else 0
    if penalty is None:
        return {}
    if penalty in ("l1", "l2"):
        l1_ratio = float(penalty == "l1")
    return _elastic(alpha, l1_ratio)


@_of("LogisticRegression", "LogisticRegressionCV")
def _logistic_regression(fitted: Fitted) -> Objective:
    estimator = fitted.estimator
    C = np.asarray(getattr(estimator, "C_", estimator.C if hasattr(estimator, "C") else 1.0))
    with np.errstate(divide="ignore"):
        alpha = 1.0 / (C.astype(np.float64) * fitted.total_weight)
    alpha = alpha if alpha.size == fitted.n_scores else alpha.mean()
    factors = _by_penalty(estimator, alpha)
    if estimator.solver == "liblinear" and estimator.fit_intercept:
        factors["intercept"] = 1.0 / estimator.intercept_scaling**2
    if fitted.head.link == "softmax":
        return _objective("softmax", **factors)
    return _objective("logistic", fitted.head.score_factor, **factors)


@_of("Ridge", "RidgeCV", "RidgeClassifier", "RidgeClassifierCV")
def _ridge(fitted: Fitted) -> Objective:
    alpha = getattr(fitted.estimator, "alpha_", getattr(fitted.estimator, "alpha", 1.0))
    return _objective("squared_error", l2=np.asarray(alpha, np.float64) / fitted.total_weight)


@_of("LinearRegression")
def _least_squares(fitted: Fitted) -> Objective:
    return _objective("squared_error")


@_of("ElasticNet", "ElasticNetCV", "Lasso", "LassoCV", "LassoLars", "LassoLarsCV", "LassoLarsIC")
def _elastic_net(fitted: Fitted) -> Objective:
    return _objective("squared_error", **_elastic(*_alpha_and_ratio(fitted.estimator)))


@_of("MultiTaskElasticNet", "MultiTaskElasticNetCV", "MultiTaskLasso", "MultiTaskLassoCV")
def _multi_task(fitted: Fitted) -> Objective:
    alpha, l1_ratio = _alpha_and_ratio(fitted.estimator)
    return _objective("squared_error", l21=float(alpha * l1_ratio), l2=alpha * (1.0 - l1_ratio))


def _alpha_and_ratio(estimator: Any) -> tuple[Any, float]:
    """Penalty and its share of absolute values; a lasso has nothing else."""
    alpha = getattr(estimator, "alpha_", getattr(estimator, "alpha", 1.0))
    is_lasso = "Lasso" in type(estimator).__name__
    l1_ratio = getattr(estimator, "l1_ratio_", getattr(estimator, "l1_ratio", 1.0))
    return alpha, 1.0 if is_lasso else float(l1_ratio)


@_of("LinearSVC")
def _linear_svc(fitted: Fitted) -> Objective:
    estimator = fitted.estimator
    factors = _by_penalty(estimator, 1.0 / (estimator.C * fitted.total_weight))
    if estimator.fit_intercept:
        factors["intercept"] = 1.0 / estimator.intercept_scaling**2
    if estimator.multi_class == "crammer_singer" and fitted.n_scores > 1:
        return _objective("crammer_singer", **factors)
    return _objective(estimator.loss, 1.0, **factors)


@_of("LinearSVR")
def _linear_svr(fitted: Fitted) -> Objective:
    estimator = fitted.estimator
    factors = {"l2": 1.0 / (estimator.C * fitted.total_weight)}
    if estimator.fit_intercept:
        factors["intercept"] = 1.0 / estimator.intercept_scaling**2
    return _objective(estimator.loss, estimator.epsilon, **factors)


#: Names of the losses of `SGDClassifier` and `SGDRegressor` where torch's are called otherwise.
_SGD_LOSSES = {"log_loss": "logistic", "perceptron": "hinge"}


@_of("Perceptron", "SGDClassifier", "SGDRegressor")
def _stochastic(fitted: Fitted) -> Objective:
    estimator = fitted.estimator
    loss = getattr(estimator, "loss", "perceptron")
    parameter = {"hinge": 1.0, "log_loss": 1.0, "squared_hinge": 1.0}.get(
        loss, getattr(estimator, "epsilon", 0.0)
    )
    if loss == "perceptron":
        # its loss is 0 where all scores are 0; the margin keeps the scale of the float model
        parameter = float(np.abs(fitted.scores).mean()) or 1.0
    return _objective(
        _SGD_LOSSES.get(loss, loss), parameter, **_by_penalty(estimator, estimator.alpha)
    )


@_of("HuberRegressor")
def _huber(fitted: Fitted) -> Objective:
    # scikit-learn's loss is 2 / scale_ times torch's, with the delta epsilon * scale_
    estimator = fitted.estimator
    delta = estimator.epsilon * estimator.scale_
    return _objective("huber", delta, l2=estimator.alpha * estimator.scale_ / fitted.total_weight)


@_of("QuantileRegressor")
def _quantile(fitted: Fitted) -> Objective:
    return _objective("pinball", fitted.estimator.quantile, l1=fitted.estimator.alpha)


@_of("GammaRegressor", "PoissonRegressor", "TweedieRegressor")
def _generalized(fitted: Fitted) -> Objective:
    estimator = fitted.estimator
    name = type(estimator).__name__
    power = {"PoissonRegressor": 1.0, "GammaRegressor": 2.0}.get(
        name, getattr(estimator, "power", 0.0)
    )
    if fitted.head.link == "identity":
        return _objective("squared_error", l2=estimator.alpha)
    loss = {0.0: "exponential_squares", 1.0: "poisson", 2.0: "gamma"}.get(float(power), "tweedie")
    return _objective(loss, float(power), l2=estimator.alpha)


@_of("MLPClassifier", "MLPRegressor")
def _perceptrons(fitted: Fitted) -> Objective:
    estimator = fitted.estimator
    batch = estimator.batch_size
    size = min(200, fitted.total_weight) if batch == "auto" else batch
    l2 = estimator.alpha / max(size, 1.0)
    if type(estimator).__name__.endswith("Classifier"):
        if estimator.out_activation_ == "softmax":
            return _objective("softmax", l2=l2, distilled=DISTILLED)
        return _objective("logistic", 1.0, l2=l2, distilled=DISTILLED)
    if getattr(estimator, "loss", "squared_error") == "poisson":
        return _objective("poisson", l2=l2)
    return _objective("squared_error", l2=l2 * fitted.n_scores)


def targets_of(fitted: Fitted, y: Any, loss: str) -> NDArray[Any]:
    """Targets of the loss for each row: class numbers, signs, or real values.

    Signs and reals have the shape (n_rows, n_scores).
    """
    from skq.training.objectives import OF_CLASSES

    estimator = fitted.estimator
    if not hasattr(estimator, "classes_"):
        return np.asarray(y, dtype=np.float64).reshape(len(y), -1)
    y = np.asarray(y)
    if fitted.head.kind == "multilabel":
        return np.where(y > 0, 1.0, -1.0)
    number = np.searchsorted(estimator.classes_, y.ravel())
    if loss in OF_CLASSES:
        return np.asarray(number)
    if fitted.n_scores == 1:
        return np.where(number[:, None] == 1, 1.0, -1.0)
    return np.where(number[:, None] == np.arange(fitted.n_scores), 1.0, -1.0)


def weights_of(estimator: Any, y: Any, sample_weight: Any, n_rows: int) -> Floats:
    """Weight of each row: `sample_weight` times that of its class."""
    weight = np.ones(n_rows)
    if sample_weight is not None:
        weight = weight * np.asarray(sample_weight, dtype=np.float64)
    class_weight = getattr(estimator, "class_weight", None)
    if class_weight is not None:
        weight = weight * compute_sample_weight(class_weight, np.asarray(y))
    return weight
