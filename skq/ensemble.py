"""Quantized versions of `sklearn.ensemble`."""

from sklearn import ensemble as _parents

from skq.base import QuantizedEstimator

__all__ = [
    "GradientBoostingClassifier",
    "GradientBoostingRegressor",
    "RandomForestClassifier",
    "RandomForestRegressor",
]


class GradientBoostingClassifier(QuantizedEstimator, _parents.GradientBoostingClassifier):
    """Gradient boosting classifier whose predictions run in integers."""


class GradientBoostingRegressor(QuantizedEstimator, _parents.GradientBoostingRegressor):
    """Gradient boosting regressor whose predictions run in integers."""


class RandomForestClassifier(QuantizedEstimator, _parents.RandomForestClassifier):
    """Random forest classifier whose predictions run in integers."""


class RandomForestRegressor(QuantizedEstimator, _parents.RandomForestRegressor):
    """Random forest regressor whose predictions run in integers."""
