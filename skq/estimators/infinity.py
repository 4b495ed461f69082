"""Estimators that take infinity in X: as in scikit-learn, those that only bin or compare X.

In the integer program infinity lies beyond the last edge.
"""

from __future__ import annotations

from typing import Any

from sklearn.ensemble import (
    BaggingClassifier,
    BaggingRegressor,
    VotingClassifier,
    VotingRegressor,
)
from sklearn.frozen import FrozenEstimator
from sklearn.pipeline import Pipeline

#: Classes, by name, whose validation lets infinity pass.
_TAKING = frozenset(
    {
        "HistGradientBoostingClassifier",
        "HistGradientBoostingRegressor",
        "LGBMClassifier",
        "LGBMRegressor",
    }
)


def takes_infinity(estimator: Any) -> bool:
    """Whether an estimator or Pipeline takes infinity in X.

    Examples
    --------
    >>> from sklearn.ensemble import HistGradientBoostingRegressor, RandomForestRegressor
    >>> takes_infinity(HistGradientBoostingRegressor()), takes_infinity(RandomForestRegressor())
    (True, False)
    """
    estimator = getattr(estimator, "_float_model", estimator)
    if isinstance(estimator, FrozenEstimator):
        return takes_infinity(estimator.estimator)
    if isinstance(estimator, Pipeline):
        steps = [step for _, step in estimator.steps]
        return all(step in (None, "passthrough") or takes_infinity(step) for step in steps)
    if isinstance(estimator, VotingClassifier | VotingRegressor):
        return all(takes_infinity(part) for _, part in estimator.estimators)
    if isinstance(estimator, BaggingClassifier | BaggingRegressor):
        return estimator.estimator is not None and takes_infinity(estimator.estimator)
    return any(cls.__name__ in _TAKING for cls in type(estimator).__mro__)
