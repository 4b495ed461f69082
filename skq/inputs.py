"""What a wrapped estimator or Pipeline takes for X: missing values, texts."""

from __future__ import annotations

from typing import Any

import numpy as np
from sklearn.compose import ColumnTransformer
from sklearn.frozen import FrozenEstimator
from sklearn.pipeline import FeatureUnion, Pipeline
from sklearn.utils import get_tags

from skq.exceptions import UnsupportedModelError

#: Transformers behind which no value is missing, whatever they were given.
_FILLERS = ("Imputer", "Encoder", "MissingIndicator")


def takes_missing(estimator: Any) -> bool:
    """Whether an estimator or Pipeline takes NaN in some column of X.

    In a Pipeline, steps take NaN as far as the first that fills it. Which columns of a
    ColumnTransformer may have any, its parent's own methods say.
    """
    if isinstance(estimator, FrozenEstimator):
        return takes_missing(estimator.estimator)
    if isinstance(estimator, Pipeline):
        for _, step in estimator.steps:
            if not takes_missing(step):
                return False
            if _fills(step):
                return True
        return True
    if isinstance(estimator, ColumnTransformer):
        inner = getattr(estimator, "transformers_", estimator.transformers)
        return any(takes_missing(part) for _, part, _ in inner)
    if isinstance(estimator, FeatureUnion):
        return all(takes_missing(part) for _, part in estimator.transformer_list)
    if estimator is None or isinstance(estimator, str):
        return True  # "passthrough"
    if get_tags(estimator).input_tags.allow_nan:
        return True
    members = getattr(estimator, "estimators", None)  # of a vote
    if isinstance(members, list):
        return all(takes_missing(part) for _, part in members)
    inner = getattr(estimator, "estimator", None)  # of bagging or calibration
    return inner is not None and takes_missing(inner)


def checks_missing_itself(estimator: Any) -> bool:
    """Whether only the estimator's own methods know which columns may have NaN."""
    return takes_missing(estimator) and not get_tags(estimator).input_tags.allow_nan


def _fills(step: Any) -> bool:
    composed = isinstance(step, ColumnTransformer | FeatureUnion | Pipeline)
    return composed or any(part in type(step).__name__ for part in _FILLERS)


def rows_with_missing(X: Any) -> Any:
    """One row of X for each column that has NaN, or None where none has."""
    missing = np.isnan(X)
    columns = np.flatnonzero(missing.any(axis=0))
    if not len(columns):
        return None
    return X[np.unique(missing[:, columns].argmax(axis=0))]


def refuse_text(estimator: Any, X: Any) -> None:
    """Raise where X has columns of texts, which have no integer codes.

    Raises
    ------
    UnsupportedModelError
        Names the columns, and says to put the encoder in front.
    """
    names = getattr(X, "columns", None)
    if names is not None:
        texts = [str(name) for name in names if not _is_numeric(X[name])]
    else:
        texts = [] if _is_numeric(X) else ["texts"]
    if texts:
        raise UnsupportedModelError(
            f"{type(estimator).__name__} cannot quantize X with columns that are no numbers "
            f"({', '.join(texts[:5])}): texts have no integer codes. Put the steps that read them "
            "in front: make_pipeline(preprocessor, QuantizedClassifier(model))."
        )


def _is_numeric(values: Any) -> bool:
    """Whether a column or an array holds numbers, or what NumPy makes numbers of."""
    if getattr(getattr(values, "dtype", None), "kind", "") in tuple("fiub"):
        return True
    try:
        np.asarray(values).astype(np.float64)
    except (TypeError, ValueError):
        return False
    return True
