"""Quantized versions of `sklearn.neural_network`."""

from sklearn import neural_network as _parents

from skq.estimators.qat import TrainedForWidth as _TrainedForWidth

__all__ = ["MLPClassifier", "MLPRegressor"]


class MLPClassifier(_TrainedForWidth, _parents.MLPClassifier):
    """Multi-layer perceptron classifier whose predictions run in integers."""


class MLPRegressor(_TrainedForWidth, _parents.MLPRegressor):
    """Multi-layer perceptron regressor whose predictions run in integers."""
