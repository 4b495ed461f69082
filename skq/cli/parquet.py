"""Parquet tables, by pyarrow."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from skq.cli.table_files import TableReader, TableWriter
from skq.distributed.arrow_batches import arrays_of, fields_of
from skq.distributed.columns import numbers_of
from skq.distributed.needed import needed
from skq.distributed.parquet_files import ArrowTable
from skq.distributed.results import ResultForm


class ParquetReader(TableReader):
    """A file, or a folder of files."""

    def __init__(self, path: str) -> None:
        self.path, self._table = path, ArrowTable(path)
        self.names = list(self._table.schema.names)
        self.n_columns = len(self.names)

    def batches(self, columns: Sequence[int], n_rows: int, *, texts: bool = False) -> Iterator[Any]:
        assert self.names is not None
        names = [self.names[column] for column in columns]
        for batch in self._table.batches(n_rows, names):
            self.rows_read, self.part_read = self._table.rows_read, self._table.part_read
            yield batch if texts else numbers_of(batch, names, self.path)

    def __exit__(self, *error: Any) -> None:
        pass  # Arrow closes each file when it is read


class ParquetWriter(TableWriter):
    """Writes a row group for each batch."""

    def __init__(self, path: str, form: ResultForm) -> None:
        arrow, parquet = needed("pyarrow", "arrow"), needed("pyarrow.parquet", "arrow")
        self._form, self._schema = form, arrow.schema(fields_of(form))
        self._writer = parquet.ParquetWriter(path, self._schema)

    def write(self, columns: list[Any]) -> None:
        arrow = needed("pyarrow", "arrow")
        arrays = arrays_of(columns, self._schema)
        self._writer.write_batch(arrow.RecordBatch.from_arrays(arrays, schema=self._schema))

    def __exit__(self, *error: Any) -> None:
        self._writer.close()
