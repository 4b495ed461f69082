"""Calibration data of a conversion: checks, ranges, and the rows that are run."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from skq.exceptions import UnsupportedModelError
from skq.graph.evaluator import GraphEvaluator
from skq.graph.graph import FloatGraph, TensorInfo
from skq.quantization.calibration_settings import CALIBRATION
from skq.quantization.lower.operands import Array

__all__ = ["InputRange", "checked_data", "choose_rows", "most_rows"]


class InputRange(NamedTuple):
    """Range of one input over all calibration data.

    Parameters
    ----------
    lo, hi : ndarray of a row's shape
        Least and greatest value; NaN left out, 0 where all are missing.
    has_missing : bool
        Whether the data contain NaN.
    """

    lo: Array
    hi: Array
    has_missing: bool = False

    @classmethod
    def of(cls, array: Array, present: Any = slice(None)) -> InputRange:
        """Range of an array of rows; `present` selects the rows."""
        rows = array[present]
        with np.errstate(invalid="ignore"):
            if array.dtype.kind == "f" and len(rows) == len(array) > 0:
                lo, hi = rows.min(axis=0), rows.max(axis=0)  # NaN where a value is missing
                if not np.isnan(lo).any():
                    return cls(lo, hi)
            lo, hi = _range(rows)
        return cls(lo, hi, bool(np.isnan(array).any()) if array.dtype.kind == "f" else False)


def checked_data(model: GraphEvaluator, data: tuple[Array, ...]) -> list[Array]:
    """Calibration data as arrays of the inputs' dtypes.

    Parameters
    ----------
    model : GraphEvaluator
    data : tuple of array-like of shape (n_rows, ...)
        One for each input of `model`.

    Returns
    -------
    list of ndarray

    Raises
    ------
    ValueError
        If their number, rows or shapes do not fit the inputs, or for infinity where
        it is not only compared.
    UnsupportedModelError
        If an input has a fixed batch of another number of rows.
    """
    if len(data) != len(model.inputs):
        raise ValueError(
            f"Expected calibration data for {len(model.inputs)} inputs: "
            f"{[info.name for info in model.inputs]}. Got {len(data)} arrays."
        )
    arrays = [
        np.asarray(array, dtype=info.dtype) for info, array in zip(model.inputs, data, strict=True)
    ]
    lengths = {array.shape[:1] for array in arrays}
    if len(lengths) != 1 or lengths & {(), (0,)}:
        raise ValueError(
            f"Calibration data need at least one row, and as many for each input. "
            f"Got shapes {[array.shape for array in arrays]}."
        )
    for info, array in zip(model.inputs, arrays, strict=True):
        if array.dtype.kind not in "biuf":
            raise UnsupportedModelError(
                f"Input {info.name!r} holds text, and an integer program takes numbers: encode it "
                f"before the model."
            )
        _check_shape(info, array)
        if array.dtype.kind == "f" and np.isinf(array).any() and not _is_compared(model, info.name):
            raise ValueError(f"Calibration data for {info.name!r} must not hold infinity.")
    return arrays


def _check_shape(info: TensorInfo, array: Array) -> None:
    """Raise if an input of the graph cannot take rows of this shape, or as many of them."""
    fits = array.ndim == len(info.shape) and all(
        length is None or length == given
        for length, given in zip(info.shape[1:], array.shape[1:], strict=True)
    )
    if not fits:
        raise ValueError(
            f"Calibration data for input {info.name!r} must have the shape {_shown(info.shape)}. "
            f"Got {array.shape}."
        )
    if info.shape and info.shape[0] not in (None, len(array)):
        raise UnsupportedModelError(
            f"Input {info.name!r} has the fixed shape {_shown(info.shape)}, a batch of "
            f"{info.shape[0]} rows, and cannot take {len(array)}: export the model with a dynamic "
            f"batch axis (torch.onnx.export's dynamic_axes)."
        )


def _shown(shape: Sequence[int | None]) -> str:
    return f"({', '.join('n_rows' if n is None else str(n) for n in shape)})"


def _is_compared(model: GraphEvaluator, name: str) -> bool:
    """Whether only trees read an input; they can compare infinity."""
    reached = {name}
    for node in model.graph.nodes:
        if reached.intersection(node.inputs):
            if node.op_type == "Concat":
                reached.update(node.outputs)
            elif node.op_type != "TreeEnsembleRegressor":
                return False
    return True


def most_rows(arrays: Sequence[Array], graph: FloatGraph, n_bits: int) -> int:
    """Rows to run the layers on at most: fewer for images, whose layers have many positions.

    Large tree ensembles are run on fewer rows, unless trees
    are averaged and codes are narrow.
    """
    ensembles = [node for node in graph.nodes if node.op_type == "TreeEnsembleRegressor"]
    averages = any(node.attributes.get("aggregate_function") == "AVERAGE" for node in ensembles)
    is_large = (
        sum(len(node.attributes["nodes_modes"]) for node in ensembles)
        > CALIBRATION.large_ensemble_nodes
    )
    if is_large and not (averages and n_bits <= CALIBRATION.max_narrow_bits):
        return CALIBRATION.max_ensemble_rows
    cells = max((array[0].size for array in arrays if array.ndim > 2), default=0)
    return max(64, min(CALIBRATION.max_rows, CALIBRATION.max_elements // max(cells, 1)))


def choose_rows(
    n_rows: int, sample_weight: Array | None, most: int = CALIBRATION.max_rows
) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """Rows to run the layers on, evenly spaced, and their weights, which sum to 1."""
    weight = np.ones(n_rows) if sample_weight is None else np.asarray(sample_weight, np.float64)
    if weight.shape != (n_rows,) or not np.all(np.isfinite(weight)) or not np.any(weight > 0):
        raise ValueError(
            f"sample_weight must be finite, with one value per row ({n_rows}) and one above 0. "
            f"Got shape {weight.shape}."
        )
    rows = np.flatnonzero(weight > 0)
    if len(rows) > most:
        rows = rows[np.linspace(0, len(rows) - 1, most).astype(np.int64)]
    return rows, weight[rows] / weight[rows].sum()


def _range(array: Array) -> tuple[Array, Array]:
    """Least and greatest value of each element of a row; 0 where all are missing."""
    if array.dtype.kind != "f":
        return array.min(axis=0), array.max(axis=0)
    lo, hi = np.fmin.reduce(array, axis=0), np.fmax.reduce(array, axis=0)
    return np.nan_to_num(lo, nan=0.0), np.nan_to_num(hi, nan=0.0)
