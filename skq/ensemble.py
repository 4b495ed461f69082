"""Quantized versions of `sklearn.ensemble`."""

from sklearn import ensemble as _parents

from skq.base import QuantizedEstimator

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


class AdaBoostClassifier(QuantizedEstimator, _parents.AdaBoostClassifier):
    """AdaBoost classifier whose predictions run in integers."""


class AdaBoostRegressor(QuantizedEstimator, _parents.AdaBoostRegressor):
    """AdaBoost regressor whose predictions run in integers."""


class BaggingClassifier(QuantizedEstimator, _parents.BaggingClassifier):
    """Bagging classifier whose predictions run in integers."""


class BaggingRegressor(QuantizedEstimator, _parents.BaggingRegressor):
    """Bagging regressor whose predictions run in integers."""


class ExtraTreesClassifier(QuantizedEstimator, _parents.ExtraTreesClassifier):
    """Extra-trees classifier whose predictions run in integers."""


class ExtraTreesRegressor(QuantizedEstimator, _parents.ExtraTreesRegressor):
    """Extra-trees regressor whose predictions run in integers."""


class GradientBoostingClassifier(QuantizedEstimator, _parents.GradientBoostingClassifier):
    """Gradient boosting classifier whose predictions run in integers."""


class GradientBoostingRegressor(QuantizedEstimator, _parents.GradientBoostingRegressor):
    """Gradient boosting regressor whose predictions run in integers."""


class HistGradientBoostingClassifier(QuantizedEstimator, _parents.HistGradientBoostingClassifier):
    """Histogram gradient boosting classifier whose predictions run in integers."""


class HistGradientBoostingRegressor(QuantizedEstimator, _parents.HistGradientBoostingRegressor):
    """Histogram gradient boosting regressor whose predictions run in integers."""


class IsolationForest(QuantizedEstimator, _parents.IsolationForest):
    """Isolation forest whose predictions run in integers."""


class RandomForestClassifier(QuantizedEstimator, _parents.RandomForestClassifier):
    """Random forest classifier whose predictions run in integers."""


class RandomForestRegressor(QuantizedEstimator, _parents.RandomForestRegressor):
    """Random forest regressor whose predictions run in integers."""
