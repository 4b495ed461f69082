"""Predictions of Dask arrays and dataframes: lazy, block by block.

The model is one key of the graph. Each worker that predicts gets it once, from the scheduler or
from another worker, and the graph can compute it again when a worker is lost (data that a client
scatters could not be).
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import partial
from typing import Any

import numpy as np

from skq.distributed.columns import columns_read, names_of
from skq.distributed.needed import needed
from skq.distributed.results import ResultForm, columns_of, form_of
from skq.distributed.sent_model import SentModel

__all__ = ["predict"]


def predict(
    sent: SentModel, data: Any, *, features: Iterable[str] | None = None, name: str | None = None
) -> Any:
    """Lazy results; see `skq.distributed.predict`.

    Parameters
    ----------
    sent : SentModel
    data : dask.array.Array or dask.dataframe.DataFrame
    features : iterable of str, default=None
    name : str, default=None

    Raises
    ------
    TypeError
        For other collections of Dask.
    """
    if hasattr(data, "partitions") and hasattr(data, "columns") and data.ndim == 2:
        return _of_frame(sent, data, features, name)
    if hasattr(data, "chunks") and hasattr(data, "rechunk"):
        if features is not None or name is not None:
            raise ValueError("arrays have no column names: leave features and name out.")
        return _of_array(sent, data)
    raise TypeError(
        f"data must be a Dask array or dataframe; got {type(data).__name__}: select columns with "
        "a list, data[['x']], and make bags a dataframe, bag.to_dataframe()."
    )


def _of_array(sent: SentModel, data: Any) -> Any:
    array = needed("dask.array", "dask")
    _check_array(sent.model, data)
    if any(blocks > 1 for blocks in data.numblocks[1:]):  # a row's result needs all its features
        data = data.rechunk({axis: -1 for axis in range(1, data.ndim)})
    form = form_of(sent.model, sent.method, np.float64 if sent.reads_texts else data.dtype)
    widths = [part.shape[1:] for part in form.parts]
    if form.is_list:
        joined = _mapped(array, sent, form, data, _joined_block, (sum(w[0] for w in widths),))
        ends = np.cumsum([w[0] for w in widths]).tolist()
        return [joined[:, end - w[0] : end] for w, end in zip(widths, ends, strict=True)]
    return _mapped(array, sent, form, data, _block, widths[0])


def _check_array(model: Any, data: Any) -> None:
    n_features = getattr(model, "n_features_in_", None)
    if n_features is None:
        (expected,) = [t.shape for t in model.program.inputs]
    else:
        expected = (int(n_features),)
    if data.shape[1:] != expected or data.ndim == 0:
        shown = ", ".join(map(str, expected))
        raise ValueError(f"data must have the shape (n_rows, {shown}); got {data.shape}.")
    if data.dtype.kind not in "biufOUS":
        raise ValueError(f"data must hold numbers or texts; got the dtype {data.dtype}.")


def _mapped(
    array: Any, sent: SentModel, form: ResultForm, data: Any, function: Any, width: tuple[int, ...]
) -> Any:
    """A block of results for each block of rows."""
    dtype = np.result_type(*form.parts)
    rows = (data.chunks[0], *((size,) for size in width))
    common = len(width) + 1 if len(width) + 1 < data.ndim else data.ndim
    return array.map_blocks(
        partial(function, form=form),
        data,
        _key_of(sent),
        chunks=rows,
        drop_axis=list(range(common, data.ndim)),
        new_axis=list(range(data.ndim, len(width) + 1)) or None,
        meta=np.empty((0,) * (len(width) + 1), dtype=dtype),
        name=f"skq-{sent.method}-{_token(data.name, sent.token)}",
    )


def _token(*parts: Any) -> str:
    return str(needed("dask.base", "dask").tokenize(*parts))


def _key_of(sent: SentModel) -> Any:
    """The model as one key of a graph."""
    delayed = needed("dask.delayed", "dask").delayed
    return delayed(sent, name=f"skq-model-{sent.token}", pure=True, traverse=False)


def _block(rows: Any, sent: SentModel, form: ResultForm) -> Any:
    return sent.result(rows, form)


def _joined_block(rows: Any, sent: SentModel, form: ResultForm) -> Any:
    return np.concatenate(sent.result(rows, form), axis=1)


def _of_frame(sent: SentModel, data: Any, features: Any, name: str | None) -> Any:
    frame = needed("dask.dataframe", "dask")
    model = sent.model
    if not hasattr(model, "n_features_in_"):
        raise TypeError("a QuantizedModule reads arrays: pass data.to_dask_array().")
    names = columns_read(model, data.columns.tolist(), features, "the dataframe")
    data = data[names]
    dtype = np.asarray(data._meta).dtype
    if sent.reads_texts or dtype.kind not in "biuf":
        dtype = np.dtype(np.float64)
    form = form_of(model, sent.method, dtype, name)
    dtypes = [_series(values).dtype for values in form.examples]
    is_named = names_of(model) is not None or sent.reads_texts
    function = partial(_partition, form=form, is_named=is_named, dtypes=dtypes)
    return frame.map_partitions(
        function,
        data,
        _key_of(sent),
        meta=_pandas_of(form, form.for_no_rows(), data._meta.index, dtypes),
        token=_token(data._name, sent.token, form.names),
    )


def _partition(
    rows: Any, sent: SentModel, form: ResultForm, is_named: bool, dtypes: list[Any]
) -> Any:
    result = sent.result(rows if is_named else rows.to_numpy(), form)
    return _pandas_of(form, result, rows.index, dtypes)


def _pandas_of(form: ResultForm, result: Any, index: Any, dtypes: list[Any]) -> Any:
    """A Series of a result of one dimension, else a DataFrame."""
    pandas = needed("pandas", "dask")
    columns = zip(form.names, columns_of(result), dtypes, strict=True)
    series = [pandas.Series(c, index=index, dtype=t, name=n) for n, c, t in columns]
    is_vector = not form.is_list and form.parts[0].ndim == 1
    return series[0] if is_vector else pandas.concat(series, axis=1)


def _series(values: Any) -> Any:
    return needed("pandas", "dask").Series(np.asarray(values))
