"""Tables that are read and written a batch at a time: CSV by itself, Parquet by pyarrow."""

from __future__ import annotations

import os
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
    def batches(self, columns: Sequence[int], n_rows: int) -> Iterator[Floats]:
        """Give arrays of shape (at most n_rows, n_columns), NaN where a cell is empty."""


class TableWriter(AbstractContextManager["TableWriter"], ABC):
    """A table that is written in batches."""

    @abstractmethod
    def write(self, columns: list[Any]) -> None:
        """Append rows, given as one array of shape (n_rows,) for each column."""


def open_table(path: str) -> TableReader:
    """Open a table to read, by the ending of its name."""
    if not os.path.isfile(path):
        raise FileNotFoundError(f"there is no file {path!r}")
    if _is_parquet(path):
        from skq.cli.parquet import ParquetReader

        return ParquetReader(path)
    from skq.cli.csv_files import CsvReader

    return CsvReader(path)


def open_writer(path: str, partial: str, names: list[str]) -> TableWriter:
    """Open the file `partial` to write a table in the format that the ending of `path` names."""
    if _is_parquet(path):
        from skq.cli.parquet import ParquetWriter

        return ParquetWriter(partial, names)
    from skq.cli.csv_files import CsvWriter

    return CsvWriter(partial, names)


def _is_parquet(path: str) -> bool:
    ending = os.path.splitext(path)[1].lower()
    if ending not in (".csv", ".parquet"):
        raise ValueError(f"a table is a .csv or a .parquet file; got {path!r}")
    return ending == ".parquet"
