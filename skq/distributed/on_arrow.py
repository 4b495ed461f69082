"""Predictions of Parquet files and Arrow data on one machine, batch by batch."""

from __future__ import annotations

import os
from collections.abc import Iterable
from typing import Any

from skq.distributed.arrow_batches import batch_predictor
from skq.distributed.needed import needed
from skq.distributed.parquet_files import ArrowTable, ParquetOutput
from skq.distributed.progress import ProgressBar
from skq.distributed.sent_model import SentModel

__all__ = ["BATCH_ROWS", "predict"]

#: Rows that are read, predicted and written at a time.
BATCH_ROWS = 65_536


def predict(
    sent: SentModel,
    data: Any,
    *,
    features: Iterable[str] | None = None,
    name: str | None = None,
    batch_rows: int | None = None,
    output: str | os.PathLike[str] | None = None,
    progress: bool = False,
) -> Any:
    """Batches with the results appended, or a file of them; see `skq.distributed.predict`.

    Parameters
    ----------
    sent : SentModel
    data : path, pyarrow.dataset.Dataset, pyarrow.Table or pyarrow.RecordBatchReader
    features : iterable of str, default=None
    name : str, default=None
    batch_rows : int, default=None
    output : path, default=None
    progress : bool, default=False
    """
    arrow = needed("pyarrow", "arrow")
    table = ArrowTable(data)
    predictor = batch_predictor(sent, table.schema, features, name, table.name)
    batches = (predictor.appended(batch) for batch in table.batches(batch_rows or BATCH_ROWS))
    schema = predictor.schema_of(table.schema)
    if output is None:
        return arrow.RecordBatchReader.from_batches(schema, batches)
    with (
        ParquetOutput(output, schema) as writer,
        ProgressBar("always" if progress else "never") as bar,
    ):
        for batch in batches:
            writer.write(batch)
            bar.show(table.part_read, table.rows_read)
    return table.rows_read
