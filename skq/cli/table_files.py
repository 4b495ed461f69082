"""Tables that are read and written a batch at a time: CSV by itself, Parquet by pyarrow."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager
from typing import Any

from numpy.typing import NDArray

Floats = NDArray[Any]


class TableReader(AbstractContextManager["TableReader"], ABC):
    """A table that is read in batches.

    Attributes
    ----------
    path : str
    names : list of str or None
        Names of the columns; None where the file has none.
    n_columns : int
    rows_read : int
        Rows that `batches` has given.
    part_read : float
        Part of the file that is read, in [0, 1].
    """

    path: str
    names: list[str] | None
    n_columns: int
    rows_read = 0
    part_read = 0.0

    @abstractmethod
    def batches(self, columns: Sequence[int], n_rows: int, *, texts: bool = False) -> Iterator[Any]:
        """Give arrays of shape (at most n_rows, n_columns), NaN where a cell is empty.

        With `texts` named columns for a model of texts, where the format has types.
        """


class TableWriter(AbstractContextManager["TableWriter"], ABC):
    """A table that is written in batches."""

    @abstractmethod
    def write(self, columns: list[Any]) -> None:
        """Append rows, given as one array of shape (n_rows,) for each column."""
