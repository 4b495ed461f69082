"""Fitted models of texts and categories: the lookup stage, and the model that reads codes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy import sparse
from sklearn.frozen import FrozenEstimator

from skq.exceptions import UnsupportedModelError
from skq.frontend.equivalents import hist_boosting
from skq.frontend.equivalents.lightgbm import pandas_categories, reading_codes
from skq.frontend.equivalents.members import members_of, with_members
from skq.frontend.equivalents.raw_tables import features_read, pipelines_of, read_labels
from skq.frontend.on_codes import OnCodes
from skq.serving.category_codes import lookup_of
from skq.serving.lookup_stage import CategoryCodes, TableLookup
from skq.serving.table_columns import Dictionary, Table, is_missing, refuse_dates


class Coded(NamedTuple):
    """A model of texts and categories.

    Parameters
    ----------
    lookup : TableLookup
    estimator : estimator
        Predicts in float from the codes.
    """

    lookup: TableLookup
    estimator: Any


def coded(estimator: Any, X: Any) -> Coded | None:
    """The lookup stage of a fitted model; None for one that reads numbers only.

    Parameters
    ----------
    estimator : estimator or Pipeline
        Fitted.
    X : dataframe or array-like of shape (n_samples, n_features)
        Calibration data.

    Raises
    ------
    UnsupportedModelError
        The message names the column or step that has no integer representation.
    ValueError
        For columns of dates that the model reads.
    """
    while isinstance(estimator, FrozenEstimator):
        estimator = estimator.estimator
    members = list(members_of(estimator))
    if any(_numbers_categories(member) for member in members):
        return Coded(_common_lookup(estimator, members, X), with_members(estimator, _of_codes))
    if sparse.issparse(X) or (isinstance(X, np.ndarray) and X.dtype.kind in "fiub"):
        return None
    if not hasattr(X, "columns") and np.asarray(X).ndim != 2:
        return None  # validation raises
    table = Table(X)
    read = features_read(estimator, table.n_columns)
    columns = {j: table.column(j) for j in range(table.n_columns)}
    for j in read:
        refuse_dates(columns[j], _name(table, j))
    if not any(True for _ in pipelines_of(estimator)):
        return None
    return _coded_pipeline(estimator, table, columns, read)


def _numbers_categories(estimator: Any) -> bool:
    """Whether a fitted estimator numbers the categories of its table itself."""
    return hist_boosting.has_text_categories(estimator) or bool(pandas_categories(estimator))


def _of_codes(estimator: Any) -> Any:
    """The same estimator as a reader of the numbers of its categories."""
    if hist_boosting.has_text_categories(estimator):
        return hist_boosting.taking_encoded(estimator)
    return reading_codes(estimator)


def _common_lookup(estimator: Any, members: Sequence[Any], X: Any) -> TableLookup:
    """The lookup stage of all members, which number the categories in the same way."""
    first: TableLookup | None = None
    for member in members:
        if not _numbers_categories(member):
            break
        is_hist = hist_boosting.has_text_categories(member)
        lookup = hist_lookup(member) if is_hist else _lightgbm_lookup(member, X)
        if first is None:
            first = lookup
        elif not _are_alike(first, lookup):
            break
    else:
        assert first is not None
        return first
    raise UnsupportedModelError(
        f"{type(estimator).__name__} cannot be quantized: the estimators in it must number the "
        f"categories of X alike, but {type(member).__name__} does not do it as the others do. Use "
        "one kind of estimator in it, or encode the categories before it."
    )


def _are_alike(a: TableLookup, b: TableLookup) -> bool:
    """Whether two lookup stages give every category the same code."""
    return len(a.columns) == len(b.columns) and all(
        (c.feature, c.categories) == (d.feature, d.categories)
        for c, d in zip(a.columns, b.columns, strict=True)
    )


def _coded_pipeline(
    model: Any, table: Table, columns: Mapping[int, NDArray[Any] | Dictionary], read: set[int]
) -> Coded | None:
    n_features = table.n_columns
    texts = {j: values for j, values in columns.items() if _is_text(values)}
    if not texts:
        return None
    distinct = {j: _distinct(values) for j, values in texts.items()}
    base = {j: _first(values) for j, values in texts.items()}
    values_read, base_read = ({j: d[j] for j in texts if j in read} for d in (distinct, base))
    labels = read_labels(model, values_read, base_read, n_features, table.names)
    lookup = lookup_of(labels, n_features, read, table.names)
    unread = {j: base[j] for j in texts if j not in read}
    return Coded(lookup, OnCodes(model, labels, table.names, unread))


def _name(table: Table, j: int) -> Any:
    return j if table.names is None else table.names[j]


def _is_text(values: NDArray[Any] | Dictionary) -> bool:
    """Whether a column holds texts, or truth values with missing ones."""
    if isinstance(values, Dictionary):
        return any(isinstance(value, str | bool) for value in values.categories)
    if values.dtype.kind == "O":
        return any(isinstance(value, str | bool | bytes) for value in values.tolist())
    return values.dtype.kind in "US"


def _distinct(values: NDArray[Any] | Dictionary) -> list[Any]:
    if isinstance(values, Dictionary):
        missing = [np.nan] if np.any(values.codes < 0) else []
        return [*values.categories, *missing]
    return list(dict.fromkeys(values.tolist()))


def _first(values: NDArray[Any] | Dictionary) -> Any:
    if isinstance(values, Dictionary):
        return values.categories[values.codes[0]] if values.codes[0] >= 0 else np.nan
    return values.tolist()[0]


def hist_lookup(estimator: Any) -> TableLookup:
    """The lookup stage of histogram gradient boosting that was fitted on texts.

    Categories have the numbers of its encoder. Others, and missing values, have the next number:
    in trees they take the branch of missing values.
    """
    columns = []
    for feature, values in hist_boosting.categories_of(estimator):
        known = [value for value in values.tolist() if not is_missing(value)]
        columns.append(_numbered(feature, known))
    return _lookup(estimator, columns)


def _lightgbm_lookup(estimator: Any, X: Any) -> TableLookup:
    """The lookup stage of LightGBM that was fitted on pandas categories."""
    if not hasattr(X, "columns"):
        raise ValueError(
            f"{type(estimator).__name__} was fitted on columns of the dtype category. Pass a "
            f"dataframe with the same dtypes; got {type(X).__name__}."
        )
    table = Table(X)
    names = [_name(table, j) for j in range(table.n_columns)]
    lists = pandas_categories(estimator)
    features = [j for j in range(len(names)) if isinstance(table.column(j), Dictionary)]
    if len(features) != len(lists):
        raise ValueError(
            f"{type(estimator).__name__} was fitted on {len(lists)} columns of the dtype category; "
            f"X has {len(features)}. Pass a dataframe with the dtypes of the training data."
        )
    columns = [_numbered(j, list(known)) for j, known in zip(features, lists, strict=True)]
    return _lookup(estimator, columns)


def _numbered(feature: int, known: list[Any]) -> CategoryCodes:
    other = float(len(known))
    codes = np.arange(len(known), dtype=np.float64)
    return CategoryCodes(feature, tuple(known), codes, other, other, other)


def _lookup(estimator: Any, columns: list[CategoryCodes]) -> TableLookup:
    n_features = int(estimator.n_features_in_)
    names = getattr(estimator, "feature_names_in_", None)
    return TableLookup(
        n_features,
        tuple(columns),
        np.zeros(n_features, dtype=bool),
        None if names is None else tuple(map(str, names)),
    )
