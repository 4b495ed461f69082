"""Quantized versions of `sklearn.ensemble`."""

import sys as _sys
from typing import Any as _Any

from sklearn import ensemble as _parents

from skq.estimators.fit_on_bins import QuantizedTrees as _QuantizedTrees
from skq.estimators.unknown_names import unknown_name as _unknown_name

__all__ = [
    "AdaBoostClassifier",
    "AdaBoostRegressor",
    "BaggingClassifier",
    "BaggingRegressor",
    "ExtraTreesClassifier",
    "ExtraTreesRegressor",
    "GradientBoostingClassifier",
    "GradientBoostingRegressor",
    "HistGradientBoostingClassifier",
    "HistGradientBoostingRegressor",
    "IsolationForest",
    "RandomForestClassifier",
    "RandomForestRegressor",
]


class AdaBoostClassifier(_QuantizedTrees, _parents.AdaBoostClassifier):
    """AdaBoost classifier whose predictions run in integers."""


class AdaBoostRegressor(_QuantizedTrees, _parents.AdaBoostRegressor):
    """AdaBoost regressor whose predictions run in integers."""


class BaggingClassifier(_QuantizedTrees, _parents.BaggingClassifier):
    """Bagging classifier whose predictions run in integers."""


class BaggingRegressor(_QuantizedTrees, _parents.BaggingRegressor):
    """Bagging regressor whose predictions run in integers."""


class ExtraTreesClassifier(_QuantizedTrees, _parents.ExtraTreesClassifier):
    """Extra-trees classifier whose predictions run in integers."""


class ExtraTreesRegressor(_QuantizedTrees, _parents.ExtraTreesRegressor):
    """Extra-trees regressor whose predictions run in integers."""


class GradientBoostingClassifier(_QuantizedTrees, _parents.GradientBoostingClassifier):
    """Gradient boosting classifier whose predictions run in integers."""


class GradientBoostingRegressor(_QuantizedTrees, _parents.GradientBoostingRegressor):
    """Gradient boosting regressor whose predictions run in integers."""


class HistGradientBoostingClassifier(_QuantizedTrees, _parents.HistGradientBoostingClassifier):
    """Histogram gradient boosting classifier whose predictions run in integers."""


class HistGradientBoostingRegressor(_QuantizedTrees, _parents.HistGradientBoostingRegressor):
    """Histogram gradient boosting regressor whose predictions run in integers."""


class IsolationForest(_QuantizedTrees, _parents.IsolationForest):
    """Isolation forest whose predictions run in integers."""


class RandomForestClassifier(_QuantizedTrees, _parents.RandomForestClassifier):
    """Random forest classifier whose predictions run in integers."""


class RandomForestRegressor(_QuantizedTrees, _parents.RandomForestRegressor):
    """Random forest regressor whose predictions run in integers."""


def __getattr__(name: str) -> _Any:
    raise _unknown_name(_sys.modules[__name__], _parents, name)
