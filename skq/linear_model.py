"""Quantized versions of `sklearn.linear_model`."""

from sklearn import linear_model as _parents

from skq.estimators.base import QuantizedEstimator

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


class ARDRegression(QuantizedEstimator, _parents.ARDRegression):
    """Bayesian regression with automatic relevance determination.

    Its predictions run in integers.
    """


class BayesianRidge(QuantizedEstimator, _parents.BayesianRidge):
    """Bayesian ridge regression whose predictions run in integers."""


class ElasticNet(QuantizedEstimator, _parents.ElasticNet):
    """Elastic net whose predictions run in integers."""


class ElasticNetCV(QuantizedEstimator, _parents.ElasticNetCV):
    """Elastic net with its penalty chosen by cross-validation whose predictions run in integers."""


class GammaRegressor(QuantizedEstimator, _parents.GammaRegressor):
    """Generalized linear model with a Gamma distribution whose predictions run in integers."""


class HuberRegressor(QuantizedEstimator, _parents.HuberRegressor):
    """Linear regression that is robust to outliers whose predictions run in integers."""


class Lars(QuantizedEstimator, _parents.Lars):
    """Least angle regression whose predictions run in integers."""


class LarsCV(QuantizedEstimator, _parents.LarsCV):
    """Least angle regression with its steps chosen by cross-validation.

    Its predictions run in integers.
    """


class Lasso(QuantizedEstimator, _parents.Lasso):
    """Lasso whose predictions run in integers."""


class LassoCV(QuantizedEstimator, _parents.LassoCV):
    """Lasso with its penalty chosen by cross-validation whose predictions run in integers."""


class LassoLars(QuantizedEstimator, _parents.LassoLars):
    """Lasso, fitted by least angle regression whose predictions run in integers."""


class LassoLarsCV(QuantizedEstimator, _parents.LassoLarsCV):
    """Lasso by least angle regression, chosen by cross-validation.

    Its predictions run in integers.
    """


class LassoLarsIC(QuantizedEstimator, _parents.LassoLarsIC):
    """Lasso by least angle regression, chosen by an information criterion.

    Its predictions run in integers.
    """


class LinearRegression(QuantizedEstimator, _parents.LinearRegression):
    """Ordinary least squares whose predictions run in integers."""


class LogisticRegression(QuantizedEstimator, _parents.LogisticRegression):
    """Logistic regression whose predictions run in integers."""


class LogisticRegressionCV(QuantizedEstimator, _parents.LogisticRegressionCV):
    """Logistic regression with its penalty chosen by cross-validation.

    Its predictions run in integers.
    """


class MultiTaskElasticNet(QuantizedEstimator, _parents.MultiTaskElasticNet):
    """Elastic net for several targets whose predictions run in integers."""


class MultiTaskElasticNetCV(QuantizedEstimator, _parents.MultiTaskElasticNetCV):
    """Elastic net for several targets, chosen by cross-validation.

    Its predictions run in integers.
    """


class MultiTaskLasso(QuantizedEstimator, _parents.MultiTaskLasso):
    """Lasso for several targets whose predictions run in integers."""


class MultiTaskLassoCV(QuantizedEstimator, _parents.MultiTaskLassoCV):
    """Lasso for several targets, chosen by cross-validation whose predictions run in integers."""


class OrthogonalMatchingPursuit(QuantizedEstimator, _parents.OrthogonalMatchingPursuit):
    """Orthogonal matching pursuit whose predictions run in integers."""


class OrthogonalMatchingPursuitCV(QuantizedEstimator, _parents.OrthogonalMatchingPursuitCV):
    """Orthogonal matching pursuit, chosen by cross-validation whose predictions run in integers."""


class Perceptron(QuantizedEstimator, _parents.Perceptron):
    """Perceptron whose predictions run in integers."""


class PoissonRegressor(QuantizedEstimator, _parents.PoissonRegressor):
    """Generalized linear model with a Poisson distribution whose predictions run in integers."""


class QuantileRegressor(QuantizedEstimator, _parents.QuantileRegressor):
    """Linear regression of a quantile whose predictions run in integers."""


class Ridge(QuantizedEstimator, _parents.Ridge):
    """Ridge regression whose predictions run in integers."""


class RidgeCV(QuantizedEstimator, _parents.RidgeCV):
    """Ridge regression with its penalty chosen by cross-validation.

    Its predictions run in integers.
    """


class RidgeClassifier(QuantizedEstimator, _parents.RidgeClassifier):
    """Ridge classifier whose predictions run in integers."""


class RidgeClassifierCV(QuantizedEstimator, _parents.RidgeClassifierCV):
    """Ridge classifier with its penalty chosen by cross-validation.

    Its predictions run in integers.
    """


class SGDClassifier(QuantizedEstimator, _parents.SGDClassifier):
    """Linear classifier, trained by stochastic gradient descent.

    Its predictions run in integers.
    """


class SGDOneClassSVM(QuantizedEstimator, _parents.SGDOneClassSVM):
    """Linear one-class SVM, trained by stochastic gradient descent.

    Its predictions run in integers.
    """


class SGDRegressor(QuantizedEstimator, _parents.SGDRegressor):
    """Linear regressor, trained by stochastic gradient descent.

    Its predictions run in integers.
    """


class TheilSenRegressor(QuantizedEstimator, _parents.TheilSenRegressor):
    """Theil-Sen regression whose predictions run in integers."""


class TweedieRegressor(QuantizedEstimator, _parents.TweedieRegressor):
    """Generalized linear model with a Tweedie distribution whose predictions run in integers."""
