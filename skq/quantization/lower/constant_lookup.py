"""Lookups by whole numbers: entries of a vector, or rows of a matrix (an embedding)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from skq.exceptions import UnsupportedModelError
from skq.program import Table
from skq.quantization.lower.lowering import Lowering
from skq.quantization.lower.operands import Array, QuantizedTensor, scalar
from skq.quantization.lower.tables import table_entries
from skq.quantization.lower.trained import TrainedConstant
from skq.quantization.lower.views import elements, select

Values = Callable[[NDArray[np.int64]], Array]

ONE, ZERO = scalar(1.0), scalar(0.0)


def looked_up(low: Lowering, index: QuantizedTensor, table: Array, reals: Array) -> QuantizedTensor:
    """Entries of a vector, or rows of a matrix, at integers that count from 0.

    Parameters
    ----------
    low : Lowering
    index : QuantizedTensor
        Integers with scale 1 and zero point 0; indices outside the table take the nearest entry.
    table : ndarray of shape (size,) or (size, n_columns)
    reals : ndarray of shape (n_rows, ...)
        The result on the calibration rows.
    """
    index, values = _by_column(low, index, table)
    return function_of_integers(low, index, values, table, reals)


def function_of_integers(
    low: Lowering, index: QuantizedTensor, values: Values, entries: Array, reals: Array
) -> QuantizedTensor:
    """A function of whole numbers.

    Integers are looked up exactly. Real numbers are a function of the index while the calibration
    rows show their range; else codes of them are looked up, on a grid that holds all.

    Parameters
    ----------
    low : Lowering
    index : QuantizedTensor
        Integers with scale 1 and zero point 0.
    values : callable
        The function of an array of integers.
    entries : ndarray
        All its values.
    reals : ndarray of shape (n_rows, ...)
        The result on the calibration rows.
    """
    least, greatest = entries.min(), entries.max()
    if entries.dtype.kind in "biu":
        return _codes_at(low, index, values, ONE, ZERO, int(least), int(greatest))
    n_bits = low.settings.rounding.limit(low.settings.n_bits["op_inputs"])
    are_seen = reals.min() <= least and greatest <= reals.max()
    if are_seen and low.type(index.value).bits <= low.settings.rounding.table_bits(n_bits):
        return index.then(lambda numbers: values(np.rint(numbers).astype(np.int64)))
    top = 2**n_bits - 1
    reach = greatest - least if greatest > least else abs(least) or 1.0
    scale = scalar(np.float64(reach) / top)
    return _codes_at(low, index, values, scale, scalar(np.rint(-least / scale)), 0, top)


def trained_rows(low: Lowering, index: QuantizedTensor, table: TrainedConstant) -> QuantizedTensor:
    """Entries that are integers in the graph, which are not changed.

    Raises
    ------
    UnsupportedModelError
        If the scale differs from entry to entry.
    """
    codes, scale = table.codes, table.scale
    if np.any(scale != scale[:1]):
        raise UnsupportedModelError(
            "the entries of a lookup table must have one scale, or one scale per column; with one "
            "scale per entry their sums are not integers"
        )
    columns = scale[0] if np.ptp(scale) > 0 else scalar(scale.flat[0])
    index, values = _by_column(low, index, codes)
    found = _codes_at(low, index, values, ONE, ZERO, int(codes.min()), int(codes.max()))
    return replace(found, scale=columns)


def _codes_at(
    low: Lowering,
    index: QuantizedTensor,
    values: Values,
    scale: Array,
    zero_point: Array,
    lo: int,
    hi: int,
) -> QuantizedTensor:
    """Codes in [lo, hi] of the values of a function of integers, by one `Table`."""
    first, last = low.type(index.value).interval
    reals = np.asarray(values(np.arange(first, last + 1)[:, None]), np.float64)
    value = low.add(Table((index.value,), table_entries(reals, scale, zero_point, lo, hi)))
    return QuantizedTensor(value, scale, zero_point, view=index.view)


def _by_column(
    low: Lowering, index: QuantizedTensor, table: Array
) -> tuple[QuantizedTensor, Values]:
    """The index, repeated for each column of a matrix, and the function of its numbers."""
    size = len(table)

    def positions(numbers: NDArray[np.int64]) -> NDArray[np.int64]:
        return np.clip(np.where(numbers < 0, numbers + size, numbers), 0, size - 1)

    if table.ndim == 1:
        return index, lambda numbers: table[positions(numbers)]
    indices = np.repeat(elements(low, index)[..., None], table.shape[1], axis=-1)
    rows = QuantizedTensor(select(low, index.value, indices, 0), index.scale, index.zero_point)
    columns = np.arange(table.shape[1])
    return rows, lambda numbers: table[positions(numbers), columns]
