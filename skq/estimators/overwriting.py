"""Estimators that may write into their X: ``copy_X=False``, ``copy=False``.

Calibration needs the X of ``fit`` unchanged, so the parent is trained on a copy.
"""

from __future__ import annotations

import copy
from typing import Any

#: Parameters of scikit-learn's estimators that allow it if they are False.
PARAMETERS = frozenset({"copy", "copy_X", "copy_x"})


def may_overwrite(estimator: Any) -> bool:
    """Whether an estimator, or one inside it, may write into X.

    Examples
    --------
    >>> from sklearn.linear_model import LinearRegression
    >>> from sklearn.pipeline import make_pipeline
    >>> from sklearn.preprocessing import StandardScaler
    >>> may_overwrite(make_pipeline(StandardScaler(copy=False), LinearRegression()))
    True
    >>> may_overwrite(make_pipeline(StandardScaler(), LinearRegression()))
    False
    """
    if isinstance(estimator, list | tuple):
        return any(may_overwrite(part) for part in estimator)
    if isinstance(estimator, type) or not hasattr(estimator, "get_params"):
        return False
    parameters = estimator.get_params(deep=False)
    return any(
        (name in PARAMETERS and not value) or may_overwrite(value)
        for name, value in parameters.items()
    )


def to_write_into(estimator: Any, X: Any) -> Any:
    """X itself, or a copy of it for an estimator that may write into it."""
    return copy.deepcopy(X) if may_overwrite(estimator) else X
