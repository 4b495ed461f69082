"""Quantized versions of `sklearn.svm`."""

import sys as _sys
from typing import Any as _Any

from sklearn import svm as _parents

from skq.estimators.qat import TrainedForWidth as _TrainedForWidth
from skq.estimators.unknown_names import unknown_name as _unknown_name

__all__ = ["LinearSVC", "LinearSVR"]


class LinearSVC(_TrainedForWidth, _parents.LinearSVC):
    """Linear support vector classifier whose predictions run in integers."""


class LinearSVR(_TrainedForWidth, _parents.LinearSVR):
    """Linear support vector regressor whose predictions run in integers."""


def __getattr__(name: str) -> _Any:
    raise _unknown_name(_sys.modules[__name__], _parents, name)
