"""Quantized versions of `sklearn.linear_model`."""

from sklearn import linear_model as _parents

from skq.base import QuantizedEstimator

__all__ = ["ElasticNet", "Lasso", "LinearRegression", "LogisticRegression", "Ridge"]


class ElasticNet(QuantizedEstimator, _parents.ElasticNet):
    """Elastic net whose predictions run in integers."""


class Lasso(QuantizedEstimator, _parents.Lasso):
    """Lasso whose predictions run in integers."""


class LinearRegression(QuantizedEstimator, _parents.LinearRegression):
    """Ordinary least squares whose predictions run in integers."""


class LogisticRegression(QuantizedEstimator, _parents.LogisticRegression):
    """Logistic regression whose predictions run in integers."""


class Ridge(QuantizedEstimator, _parents.Ridge):
    """Ridge regression whose predictions run in integers."""
