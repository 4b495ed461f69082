"""Quantized versions of `sklearn.neural_network`."""

import sys as _sys
from typing import Any as _Any

from sklearn import neural_network as _parents

from skq.estimators.qat import TrainedForWidth as _TrainedForWidth
from skq.estimators.unknown_names import unknown_name as _unknown_name

__all__ = ["MLPClassifier", "MLPRegressor"]


class MLPClassifier(_TrainedForWidth, _parents.MLPClassifier):
    """Multi-layer perceptron classifier whose predictions run in integers."""


class MLPRegressor(_TrainedForWidth, _parents.MLPRegressor):
    """Multi-layer perceptron regressor whose predictions run in integers."""


def __getattr__(name: str) -> _Any:
    raise _unknown_name(_sys.modules[__name__], _parents, name)
