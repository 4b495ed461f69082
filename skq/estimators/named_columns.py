"""Dataframes for a wrapped Pipeline that selects columns by name: in any order, with others."""

from __future__ import annotations

from typing import Any

import numpy as np
from sklearn.compose import ColumnTransformer
from sklearn.frozen import FrozenEstimator
from sklearn.pipeline import Pipeline


def selects_by_name(model: Any) -> bool:
    """Whether a fitted model's first step is a ColumnTransformer that was fitted on names."""
    first = _first_step(model)
    return isinstance(first, ColumnTransformer) and hasattr(first, "feature_names_in_")


def by_name(estimator: Any, X: Any) -> Any:
    """The columns that a wrapped Pipeline was fitted on, in their order, from a dataframe.

    Columns that it drops may be missing; they are zeros.

    Parameters
    ----------
    estimator : QuantizedClassifier or the like
        Fitted.
    X : dataframe or anything else
        Anything but a dataframe is returned unchanged.

    Raises
    ------
    ValueError
        As scikit-learn does, if columns are missing that are used.
    """
    model = estimator._float_model
    if not hasattr(X, "columns") or not selects_by_name(model):
        return X
    names = list(estimator.feature_names_in_)
    given = list(X.columns)
    if names == given or len(set(given)) < len(given):
        return X
    missing = set(names) - set(given)
    used = missing & _used(_first_step(model))
    if used:
        raise ValueError(f"columns are missing: {used}")
    if not missing:
        return X[names]
    zeros = np.zeros(len(X))
    return type(X)({name: zeros if name in missing else X[name] for name in names})


def _first_step(model: Any) -> Any:
    while isinstance(model, FrozenEstimator | Pipeline):
        model = model.estimator if isinstance(model, FrozenEstimator) else model.steps[0][1]
    return model


def _used(transformer: Any) -> set[str]:
    """Names of the columns that a ColumnTransformer does not drop."""
    indices = transformer._transformer_to_input_indices
    parts = {name: part for name, part, _ in transformer.transformers_}
    dropped = {name for name, part in parts.items() if isinstance(part, str) and part == "drop"}
    names = transformer.feature_names_in_
    return {names[i] for name, used in indices.items() if name not in dropped for i in used}
