"""Compiles a program to a plan: descriptors and a block of constants.

``csrc/skq_kernels.h`` defines what a plan is. A `Packer` gives every value the narrowest storage
dtype of its proven interval and a slot in the arena, which holds one block of rows. It collects the
steps that `skq.kernels.steps` emits for each instruction.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from skq.bitpacking import PackedIntegers
from skq.kernels import forests, layout
from skq.kernels.constants import ConstantBlock, packed_where_it_saves
from skq.kernels.descriptors import Descriptors
from skq.program import instructions as ins
from skq.program.program import IntegerProgram
from skq.program.types import TensorType

Array = NDArray[Any]

#: Bytes of the values of one block of rows: well within a level-2 cache.
BLOCK_BYTES = 96 * 1024
INT32_MAX = 2**31 - 1

#: Fields of a struct in descriptors, by name; those left out are zero.
Fields = dict[str, int]


@dataclass(frozen=True)
class _Step:
    """A step that defines the value `out`; its parameters are pairs of struct name and fields."""

    op: str
    out: int
    operands: tuple[int, ...]
    workspace: int
    parameters: list[tuple[str, Fields]]


class Packer:
    """Collects the steps of one program and writes its plan.

    It is used once: `skq.kernels.steps.emit_steps` emits the steps, then `pack` writes them. Two
    kinds of values have no slot and are not in the plan: the result of a `Reshape`, which shares
    the slot of its operand, and results within a fused step.

    Parameters
    ----------
    program : IntegerProgram
    given : tuple of int
        Values that a run gets as inputs.
    targets : tuple of int
        Values that a run may compute as outputs.
    isa : int
        Instruction set, as in `layout.ISA_NAMES`.
    """

    def __init__(
        self,
        program: IntegerProgram,
        given: tuple[int, ...],
        targets: tuple[int, ...],
        isa: int,
    ) -> None:
        self.given, self.targets, self.isa = given, targets, isa
        self.types = program.types
        for v, type_ in enumerate(self.types):
            if type_.size > INT32_MAX:
                raise ValueError(
                    f"value {v} of the program has {type_.size} elements a row; the native engine "
                    f"takes at most {INT32_MAX}: use engine='numpy'"
                )
        self.constants = ConstantBlock()
        first = len(program.inputs)
        known: Mapping[int, Any] = dict.fromkeys(given)
        self.steps: dict[int, ins.Instruction] = {
            number: program.instructions[number - first]
            for number in program.needed_for(targets, known)
        }
        self.readers: dict[int, list[int]] = {}
        for number, step in self.steps.items():
            for operand in step.inputs:
                self.readers.setdefault(operand, []).append(number)
        self.same = {v: v for v in range(len(self.types))}  # value with the same slot, for Reshape
        self.dtype = [_storage(t) for t in self.types]
        self.fused: set[int] = set()
        self.forests: dict[int, forests.Forest] = {}
        self.linear: set[int] = set()
        self.emitted: list[_Step] = []
        self.laid_out = self.arranged = 0  # lines; see skq_program
        self.most_products = 1  # most rows that a matmul has for one row of the program
        self.scratch = self.scratch_a_row = 0  # bytes of a block, and for each of its rows

    def pack(self) -> Array:
        """The descriptors, as ``csrc/skq_kernels.h`` defines them."""
        slots, slot_bytes = self._slots()
        index = {v: i for i, v in enumerate(slots)}
        number = [index.get(root, 0) for root in self.same.values()]
        kinds = [kind for step in self.emitted for kind, _ in step.parameters]
        block = self._block_rows(slot_bytes)
        written = Descriptors()
        written.struct(
            "program",
            {
                "n_values": len(slots),
                "n_steps": len(self.emitted),
                "n_inputs": len(self.given),
                "n_outputs": len(self.targets),
                "n_forests": kinds.count("forest"),
                "n_bins": kinds.count("bins"),
                "block": block,
                "scratch": lines(self.scratch + self.scratch_a_row * block),
                "laid_out": self.laid_out,
                "arranged": self.arranged,
                "more_products": self.most_products - 1,
            },
        )
        used = 0
        for v, slot in slots.items():
            fields = {"size": self.types[v].size, "dtype": self.dtype[v], "slot": used - slot}
            used = max(used, slot + 1)
            written.struct("value", fields)
        expected = len(self.given)
        for step in self.emitted:
            out = number[step.out]
            fields = {"out": expected - out, "in": out - 1 - number[step.operands[0]]}
            expected = out + 1
            if len(step.operands) > 1:
                fields["in2"] = number[step.operands[1]]
            fields |= {"op": layout.OPS[step.op], "workspace": step.workspace}
            written.struct("step", fields)
            for kind, parameters in step.parameters:
                written.struct(kind, parameters)
        for v in self.given:
            lo, hi = self.types[v].interval if self.types[v].is_integer else (0, 0)
            written.struct("argument", {"value": number[v], "lo": lo, "hi": hi})
        for v in self.targets:
            written.number(number[v])
        return written.array()

    def constant(self, array: Array) -> int:
        """Add an array to the constants; returns its offset in bytes."""
        return self.constants.add(array)

    def numbers(self, field: str, array: Array, dtype: str | None = None) -> dict[str, int]:
        """The fields `field` and ``{field}_dtype`` of an array, packed if that saves bytes.

        Otherwise it is stored in `dtype`; None means the smallest dtype that holds it.
        """
        packed = packed_where_it_saves(array)
        if isinstance(packed, PackedIntegers):
            number = -packed.bits if packed.signed else layout.PACKED + packed.bits
            return {field: self.constant(packed.data), f"{field}_dtype": number}
        return self.unpacked_numbers(field, packed if dtype is None else packed.astype(dtype))

    def unpacked_numbers(self, field: str, array: Array) -> dict[str, int]:
        """The same fields of an array that must not be packed."""
        if array.dtype.name not in layout.CONSTANTS:
            array = array.astype(np.int64)
        return {field: self.constant(array), f"{field}_dtype": layout.CONSTANTS[array.dtype.name]}

    def workspace(self, size: int) -> int:
        """Reserve `size` bytes of workspace for a step; returns where they begin, in lines."""
        start = self.laid_out
        self.laid_out += lines(size)
        return start

    def emit(
        self, number: int, op: str, *operands: int, workspace: int = 0, **parameters: int
    ) -> None:
        """Append a step that defines value `number`; `parameters` are fields of its struct."""
        structs = [(layout.PARAMETERS[op], parameters)]
        self.emitted.append(_Step(op, number, operands, workspace, structs))

    def add_bins(self, fields: Fields) -> None:
        """Add the bins of the last step, which is a forest with a real operand."""
        self.emitted[-1].parameters.append(("bins", fields))

    def _slots(self) -> tuple[dict[int, int], list[int]]:
        """Slot of each value, and bytes of a row in each slot.

        A slot is reused after the last step that reads its value.
        """
        last: dict[int, int] = {}
        for number, step in self.steps.items():
            reader = max(self.readers.get(number, [number])) if number in self.fused else number
            for operand in step.inputs:
                root = self.same[operand]
                last[root] = max(last.get(root, 0), reader)
        forever = len(self.types)
        for value in (*self.targets, *self.given):
            last[self.same[value]] = forever
        slots: dict[int, int] = {}
        sizes: list[int] = []
        free: list[int] = []
        for value in (*self.given, *self.steps):
            if value in self.fused or self.same[value] != value:
                continue
            wanted = self.types[value].size * layout.ITEM_BYTES[self.dtype[value]]
            fitting = [s for s in free if sizes[s] >= wanted]
            if fitting:
                slot = min(fitting, key=sizes.__getitem__)
                free.remove(slot)
            else:
                slot = len(sizes)
                sizes.append(wanted)
            slots[value] = slot
            if value in self.steps:
                free += [slots[v] for v in slots if last.get(v) == value and slots[v] not in free]
        return slots, sizes

    def _block_rows(self, slot_bytes: list[int]) -> int:
        a_row = sum(slot_bytes) + self.scratch_a_row + 1
        rows = int(min(max(BLOCK_BYTES // a_row, 1), 1024))
        if any(step.op == "Trees" for step in self.emitted):
            return layout.ROWS if rows > 16 else rows
        return rows // 64 * 64 if rows > 64 else rows


def lines(size: int) -> int:
    """Number of cache lines that hold `size` bytes."""
    return -(-size // layout.LINE_BYTES)


def _storage(type_: TensorType) -> int:
    """Narrowest storage dtype of a value."""
    name = type_.dtype
    return layout.DTYPES.index("int64" if name == "uint32" else name)
