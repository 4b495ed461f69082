"""Quantized versions of `sklearn.linear_model`."""

import sys as _sys
from typing import Any as _Any

from sklearn import linear_model as _parents

from skq.estimators.base import QuantizedEstimator as _QuantizedEstimator
from skq.estimators.qat import TrainedForWidth as _TrainedForWidth
from skq.estimators.unknown_names import unknown_name as _unknown_name

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
    """Bayesian regression with automatic relevance determination.

    Its predictions run in integers.
    """


class BayesianRidge(_QuantizedEstimator, _parents.BayesianRidge):
    """Bayesian ridge regression whose predictions run in integers."""


class ElasticNet(_TrainedForWidth, _parents.ElasticNet):
    """Elastic net whose predictions run in integers."""


class ElasticNetCV(_TrainedForWidth, _parents.ElasticNetCV):
    """Elastic net with its penalty chosen by cross-validation.

    Its predictions run in integers.
    """


class GammaRegressor(_TrainedForWidth, _parents.GammaRegressor):
    """Generalized linear model with a Gamma distribution whose predictions run in integers."""


class HuberRegressor(_TrainedForWidth, _parents.HuberRegressor):
    """Linear regression that is robust to outliers.

    Its predictions run in integers.
    """


class Lars(_QuantizedEstimator, _parents.Lars):
    """Least angle regression whose predictions run in integers."""


class LarsCV(_QuantizedEstimator, _parents.LarsCV):
    """Least angle regression with its steps chosen by cross-validation.

    Its predictions run in integers.
    """


class Lasso(_TrainedForWidth, _parents.Lasso):
    """Lasso whose predictions run in integers."""


class LassoCV(_TrainedForWidth, _parents.LassoCV):
    """Lasso with its penalty chosen by cross-validation.

    Its predictions run in integers.
    """


class LassoLars(_TrainedForWidth, _parents.LassoLars):
    """Lasso, fitted by least angle regression.

    Its predictions run in integers.
    """


class LassoLarsCV(_TrainedForWidth, _parents.LassoLarsCV):
    """Lasso by least angle regression, chosen by cross-validation.

    Its predictions run in integers.
    """


class LassoLarsIC(_TrainedForWidth, _parents.LassoLarsIC):
    """Lasso by least angle regression, chosen by an information criterion.

    Its predictions run in integers.
    """


class LinearRegression(_TrainedForWidth, _parents.LinearRegression):
    """Ordinary least squares whose predictions run in integers."""


class LogisticRegression(_TrainedForWidth, _parents.LogisticRegression):
    """Logistic regression whose predictions run in integers."""


class LogisticRegressionCV(_TrainedForWidth, _parents.LogisticRegressionCV):
    """Logistic regression with its penalty chosen by cross-validation.

    Its predictions run in integers.
    """


class MultiTaskElasticNet(_TrainedForWidth, _parents.MultiTaskElasticNet):
    """Elastic net for several targets whose predictions run in integers."""


class MultiTaskElasticNetCV(_TrainedForWidth, _parents.MultiTaskElasticNetCV):
    """Elastic net for several targets, chosen by cross-validation.

    Its predictions run in integers.
    """


class MultiTaskLasso(_TrainedForWidth, _parents.MultiTaskLasso):
    """Lasso for several targets whose predictions run in integers."""


class MultiTaskLassoCV(_TrainedForWidth, _parents.MultiTaskLassoCV):
    """Lasso for several targets, chosen by cross-validation.

    Its predictions run in integers.
    """


class OrthogonalMatchingPursuit(_QuantizedEstimator, _parents.OrthogonalMatchingPursuit):
    """Orthogonal matching pursuit whose predictions run in integers."""


class OrthogonalMatchingPursuitCV(_QuantizedEstimator, _parents.OrthogonalMatchingPursuitCV):
    """Orthogonal matching pursuit, chosen by cross-validation.

    Its predictions run in integers.
    """


class Perceptron(_TrainedForWidth, _parents.Perceptron):
    """Perceptron whose predictions run in integers."""


class PoissonRegressor(_TrainedForWidth, _parents.PoissonRegressor):
    """Generalized linear model with a Poisson distribution whose predictions run in integers."""


class QuantileRegressor(_TrainedForWidth, _parents.QuantileRegressor):
    """Linear regression of a quantile whose predictions run in integers."""


class Ridge(_TrainedForWidth, _parents.Ridge):
    """Ridge regression whose predictions run in integers."""


class RidgeCV(_TrainedForWidth, _parents.RidgeCV):
    """Ridge regression with its penalty chosen by cross-validation.

    Its predictions run in integers.
    """


class RidgeClassifier(_TrainedForWidth, _parents.RidgeClassifier):
    """Ridge classifier whose predictions run in integers."""


class RidgeClassifierCV(_TrainedForWidth, _parents.RidgeClassifierCV):
    """Ridge classifier with its penalty chosen by cross-validation.

    Its predictions run in integers.
    """


class SGDClassifier(_TrainedForWidth, _parents.SGDClassifier):
    """Linear classifier, trained by stochastic gradient descent.

    Its predictions run in integers.
    """


class SGDOneClassSVM(_QuantizedEstimator, _parents.SGDOneClassSVM):
    """Linear one-class SVM, trained by stochastic gradient descent.

    Its predictions run in integers.
    """


class SGDRegressor(_TrainedForWidth, _parents.SGDRegressor):
    """Linear regressor, trained by stochastic gradient descent.

    Its predictions run in integers.
    """


class TheilSenRegressor(_QuantizedEstimator, _parents.TheilSenRegressor):
    """Theil-Sen regression whose predictions run in integers."""


class TweedieRegressor(_TrainedForWidth, _parents.TweedieRegressor):
    """Generalized linear model with a Tweedie distribution whose predictions run in integers."""


def __getattr__(name: str) -> _Any:
    raise _unknown_name(_sys.modules[__name__], _parents, name)
