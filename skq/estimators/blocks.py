"""Calibration data of Dask collections: statistics of the blocks, merged.

Each block is validated where it is, and gives its ranges and its part of the rows that layers are
run on: the same evenly spaced rows, 2000 at most, that are taken of an array in memory. So the
integers are those of the array, to the bit. Dask is imported when a collection comes.
"""

from __future__ import annotations

from collections.abc import Callable
from itertools import accumulate
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from skq.estimators.calibration import CalibrationData, Summary, evenly
from skq.quantization.calibration_data import InputRange
from skq.quantization.calibration_settings import CALIBRATION

__all__ = ["example_of_blocks", "is_lazy", "summary_of_blocks"]


def is_lazy(X: Any) -> bool:
    """Whether X is an array or a dataframe of Dask."""
    return hasattr(X, "__dask_graph__") and hasattr(X, "to_delayed") and hasattr(X, "ndim")


def example_of_blocks(X: Any) -> Any:
    """Rows in memory that have every value that a column of texts or categories has.

    Parameters
    ----------
    X : dask.array.Array or dask.dataframe.DataFrame of shape (n_rows, n_features)

    Returns
    -------
    ndarray or pandas DataFrame
        No rows where all columns are numbers.

    Raises
    ------
    ValueError
        If X has not two dimensions, or if the categories of a column are not known.
    """
    import dask

    if X.ndim != 2:
        raise ValueError(f"X must have the shape (n_samples, n_features); got {X.shape}.")
    dtypes = list(X.dtypes) if hasattr(X, "dtypes") else [X.dtype] * X.shape[1]
    texts = [j for j, dtype in enumerate(dtypes) if getattr(dtype, "kind", "O") not in "biufc"]
    if not texts:
        return X._meta if hasattr(X, "columns") else np.empty((0, X.shape[1]), X.dtype)
    for j in texts:
        column = X.iloc[:, j] if hasattr(X, "columns") else None
        if hasattr(dtypes[j], "categories") and column is not None and not column.cat.known:
            raise ValueError(
                f"the categories of column {X.columns[j]!r} are not known: call X.categorize()."
            )
    parts = [dask.delayed(_distinct)(block, texts) for block in _blocks_of(X)]
    parts = [part for part in dask.compute(*parts) if len(part)]
    if not parts:
        raise ValueError("X has no rows.")
    return _distinct(_joined(parts), texts)


def summary_of_blocks(X: Any, validated: Callable[[Any], Any]) -> CalibrationData:
    """Calibration data of a Dask array or dataframe.

    Parameters
    ----------
    X : dask.array.Array or dask.dataframe.DataFrame of shape (n_rows, n_features)
        Where the number of rows of the blocks is not known, it is computed first.
    validated : callable
        From a block to an array of numbers; raises an error for what the model does not take.

    Raises
    ------
    ValueError
        If there are no rows.
    """
    import dask

    blocks = _blocks_of(X)
    chunks = getattr(X, "chunks", None)
    if chunks is not None and not np.isnan(chunks[0]).any():
        lengths = [int(length) for length in chunks[0]]
    else:
        lengths = list(dask.compute(*[dask.delayed(len)(block) for block in blocks]))
    total = sum(lengths)
    if total == 0:
        raise ValueError("X has no rows.")
    chosen = evenly(total, CALIBRATION.max_rows)
    weight = total / len(chosen)
    function = dask.delayed(validated, traverse=False)  # one key: a worker gets it once
    ends = list(accumulate(lengths))
    parts = [
        dask.delayed(_summary)(block, function, chosen[(chosen >= a) & (chosen < b)] - a, weight)
        for block, a, b in zip(blocks, [0, *ends], ends, strict=False)
        if b > a
    ]
    return Summary.joined(list(dask.compute(*parts))).to_data()


def _blocks_of(X: Any) -> list[Any]:
    """Delayed blocks of rows with all columns."""
    if hasattr(X, "rechunk") and X.numblocks[1] > 1:
        X = X.rechunk({1: -1})
    return list(np.ravel(X.to_delayed()))


def _summary(
    block: Any, validated: Callable[[Any], Any], chosen: NDArray[np.int64], weight: float
) -> Summary:
    rows = validated(block)
    if sparse.issparse(rows):
        return Summary.of(rows)
    return Summary(rows[chosen], np.full(len(chosen), weight), InputRange.of(rows))


def _distinct(block: Any, texts: list[int]) -> Any:
    """The first row, and rows in which a value of a column of texts is the first of its kind."""
    import pandas

    frame = block if hasattr(block, "columns") else pandas.DataFrame(block)
    new = np.zeros(len(frame), dtype=bool)
    new[:1] = True
    for j in texts:
        new |= ~frame.iloc[:, j].duplicated().to_numpy()
    return block[new]


def _joined(parts: list[Any]) -> Any:
    import pandas

    return pandas.concat(parts) if hasattr(parts[0], "columns") else np.concatenate(parts)
