"""`IntegerProgram`: a verified list of instructions, and `ProgramBuilder`, which builds one."""

from __future__ import annotations

from collections.abc import Container, Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from skq.bitpacking import packed_bytes
from skq.exceptions import ProgramError
from skq.program.instructions import (
    ACCUMULATORS,
    INSTRUCTIONS,
    Bin,
    Dequantize,
    Instruction,
    Quantize,
)
from skq.program.instructions.fields import check_fields
from skq.program.instructions.instruction import frozen
from skq.program.text import program_lines
from skq.program.types import TensorType
from skq.serialization import serializable
from skq.serialization.budget import declare

#: What an instruction of a file, and an element of its result, count against the limit of
#: `skq.serialization.budget`, in bytes: engines need some microseconds for an instruction, and at
#: most 8 bytes of a row for an element.
STEP_BYTES, VALUE_BYTES = 1 << 14, 8


@serializable("skq.IntegerProgram")
@dataclass(frozen=True, eq=False)
class IntegerProgram:
    """A straight-line program over integers.

    Values are numbered: first the inputs, then the result of each instruction. Building a program
    verifies it: every operand is defined before its use, every type rule holds, and the interval of
    each value is derived. So no program can overflow, for any input.

    Parameters
    ----------
    inputs : tuple of TensorType
        Types of the inputs; real features are floats.
    instructions : tuple of Instruction
        Their arrays become read-only, integers in the smallest dtypes that hold them.
    outputs : mapping of str to int
        Value number by output name, in order.

    Attributes
    ----------
    types : tuple of TensorType
        Type of every value, inputs first.
    """

    inputs: tuple[TensorType, ...]
    instructions: tuple[Instruction, ...]
    outputs: Mapping[str, int]
    types: tuple[TensorType, ...] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        if type(self.inputs) is not tuple or not all(type(t) is TensorType for t in self.inputs):
            raise ProgramError("the inputs of a program must be a tuple of TensorType")
        if type(self.instructions) is not tuple:
            raise ProgramError("the instructions of a program must be a tuple")
        types = list(self.inputs)
        for type_ in types:
            declare(VALUE_BYTES * type_.size, "an input of the program")
        for instruction in self.instructions:
            types.append(infer(instruction, types))
        object.__setattr__(self, "instructions", tuple(map(frozen, self.instructions)))
        if not isinstance(self.outputs, Mapping):
            raise ProgramError(
                "the outputs of a program must be a mapping of names to value numbers"
            )
        for name, value in self.outputs.items():
            if type(name) is not str or type(value) is not int:
                raise ProgramError(
                    f"outputs map a str to the number of a value; got {name!r:.60}: {value!r:.60}"
                )
            if not 0 <= value < len(types):
                raise ProgramError(
                    f"output {name!r} is value {value}, but there are {len(types)} values"
                )
            declare(VALUE_BYTES * types[value].size, f"output {name!r:.60}")
        object.__setattr__(self, "types", tuple(types))

    def __reduce__(self) -> tuple[Any, ...]:
        # a copy is built, and so verified, again
        return (IntegerProgram, (self.inputs, self.instructions, dict(self.outputs)))

    def steps(self) -> Iterable[tuple[int, Instruction, TensorType]]:
        """Value number, instruction and result type, in order."""
        first = len(self.inputs)
        for number, instruction in enumerate(self.instructions, start=first):
            yield number, instruction, self.types[number]

    def needed_for(self, targets: Iterable[int], known: Container[int]) -> list[int]:
        """Numbers of the values that `targets` are computed from, in order, themselves included.

        Parameters
        ----------
        targets : iterable of int
        known : container of int
            Values that are given and need not be computed.

        Raises
        ------
        ValueError
            If an input of the program is needed and not known.
        """
        first = len(self.inputs)
        needed: set[int] = set()
        stack = [target for target in targets if target not in known]
        while stack:
            number = stack.pop()
            if number in needed:
                continue
            if number < first:
                raise ValueError(f"input {number} of the program is needed but was not given")
            needed.add(number)
            stack += [v for v in self.instructions[number - first].inputs if v not in known]
        return sorted(needed)

    @property
    def max_accumulator_bits(self) -> int:
        """Widest exact sum (matmul, trees, addition …) in bits; 0 if there is none."""
        return max(
            (t.bits for _, step, t in self.steps() if isinstance(step, ACCUMULATORS)), default=0
        )

    @property
    def max_integer_bits(self) -> int:
        """Widest integer value of any kind, rescaled outputs included, in bits."""
        return max((t.bits for t in self.types if t.is_integer), default=0)

    @property
    def nbytes(self) -> int:
        """Bytes of the program's constants, each in the bits that its values need."""
        return sum(
            packed_bytes(array)
            for instruction in self.instructions
            for array in instruction.arrays().values()
        )

    def __str__(self) -> str:
        head = (
            f"IntegerProgram: {len(self.instructions)} instructions, widest accumulator "
            f"{self.max_accumulator_bits} bits, {self.nbytes} bytes"
        )
        return "\n".join([head, *program_lines(self.inputs, self.steps(), self.outputs)])


