"""Quantized versions of `sklearn.svm`."""

from sklearn import svm as _parents

from skq.estimators.base import QuantizedEstimator as _QuantizedEstimator

__all__ = ["LinearSVC", "LinearSVR"]


class LinearSVC(_QuantizedEstimator, _parents.LinearSVC):
    """Linear support vector classifier whose predictions run in integers."""


class LinearSVR(_QuantizedEstimator, _parents.LinearSVR):
    """Linear support vector regressor whose predictions run in integers."""
