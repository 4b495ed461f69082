"""Columns of the tables that users pass: dataframes, Arrow tables, dicts, arrays. NumPy only.

Nothing is imported: a dataframe is recognized by its attributes, and read by its own methods.
"""

from __future__ import annotations

import contextlib
from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

__all__ = ["Dictionary", "Table", "as_numbers", "is_columns", "is_missing", "refuse_dates"]

Array = NDArray[Any]


class Dictionary(NamedTuple):
    """A column of categories, as pandas and Arrow store it.

    Parameters
    ----------
    codes : ndarray of shape (n_rows,), int
        Index into `categories`; -1 where a value is missing.
    categories : list
    """

    codes: Array
    categories: list[Any]


class Table:
    """Named or numbered columns of what a user passed.

    Parameters
    ----------
    data : pandas or polars DataFrame, pyarrow Table or RecordBatch, mapping, or array-like
        A mapping is a dict of columns. Array-likes have the shape (n_rows, n_columns).

    Attributes
    ----------
    names : list of str or None
        None for array-likes, and for dataframes whose names are not texts.
    n_rows, n_columns : int

    Raises
    ------
    TypeError
        For sparse matrices, lazy frames, and dataframes of which only some names are texts.
    ValueError
        For names that occur twice, columns of different length, and arrays that are not tables.
    """

    def __init__(self, data: Any) -> None:
        self.data = data
        names = _names(data)
        if names is None:
            self.data = _array(data)
            self.n_rows, self.n_columns = self.data.shape
        else:
            self.n_columns = len(names)
            is_dict = isinstance(data, Mapping)
            lengths = {len(self._raw(k)) for k in range(len(names))} if is_dict else set()
            if len(lengths) > 1:
                raise ValueError(f"the columns of X have different lengths: {sorted(lengths)}")
            self.n_rows = lengths.pop() if lengths else len(data) if hasattr(data, "__len__") else 0
        self.names = names if names and isinstance(names[0], str) else None

    def column(self, key: int | str) -> Array | Dictionary:
        """A column by its number, or by its name: one-dimensional.

        Raises
        ------
        ValueError
            If the column of a dict is not one-dimensional.
        """
        if isinstance(key, str):
            assert self.names is not None
            key = self.names.index(key)
        if isinstance(self.data, np.ndarray):
            return self.data[:, key]
        return _values(self._raw(key))

    def _raw(self, number: int) -> Any:
        data = self.data
        if hasattr(data, "iloc"):
            return data.iloc[:, number]
        if hasattr(data, "column_names"):  # Arrow
            return data.column(number)
        name = list(data)[number] if isinstance(data, Mapping) else data.columns[number]
        column = data[name]
        if isinstance(data, Mapping) and (
            isinstance(column, str) or not hasattr(column, "__len__")
        ):
            raise ValueError(
                f"column {name!r} of X must be a sequence of values; got {column!r:.60}. "
                "Pass a list, also for one row."
            )
        return column


def is_columns(data: Any) -> bool:
    """Whether a user passed a dict of columns or an Arrow table."""
    return isinstance(data, Mapping) or isinstance(getattr(data, "column_names", None), list)


def _names(data: Any) -> list[Any] | None:
    """Names of the columns; None for other tables."""
    if isinstance(data, Mapping):
        names = list(data)
    elif isinstance(getattr(data, "column_names", None), list):  # Arrow
        names = list(data.column_names)
    elif hasattr(data, "collect_schema") and hasattr(data, "collect"):
        raise TypeError("X is a lazy frame: pass X.collect().")
    elif hasattr(data, "columns"):
        names = list(data.columns)
    else:
        return None
    texts = [isinstance(name, str) for name in names]
    if any(texts) and not all(texts):
        raise TypeError(
            "Feature names are only supported if all input features have string names. Got "
            f"{names}. Convert them with X.columns = X.columns.astype(str)."
        )
    if any(texts) and len(set(names)) < len(names):
        twice = sorted({name for name in names if names.count(name) > 1})
        raise ValueError(f"X must have unique column names; got several times: {twice}.")
    if isinstance(data, Mapping) and not all(texts):
        raise TypeError(f"the keys of a dict of columns must be texts; got {names}.")
    return names


def _array(data: Any) -> Array:
    if hasattr(data, "toarray"):
        raise TypeError("X is sparse; a model of text columns takes a dataframe or a dense array.")
    array = data if isinstance(data, np.ndarray) else np.array(data, dtype=object)
    if array.ndim != 2:
        raise ValueError(f"X must have the shape (n_samples, n_features); got {array.shape}.")
    return array