def infer(instruction: Instruction, types: list[TensorType]) -> TensorType:
    """Type of the next value, after checking that its operands exist; errors name the value."""
    name = type(instruction).__name__
    label = f"value {len(types)} ({name})"
    if type(instruction) not in INSTRUCTIONS:
        raise ProgramError(f"{label}: not an instruction of this version")
    try:
        check_fields(instruction)
    except ProgramError as error:
        raise ProgramError(f"{label}: {error}") from None
    declare(STEP_BYTES, label)
    count = len(instruction.inputs)
    if count != instruction.arity and not (instruction.arity is None and count > 0):
        raise ProgramError(f"{label} takes {instruction.arity or 'some'} operands; got {count}")
    for operand in instruction.inputs:
        if not 0 <= operand < len(types):
            raise ProgramError(f"{label} reads value {operand}, which is not defined before it")
    try:
        type_ = instruction.infer(*(types[operand] for operand in instruction.inputs))
    except ProgramError as error:
        raise type(error)(f"{label}: {error}") from None
    declare(VALUE_BYTES * type_.size, label)
    return type_


class ProgramBuilder:
    """Collects instructions; each is checked and typed when it is added.

    Examples
    --------
    >>> import numpy as np
    >>> from skq.program.instructions import MatMul
    >>> builder = ProgramBuilder()
    >>> x = builder.input(TensorType((2,), 0, 15))
    >>> y = builder.add(MatMul((x,), weights=np.array([[3], [-2]])))
    >>> print(builder.types[y])
    int8[1] in [-30, 45] (7 bits)
    """

    def __init__(self) -> None:
        self._inputs: list[TensorType] = []
        self._instructions: list[Instruction] = []
        self.types: list[TensorType] = []

    def input(self, type_: TensorType) -> int:
        """Declare the next input; all inputs come before the first instruction."""
        if self._instructions:
            raise ProgramError("inputs are declared before the first instruction")
        self._inputs.append(type_)
        self.types.append(type_)
        return len(self.types) - 1

    def add(self, instruction: Instruction) -> int:
        """Append an instruction and return the number of its value."""
        type_ = infer(instruction, self.types)
        self._instructions.append(instruction)
        self.types.append(type_)
        return len(self.types) - 1

    def needed(self, outputs: Mapping[str, int]) -> list[int]:
        """Numbers of the instructions' values that `outputs` need, in order."""
        first = len(self._inputs)
        needed = set(outputs.values())
        for number in range(len(self.types) - 1, first - 1, -1):
            if number in needed:
                needed.update(self._instructions[number - first].inputs)
        return sorted(number for number in needed if number >= first)

    def build(self, outputs: Mapping[str, int]) -> IntegerProgram:
        """The program that computes `outputs`; instructions that nothing needs are left out."""
        first = len(self._inputs)
        renumbered = {number: number for number in range(first)}
        needed_steps: list[Instruction] = []
        for number in self.needed(outputs):
            renumbered[number] = first + len(needed_steps)
            instruction = self._instructions[number - first]
            inputs = tuple(renumbered[operand] for operand in instruction.inputs)
            needed_steps.append(replace(instruction, inputs=inputs))
        return IntegerProgram(
            tuple(self._inputs),
            tuple(needed_steps),
            {name: renumbered[value] for name, value in outputs.items()},
        )


def is_boundary(instruction: Instruction) -> bool:
    """Whether an instruction converts between floats and integers."""
    return isinstance(instruction, Quantize | Bin | Dequantize)
