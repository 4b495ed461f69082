"""Validation of X for loaded models, as scikit-learn validates it. NumPy only."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = ["checked_numbers", "columns_with_missing", "has_infinity"]


def checked_numbers(X: Any, n_features: int, feature_names: NDArray[Any] | None) -> Any:
    """X as a table of real numbers that the engines read, or an error.

    Parameters
    ----------
    X : {array-like, sparse matrix, dataframe} of shape (n_samples, n_features)
    n_features : int
    feature_names : ndarray of str or None
        Names that the columns of a dataframe must have, in order.

    Returns
    -------
    {ndarray, sparse matrix in CSR format} of shape (n_samples, n_features)
        Of bool, integers, float32 or float64 where X has such a dtype, else of float64.

    Raises
    ------
    TypeError
        For `numpy.matrix`, names of columns of which only some are texts, and objects that are no
        numbers.
    ValueError
        For a wrong shape or no rows, complex numbers, dates, arrays of texts, integers beyond the
        range of float64, and names that differ or occur twice.
    """
    if isinstance(X, np.matrix):
        raise TypeError("np.matrix is not supported. Convert X with np.asarray.")
    _check_names(X, feature_names)
    X = X.tocsr() if hasattr(X, "tocsr") else _dense(X)
    if X.ndim != 2 or X.shape[1] != n_features:
        raise ValueError(f"X must have the shape (n_samples, {n_features}); got {X.shape}.")
    if X.shape[0] == 0:
        raise ValueError(
            f"Found array with 0 sample(s) (shape={X.shape}) while a minimum of 1 is required."
        )
    return _real(X)


def _dense(X: Any) -> NDArray[Any]:
    """The array of X; missing values of a dataframe's nullable columns are NaN."""
    array = np.asarray(X)
    if array.dtype.kind == "O" and hasattr(X, "columns") and hasattr(X, "isna"):
        array = array.copy()
        array[np.asarray(X.isna(), dtype=bool)] = np.nan
    return array


def _real(X: Any) -> Any:
    """X in a dtype of real numbers; wide floats and objects become float64."""
    kind = X.dtype.kind
    if kind == "c":
        raise ValueError("Complex data not supported. Got X of dtype " + str(X.dtype) + ".")
    if kind not in "fiubO":
        raise ValueError(
            f"X must hold numbers; got the dtype {X.dtype}. Convert texts and dates to numbers, "
            "for example with X.astype(numpy.float64)."
        )
    if kind == "O":
        try:
            return X.astype(np.float64)
        except OverflowError:
            raise ValueError(
                "X contains an integer too large for dtype('float64'), or infinity."
            ) from None
    if kind == "f" and X.dtype.itemsize > 8:
        with np.errstate(over="ignore"):  # becomes infinity, which is checked later
            return X.astype(np.float64)
    return X


def _check_names(X: Any, expected: NDArray[Any] | None) -> None:
    columns = getattr(X, "columns", None)
    if columns is None:
        return
    names = list(columns)
    texts = [isinstance(name, str) for name in names]
    if not any(texts):
        return  # numbers are not names
    if not all(texts):
        raise TypeError(
            "Feature names are only supported if all input features have string names. Got "
            f"{names}. Convert them with X.columns = X.columns.astype(str)."
        )
    if len(set(names)) < len(names):
        twice = sorted({name for name in names if names.count(name) > 1})
        raise ValueError(f"X must have unique column names; got several times: {twice}.")
    if expected is not None and names != list(expected):
        raise ValueError(f"X must have the columns {list(expected)} in this order; got {names}.")


def has_infinity(X: Any) -> bool:
    """Whether numbers of a validated table are infinite."""
    values = X if isinstance(X, np.ndarray) else X.data
    return values.dtype.kind == "f" and bool(np.isinf(values).any())


def columns_with_missing(X: Any) -> NDArray[np.int64]:
    """Columns of a validated table that have NaN, in order."""
    if X.dtype.kind != "f":
        return np.zeros(0, dtype=np.int64)
    if isinstance(X, np.ndarray):
        missing = np.isnan(X)
        return np.flatnonzero(missing.any(axis=0)) if missing.any() else np.zeros(0, np.int64)
    return np.unique(X.indices[np.isnan(X.data)]).astype(np.int64)
