"""Quantized versions of `sklearn.tree`."""

from sklearn import tree as _parents

from skq.estimators.fit_on_bins import QuantizedTrees as _QuantizedTrees

__all__ = [
    "DecisionTreeClassifier",
    "DecisionTreeRegressor",
    "ExtraTreeClassifier",
    "ExtraTreeRegressor",
]


class DecisionTreeClassifier(_QuantizedTrees, _parents.DecisionTreeClassifier):
    """Decision tree classifier whose predictions run in integers."""


class DecisionTreeRegressor(_QuantizedTrees, _parents.DecisionTreeRegressor):
    """Decision tree regressor whose predictions run in integers."""


class ExtraTreeClassifier(_QuantizedTrees, _parents.ExtraTreeClassifier):
    """Extremely randomized tree classifier whose predictions run in integers."""


class ExtraTreeRegressor(_QuantizedTrees, _parents.ExtraTreeRegressor):
    """Extremely randomized tree regressor whose predictions run in integers."""
