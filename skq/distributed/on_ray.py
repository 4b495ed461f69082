"""Predictions of Ray datasets: a lazy `map_batches` of Arrow batches."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from skq.distributed.arrow_batches import BatchPredictor, batch_predictor
from skq.distributed.needed import needed
from skq.distributed.sent_model import SentModel

__all__ = ["predict"]


def predict(
    sent: SentModel,
    data: Any,
    *,
    features: Iterable[str] | None = None,
    name: str | None = None,
    batch_rows: int | None = None,
) -> Any:
    """The dataset with the results appended; see `skq.distributed.predict`.

    Ray puts the function with the model into its object store once. A process that runs it loads
    the model once.

    Parameters
    ----------
    sent : SentModel
    data : ray.data.Dataset
        If its schema is not known yet, Ray reads a part of it.
    features : iterable of str, default=None
    name : str, default=None
    batch_rows : int, default=None
    """
    needed("pyarrow", "ray")
    predictor = batch_predictor(sent, _schema(data), features, name, "the dataset")
    return data.map_batches(
        _Appended(predictor), batch_format="pyarrow", batch_size=batch_rows, zero_copy_batch=True
    )


class _Appended:
    """Appends results to tables; a class, so that Ray shows a name."""

    def __init__(self, predictor: BatchPredictor) -> None:
        self._predictor = predictor
        self.__name__ = f"skq.{predictor.sent.method}"

    def __call__(self, table: Any) -> Any:
        import pyarrow

        batches = [self._predictor.appended(batch) for batch in table.to_batches()]
        if not batches:
            return self._predictor.schema_of(table.schema).empty_table()
        return pyarrow.Table.from_batches(batches)


def _schema(data: Any) -> Any:
    """The `pyarrow.Schema` of a dataset."""
    import pyarrow

    schema = data.schema()
    if schema is None:
        raise ValueError("the dataset has no rows.")
    base = schema.base_schema
    if isinstance(base, pyarrow.Schema):
        return base
    fields = []
    for name, kind in zip(base.names, base.types, strict=True):  # of pandas
        try:
            fields.append(pyarrow.field(name, pyarrow.from_numpy_dtype(kind)))
        except (TypeError, pyarrow.ArrowNotImplementedError):
            fields.append(pyarrow.field(name, pyarrow.string()))
    return pyarrow.schema(fields)
