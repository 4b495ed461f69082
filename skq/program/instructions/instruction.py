"""What all instructions have: operands, a type rule, and arrays kept packed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Self

import numpy as np

from skq.exceptions import ProgramError
from skq.program.instructions.fields import Integers
from skq.program.storage import Order, PackedIntegers, compact
from skq.program.types import MAX_SIZE, TensorType


def require(condition: bool, message: str) -> None:
    """Raise `ProgramError` with the message unless the condition holds."""
    if not condition:
        raise ProgramError(message)


@dataclass(frozen=True, eq=False)
class Instruction:
    """One step of a program: reads the values `inputs`, defines one value.

    A program keeps its arrays of integers packed, or in the smallest dtypes that hold them. They
    read as arrays of such a dtype all the same, so whoever computes with them, rather than compare
    or index, converts them first. A packed one is unpacked anew whenever it is read: whoever reads
    it often takes the `unpacked` instruction.
    """

    inputs: Annotated[tuple[int, ...], Integers(0, MAX_SIZE)]

    arity: ClassVar[int | None] = 1  # None: one or more
    order: ClassVar[Order] = "C"  # in which a program keeps arrays

    if not TYPE_CHECKING:

        def __getattribute__(self, name: str) -> Any:
            value = object.__getattribute__(self, name)
            return value.unpacked() if type(value) is PackedIntegers else value

    def __getstate__(self) -> dict[str, Any]:
        return self.unpacked().kept()  # pickles hold arrays as they read

    def kept(self) -> dict[str, Any]:
        """Fields by name, arrays as they are in memory: as `PackedIntegers` where packed."""
        return {field.name: object.__getattribute__(self, field.name) for field in fields(self)}

    def unpacked(self) -> Self:
        """The same instruction, its arrays in memory as they read."""
        return self.keeping({field.name: getattr(self, field.name) for field in fields(self)})

    def keeping(self, kept: Mapping[str, Any]) -> Self:
        """The instruction with these fields, unchecked; itself where it has them."""
        before = self.kept()
        if all(kept[name] is before[name] for name in before):
            return self
        twin = object.__new__(type(self))
        for name, value in kept.items():
            object.__setattr__(twin, name, value)
        return twin

    def infer(self, *operands: TensorType) -> TensorType:
        """Type of the result, with its proven interval; `ProgramError` for illegal operands."""
        raise TypeError(f"{type(self).__name__} has no type rule")


def compacted(instructions: Sequence[Instruction]) -> tuple[Instruction, ...]:
    """The same instructions, their arrays as a program keeps them."""
    kept = [instruction.kept() for instruction in instructions]
    places = [
        (values, name, instruction.order)
        for instruction, values in zip(instructions, kept, strict=True)
        for name, value in values.items()
        if isinstance(value, np.ndarray | PackedIntegers)
    ]
    arrays = compact(
        [values[name] for values, name, _ in places], [order for _, _, order in places]
    )
    for (values, name, _), array in zip(places, arrays, strict=True):
        values[name] = array
    return tuple(
        instruction.keeping(values) for instruction, values in zip(instructions, kept, strict=True)
    )
