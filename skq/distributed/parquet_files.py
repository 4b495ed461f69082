"""Parquet files and other Arrow data, read and written a batch at a time, by pyarrow."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, ExitStack
from typing import Any

from skq.distributed.needed import needed
from skq.serialization.replacing import whole_file

__all__ = ["ArrowTable", "ParquetOutput"]

#: Bytes that are read of a column of a file at a time; without it whole row groups are.
BUFFER_BYTES = 1 << 20

#: Rows of a file of a folder that `ParquetOutput` writes, about.
ROWS_A_FILE = 1 << 24


class ArrowTable:
    """Rows of Arrow data, in their order.

    Parameters
    ----------
    data : path of a Parquet file or a folder of them, pyarrow.dataset.Dataset, pyarrow.Table or \
pyarrow.RecordBatchReader

    Attributes
    ----------
    name : str
        What it is called in messages.
    schema : pyarrow.Schema
    rows_read : int
        Rows that `batches` has given.
    part_read : float
        Part of the rows that is read, in [0, 1]; 0 where their number is not known.

    Raises
    ------
    FileNotFoundError
        If there is no such file.
    TypeError, ValueError
        For other data, and for files that are no Parquet files.
    """

    rows_read = 0
    part_read = 0.0

    def __init__(self, data: Any) -> None:
        arrow, datasets = needed("pyarrow", "arrow"), needed("pyarrow.dataset", "arrow")
        self.name, self._is_path = "the table", isinstance(data, str | os.PathLike)
        self._reader: Any = None
        if self._is_path:
            self.name = os.fspath(data)
            data = _dataset(datasets, arrow, self.name)
        elif isinstance(data, arrow.Table):
            data = datasets.dataset(data)
        elif isinstance(data, arrow.RecordBatchReader):
            self._reader = data
        elif not isinstance(data, datasets.Dataset):
            raise TypeError(
                "Arrow data must be a dataset, a Table or a RecordBatchReader; got "
                f"{type(data).__name__}."
            )
        self._data, self.schema = data, data.schema

    def batches(self, n_rows: int, columns: Sequence[str] | None = None) -> Iterator[Any]:
        """Give `pyarrow.RecordBatch` of at most `n_rows` rows, of some columns or all."""
        total = max(1, 0 if self._reader is not None else self._data.count_rows())
        for batch in self._given(n_rows, columns):
            for start in range(0, batch.num_rows, n_rows):
                part = batch.slice(start, n_rows)
                self.rows_read += part.num_rows
                self.part_read = 0.0 if self._reader is not None else self.rows_read / total
                yield part

    def _given(self, n_rows: int, columns: Sequence[str] | None) -> Iterator[Any]:
        if self._reader is not None:
            yield from self._reader
            return
        names = self.schema.names if columns is None else list(columns)
        if not self._is_path:  # it may have filters
            yield from self._data.to_batches(
                columns=names, batch_size=n_rows, batch_readahead=1, fragment_readahead=1
            )
            return
        for file in self._data.get_fragments():
            yield from self._of_file(file, n_rows, names)

    def _of_file(self, file: Any, n_rows: int, names: list[str]) -> Iterator[Any]:
        """Batches of one file, in the schema of all; a scan of the dataset takes more memory."""
        arrow, parquet = needed("pyarrow", "arrow"), needed("pyarrow.parquet", "arrow")
        keys = needed("pyarrow.dataset", "arrow").get_partition_keys(file.partition_expression)
        schema = arrow.schema([self.schema.field(name) for name in names])
        options = {"pre_buffer": False, "buffer_size": BUFFER_BYTES}
        with parquet.ParquetFile(file.open(), **options) as opened:
            there = [n for n in names if n in opened.schema_arrow.names and n not in keys]
            for batch in opened.iter_batches(batch_size=n_rows, columns=there):
                columns = []
                for field in schema:
                    if field.name in there:
                        columns.append(batch.column(field.name).cast(field.type))
                    else:  # the name of the folder, or a column that other files have
                        value = arrow.scalar(keys.get(field.name), field.type)
                        columns.append(arrow.repeat(value, batch.num_rows))
                yield arrow.RecordBatch.from_arrays(columns, schema=schema)


def _dataset(datasets: Any, arrow: Any, path: str) -> Any:
    if not os.path.exists(path):
        raise FileNotFoundError(f"there is no file {path!r}")
    try:
        return datasets.dataset(path, format="parquet", partitioning="hive")
    except arrow.ArrowInvalid as error:
        raise ValueError(f"{path} is not a Parquet file: {error}") from error


class ParquetOutput(AbstractContextManager["ParquetOutput"]):
    """A Parquet file, or a folder of them, that is written batch by batch.

    A file is written under another name and renamed when it is whole; see `whole_file`.

    Parameters
    ----------
    path : path
        With an ending: a file, which is replaced. Without: a folder, which must not exist or be
        empty.
    schema : pyarrow.Schema

    Raises
    ------
    FileExistsError
        If the folder has files.
    """

    def __init__(self, path: str | os.PathLike[str], schema: Any) -> None:
        self._path, self._schema = os.fspath(path), schema
        self._parquet = needed("pyarrow.parquet", "arrow")
        self._is_folder = not os.path.splitext(self._path)[1]
        self._n_files, self._n_rows = 0, 0
        if self._is_folder:
            os.makedirs(self._path, exist_ok=True)
            if os.listdir(self._path):
                raise FileExistsError(f"the folder {self._path!r} is not empty")
        self._open()

    def _open(self) -> None:
        file = self._path
        if self._is_folder:
            file = os.path.join(self._path, f"part-{self._n_files:05}.parquet")
        self._open_files = ExitStack()
        partial = self._open_files.enter_context(whole_file(file))
        writer = self._parquet.ParquetWriter(partial, self._schema)
        self._writer = self._open_files.enter_context(writer)
        self._n_files, self._n_rows = self._n_files + 1, 0

    def write(self, batch: Any) -> None:
        """Append the rows of a `pyarrow.RecordBatch`, as a row group."""
        if self._is_folder and self._n_rows >= ROWS_A_FILE:
            self._open_files.close()
            self._open()
        self._writer.write_batch(batch)
        self._n_rows += batch.num_rows

    def __exit__(self, *error: Any) -> None:
        self._open_files.__exit__(*error)
