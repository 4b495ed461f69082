"""The body of a C function that computes values of a program, instruction by instruction."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from skq.exceptions import UnsupportedModelError
from skq.export.c99.constants import Tables
from skq.export.c99.ctypes import BYTES, counter, ctype, unsigned
from skq.export.c99.steps import EMITTERS
from skq.export.c99.steps.forest import Forest
from skq.export.c99.workspace import Buffer, Workspace
from skq.program import IntegerProgram, MatMul, Requantize, Reshape, TensorType, Trees


@dataclass(eq=False)
class Unit:
    """What all functions of a source share.

    Parameters
    ----------
    name : str
        Prefix of the identifiers.
    program : IntegerProgram
    small : bool
        Whether size counts more than speed.
    feature_type : str
        C type of a feature.
    tables : Tables
    """

    name: str
    program: IntegerProgram
    small: bool
    feature_type: str
    tables: Tables
    helpers: dict[str, list[str]] = field(default_factory=dict)

    def helper(self, name: str, lines: list[str]) -> str:
        """Define a static function once; its name."""
        self.helpers.setdefault(name, lines)
        return name

    def step(self, value: int) -> Any:
        """Instruction of a value; None for an input."""
        first = len(self.program.inputs)
        return self.program.instructions[value - first] if value >= first else None

    def type(self, value: int) -> TensorType:
        """Type of a value."""
        return self.program.types[value]

    def root(self, value: int) -> int:
        """The value that a reshaped value shares its elements with."""
        while isinstance(self.step(value), Reshape):
            value = self.step(value).inputs[0]
        return value

    def readers(self, value: int) -> list[int]:
        """Values that read a value, reshaped ones included."""
        first = len(self.program.inputs)
        return [
            first + k for k, step in enumerate(self.program.instructions) if value in step.inputs
        ]


class Body:
    """Statements of one function.

    Parameters
    ----------
    unit : Unit
    known : mapping of int to Buffer
        Values that are computed already.
    targets : mapping of int to Buffer
        Values to compute, and the buffers to write them to.
    """

    def __init__(
        self, unit: Unit, known: Mapping[int, Buffer], targets: Mapping[int, Buffer]
    ) -> None:
        self.unit = unit
        self.lines: list[str] = []
        self.workspace = Workspace()
        self.buffers: dict[int, Buffer] = dict(known)
        self._targets = {unit.root(v): buffer for v, buffer in targets.items()}
        self._emit()

    def buffer(self, value: int) -> Buffer:
        """Buffer of a value."""
        return self.buffers[self.unit.root(value)]

    def _emit(self) -> None:
        unit = self.unit
        order = self._schedule()
        fused = {v: unit.root(unit.step(v).inputs[0]) for v in order if self._fuses(v, order)}
        hidden = set(fused.values())
        order = [v for v in order if v not in hidden]
        operands = {v: [unit.root(o) for o in unit.step(fused.get(v, v)).inputs] for v in order}
        last = {o: i for i, v in enumerate(order) for o in operands[v]}
        for i, value in enumerate(order):
            step = unit.step(value)
            emitter = EMITTERS.get(type(step))
            if emitter is None:
                raise UnsupportedModelError(f"{type(step).__name__} is not supported in C.")
            kind = _storage(unit, value)
            target = self._targets.get(value)
            if target is None or BYTES[target.ctype] < BYTES[kind]:
                target = self.workspace.take(kind, max(1, unit.type(value).size))
            self.buffers[value] = target
            if not unit.type(value).size:
                continue
            emitter(self, value, fused.get(value))
            for operand in set(operands[value]):
                if last[operand] == i and operand in self.buffers and operand not in self._targets:
                    buffer = self.buffers[operand]
                    if self._is_local(operand):
                        self.workspace.give(buffer, max(1, unit.type(operand).size))
        for value, target in self._targets.items():
            if self.buffers[value] != target:
                self._copy(self.buffers[value], target, unit.type(value).size)

    def _is_local(self, value: int) -> bool:
        return self.unit.step(value) is not None and value not in self._given

    def _schedule(self) -> list[int]:
        """Values to compute, in order."""
        self._given = set(self.buffers)
        needed: set[int] = set()
        stack = [v for v in self._targets if v not in self._given]
        while stack:
            value = stack.pop()
            if value in needed:
                continue
            if self.unit.step(value) is None:
                raise LookupError(f"input {value} is not given")
            needed.add(value)
            roots = [self.unit.root(o) for o in self.unit.step(value).inputs]
            stack += [v for v in roots if v not in self._given]
        return sorted(needed)

    def _fuses(self, value: int, order: list[int]) -> bool:
        """Whether a Requantize is fused into the loop of the MatMul that only it reads."""
        step = self.unit.step(value)
        if not isinstance(step, Requantize):
            return False
        source = step.inputs[0]
        return (
            isinstance(self.unit.step(source), MatMul)
            and source in order
            and source not in self._targets
            and [v for v in self.unit.readers(source) if v in order] == [value]
        )

    # ------------------------------------------------------------------ writing

    def write(self, *lines: str) -> None:
        """Append statements."""
        self.lines += lines

    def loop(self, variable: str, size: int, body: list[str]) -> list[str]:
        """A counted loop; only its body if it runs once, nothing if it never does."""
        if size == 0:
            return []
        if size == 1:
            first = f"const {counter(1)} {variable} = 0u;"
            return ["{", *indented([first, *body]), "}"]
        kind = counter(size)
        return [
            f"for ({kind} {variable} = 0u; {variable} < {unsigned(size)}; {variable}++) {{",
            *indented(body),
            "}",
        ]

    def _copy(self, source: Buffer, target: Buffer, size: int) -> None:
        self.write(*self.loop("i", size, [f"{target.at('i')} = ({target.ctype}){source.at('i')};"]))


def _storage(unit: Unit, value: int) -> str:
    """C type that holds the elements of a value, and the partial sums of a sum over trees."""
    step, ends = unit.step(value), unit.type(value).interval
    if isinstance(step, Trees):
        partial = Forest.of(step).partial_interval()
        ends = min(ends[0], partial[0]), max(ends[1], partial[1])
    return ctype(*ends)


def indented(lines: list[str]) -> list[str]:
    """Lines, indented by four spaces."""
    return [f"    {line}" if line else line for line in lines]
