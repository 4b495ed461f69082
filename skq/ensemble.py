"""Quantized versions of `sklearn.ensemble`."""

from sklearn import ensemble as _parents

from skq.estimators.fit_on_bins import QuantizedTrees

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


class AdaBoostClassifier(QuantizedTrees, _parents.AdaBoostClassifier):
    """AdaBoost classifier whose predictions run in integers."""


class AdaBoostRegressor(QuantizedTrees, _parents.AdaBoostRegressor):
    """AdaBoost regressor whose predictions run in integers."""


class BaggingClassifier(QuantizedTrees, _parents.BaggingClassifier):
    """Bagging classifier whose predictions run in integers."""


class BaggingRegressor(QuantizedTrees, _parents.BaggingRegressor):
    """Bagging regressor whose predictions run in integers."""


class ExtraTreesClassifier(QuantizedTrees, _parents.ExtraTreesClassifier):
    """Extra-trees classifier whose predictions run in integers."""


class ExtraTreesRegressor(QuantizedTrees, _parents.ExtraTreesRegressor):
    """Extra-trees regressor whose predictions run in integers."""


class GradientBoostingClassifier(QuantizedTrees, _parents.GradientBoostingClassifier):
    """Gradient boosting classifier whose predictions run in integers."""


class GradientBoostingRegressor(QuantizedTrees, _parents.GradientBoostingRegressor):
    """Gradient boosting regressor whose predictions run in integers."""


class HistGradientBoostingClassifier(QuantizedTrees, _parents.HistGradientBoostingClassifier):
    """Histogram gradient boosting classifier whose predictions run in integers."""


class HistGradientBoostingRegressor(QuantizedTrees, _parents.HistGradientBoostingRegressor):
    """Histogram gradient boosting regressor whose predictions run in integers."""


class IsolationForest(QuantizedTrees, _parents.IsolationForest):
    """Isolation forest whose predictions run in integers."""


class RandomForestClassifier(QuantizedTrees, _parents.RandomForestClassifier):
    """Random forest classifier whose predictions run in integers."""


class RandomForestRegressor(QuantizedTrees, _parents.RandomForestRegressor):
    """Random forest regressor whose predictions run in integers."""
