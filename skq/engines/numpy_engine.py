"""The NumPy engine: exact integers at the speed of NumPy, where the extension was not compiled.

It differs from the reference engine in two instructions. Matrix products use float BLAS if the 24
or 53 bits of a mantissa are proven to hold the sums (`_matmul`). Rows walk down all trees at the
same time (`_trees`). It processes rows in blocks, to bound the memory.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from skq.engines import reference
from skq.program import instructions as ins
from skq.program.program import IntegerProgram
from skq.program.types import TensorType

Array = NDArray[Any]

#: Most rows of a block, and most bytes of its intermediate values.
BLOCK_ROWS = 4096
BLOCK_BYTES = 16 * 1024 * 1024


def evaluate(
    program: IntegerProgram, known: Mapping[int, Array], targets: Iterable[int]
) -> list[Array]:
    """As `skq.engines.reference.evaluate`, faster and in bounded memory."""
    targets = list(targets)
    first = len(program.inputs)
    wanted = [t for t in targets if t not in known]
    schedule = program.needed_for(wanted, known)
    n_rows = len(next(iter(known.values()))) if known else 0
    results = {
        t: np.empty(
            (n_rows, *program.types[t].shape), np.int64 if program.types[t].is_integer else float
        )
        for t in wanted
    }
    steps = {number: program.instructions[number - first] for number in schedule}
    rows = _block_rows(program, steps)
    for start in range(0, n_rows, rows):
        values = {
            v: np.asarray(
                array[start : start + rows], dtype=np.int64 if program.types[v].is_integer else None
            )
            for v, array in known.items()
        }
        for number, step in steps.items():
            operands = [values[operand] for operand in step.inputs]
            types = [program.types[operand] for operand in step.inputs]
            values[number] = execute(step, types, operands)
        for t in wanted:
            results[t][start : start + rows] = values[t]
    return [
        results[t]
        if t in results
        else np.asarray(known[t], dtype=np.int64 if program.types[t].is_integer else None)
        for t in targets
    ]


def execute(step: ins.Instruction, types: list[TensorType], operands: list[Array]) -> Array:
    """As `skq.engines.reference.execute`, faster."""
    return RULES.get(type(step), reference.execute)(step, types, operands)


def _block_rows(program: IntegerProgram, steps: Mapping[int, ins.Instruction]) -> int:
    a_row = 1
    for number, step in steps.items():
        trees = len(step.roots) if isinstance(step, ins.Trees) else 0
        a_row += 8 * (program.types[number].size + 4 * trees)
    return max(1, min(BLOCK_ROWS, BLOCK_BYTES // a_row))


def _matmul(step: ins.MatMul, types: list[TensorType], operands: list[Array]) -> Array:
    """In float32 or float64 where the mantissa holds every partial sum: exact in any order."""
    lo, hi = types[0].interval
    weights = step.weights.astype(np.float64)
    largest = np.abs(weights).sum(axis=0).max(initial=0.0) * max(-lo, hi)
    (x,) = operands
    for dtype, bits in ((np.float32, 24), (np.float64, 53)):
        if max(largest, abs(lo), hi, np.abs(weights).max(initial=0.0)) < 2.0**bits:
            return np.asarray((x.astype(dtype) @ step.weights.astype(dtype)).astype(np.int64))
    return reference.execute(step, types, operands)


def _trees(step: ins.Trees, types: list[TensorType], operands: list[Array]) -> Array:
    """All trees, one level at a time: rows that have reached a leaf are dropped."""
    (x,) = operands
    n, n_trees = len(x), len(step.roots)
    sums = np.zeros((n, step.n_outputs), dtype=np.int64)
    if n_trees == 0 or n == 0:
        return sums
    flat = np.ascontiguousarray(x).ravel()
    node = np.repeat(step.roots.astype(np.int64), n)
    active = np.arange(n_trees * n)
    row_start = np.tile(np.arange(n) * x.shape[1], n_trees)
    active = active[step.feature[node] >= 0]
    while len(active):
        at = node[active]
        code = flat[row_start[active] + step.feature[at]]
        at = np.where(code <= step.threshold[at], step.left[at], step.right[at])
        node[active] = at
        active = active[step.feature[at] >= 0]
    leaf = step.left[node].reshape(n_trees, n)
    for t in range(n_trees):
        first = int(step.output[t])
        values = step.leaf_values[leaf[t]].astype(np.int64) * np.int64(step.multiplier[t])
        sums[:, first : first + step.width] += values
    return sums


#: Instructions that are computed otherwise than by the reference engine.
RULES: Mapping[type[ins.Instruction], Callable[..., Array]] = {
    ins.MatMul: _matmul,
    ins.Trees: _trees,
}
