"""Where a wrapped estimator or Pipeline takes missing values in X."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.base import OneToOneFeatureMixin
from sklearn.calibration import CalibratedClassifierCV
from sklearn.compose import ColumnTransformer
from sklearn.ensemble import (
    BaggingClassifier,
    BaggingRegressor,
    VotingClassifier,
    VotingRegressor,
)
from sklearn.feature_selection import SelectorMixin
from sklearn.frozen import FrozenEstimator
from sklearn.pipeline import FeatureUnion, Pipeline
from sklearn.utils import get_tags

_VOTES = VotingClassifier | VotingRegressor

#: Estimators that pass X on to copies of one estimator.
_AROUND_ONE = BaggingClassifier | BaggingRegressor | CalibratedClassifierCV

#: Transformers whose result never has missing values.
_FILLERS = ("Imputer", "Encoder", "MissingIndicator")


def takes_missing(estimator: Any) -> bool:
    """Whether an estimator or Pipeline takes NaN in some column of X.

    In a Pipeline, the steps up to the first that fills NaN, or drops columns, must take it.

    See Also
    --------
    takes_missing_in : Which columns they are, once the estimator is fitted.
    """
    if isinstance(estimator, FrozenEstimator):
        return takes_missing(estimator.estimator)
    if isinstance(estimator, Pipeline):
        for _, step in estimator.steps:
            if not takes_missing(step):
                return False
            if _fills(step) or isinstance(step, SelectorMixin):
                return True
        return True
    if isinstance(estimator, ColumnTransformer):
        inner = getattr(estimator, "transformers_", estimator.transformers)
        return any(takes_missing(part) for _, part, _ in inner)
    if isinstance(estimator, FeatureUnion):
        return all(takes_missing(part) for _, part in estimator.transformer_list)
    if estimator is None or isinstance(estimator, str):
        return True  # "passthrough"
    if _takes_any(estimator):
        return True
    if isinstance(estimator, _VOTES):
        return all(takes_missing(part) for _, part in estimator.estimators)
    if isinstance(estimator, _AROUND_ONE):
        return estimator.estimator is not None and takes_missing(estimator.estimator)
    return False


def takes_missing_in(estimator: Any, n_features: int) -> NDArray[np.bool_]:
    """Columns of X in which a fitted estimator or Pipeline takes NaN.

    Parameters
    ----------
    estimator : estimator
        Fitted.
    n_features : int

    Returns
    -------
    ndarray of shape (n_features,), bool
    """
    return np.asarray(_fates(estimator, n_features) != _REFUSED)


#: What happens to NaN in a column: an error, no change, a value. Of several that read the column
#: the least counts.
_REFUSED, _PASSED, _FILLED = range(3)


def _fates(estimator: Any, n_features: int) -> NDArray[np.int64]:
    """What happens to NaN in each column; a dropped column counts as filled."""
    if isinstance(estimator, FrozenEstimator):
        return _fates(estimator.estimator, n_features)
    if isinstance(estimator, Pipeline):
        return _fates_in_steps([step for _, step in estimator.steps], n_features)
    if estimator is None or isinstance(estimator, str):
        return np.full(n_features, _FILLED if estimator == "drop" else _PASSED)
    parts = _parts(estimator, n_features)
    if parts:
        fates = np.full(n_features, _FILLED)
        for columns, part in parts:
            fates[columns] = np.minimum(fates[columns], _fates(part, len(columns)))
        return fates
    if not _takes_any(estimator):
        return np.full(n_features, _REFUSED)
    fates = np.full(n_features, _FILLED if _fills(estimator) else _PASSED)
    fates[_first_seen(estimator, n_features)] = _REFUSED
    if isinstance(estimator, SelectorMixin):
        fates[~estimator.get_support()] = _FILLED
    return fates


def _takes_any(estimator: Any) -> bool:
    """Whether the estimator takes NaN by its tags, or has no validation."""
    tags = get_tags(estimator)
    return bool(tags.input_tags.allow_nan or tags.no_validation)


def _fates_in_steps(steps: list[Any], n_features: int) -> NDArray[np.int64]:
    """What consecutive steps do to NaN in each column of X."""
    fates, same_columns = np.full(n_features, _PASSED), True
    for step in steps:
        if same_columns:
            of_step = _fates(step, n_features)
        else:
            of_step = _fates(step, getattr(step, "n_features_in_", 1)).min(keepdims=True)
        fates = np.where(fates == _PASSED, of_step, fates)
        same_columns &= step is None or isinstance(step, str | OneToOneFeatureMixin)
    return fates


def _parts(estimator: Any, n_features: int) -> list[tuple[Any, Any]]:
    """The columns that are passed on unchanged to each inner estimator, and that estimator."""
    every = np.arange(n_features)
    if isinstance(estimator, ColumnTransformer):
        columns = estimator._transformer_to_input_indices
        return [(columns.get(name, []), part) for name, part, _ in estimator.transformers_]
    if isinstance(estimator, FeatureUnion):
        return [(every, part) for _, part in estimator.transformer_list]
    if isinstance(estimator, _VOTES):
        return [(every, part) for part in estimator.estimators_]
    if isinstance(estimator, CalibratedClassifierCV):
        return [(every, part.estimator) for part in estimator.calibrated_classifiers_]
    if isinstance(estimator, BaggingClassifier | BaggingRegressor):
        return list(zip(estimator.estimators_features_, estimator.estimators_, strict=True))
    return []


def _first_seen(transformer: Any, n_features: int) -> NDArray[np.bool_]:
    """Columns in which a fitted transformer raises for NaN, because its training data had none."""
    refused = np.zeros(n_features, dtype=bool)
    if getattr(transformer, "handle_unknown", None) == "error":
        refused[:] = [not _has_missing(values) for values in transformer.categories_]
    if getattr(transformer, "features", None) == "missing-only" and transformer.error_on_new:
        refused[np.setdiff1d(np.arange(n_features), transformer.features_)] = True
    return refused


def _has_missing(categories: NDArray[Any]) -> bool:
    return any(value is None or value != value for value in categories)


def _fills(step: Any) -> bool:
    composed = isinstance(step, ColumnTransformer | FeatureUnion | Pipeline)
    return composed or any(part in type(step).__name__ for part in _FILLERS)
