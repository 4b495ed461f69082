"""Quantized versions of `sklearn.tree`."""

import sys as _sys
from typing import Any as _Any

from sklearn import tree as _parents

from skq.estimators.fit_on_bins import QuantizedTrees as _QuantizedTrees
from skq.estimators.unknown_names import unknown_name as _unknown_name

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


def __getattr__(name: str) -> _Any:
    raise _unknown_name(_sys.modules[__name__], _parents, name)
