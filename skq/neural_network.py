"""Quantized versions of `sklearn.neural_network`."""

from sklearn import neural_network as _parents

from skq.estimators.base import QuantizedEstimator as _QuantizedEstimator

__all__ = ["MLPClassifier", "MLPRegressor"]


class MLPClassifier(_QuantizedEstimator, _parents.MLPClassifier):
    """Multi-layer perceptron classifier whose predictions run in integers."""


class MLPRegressor(_QuantizedEstimator, _parents.MLPRegressor):
    """Multi-layer perceptron regressor whose predictions run in integers."""
