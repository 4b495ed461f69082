"""The lookup stage: from a table of texts and categories to the numbers that a program reads.

A `TableLookup` runs before the integer program of a model that was fitted on texts or categories.
It finds each column by name, and gives every category of a column an integer, its code. Categories
that the model treats alike share a code. Everything after it is the integer program.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise, repeat
from typing import Any

import numpy as np
from numpy.typing import NDArray

from skq.serialization import serializable
from skq.serving.table_columns import Dictionary, Table, as_numbers, is_missing, refuse_dates

__all__ = ["CategoryCodes", "TableLookup"]

Array = NDArray[Any]
Floats = NDArray[np.float64]

#: Codes are whole numbers below this, so that float64 and float32 hold them exactly.
MOST_CODES = 1 << 24

#: Categories that a message lists.
SHOWN = 10


@serializable("skq.CategoryCodes")
@dataclass(frozen=True, eq=False)
class CategoryCodes:
    """The code of each category of one column.

    Parameters
    ----------
    feature : int
        Number of the column among the model's features.
    categories : tuple of str, int, float or bool
        The known categories, each once.
    codes : ndarray of shape (n_categories,), float64
        A whole number from 0 to 2**24 - 1 for each; NaN where the program reads the category as a
        missing value.
    unknown : float or None
        Code of every other category; None where they are an error.
    missing : float or None
        Code of NaN, `pandas.NA` and Arrow's null; None where missing values are an error.
    none : float or None
        Code of None, where it differs from that of other missing values, as encoders tell them
        apart. It equals `missing` otherwise.

    Examples
    --------
    >>> import numpy as np
    >>> from skq.serving.lookup_stage import CategoryCodes
    >>> size = CategoryCodes(0, ("S", "M", "L"), np.array([0.0, 1, 2]), unknown=3.0, missing=None)
    >>> size.encode(np.array(["L", "S", "XXL"], dtype=object), "size")
    array([2., 0., 3.])
    """

    feature: int
    categories: tuple[Any, ...]
    codes: Floats
    unknown: float | None = None
    missing: float | None = None
    none: float | None = None

    def __post_init__(self) -> None:
        if type(self.feature) is not int or self.feature < 0:
            raise TypeError(f"feature must be an int >= 0; got {self.feature!r:.60}")
        if type(self.categories) is not tuple:
            raise TypeError(f"categories must be a tuple; got {type(self.categories).__name__}")
        for category in self.categories:
            if type(category) not in (str, int, float, bool) or category != category:
                raise TypeError(f"a category must be a text or number; got {category!r:.60}")
        if len(set(self.categories)) < len(self.categories):
            raise ValueError(f"the categories of column {self.feature} are not unique")
        codes = self.codes
        if type(codes) is not np.ndarray or codes.dtype != np.float64:
            raise TypeError(f"codes must be an array of float64; got {codes!r:.80}")
        if codes.shape != (len(self.categories),):
            raise ValueError(f"{len(self.categories)} categories have codes of {codes.shape}")
        others = (self.unknown, self.missing, self.none)
        for code in others:
            if code is not None and type(code) is not float:
                raise TypeError(f"a code must be a float or None; got {code!r:.60}")
        every = np.append(codes, [c for c in others if c is not None])
        every = every[~np.isnan(every)]
        if not np.all((every >= 0) & (every < MOST_CODES) & (every == np.floor(every))):
            raise ValueError(f"codes must be whole numbers from 0 to {MOST_CODES - 1}, or NaN")

    @cached_property
    def _index(self) -> dict[Any, int]:
        return {category: k for k, category in enumerate(self.categories)}

    @cached_property
    def _code_of(self) -> Floats:
        """Codes of the categories, of unknown ones, of missing values, and of None."""
        others = [self.unknown, self.missing, self.none]
        return np.append(self.codes, [0.0 if code is None else code for code in others])

    def encode(self, values: Array | Dictionary, name: Any) -> Floats:
        """Codes of a column.

        Parameters
        ----------
        values : ndarray of shape (n_rows,), or Dictionary
        name : str or int
            Name of the column, for messages.

        Returns
        -------
        ndarray of shape (n_rows,), float64

        Raises
        ------
        ValueError
            For dates, and for an unknown category or a missing value where they are an error.
        """
        refuse_dates(values, name)
        if isinstance(values, Dictionary):
            of_category = np.append(self._numbers(values.categories, name), len(self.codes) + 1)
            numbers = of_category[values.codes]  # -1 is the last
        else:
            numbers = self._numbers(values.tolist(), name)
        self._check(numbers, values, name)
        return self._code_of[numbers]

    def _numbers(self, values: list[Any], name: Any) -> NDArray[np.int64]:
        """Index of each value into `_code_of`."""
        unknown = len(self.codes)
        try:
            found = map(self._index.get, values, repeat(unknown))
            numbers = np.fromiter(found, dtype=np.int64, count=len(values))
        except TypeError:
            raise ValueError(
                f"column {name!r} of X holds objects that are not texts or numbers"
            ) from None
        for row in np.flatnonzero(numbers == unknown):
            if is_missing(values[row]):
                numbers[row] += 2 if values[row] is None else 1
        return numbers

    def _check(self, numbers: NDArray[np.int64], values: Array | Dictionary, name: Any) -> None:
        """Raise for unknown categories and missing values where they are an error."""
        n = len(self.categories)
        for k, code in enumerate((self.unknown, self.missing, self.none)):
            if code is not None or not np.any(numbers == n + k):
                continue
            row = int(np.argmax(numbers == n + k))
            shown = ", ".join(map(repr, self.categories[:SHOWN]))
            more = f", ... ({n} in all)" if n > SHOWN else ""
            if k:
                raise ValueError(
                    f"X contains NaN in the column {name!r} (row {row}), where the model supports "
                    f"no missing values. The known categories are {shown}{more}."
                )
            if isinstance(values, Dictionary):
                value = values.categories[values.codes[row]]
            else:
                value = values[row]
            raise ValueError(
                f"Found unknown category {value!r:.60} in column {name!r} of X (row {row}). The "
                f"known categories are {shown}{more}. Replace it, or fit the encoder with "
                "handle_unknown='ignore' or 'use_encoded_value'."
            )


@serializable("skq.TableLookup")
@dataclass(frozen=True, eq=False)
class TableLookup:
    """The stage between a table and the program of a model that reads categories.

    Parameters
    ----------
    n_features : int
    columns : tuple of CategoryCodes
        The columns of categories, by rising feature. Other columns are numbers.
    unread : ndarray of shape (n_features,), bool
        Columns that the model never reads: they need not be in a table, and are zeros.
    names : tuple of str or None
        Names of the features, by which columns are found; None where they have none.
    """

    n_features: int
    columns: tuple[CategoryCodes, ...]
    unread: NDArray[np.bool_]
    names: tuple[str, ...] | None = None

    def __post_init__(self) -> None:
        n = self.n_features
        if type(n) is not int or n < 0:
            raise TypeError(f"n_features must be an int >= 0; got {n!r:.60}")
        columns = self.columns
        if type(columns) is not tuple or not all(type(c) is CategoryCodes for c in columns):
            raise TypeError(f"columns must be a tuple of CategoryCodes; got {columns!r:.80}")
        features = [column.feature for column in columns]
        if any(a >= b for a, b in pairwise([*features, n])):
            raise ValueError(f"columns must be sorted features below {n}; got {features!r:.80}")
        unread = self.unread
        if type(unread) is not np.ndarray or unread.dtype != np.bool_ or unread.shape != (n,):
            raise TypeError(f"unread must be an array of {n} bools; got {unread!r:.80}")
        names = self.names
        if names is not None and (
            type(names) is not tuple
            or len(names) != n
            or len(set(names)) < n
            or not all(type(name) is str for name in names)
        ):
            raise ValueError(f"names must be {n} different texts; got {names!r:.80}")

    @property
    def features(self) -> list[int]:
        """The features that are categories."""
        return [column.feature for column in self.columns]

    def __call__(self, X: Any) -> Floats:
        """The table that the program reads.

        Parameters
        ----------
        X : pandas or polars DataFrame, pyarrow Table, dict of columns, or array-like of shape \
