"""Quantized versions of `sklearn.tree`."""

from sklearn import tree as _parents

from skq.base import QuantizedEstimator

__all__ = ["DecisionTreeClassifier", "DecisionTreeRegressor"]


class DecisionTreeClassifier(QuantizedEstimator, _parents.DecisionTreeClassifier):
    """Decision tree classifier whose predictions run in integers."""


class DecisionTreeRegressor(QuantizedEstimator, _parents.DecisionTreeRegressor):
    """Decision tree regressor whose predictions run in integers."""
