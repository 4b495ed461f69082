"""Which columns of a table a model reads, and Arrow batches as one array of numbers. NumPy only."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from skq.serving.saved_model import IntegerPredictor

__all__ = ["columns_read", "common_dtype", "names_of", "numbers_of"]

Array = NDArray[Any]


def names_of(model: Any) -> list[str] | None:
    """Names of the features of a fitted model; None where it knows none."""
    names = getattr(model, "feature_names_in_", None)
    return None if names is None else [str(name) for name in names]


def columns_read(
    model: Any,
    given: Sequence[str],
    features: Iterable[str] | None = None,
    what: str = "the table",
) -> list[str]:
    """Names of the columns of a table that a model reads, in its order.

    Parameters
    ----------
    model : fitted model
        One with ``feature_names_in_`` reads these; columns that it does not use may be missing.
        Others read all columns in their order, or those of `features`.
    given : sequence of str
        Names of the columns of the table.
    features : iterable of str, default=None
        Columns to read, in the order of the features of a model without names.
    what : str, default="the table"
        What the table is called in messages.

    Raises
    ------
    ValueError
        If a column is missing or occurs twice, or if there are not as many as the model reads.
    """
    given, known, n_features = list(given), names_of(model), int(model.n_features_in_)
    if known is not None and features is not None:
        raise ValueError("the model finds its columns by name: leave features out.")
    names = list(given if features is None else features) if known is None else known
    if len(names) != n_features:
        hint = "" if features is not None else "; name its columns in order with features=[...]"
        raise ValueError(f"{what} has {len(names)} columns; the model reads {n_features}{hint}.")
    unused = _unused(model)
    missing = [name for name in names if name not in given and name not in unused]
    if missing:
        raise ValueError(f"{what} has no column {', '.join(map(str, missing))}.")
    twice = sorted({name for name in names if given.count(name) > 1})
    if twice:
        raise ValueError(f"{what} has several columns {', '.join(twice)}.")
    return [name for name in names if name in given]


def _unused(model: Any) -> set[str]:
    """Names of features that a loaded model does not use, and that a table need not have."""
    names = names_of(model)
    if names is None or not isinstance(model, IntegerPredictor):
        return set()
    unused = np.zeros(len(names), dtype=bool)
    if model.lookup is not None:
        unused |= model.lookup.unread
    elif model.columns_by_name is not None:
        unused |= ~model.columns_by_name
    return {name for name, is_unused in zip(names, unused, strict=True) if is_unused}


def common_dtype(schema: Any, names: Sequence[str]) -> np.dtype[Any]:
    """Data type of the array that `numbers_of` makes of columns without missing values.

    Parameters
    ----------
    schema : pyarrow.Schema
    names : sequence of str
    """
    dtypes = []
    for name in names:
        try:
            dtypes.append(np.dtype(schema.field(name).type.to_pandas_dtype()))
        except (NotImplementedError, TypeError):
            dtypes.append(np.dtype(np.float64))
    numbers = [dtype if dtype.kind in "biuf" else np.dtype(np.float64) for dtype in dtypes]
    return np.result_type(*numbers) if numbers else np.dtype(np.float64)


def numbers_of(batch: Any, names: Sequence[str], what: str = "the table") -> Array:
    """Columns of an Arrow batch as one array.

    Parameters
    ----------
    batch : pyarrow.RecordBatch
    names : sequence of str
    what : str, default="the table"
        What the table is called in messages.

    Returns
    -------
    ndarray of shape (n_rows, n_names)
        Of the data type that holds all columns; missing values are NaN.

    Raises
    ------
    ValueError
        For a column that holds no numbers; names it.
    """
    columns = [_numbers(batch, name, what) for name in names]
    dtype = np.result_type(*columns) if columns else np.dtype(np.float64)
    result = np.empty((batch.num_rows, len(columns)), dtype=dtype)
    for k, column in enumerate(columns):
        result[:, k] = column
    return result


def _numbers(batch: Any, name: str, what: str) -> Array:
    import pyarrow

    column, types = batch.column(name), pyarrow.types
    kind = column.type
    is_plain = types.is_integer(kind) or types.is_floating(kind) or types.is_boolean(kind)
    if is_plain and column.null_count == 0:
        return np.asarray(column.to_numpy(zero_copy_only=False))
    try:
        floats = column.cast(pyarrow.float64())
    except (pyarrow.ArrowInvalid, pyarrow.ArrowNotImplementedError):
        raise ValueError(f"{what}, column {name}: {kind} is not a number") from None
    return np.asarray(floats.to_numpy(zero_copy_only=False))
