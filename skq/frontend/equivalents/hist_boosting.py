"""Histogram gradient boosting, from its predictors' node arrays; X is compared in float64."""

from __future__ import annotations

import copy
from dataclasses import replace
from typing import Any

import numpy as np

from skq.frontend.bisection import LARGEST
from skq.frontend.equivalents.categories import Memberships
from skq.frontend.equivalents.decision_trees import OneTree, stack
from skq.frontend.equivalents.linear import loss_link
from skq.frontend.equivalents.writers import equivalent
from skq.frontend.predictors import Head, Predictor, TreeEnsemble


@equivalent("HistGradientBoostingRegressor")
def _hist_regressor(estimator: Any) -> Predictor:
    return Predictor(_ensemble(estimator), Head("regressor", loss_link(estimator, estimator._loss)))


@equivalent("HistGradientBoostingClassifier")
def _hist_classifier(estimator: Any) -> Predictor:
    ensemble = _ensemble(estimator)
    if ensemble.n_scores == 1:
        return Predictor(ensemble, Head("binary", "sigmoid", decision=True))
    head = Head("multiclass", "softmax", decision=True, n_classes=(ensemble.n_scores,))
    return Predictor(ensemble, head)


def _ensemble(estimator: Any) -> TreeEnsemble:
    stages = estimator._predictors
    n_scores = int(estimator.n_trees_per_iteration_)
    columns = _Columns(estimator)
    memberships = Memberships(estimator.n_features_in_)
    trees = [_tree(predictor, columns, memberships) for stage in stages for predictor in stage]
    ensemble = stack(
        trees or [_NO_TREE],
        base=np.broadcast_to(np.ravel(estimator._baseline_prediction), (n_scores,)),
        average=False,
        output=np.tile(np.arange(n_scores), len(stages)) if trees else None,
        float32_input=False,
    )
    return replace(ensemble, derived=memberships.derived())


class _Columns:
    """Columns of X as the graph reads it, for the columns that the trees read."""

    def __init__(self, estimator: Any) -> None:
        self.source = np.arange(estimator.n_features_in_)
        self.categories: dict[int, Any] = {}
        encoder = _encoder(estimator)
        if encoder is None:
            return
        # The preprocessor puts categorical columns first.
        is_categorical = np.asarray(estimator.is_categorical_)
        self.source = np.argsort(~is_categorical, kind="stable")
        for column, values in enumerate(encoder.categories_):
            values = np.asarray(values, dtype=np.float64)
            self.categories[column] = values[~np.isnan(values)]


_NO_TREE = OneTree(
    feature=np.array([-1]),
    threshold=np.zeros(1),
    left=np.array([-1]),
    right=np.array([-1]),
    missing_left=np.zeros(1, dtype=bool),
    leaf_weights=np.zeros((1, 1)),
)


def _tree(predictor: Any, columns: _Columns, memberships: Memberships) -> OneTree:
    nodes = predictor.nodes
    inner = ~nodes["is_leaf"].astype(bool)
    missing_left = nodes["missing_go_to_left"].astype(bool) & inner
    feature = np.where(inner, columns.source[nodes["feature_idx"].astype(np.int64)], -1)
    threshold = np.where(inner, np.maximum(nodes["num_threshold"], -LARGEST), 0.0)
    for node in np.flatnonzero(nodes["is_categorical"].astype(bool) & inner):
        categories = columns.categories[int(nodes["feature_idx"][node])]
        bits = predictor.raw_left_cat_bitsets[nodes["bitset_idx"][node]]
        code = np.arange(len(categories))
        left = (bits[code // 32] >> (code % 32).astype(np.uint32)) & 1 == 1
        feature[node] = memberships.column(
            int(feature[node]), categories, left, bool(missing_left[node])
        )
        threshold[node], missing_left[node] = 0.5, False
    return OneTree(
        feature=feature,
        threshold=threshold,
        left=np.where(inner, nodes["left"].astype(np.int64), -1),
        right=np.where(inner, nodes["right"].astype(np.int64), -1),
        missing_left=missing_left,
        leaf_weights=nodes["value"].astype(np.float64)[:, np.newaxis],
    )


def has_text_categories(estimator: Any) -> bool:
    """Whether an estimator encodes categories that are not numbers before its trees read X."""
    encoder = _encoder(estimator)
    return encoder is not None and any(c.dtype.kind not in "iufb" for c in encoder.categories_)


def categories_of(estimator: Any) -> list[tuple[int, Any]]:
    """Number in X, and categories, of each column that such an estimator encodes."""
    features = np.flatnonzero(estimator.is_categorical_)
    return list(zip(features.tolist(), _encoder(estimator).categories_, strict=True))


def taking_encoded(estimator: Any) -> Any:
    """The same estimator for X with numbers of categories, 0 ... n - 1; others as they are.

    Any other number counts as missing.
    """
    if not has_text_categories(estimator):
        return estimator
    twin = copy.copy(estimator)
    twin._preprocessor = copy.deepcopy(estimator._preprocessor)
    encoder = _encoder(twin)
    encoder.categories_ = [
        np.arange(sum(c is not None and c == c for c in values), dtype=np.float64)
        for values in encoder.categories_  # without None and NaN
    ]
    encoder._missing_indices = {}
    vars(twin).pop("feature_names_in_", None)
    return twin


def _encoder(estimator: Any) -> Any:
    """The fitted OrdinalEncoder of the categorical columns, or None.

    scikit-learn has no public name for it; `is_categorical_` contains only its columns.
    """
    preprocessor = getattr(estimator, "_preprocessor", None)
    return None if preprocessor is None else preprocessor.named_transformers_["encoder"]
