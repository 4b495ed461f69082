"""Predictions of Spark dataframes: a lazy `mapInArrow`."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Any

from skq.distributed.arrow_batches import BatchPredictor, batch_predictor
from skq.distributed.needed import needed
from skq.distributed.sent_model import SentModel

__all__ = ["predict"]


def predict(
    sent: SentModel, data: Any, *, features: Iterable[str] | None = None, name: str | None = None
) -> Any:
    """The dataframe with the results appended; see `skq.distributed.predict`.

    The model is a broadcast variable: an executor gets it once. Through Spark Connect, which has no
    broadcast variables, it is a part of the function.

    Parameters
    ----------
    sent : SentModel
    data : pyspark.sql.DataFrame
    features : iterable of str, default=None
    name : str, default=None
    """
    needed("pyarrow", "spark")
    types = needed("pyspark.sql.types", "spark")
    arrow_types = needed("pyspark.sql.pandas.types", "spark")
    schema = arrow_types.to_arrow_schema(data.schema)
    predictor = batch_predictor(sent, schema, features, name, "the dataframe")
    results = [
        types.StructField(field.name, arrow_types.from_arrow_type(field.type))
        for field in predictor.fields()
    ]
    return data.mapInArrow(
        _appending(data, predictor), types.StructType([*data.schema.fields, *results])
    )


def _appending(data: Any, predictor: BatchPredictor) -> Callable[[Iterator[Any]], Iterator[Any]]:
    context = getattr(data.sparkSession, "_sc", None)
    if context is None:
        return _Appended(lambda: predictor)
    shared = context.broadcast(predictor)
    return _Appended(lambda: shared.value)


class _Appended:
    """Appends results to batches."""

    def __init__(self, predictor: Callable[[], BatchPredictor]) -> None:
        self._predictor = predictor

    def __call__(self, batches: Iterator[Any]) -> Iterator[Any]:
        predictor = self._predictor()
        for batch in batches:
            yield predictor.appended(batch)
