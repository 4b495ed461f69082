"""The reference engine: slow and simple; it defines the results of all engines and exports.

One function for each instruction, in NumPy int64. Rows are the first axis of every array.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from skq import numerics
from skq.program import instructions as ins
from skq.program.program import IntegerProgram
from skq.program.types import TensorType

Array = NDArray[Any]


def _quantize(step: ins.Quantize, x: Array) -> Array:
    return numerics.quantize(x, step.scale, step.zero_point, step.lo, step.hi)


def _bin(step: ins.Bin, x: Array) -> Array:
    codes = np.empty((len(x), len(step.feature)), dtype=np.int64)
    for c, feature in enumerate(step.feature):
        edges = step.edges[step.offsets[c] : step.offsets[c + 1]]
        codes[:, c] = numerics.bin_codes(
            x[:, feature], edges, int(step.base[c]), int(step.nan_code[c])
        )
    return codes


def _matmul(step: ins.MatMul, x: Array) -> Array:
    return np.asarray(x @ step.weights.astype(np.int64))


def _requantize(step: ins.Requantize, x: Array) -> Array:
    return numerics.requantize(x, step.multiplier, step.offset, step.shift, step.lo, step.hi)


def _trees(step: ins.Trees, x: Array) -> Array:
    sums = np.zeros((len(x), step.n_outputs), dtype=np.int64)
    rows = np.arange(len(x))
    for t, root in enumerate(step.roots):
        node = np.full(len(x), root, dtype=np.int64)
        while True:
            feature = step.feature[node]
            inner = feature >= 0
            if not inner.any():
                break
            goes_left = x[rows, np.where(inner, feature, 0)] <= step.threshold[node]
            node = np.where(inner, np.where(goes_left, step.left[node], step.right[node]), node)
        first = int(step.output[t])
        values = step.leaf_values[step.left[node]].astype(np.int64) * np.int64(step.multiplier[t])
        sums[:, first : first + step.width] += values
    return sums


def _weighted_median(step: ins.WeightedMedian, x: Array) -> Array:
    order = np.argsort(x, axis=-1, kind="stable")
    reached = np.cumsum(step.weights.astype(np.int64)[order], axis=-1) >= step.threshold
    first = np.take_along_axis(order, reached.argmax(axis=-1)[..., np.newaxis], axis=-1)
    return np.take_along_axis(x, first, axis=-1)[..., 0]


def _gather(step: ins.Gather, x: Array) -> Array:
    flat = x.reshape(len(x), -1)
    padded = np.concatenate([flat, np.full((len(x), 1), step.fill, dtype=np.int64)], axis=1)
    return padded[:, step.indices]


def _concat(step: ins.Concat, *operands: Array) -> Array:
    return np.concatenate([x.reshape(len(x), -1) for x in operands], axis=1)


def _broadcast(f: Callable[[Array, Array], Any]) -> Callable[..., Array]:
    """Elementwise on rows: an operand of fewer axes gets axes of length 1 after the row axis."""

    def apply(step: ins.Instruction, a: Array, b: Array) -> Array:
        rank = max(a.ndim, b.ndim)
        a, b = (v.reshape(len(v), *(1,) * (rank - v.ndim), *v.shape[1:]) for v in (a, b))
        return np.asarray(f(a, b))

    return apply


def _table(lo: int, step: ins.Table, x: Array) -> Array:
    table = step.table.astype(np.int64)
    if table.ndim == 1:
        return np.asarray(table[x - lo])
    return np.asarray(table[np.arange(table.shape[0]), x - lo])


RULES: Mapping[type[ins.Instruction], Callable[..., Array]] = {
    ins.Quantize: _quantize,
    ins.Bin: _bin,
    ins.MatMul: _matmul,
    ins.Requantize: _requantize,
    ins.Trees: _trees,
    ins.Add: _broadcast(np.add),
    ins.Sub: _broadcast(np.subtract),
    ins.Mul: _broadcast(np.multiply),
    ins.Maximum: _broadcast(np.maximum),
    ins.Minimum: _broadcast(np.minimum),
    ins.Sum: lambda step, x: x.sum(axis=-1, dtype=np.int64),
    ins.Max: lambda step, x: x.max(axis=-1),
    ins.Min: lambda step, x: x.min(axis=-1),
    ins.ArgMax: lambda step, x: x.argmax(axis=-1).astype(np.int64),
    ins.WeightedMedian: _weighted_median,
    ins.Gather: _gather,
    ins.Reshape: lambda step, x: x.reshape(len(x), *step.shape),
    ins.Concat: _concat,
    ins.Dequantize: lambda step, x: numerics.dequantize(x, step.scale, step.zero_point),
}


def execute(step: ins.Instruction, types: Sequence[TensorType], operands: Sequence[Array]) -> Array:
    """Run one instruction on arrays of rows; `types` are the types of its operands."""
    if isinstance(step, ins.Table):
        return _table(types[0].interval[0], step, *operands)
    return RULES[type(step)](step, *operands)


def evaluate(
    program: IntegerProgram, known: Mapping[int, Array], targets: Iterable[int]
) -> list[Array]:
    """Compute values of a program from others.

    Parameters
    ----------
    program : IntegerProgram
    known : mapping of int to ndarray of shape (n_rows, ...)
        Values that are given, by number: inputs (floats), or intermediate values (integers).
    targets : iterable of int
        Numbers of the values to compute; only the instructions that they need are run.

    Returns
    -------
    list of ndarray of shape (n_rows, ...)
        In the order of `targets`: int64, or float64 for the result of a Dequantize.
    """
    targets = list(targets)
    first = len(program.inputs)
    values: dict[int, Array] = {
        number: np.asarray(array, dtype=np.int64 if program.types[number].is_integer else None)
        for number, array in known.items()
    }
    for number in program.needed_for(targets, values):
        step = program.instructions[number - first]
        operands = [values[operand] for operand in step.inputs]
        types = [program.types[operand] for operand in step.inputs]
        values[number] = execute(step, types, operands)
    return [values[target] for target in targets]
