"""CSV tables."""

from __future__ import annotations

import csv
import io
import os
from collections.abc import Iterator, Sequence
from itertools import islice
from typing import Any

import numpy as np

from skq.cli.table_files import Floats, TableReader, TableWriter


class CsvReader(TableReader):
    """A file of comma-separated numbers; a first row that is not all numbers names the columns."""

    def __init__(self, path: str) -> None:
        self.path = path
        self._bytes = open(path, "rb")  # noqa: SIM115 (closed by __exit__)
        self._file = io.TextIOWrapper(self._bytes, encoding="utf-8-sig", newline="")
        try:
            first = next(csv.reader(self._file), None)
        except (UnicodeDecodeError, csv.Error) as error:
            self._file.close()
            raise ValueError(f"{path} is not a CSV file: {error}") from error
        if not first:
            self._file.close()
            raise ValueError(f"{path} is empty")
        self.n_columns = len(first)
        self.names = None if all(map(_is_number, first)) else first
        self._file.seek(0)
        self._size = max(1, os.path.getsize(path))

    def batches(self, columns: Sequence[int], n_rows: int, *, texts: bool = False) -> Iterator[Any]:
        if texts:
            raise ValueError(
                f"the model reads texts, and {self.path} does not tell them from numbers: "
                "write the table as Parquet."
            )
        rows = csv.reader(self._file)
        if self.names is not None:
            next(rows)
        while cells := list(islice(rows, n_rows)):
            cells = [row for row in cells if row]  # blank lines
            if not cells:
                continue
            array = self._numbers(cells, columns)
            self.rows_read += len(cells)
            self.part_read = self._bytes.tell() / self._size
            yield array

    def _numbers(self, cells: list[list[str]], columns: Sequence[int]) -> Floats:
        for k, row in enumerate(cells):
            if len(row) != self.n_columns:
                raise ValueError(
                    f"{self.path}, row {self.rows_read + k + 1} has {len(row)} cells; "
                    f"expected {self.n_columns}"
                )
        table = [[row[column] or "nan" for column in columns] for row in cells]
        try:
            return np.array(table, dtype=np.float64).reshape(len(cells), len(columns))
        except ValueError:
            raise self._no_number(table, columns) from None

    def _no_number(self, table: list[list[str]], columns: Sequence[int]) -> ValueError:
        for k, row in enumerate(table):
            for column, cell in zip(columns, row, strict=True):
                if not _is_number(cell):
                    name = column + 1 if self.names is None else self.names[column]
                    cell_name = f"row {self.rows_read + k + 1}, column {name}"
                    return ValueError(f"{self.path}, {cell_name}: {cell!r} is not a number")
        return ValueError(f"{self.path}: not all cells are numbers")

    def __exit__(self, *error: Any) -> None:
        self._file.close()


def _is_number(cell: str) -> bool:
    try:
        float(cell or "nan")
    except ValueError:
        return False
    return True


class CsvWriter(TableWriter):
    """Writes names, then rows; floats with the fewest digits that identify them."""

    def __init__(self, path: str, names: Sequence[str]) -> None:
        self._file = open(path, "w", newline="", encoding="utf-8")  # noqa: SIM115
        self._rows = csv.writer(self._file)
        self._rows.writerow(names)

    def write(self, columns: list[Any]) -> None:
        self._rows.writerows(zip(*(column.tolist() for column in columns), strict=True))

    def __exit__(self, *error: Any) -> None:
        self._file.close()
