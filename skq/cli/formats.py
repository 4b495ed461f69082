"""The format of a table, by the ending of its name."""

from __future__ import annotations

import os

from skq.cli.csv_files import CsvReader, CsvWriter
from skq.cli.parquet import ParquetReader, ParquetWriter
from skq.cli.table_files import TableReader, TableWriter
from skq.distributed.results import ResultForm


def open_table(path: str) -> TableReader:
    """Open a table to read, by the ending of its name."""
    if not os.path.exists(path):
        raise FileNotFoundError(f"there is no file {path!r}")
    if os.path.isdir(path) or _is_parquet(path):
        return ParquetReader(path)
    return CsvReader(path)


def open_writer(path: str, partial: str, form: ResultForm) -> TableWriter:
    """Open the file `partial` to write a table in the format that the ending of `path` names."""
    if _is_parquet(path):
        return ParquetWriter(partial, form)
    return CsvWriter(partial, form.names)


def _is_parquet(path: str) -> bool:
    ending = os.path.splitext(path)[1].lower()
    if ending not in (".csv", ".parquet"):
        raise ValueError(f"a table is a .csv or a .parquet file; got {path!r}")
    return ending == ".parquet"
