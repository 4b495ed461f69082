"""`predict`: a model and data of any engine."""

from __future__ import annotations

import os
from collections.abc import Iterable
from importlib import import_module
from typing import Any

from skq.distributed.sent_model import sent_model

__all__ = ["predict"]

#: The module of skq for data of each package.
_ENGINES = {
    "dask": "skq.distributed.on_dask",
    "ray": "skq.distributed.on_ray",
    "pyspark": "skq.distributed.on_spark",
    "pyarrow": "skq.distributed.on_arrow",
}

#: Arguments that not every engine takes, and their defaults.
_DEFAULTS = {"batch_rows": None, "output": None, "progress": False}
_TAKES = {"ray": {"batch_rows"}, "pyarrow": set(_DEFAULTS)}


def predict(
    model: Any,
    data: Any,
    method: str = "predict",
    *,
    features: Iterable[str] | None = None,
    name: str | None = None,
    batch_rows: int | None = None,
    output: str | os.PathLike[str] | None = None,
    progress: bool = False,
) -> Any:
    """Predict data of Dask, Ray, Spark or Arrow on their own engine.

    The results are those of ``getattr(model, method)(rows)``, to the bit. Workers get the model as
    the bytes of a file, once each, and need NumPy and skq alone to run it. A model that a file
    cannot hold is pickled: workers then need scikit-learn too.

    Parameters
    ----------
    model : fitted model, or path of a saved one
        An estimator or wrapper of skq, a search or a Pipeline that ends in one, or what `skq.load`
        returns. A `QuantizedModule` takes Dask arrays, with the method "forward".
    data : Dask array or DataFrame, Ray Dataset, Spark DataFrame, path of a Parquet file or \
folder, `pyarrow.dataset.Dataset`, `pyarrow.Table` or `pyarrow.RecordBatchReader`
        Of shape (n_rows, n_features). A model that was fitted on named columns finds them by name
        in a table, which may have others; other models read all columns in their order.
    method : {"predict", "predict_proba", "predict_log_proba", "decision_function", \
"score_samples", "apply", "transform", "forward"}, default="predict"
        One that the model has.
    features : iterable of str, default=None
        Columns of a table that a model without names reads, in the order of its features.
    name : str, default=None
        First part of the names of the results' columns. By default "prediction", "probability",
        "log_probability", "score", "leaf" or "transformed", by the method. Columns of several
        classes or outputs have the label or number after it: "probability_setosa".
    batch_rows : int, default=None
        Rows that are predicted at a time, of Ray and Arrow: 65536 of Arrow by default, and what Ray
        chooses. The other engines have partitions.
    output : path, default=None
        Of Arrow: a Parquet file to write, or a folder of them if it has no ending. A file appears
        whole or not at all.
    progress : bool, default=False
        Of Arrow with `output`: whether to draw a bar on the standard error stream.

    Returns
    -------
    Dask array, Series or DataFrame
        For Dask, lazy: an array (a list of them where the method returns a list), or a Series or
        DataFrame with the index and the divisions of `data`.
    Ray Dataset or Spark DataFrame
        For Ray and Spark, lazy: `data` with the columns of the results appended.
    pyarrow.RecordBatchReader or int
        For Arrow: the rows of `data` with the columns of the results appended, predicted when they
        are read; or with `output` the number of rows that were written.

    Raises
    ------
    AttributeError
        If the model has no such method.
    ImportError
        If a package of the engine is missing; names the extra of skq that installs it.
    TypeError
        If the model is none of skq's, or data are of no engine.
    ValueError
        For an unknown method, data without the model's columns, and a column of the results that
        the data have already.

    Examples
    --------
    >>> import pyarrow
    >>> from sklearn.datasets import load_iris
    >>> from skq.distributed import predict
    >>> from skq.tree import DecisionTreeClassifier
    >>> X, y = load_iris(return_X_y=True, as_frame=True)
    >>> tree = DecisionTreeClassifier(random_state=0).fit(X, y)
    >>> batches = predict(tree, pyarrow.Table.from_pandas(X))
    >>> bool((batches.read_pandas()["prediction"] == tree.predict(X)).all())
    True
    """
    engine = _engine_of(data)
    given = {"batch_rows": batch_rows, "output": output, "progress": progress}
    takes = _TAKES.get(engine, set())
    wrong = [key for key, value in given.items() if value != _DEFAULTS[key] and key not in takes]
    if wrong:
        raise ValueError(f"data of {engine} take no {', '.join(wrong)}: leave it out.")
    if batch_rows is not None and batch_rows < 1:
        raise ValueError(f"batch_rows must be at least 1; got {batch_rows}.")
    run = import_module(_ENGINES[engine]).predict
    options = {key: value for key, value in given.items() if key in takes}
    return run(sent_model(model, method), data, features=features, name=name, **options)


def _engine_of(data: Any) -> str:
    """The package that data are of; a path is one of Arrow."""
    if isinstance(data, str | os.PathLike):
        return "pyarrow"
    for kind in type(data).__mro__:
        package = kind.__module__.partition(".")[0]
        if package in _ENGINES:
            return package
    raise TypeError(
        "data must be a Dask array or dataframe, a Ray dataset, a Spark dataframe, Arrow data or "
        f"the path of a Parquet file; got {type(data).__name__}: for data in memory call the "
        "model's own method."
    )
