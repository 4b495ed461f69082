"""A fitted scikit-learn Pipeline that ends in an estimator of skq, as what a saved model holds.

The last step predicts in integers for what the transformers return. A file holds the transformers
as a `Preprocessing`, which a loaded model computes in float64, as the Pipeline does.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from skq.exceptions import UnsupportedModelError
from skq.graph.preprocessing import Column, Preprocessing
from skq.serving.lookup_stage import TableLookup

#: NumPy functions of an affine column.
STEPS = ("subtract", "divide", "multiply", "add")


class Stages(NamedTuple):
    """The steps before the program of a Pipeline's last step.

    Parameters
    ----------
    lookup : TableLookup or None
        None where the Pipeline was fitted on an array of numbers.
    preprocessing : Preprocessing
    """

    lookup: TableLookup | None
    preprocessing: Preprocessing


def stages_of(pipeline: Any) -> Stages:
    """The steps before the last one of a fitted Pipeline.

    Raises
    ------
    UnsupportedModelError
        Names the step that a file cannot hold.
    """
    from skq.frontend.equivalents import raw_tables  # imports scikit-learn
    from skq.serving.category_codes import lookup_of

    names = getattr(pipeline, "feature_names_in_", None)
    names = None if names is None else [str(name) for name in names]
    n_features = int(pipeline.n_features_in_)
    labels = raw_tables.labels_of_fitted(pipeline, n_features, names)
    preprocessing = labels.recoded(raw_tables.preprocessing_of(pipeline, labels, n_features))
    read = raw_tables.features_read(pipeline, n_features)
    lookup = None
    if names is not None or labels.points:
        lookup = lookup_of(labels, n_features, read, names)
    return Stages(lookup, preprocessing)


def takes_missing_before(
    preprocessing: Preprocessing, takes: NDArray[np.bool_], lookup: TableLookup | None
) -> NDArray[np.bool_]:
    """Features in which NaN is taken: transformers fill it, or pass it on to where it is taken.

    Parameters
    ----------
    preprocessing : Preprocessing
    takes : ndarray of shape (n_outputs,), bool
        Outputs of the preprocessing in which NaN is taken.
    lookup : TableLookup or None
    """
    result = np.ones(preprocessing.n_features, dtype=bool)
    for j in range(preprocessing.n_features):
        row = np.zeros((1, preprocessing.n_features))
        row[0, j] = np.nan
        result[j] = bool(np.all(takes[np.isnan(preprocessing(row)[0])]))
    if lookup is not None:
        result[lookup.features] = True  # the lookup refuses what is refused
    return result


def check_preprocessing(preprocessing: Any, n_features: int, n_inputs: int) -> None:
    """Raise unless a saved Preprocessing can be computed, and gives what a program reads.

    Parameters
    ----------
    preprocessing : object
    n_features : int
        Of X.
    n_inputs : int
        Of the program.

    Raises
    ------
    TypeError, ValueError
        Names the part.
    """
    if not isinstance(preprocessing, Preprocessing):
        kind = type(preprocessing).__name__
        raise TypeError(f"preprocessing must be a Preprocessing or None; got {kind}")
    if preprocessing.n_features != n_features or type(preprocessing.columns) is not tuple:
        raise ValueError(f"the preprocessing must read {n_features} features")
    for k, column in enumerate(preprocessing.columns):
        _check_column(k, column, n_features)
    n_columns, powers, matrix = (
        len(preprocessing.columns),
        preprocessing.powers,
        preprocessing.matrix,
    )
    n_products = n_columns
    if powers is not None:
        _check_array("powers", powers, np.int64, (None, n_columns))
        if powers.size and not 0 <= powers.min() <= powers.max() <= 16:
            raise ValueError("powers must be integers from 0 to 16")
        n_products = len(powers)
    n_outputs = n_products
    if (matrix is None) != (preprocessing.offset is None):
        raise ValueError("a preprocessing has a matrix and an offset, or neither")
    if matrix is not None:
        _check_array("matrix", matrix, np.float64, (n_products, None))
        n_outputs = matrix.shape[1]
        _check_array("offset", preprocessing.offset, np.float64, (n_outputs,))
    if n_outputs != n_inputs:
        raise ValueError(f"the preprocessing has {n_outputs} outputs; the program reads {n_inputs}")


def _check_column(k: int, column: Any, n_features: int) -> None:
    if type(column) is not Column:
        raise TypeError(f"column {k} must be a Column; got {type(column).__name__}")
    if type(column.feature) is not int or not 0 <= column.feature < n_features:
        raise ValueError(f"column {k} reads the feature {column.feature!r:.40}")
    if type(column.missing) is not float:
        raise TypeError(f"column {k}: missing must be a float; got {column.missing!r:.40}")
    if type(column.steps) is not tuple or not all(
        type(step) is tuple and len(step) == 2 and step[0] in STEPS and type(step[1]) is float
        for step in column.steps
    ):
        raise ValueError(f"column {k}: steps must be pairs of one of {STEPS} and a float")
    if (column.edges is None) != (column.values is None):
        raise ValueError(f"column {k} has edges and values, or neither")
    if column.edges is not None:
        _check_array(f"edges of column {k}", column.edges, np.float64, (None,))
        _check_array(f"values of column {k}", column.values, np.float64, (len(column.edges) + 1,))
        if not np.all(np.diff(column.edges) >= 0):
            raise ValueError(f"edges of column {k} must be sorted")


def _check_array(what: str, array: Any, dtype: type, shape: tuple[int | None, ...]) -> None:
    if type(array) is not np.ndarray or array.dtype != dtype or array.ndim != len(shape):
        raise TypeError(f"{what} must be an array of {np.dtype(dtype)}; got {array!r:.60}")
    if any(size is not None and size != got for size, got in zip(shape, array.shape, strict=True)):
        raise ValueError(f"{what} must have the shape {shape}; got {array.shape}")


def refuse_texts_inside(pipeline: Any, last: Any) -> None:
    """Raise for a Pipeline whose last step encodes texts itself."""
    if last._table_lookup is not None:
        raise UnsupportedModelError(
            f"{type(last).__name__}, the last step of the Pipeline, encodes texts itself, which "
            "skq.save does not support inside a Pipeline. Put an OrdinalEncoder before it, or "
            f"quantize the whole {type(pipeline).__name__} with skq.quantize(pipeline, X)."
        )