def _values(column: Any) -> Array | Dictionary:
    """A column of a dataframe, an Arrow table or a dict."""
    codes = getattr(getattr(column, "cat", None), "codes", None)  # pandas
    if codes is not None:
        return Dictionary(np.asarray(codes), column.dtype.categories.tolist())
    if hasattr(getattr(column, "dtype", None), "categories") and not hasattr(column, "to_list"):
        return Dictionary(np.asarray(column.codes), list(column.categories))  # a pandas Categorical
    if hasattr(column, "type") and hasattr(column, "null_count"):  # Arrow
        return _of_arrow(column)
    if hasattr(column, "to_numpy"):
        array = np.asarray(column.to_numpy())
    elif isinstance(column, np.ndarray):
        array = column
    else:
        array = _of_list(column)
    if array.ndim != 1:
        raise ValueError(f"the columns of X must have one dimension; got the shape {array.shape}.")
    return array


def _of_arrow(column: Any) -> Array | Dictionary:
    if hasattr(column.type, "index_type"):
        if hasattr(column, "unify_dictionaries"):
            column = column.unify_dictionaries().combine_chunks()
        if hasattr(column, "chunks"):
            column = column.chunk(0)
        codes = column.indices.fill_null(-1).to_numpy(zero_copy_only=False)
        return Dictionary(codes, column.dictionary.to_pylist())
    if hasattr(column, "combine_chunks"):
        return np.asarray(column.to_numpy())
    return np.asarray(column.to_numpy(zero_copy_only=False))


def _of_list(column: Any) -> Array:
    """Values of a sequence; objects unless all are numbers, so that no number becomes a text."""
    values = list(column)
    array = np.empty(len(values), dtype=object)
    array[:] = values
    return array


def is_missing(value: Any) -> bool:
    """Whether a value is None, NaN, `pandas.NA` or `pandas.NaT`."""
    if value is None or type(value).__name__ in ("NAType", "NaTType"):
        return True
    return isinstance(value, float | np.floating) and value != value


def as_numbers(values: Array | Dictionary, name: Any) -> NDArray[np.float64]:
    """A column of numbers, or of numbers as text, as float64; NaN where a value is missing.

    Parameters
    ----------
    values : ndarray of shape (n_rows,), or Dictionary
    name : str or int
        For messages.

    Raises
    ------
    ValueError
        For texts that are not numbers, dates and complex numbers; names the column and a value.
    """
    if isinstance(values, Dictionary):
        of_category = as_numbers(_of_list([*values.categories, None]), name)
        return of_category[values.codes]
    refuse_dates(values, name)
    if values.dtype.kind in "biuf":
        return values.astype(np.float64)
    if values.dtype.kind == "O" and not any(isinstance(value, str) for value in values):
        with contextlib.suppress(TypeError, ValueError):
            return values.astype(np.float64)
    return np.array([_real(value, name) for value in values.tolist()], np.float64)


def _real(value: Any, name: Any) -> float:
    """A value of a column of numbers, as scikit-learn converts objects: numeric text too."""
    if is_missing(value):
        return np.nan
    try:
        return float(value)
    except (TypeError, ValueError):
        raise ValueError(f"column {name!r} of X holds numbers; got {value!r:.60}.") from None


def refuse_dates(values: Array | Dictionary, name: Any) -> None:
    """Raise for a column of dates, times or durations.

    Raises
    ------
    ValueError
        The message names the column and a remedy.
    """
    if isinstance(values, Dictionary):
        found = next((v for v in values.categories if not is_missing(v)), None)
        is_date = _is_date(found)
    elif values.dtype.kind == "O":
        is_date = _is_date(next((v for v in values if not is_missing(v)), None))
    else:
        is_date = values.dtype.kind in "mM"
    if is_date:
        raise ValueError(
            f"column {name!r} of X holds dates or times, which are not numbers. Replace it by "
            "numbers before fit, such as its year, month and day of the week "
            "(X[name].dt.year), or the days since a fixed date."
        )


def _is_date(value: Any) -> bool:
    return (
        isinstance(value, np.datetime64 | np.timedelta64)
        or type(value).__module__ == "datetime"
        or (type(value).__name__ in ("Timestamp", "Timedelta", "Period"))
    )
