"""`fit_on_bins`: the parent is trained on the bins of its integer program's input.

Values are replaced by a representative of their bin, the parent is trained on those, and its
thresholds move to the edges between bins. So thresholds lie between values of the features, the
fitted parent gives the same for X as for the bins of X, and no split changes in integers.

With few bits the parent is fitted twice: first on X itself, for the edges that post-training
quantization chooses for it. They lie where its splits are, which no look at single features tells.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import sparse
from sklearn.base import is_classifier, is_regressor
from sklearn.utils import check_array, get_tags
from sklearn.utils.validation import _check_sample_weight, validate_data

from skq.estimators.base import ADDED_PARAMETERS, QuantizedEstimator
from skq.estimators.edges_of_model import edges_of_model
from skq.exceptions import UnsupportedModelError
from skq.quantization.columns_per_feature import check_columns
from skq.quantization.n_bits import LOSSLESS, get_n_bits_dict, is_lossless
from skq.quantization.trees.feature_bins import FeatureBins
from skq.quantization.trees.settings import EDGES

Array = NDArray[Any]

#: More classes than this are represented by random points of this dimension.
MAX_TARGETS = 16


class QuantizedTrees(QuantizedEstimator):
    """Mixin before a scikit-learn class of decision trees: adds ``fit_on_bins``.

    Attributes
    ----------
    bin_edges_ : list of n_features_in_ ndarrays, rising
        Edges between the bins of each feature; after ``fit`` with ``fit_on_bins=True``.
    """

    _added_parameters = (
        *ADDED_PARAMETERS,
        inspect.Parameter("fit_on_bins", inspect.Parameter.KEYWORD_ONLY, default=False),
    )

    _has_trees = True

    fit_on_bins: Any
    bin_edges_: list[Array]

    def _train(self, train: Callable[..., Any], bound: inspect.BoundArguments) -> None:
        if not isinstance(self.fit_on_bins, bool | np.bool_):
            raise ValueError(
                f"fit_on_bins must be True or False. Got {self.fit_on_bins!r} instead."
            )
        known = vars(self).pop("_feature_bins", None)
        vars(self).pop("bin_edges_", None)
        if not self.fit_on_bins:
            return super()._train(train, bound)
        if is_lossless(self.n_bits):
            raise ValueError(
                "fit_on_bins=True needs a width before training: n_bits must be an int or a dict. "
                f"Got {LOSSLESS!r}."
            )
        columns = check_columns(self.columns_per_feature)
        if columns is None:
            raise ValueError(
                "fit_on_bins=True needs the number of bins before training: columns_per_feature "
                f"must be an int. Got {LOSSLESS!r}."
            )
        X = bound.arguments["X"]
        skip = _categorical_columns(self, X)
        values = _values(self, X, skip, reset=known is None)
        names = getattr(self, "feature_names_in_", None)
        if known is None or not getattr(self, "warm_start", False):
            weight = bound.arguments.get("sample_weight")
            weight = None if weight is None else _check_sample_weight(weight, values)
            width = get_n_bits_dict(self.n_bits)["model_inputs"]
            target = _targets(self, bound.arguments.get("y"), values.shape[0])
            model_edges = None
            if target is not None and not skip and width <= EDGES.max_model_bits:
                model_edges = edges_of_model(self, values, bound.arguments["y"], weight)
            known = FeatureBins.of(
                values,
                width,
                sample_weight=weight,
                target=target,
                skip=skip,
                n_columns=columns,
                model_edges=model_edges,
            )
        bound.arguments["X"] = _like(X, known.represent(values), skip)
        super()._train(train, bound)
        if names is not None:
            self.feature_names_in_ = names
        for thresholds, node, feature in _splits(self):
            thresholds[node] = known.to_edges(thresholds[node], feature)
        self._feature_bins, self.bin_edges_ = known, known.edges


def _is_frame(X: Any) -> bool:
    return hasattr(X, "iloc") and hasattr(X, "columns")


def _categorical_columns(estimator: Any, X: Any) -> frozenset[int]:
    """Columns that histogram gradient boosting reads as categories: no order, so no bins."""
    given = getattr(estimator, "categorical_features", None)
    if given is None:
        return frozenset()
    if isinstance(given, str):  # "from_dtype"
        dtypes = list(X.dtypes) if _is_frame(X) else []
        return frozenset(i for i, dtype in enumerate(dtypes) if str(dtype) == "category")
    given = np.asarray(given)
    if given.dtype.kind == "b":
        return frozenset(np.flatnonzero(given).tolist())
    if given.dtype.kind in "iu":
        return frozenset(given.tolist())
    names = list(X.columns) if _is_frame(X) else []
    return frozenset(i for i, name in enumerate(names) if name in given)


def _values(estimator: Any, X: Any, skip: frozenset[int], *, reset: bool) -> Any:
    """X as the trees compare it, validated as the parent does; columns to skip may be 0."""
    histogram = hasattr(estimator, "max_bins")
    tags = get_tags(estimator).input_tags
    accepts: dict[str, Any] = {
        "dtype": np.float64 if histogram else np.float32,
        "accept_sparse": ["csc", "csr"] if tags.sparse else False,
        "ensure_all_finite": not histogram and ("allow-nan" if tags.allow_nan else True),
    }
    if not skip or not _is_frame(X):
        return validate_data(estimator, X, reset=reset, **accepts)
    validate_data(estimator, X, reset=reset, skip_check_array=True)
    values = np.zeros(X.shape)
    compared = [column for column in range(X.shape[1]) if column not in skip]
    if compared:
        values[:, compared] = check_array(X.iloc[:, compared], **accepts)
    return values


def _targets(estimator: Any, y: Any, n_rows: int) -> Array | None:
    """Targets of the trees, as columns; None where there are none, or the parent refuses them.

    A class is a column of ones and zeros; many classes are points in fewer dimensions, at random.
    """
    y = np.asarray(y)
    if y.ndim not in (1, 2) or len(y) != n_rows:
        return None
    try:
        if is_regressor(estimator):
            columns = y.reshape(n_rows, -1).astype(np.float64)
        elif is_classifier(estimator):
            columns = np.concatenate([_points(part) for part in y.reshape(n_rows, -1).T], axis=1)
        else:
            return None
    except (TypeError, ValueError):  # the parent raises for it, with the reason
        return None
    return columns if np.all(np.isfinite(columns)) else None


def _points(labels: Array) -> Array:
    known, index = np.unique(labels, return_inverse=True)
    if len(known) <= MAX_TARGETS:
        return np.eye(len(known))[index]
    return np.random.RandomState(0).normal(size=(len(known), MAX_TARGETS))[index]


def _like(X: Any, values: Any, skip: frozenset[int]) -> Any:
    """The values in a frame like X, if it is one."""
    if not _is_frame(X) or sparse.issparse(values):
        return values
    frame = X.copy()
    for column in range(values.shape[1]):
        if column not in skip:
            frame.isetitem(column, values[:, column])
    return frame


def _splits(estimator: Any) -> Iterator[tuple[Array, Array, Array]]:
    """For each tree: its thresholds (to be modified), its inner nodes, and their columns of X."""
    if hasattr(estimator, "_predictors"):
        yield from _histogram_splits(estimator)
    elif hasattr(estimator, "tree_"):
        node = np.flatnonzero(estimator.tree_.children_left >= 0)
        yield estimator.tree_.threshold, node, estimator.tree_.feature[node]
    elif hasattr(estimator, "estimators_"):
        inner = np.ravel(np.asarray(estimator.estimators_, dtype=object))
        subsets = getattr(estimator, "estimators_features_", [None] * len(inner))
        for base_estimator, subset in zip(inner, subsets, strict=True):
            for threshold, node, feature in _splits(base_estimator):
                yield threshold, node, feature if subset is None else np.asarray(subset)[feature]
    else:
        raise UnsupportedModelError(
            "fit_on_bins=True needs an ensemble of decision trees. Got base estimators of the "
            f"class {type(estimator).__name__}; leave fit_on_bins out."
        )


def _histogram_splits(estimator: Any) -> Iterator[tuple[Array, Array, Array]]:
    columns = np.arange(estimator.n_features_in_)
    if getattr(estimator, "is_categorical_", None) is not None:  # puts categorical columns first
        columns = np.argsort(~np.asarray(estimator.is_categorical_), kind="stable")
    for stage in estimator._predictors:
        for predictor in stage:
            nodes = predictor.nodes
            inner = np.flatnonzero(nodes["is_leaf"] == 0)
            yield nodes["num_threshold"], inner, columns[nodes["feature_idx"][inner]]
