"""The NumPy engine: exact integers at the speed of NumPy, where the extension was not compiled.

`NumpyPlan` makes a function of each instruction, once (`skq.engines.numpy_steps`), and runs them
on one block of rows after the other, so that intermediate values stay in the cache. A value is an
array of any dtype that holds its proven interval exactly, also of floats.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from skq.engines import numpy_steps as steps_of
from skq.engines.compiled_plan import CompiledPlan, Prepared
from skq.engines.numpy_bins import Bin
from skq.engines.numpy_steps import General, Step, Types, operand_dtype
from skq.engines.numpy_trees import BinnedTreeSum, binned_tree_sum, tree_sum
from skq.kernels import layout
from skq.program import instructions as ins
from skq.program.program import IntegerProgram
from skq.program.types import TensorType

Array = NDArray[Any]

#: Bytes of the widest value of a block, which should stay in the caches of a core.
CACHE_BYTES = 1024 * 1024
#: Rows of a block of a program with trees, whose walks want long arrays, and the most of any.
TREE_ROWS = 8192
#: Least rows of a block of other programs.
LEAST_ROWS = 256
#: Most bytes of all values of a block.
BLOCK_BYTES = 16 * 1024 * 1024
#: Dtypes of inputs, by character.
_READ = frozenset("fd?bBhHiIlLqQ")


class NumpyPlan(CompiledPlan):
    """A program compiled for some inputs and targets. Runs use one thread each.

    It is immutable and each run allocates its values, so threads may share it.

    Parameters
    ----------
    program : IntegerProgram
    given : sequence of int
        Numbers of the values that runs get as inputs.
    targets : sequence of int
        Numbers of the values that runs may compute, none of them in `given`.
    """

    def __init__(
        self, program: IntegerProgram, given: Sequence[int], targets: Sequence[int]
    ) -> None:
        super().__init__(given, targets)
        self._types = program.types
        self._steps = _compile(program, self.given, self.targets)
        self._all = self.prepare(self.targets)

    @property
    def nbytes(self) -> int:
        """Bytes of the arrays of the plan."""
        arrays = {id(a): a.nbytes for _, f in self._steps.values() for a in f.arrays()}
        return sum(arrays.values())

    def _prepare(self, wanted: tuple[int, ...]) -> Prepared:
        needed: set[int] = set()
        stack = list(wanted)
        while stack:
            number = stack.pop()
            if number not in needed and number in self._steps:
                needed.add(number)
                stack += self._steps[number][0]
        steps = [(number, *self._steps[number]) for number in sorted(needed)]
        finite = [(number, operands, step.without_missing()) for number, operands, step in steps]
        return partial(self._run, steps, finite, wanted, self._block_rows(needed))

    def _block_rows(self, numbers: Iterable[int]) -> int:
        sizes = [self._types[v].size for v in (*self.given, *numbers)]
        most = max(1, BLOCK_BYTES // (8 * max(1, sum(sizes))))
        if any(isinstance(self._steps[v][1], BinnedTreeSum) for v in numbers):
            return min(most, TREE_ROWS)
        return min(most, TREE_ROWS, max(LEAST_ROWS, CACHE_BYTES // (8 * max(1, *sizes))))

    def _run(
        self,
        steps: list[tuple[int, tuple[int, ...], Step]],
        finite_steps: list[tuple[int, tuple[int, ...], Step]],
        wanted: tuple[int, ...],
        block_rows: int,
        inputs: list[Array],
        n_rows: int,
        n_threads: int,
        refuse: int,
    ) -> list[Array] | int:
        types = self._types
        if refuse == layout.REFUSE["nonfinite"]:
            steps = finite_steps
        for v, array in zip(self.given, inputs, strict=True):
            if array.shape != (n_rows, types[v].size) or array.dtype.char not in _READ:
                return layout.UNREADABLE
            if not array.dtype.isnative:
                return layout.UNREADABLE
        results = [
            np.empty((n_rows, *types[t].shape), np.int64 if types[t].is_integer else np.float64)
            for t in wanted
        ]
        with np.errstate(over="ignore", invalid="ignore"):  # values that saturate
            for start in range(0, n_rows, block_rows):
                rows = slice(start, start + block_rows)
                values: dict[int, Array] = {}
                for v, array in zip(self.given, inputs, strict=True):
                    status, values[v] = _checked(array[rows], types[v], refuse)
                    if status != layout.OK:
                        return status
                for number, operands, step in steps:
                    values[number] = step(*[values[v] for v in operands])
                for result, t in zip(results, wanted, strict=True):
                    np.copyto(result[rows], values[t], casting="unsafe")
        return results


def _checked(x: Array, type_: TensorType, refuse: int) -> tuple[int, Array]:
    """Status of some rows of an input, and the rows: integers as int64."""
    status = layout.OK
    if type_.is_integer:
        lo, hi = type_.interval
        if x.size and (int(x.min()) < lo or int(x.max()) > hi):
            status = layout.OUT_OF_RANGE
        x = x.astype(np.int64)
    elif (
        refuse
        and x.dtype.kind == "f"
        and (np.isinf(x).any() if refuse == layout.REFUSE["infinite"] else not np.isfinite(x).all())
    ):
        status = layout.NOT_FINITE
    return status, x.reshape(len(x), *type_.shape)


def _compile(
    program: IntegerProgram, given: tuple[int, ...], targets: tuple[int, ...]
) -> dict[int, tuple[tuple[int, ...], Step]]:
    """Operands and step of each value that the targets need, by number."""
    types, first = program.types, len(program.inputs)
    schedule = program.needed_for(targets, given)
    instructions = {number: program.instructions[number - first] for number in schedule}
    read_as: dict[int, np.dtype[Any]] = {}  # dtypes in which values are read
    binned: dict[int, ins.Bin] = {}  # what a Trees reads, if nothing else does
    n_reads = Counter(v for step in instructions.values() for v in step.inputs)
    n_reads.update(targets)
    for number, step in reversed(instructions.items()):
        operands = [types[v] for v in step.inputs]
        dtype = operand_dtype(step, Types(operands, types[number], read_as.get(number)))
        if dtype is not None:
            read_as.update(dict.fromkeys(step.inputs, dtype))
        source = instructions.get(step.inputs[0])
        if isinstance(source, ins.Bin) and n_reads[step.inputs[0]] == 1:
            binned[number] = source
    steps: dict[int, tuple[tuple[int, ...], Step]] = {}
    for number, step in instructions.items():
        needs = Types([types[v] for v in step.inputs], types[number], read_as.get(number))
        if isinstance(step, ins.Trees) and number in binned:
            (source_number,), bins = step.inputs, binned[number]
            both = binned_tree_sum(step, needs, bins, steps[source_number][1])
            if both is not None:
                del steps[source_number]
                steps[number] = bins.inputs, both
                continue
        steps[number] = step.inputs, RULES.get(type(step), General)(step, needs)
    return steps


def execute(
    step: ins.Instruction,
    types: Sequence[TensorType],
    result: TensorType,
    operands: Sequence[Array],
) -> Array:
    """As `skq.engines.reference.execute`, faster; `result` is the type of the result."""
    with np.errstate(over="ignore", invalid="ignore"):
        value = RULES.get(type(step), General)(step, Types(types, result))(*operands)
    return np.asarray(value, np.int64 if result.is_integer else np.float64)


#: Steps of instructions; the others are computed by the reference engine.
RULES: Mapping[type[ins.Instruction], Callable[..., Step]] = {
    ins.Quantize: steps_of.Quantize,
    ins.Bin: Bin,
    ins.MatMul: steps_of.MatMul,
    ins.Requantize: steps_of.requantize,
    ins.Table: steps_of.Table,
    ins.Trees: tree_sum,
    ins.ArgMax: steps_of.ArgMax,
    ins.Gather: steps_of.gather,
    ins.Reshape: steps_of.Reshape,
    ins.Dequantize: steps_of.Dequantize,
}
