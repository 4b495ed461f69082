"""Which columns a wrapped Pipeline selects by name: it takes dataframes in any order."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.compose import ColumnTransformer
from sklearn.frozen import FrozenEstimator
from sklearn.pipeline import Pipeline


def columns_used_by_name(model: Any) -> NDArray[np.bool_] | None:
    """Columns of X that a Pipeline uses whose first step selects them by name.

    Parameters
    ----------
    model : estimator or Pipeline
        Fitted.

    Returns
    -------
    ndarray of shape (n_features_in_,), bool, or None
        None if the first step is not a ColumnTransformer that was fitted on names.
    """
    first = model
    while isinstance(first, FrozenEstimator | Pipeline):
        first = first.estimator if isinstance(first, FrozenEstimator) else first.steps[0][1]
    if not isinstance(first, ColumnTransformer) or not hasattr(first, "feature_names_in_"):
        return None
    used = np.zeros(len(first.feature_names_in_), dtype=bool)
    indices = first._transformer_to_input_indices
    for name, part, _ in first.transformers_:
        if not (isinstance(part, str) and part == "drop"):
            used[indices.get(name, [])] = True
    return used
