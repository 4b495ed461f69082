"""What all instructions have: operands, a type rule, and arrays kept packed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, Any, ClassVar, Self

import numpy as np

from skq.exceptions import ProgramError
from skq.program.storage import Order, PackedIntegers, compact
from skq.program.types import TensorType


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

    inputs: tuple[int, ...]

    arity: ClassVar[int | None] = 1  # None: one or more
    order: ClassVar[Order] = "C"  # in which a program keeps arrays

    if not TYPE_CHECKING:

        def __getattr__(self, name: str) -> Any:
            packed = self.__dict__.get("_packed", {}).get(name)
            if packed is None:
                raise AttributeError(f"{type(self).__name__!r} object has no attribute {name!r}")
            return packed.unpacked()

    def __getstate__(self) -> dict[str, Any]:
        return self.unpacked().__dict__  # pickles hold arrays as they read

    def kept(self) -> Mapping[str, Any]:
        """Fields by name, arrays as they are in memory: as `PackedIntegers` where packed."""
        values = self.__dict__
        packed = values.get("_packed", {})
        names = [field.name for field in fields(self)]
        return {name: packed[name] if name in packed else values[name] for name in names}

    def compacted(self) -> Self:
        """The same instruction, its arrays as a program keeps them."""
        kept = self.kept()
        small = {
            name: compact(value, self.order) if isinstance(value, np.ndarray) else value
            for name, value in kept.items()
        }
        return self if all(small[name] is kept[name] for name in kept) else self._keeping(small)

    def unpacked(self) -> Self:
        """The same instruction, its arrays in memory as they read."""
        if "_packed" not in self.__dict__:
            return self
        return self._keeping(
            {
                name: value.unpacked() if isinstance(value, PackedIntegers) else value
                for name, value in self.kept().items()
            }
        )

    def _keeping(self, kept: Mapping[str, Any]) -> Self:
        packed = {n: value for n, value in kept.items() if isinstance(value, PackedIntegers)}
        twin = object.__new__(type(self))
        twin.__dict__.update({n: value for n, value in kept.items() if n not in packed})
        if packed:
            twin.__dict__["_packed"] = packed
        return twin

    def infer(self, *operands: TensorType) -> TensorType:
        """Type of the result, with its proven interval; `ProgramError` for illegal operands."""
        raise TypeError(f"{type(self).__name__} has no type rule")
