"""Parquet tables, by pyarrow."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from skq.cli.table_files import Floats, TableReader, TableWriter


def _pyarrow() -> Any:
    try:
        import pyarrow.parquet
    except ImportError:
        raise ImportError("Parquet files need pyarrow: pip install pyarrow") from None
    return pyarrow


class ParquetReader(TableReader):
    """A file of columns of numbers."""

    def __init__(self, path: str) -> None:
        arrow = _pyarrow()
        self.path = path
        try:
            self._file = arrow.parquet.ParquetFile(path)
        except arrow.ArrowInvalid as error:
            raise ValueError(f"{path} is not a Parquet file: {error}") from error
        self.names = list(self._file.schema_arrow.names)
        self.n_columns = len(self.names)

    def batches(self, columns: Sequence[int], n_rows: int) -> Iterator[Floats]:
        assert self.names is not None
        names = [self.names[column] for column in columns]
        total = max(1, self._file.metadata.num_rows)
        for batch in self._file.iter_batches(batch_size=n_rows, columns=sorted(set(names))):
            self.rows_read += batch.num_rows
            self.part_read = self.rows_read / total
            yield np.stack([self._numbers(batch, name) for name in names], axis=1)

    def _numbers(self, batch: Any, name: str) -> Floats:
        arrow = _pyarrow()
        try:
            column = batch.column(name).cast(arrow.float64())
        except (arrow.ArrowInvalid, arrow.ArrowNotImplementedError):
            kind = batch.schema.field(name).type
            raise ValueError(f"{self.path}, column {name}: {kind} is not a number") from None
        return np.asarray(column.to_numpy(zero_copy_only=False))

    def __exit__(self, *error: Any) -> None:
        self._file.close()


class ParquetWriter(TableWriter):
    """Writes a row group for each batch; the first one gives the types of the columns."""

    def __init__(self, path: str, names: list[str]) -> None:
        self._arrow, self._path, self._names = _pyarrow(), path, names
        self._writer: Any = None

    def write(self, columns: list[Any]) -> None:
        arrays = [self._arrow.array(column) for column in columns]
        table = self._arrow.table(dict(zip(self._names, arrays, strict=True)))
        if self._writer is None:
            self._writer = self._arrow.parquet.ParquetWriter(self._path, table.schema)
        self._writer.write_table(table)

    def __exit__(self, *error: Any) -> None:
        if self._writer is None and error[0] is None:  # no rows
            empty = self._arrow.table({name: self._arrow.array([]) for name in self._names})
            self._arrow.parquet.write_table(empty, self._path)
        elif self._writer is not None:
            self._writer.close()
