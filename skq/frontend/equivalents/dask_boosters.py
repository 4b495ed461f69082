"""Boosters that Dask trained, as the classes of the same library that predict in memory."""

from __future__ import annotations

import sys
from typing import Any


def in_memory(estimator: Any) -> Any:
    """The estimator without Dask: of `xgboost.dask` and `lightgbm.dask`; others unchanged.

    It shares the learned attributes. The library is imported already.

    Parameters
    ----------
    estimator : estimator
        Fitted.
    """
    module, name = type(estimator).__module__, type(estimator).__name__
    if module.startswith("lightgbm.dask") and hasattr(estimator, "to_local"):
        return estimator.to_local()
    local = getattr(sys.modules.get("xgboost"), name.removeprefix("Dask"), None)
    if not module.startswith("xgboost.dask") or local is None:
        return estimator
    result = local.__new__(local)
    result.__dict__.update({k: v for k, v in vars(estimator).items() if k != "_client"})
    return result
