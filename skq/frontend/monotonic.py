"""Whether a model was trained with monotonic constraints, by itself or inside another."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

#: Parameters that constrain: of scikit-learn, XGBoost and LightGBM, whose aliases count too.
PARAMETERS = frozenset(
    {"monotonic_cst", "monotone_constraints", "monotone_constraint", "monotonic_constraints", "mc"}
)


def is_monotonic(estimator: Any) -> bool:
    """Whether the estimator's predictions are constrained to rise or fall with some feature.

    Parameters
    ----------
    estimator : estimator
        Estimators inside it (steps, base estimators) are checked too.

    Examples
    --------
    >>> from sklearn.ensemble import BaggingRegressor
    >>> from sklearn.tree import DecisionTreeRegressor
    >>> is_monotonic(BaggingRegressor(DecisionTreeRegressor(monotonic_cst=[1, 0])))
    True
    >>> is_monotonic(BaggingRegressor(DecisionTreeRegressor(monotonic_cst=[0, 0])))
    False
    """
    parameters = estimator.get_params(deep=False) if hasattr(estimator, "get_params") else {}
    return any(
        _constrains(value) if name in PARAMETERS else _any_is_monotonic(value)
        for name, value in parameters.items()
    )


def _any_is_monotonic(value: Any) -> bool:
    """The same of a parameter: an estimator, or a list of estimators or of steps with names."""
    if isinstance(value, list | tuple):
        return any(_any_is_monotonic(part) for part in value)
    return not isinstance(value, type) and hasattr(value, "get_params") and is_monotonic(value)


def _constrains(value: Any) -> bool:
    """Whether some feature has a constraint, -1 or 1."""
    if value is None:
        return False
    if isinstance(value, str):  # "(1,0,-1)"
        return "1" in value
    parts = list(value.values()) if isinstance(value, Mapping) else value
    return bool(np.any(np.asarray(parts) != 0))
