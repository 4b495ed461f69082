"""Quantized versions of `sklearn.svm`."""

from sklearn import svm as _parents

from skq.estimators.qat import TrainedForWidth as _TrainedForWidth

__all__ = ["LinearSVC", "LinearSVR"]


class LinearSVC(_TrainedForWidth, _parents.LinearSVC):
    """Linear support vector classifier whose predictions run in integers."""


class LinearSVR(_TrainedForWidth, _parents.LinearSVR):
    """Linear support vector regressor whose predictions run in integers."""
