"""Quantized versions of `sklearn.tree`."""

from sklearn import tree as _parents

from skq.base import QuantizedEstimator

__all__ = [
    "DecisionTreeClassifier",
    "DecisionTreeRegressor",
    "ExtraTreeClassifier",
    "ExtraTreeRegressor",
]


class DecisionTreeClassifier(QuantizedEstimator, _parents.DecisionTreeClassifier):
    """Decision tree classifier whose predictions run in integers."""


class DecisionTreeRegressor(QuantizedEstimator, _parents.DecisionTreeRegressor):
    """Decision tree regressor whose predictions run in integers."""


class ExtraTreeClassifier(QuantizedEstimator, _parents.ExtraTreeClassifier):
    """Extremely randomized tree classifier whose predictions run in integers."""


class ExtraTreeRegressor(QuantizedEstimator, _parents.ExtraTreeRegressor):
    """Extremely randomized tree regressor whose predictions run in integers."""
