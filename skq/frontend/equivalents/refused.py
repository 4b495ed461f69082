"""Classes without an integer representation: the reason, an alternative, and the error."""

from __future__ import annotations

from typing import Any

from skq.exceptions import UnsupportedModelError

_KERNEL = (
    "a kernel machine compares with its training rows, which has no integer representation here"
)
_WRAPPED = "its base estimators may be of any kind"

#: Class name → why it is refused, and the nearest alternative.
REFUSED = {
    "BernoulliRBM": "it is a transformer of probabilities, not a predictor; use MLPClassifier",
    "NuSVC": f"{_KERNEL}; use LinearSVC, MLPClassifier or a forest",
    "NuSVR": f"{_KERNEL}; use LinearSVR, or MLPRegressor",
    "OneClassSVM": f"{_KERNEL}; use SGDOneClassSVM or IsolationForest",
    "PassiveAggressiveClassifier": (
        "scikit-learn has deprecated it; use SGDClassifier(loss='hinge', penalty=None)"
    ),
    "PassiveAggressiveRegressor": (
        "scikit-learn has deprecated it; use SGDRegressor(loss='epsilon_insensitive', penalty=None)"
    ),
    "RANSACRegressor": "it wraps a model; quantize its `estimator_`, or use HuberRegressor",
    "RandomTreesEmbedding": "it is a transformer with sparse output; use ExtraTreesClassifier",
    "SVC": f"{_KERNEL}; use LinearSVC, MLPClassifier or a forest",
    "SVR": f"{_KERNEL}; use LinearSVR, or MLPRegressor",
    "StackingClassifier": f"{_WRAPPED}; put quantized estimators into it",
    "StackingRegressor": f"{_WRAPPED}; put quantized estimators into it",
}


def unsupported(estimator: Any, reason: str) -> UnsupportedModelError:
    """Error that refuses an estimator or a step.

    Parameters
    ----------
    estimator : object
        Its class is named.
    reason : str
        Ends with what to use instead, without a full stop.
    """
    return UnsupportedModelError(f"{type(estimator).__name__} cannot be quantized: {reason}.")