(n_samples, n_features)
            Columns of the first four are read by name: they may be in any order, with
            additional columns. Array-likes have the features in order.

        Returns
        -------
        ndarray of shape (n_samples, n_features), float64
            Codes of categories, unchanged numbers, and NaN for missing numbers.

        Raises
        ------
        ValueError
            For columns that are missing, texts in a column of numbers, dates, and categories that
            the model does not know, where it takes no others.
        """
        table = Table(X)
        keys = self._keys(table)
        if table.n_rows == 0:
            raise ValueError(
                f"Found array with 0 sample(s) (shape={(0, table.n_columns)}) while a minimum of 1 "
                "is required."
            )
        result = np.zeros((table.n_rows, self.n_features))
        encoders = {column.feature: column for column in self.columns}
        for feature, key in keys.items():
            name = feature if self.names is None else self.names[feature]
            values = table.column(key)
            encoder = encoders.get(feature)
            if encoder is None:
                result[:, feature] = as_numbers(values, name)
            else:
                result[:, feature] = encoder.encode(values, name)
        return result

    def _keys(self, table: Table) -> dict[int, int | str]:
        """The column of the table for each feature that is read."""
        read = np.flatnonzero(~self.unread).tolist()
        if self.names is not None and table.names is not None:
            given = set(table.names)
            missing = [self.names[j] for j in read if self.names[j] not in given]
            if missing:
                raise ValueError(f"columns are missing: {missing}. X has {table.names}.")
            return {j: self.names[j] for j in read}
        if table.n_columns != self.n_features:
            raise ValueError(
                f"X has {table.n_columns} features, but the model expects {self.n_features} "
                "features as input."
            )
        return {j: j for j in read}
