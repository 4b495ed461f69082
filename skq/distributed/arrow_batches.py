"""Predictions of Arrow batches: what Spark, Ray and Parquet files have in common."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from skq.distributed.columns import columns_read, common_dtype, names_of, numbers_of
from skq.distributed.results import ResultForm, columns_of, form_of
from skq.distributed.sent_model import SentModel

__all__ = ["BatchPredictor", "arrays_of", "batch_predictor", "fields_of"]


@dataclass(frozen=True)
class BatchPredictor:
    """Predicts Arrow batches; what workers get.

    Parameters
    ----------
    sent : SentModel
    form : ResultForm
    names : tuple of str
        Columns of the batches that the model reads, in its order.
    what : str
        What the table is called in messages.
    """

    sent: SentModel
    form: ResultForm
    names: tuple[str, ...]
    what: str

    def fields(self) -> list[Any]:
        """A `pyarrow.Field` for each column of the results."""
        return fields_of(self.form)

    def schema_of(self, schema: Any) -> Any:
        """A `pyarrow.Schema` with the columns of the results after its own."""
        for field in self.fields():
            schema = schema.append(field)
        return schema

    def appended(self, batch: Any) -> Any:
        """The batch with the columns of the results after its own."""
        import pyarrow

        schema = self.schema_of(batch.schema)
        fields = [schema.field(k) for k in range(batch.num_columns, len(schema))]
        results = columns_of(self.sent.result(self._rows(batch), self.form))
        columns = [*batch.columns, *arrays_of(results, fields)]
        return pyarrow.RecordBatch.from_arrays(columns, schema=schema)

    def _rows(self, batch: Any) -> Any:
        """What the model reads of a batch."""
        model = self.sent.model
        by_name = self.sent.reads_texts or len(self.names) < int(model.n_features_in_)
        if not (by_name or (self.sent.is_pickle and names_of(model))):
            return numbers_of(batch, self.names, self.what)
        selected = batch.select(list(self.names))
        return selected.to_pandas() if self.sent.is_pickle else selected


def batch_predictor(
    sent: SentModel,
    schema: Any,
    features: Iterable[str] | None = None,
    stem: str | None = None,
    what: str = "the table",
    *,
    appends: bool = True,
) -> BatchPredictor:
    """The predictor of batches of a schema.

    Parameters
    ----------
    sent : SentModel
    schema : pyarrow.Schema
    features : iterable of str, default=None
        See `columns_read`.
    stem : str, default=None
        First part of the names of the results' columns.
    what : str
        What the table is called in messages.
    appends : bool, default=True
        Whether the columns of the results go into the same table.

    Raises
    ------
    TypeError
        For a module, which has no features that columns could be.
    ValueError
        If a column is missing, or if a column of the results is in the table already.
    """
    model = sent.model
    if not hasattr(model, "n_features_in_"):
        raise TypeError(
            "a QuantizedModule reads arrays; for tables pass the estimator, or its saved file."
        )
    names = columns_read(model, schema.names, features, what)
    dtype = np.float64 if sent.reads_texts else common_dtype(schema, names)
    form = form_of(model, sent.method, dtype, stem)
    if appends:
        refuse_taken(form.names, schema.names)
    return BatchPredictor(sent, form, tuple(names), what)


def refuse_taken(names: Sequence[str], given: Sequence[str]) -> None:
    """Raise if a column of the results is in the table already."""
    taken = sorted(set(names).intersection(given))
    if taken:
        raise ValueError(
            f"the table has a column {', '.join(taken)} already: name the results, name='...'."
        )


def fields_of(form: ResultForm) -> list[Any]:
    """A `pyarrow.Field` for each column of results.

    Raises
    ------
    TypeError
        For labels of which Arrow has no common type.
    """
    import pyarrow

    try:
        types = [pyarrow.array(np.ascontiguousarray(values)).type for values in form.examples]
    except (pyarrow.ArrowInvalid, pyarrow.ArrowTypeError) as error:
        raise TypeError(f"Arrow has no type for the labels of the model: {error}") from error
    return [pyarrow.field(name, kind) for name, kind in zip(form.names, types, strict=True)]


def arrays_of(columns: Iterable[Any], fields: Iterable[Any]) -> list[Any]:
    """A `pyarrow.Array` for each column, an ndarray of shape (n_rows,), in the fields' types."""
    import pyarrow

    pairs = zip(columns, fields, strict=True)
    return [pyarrow.array(np.ascontiguousarray(column), field.type) for column, field in pairs]
