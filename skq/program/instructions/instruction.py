"""The base class of instructions: operands, constant fields and a type rule."""

from __future__ import annotations

from dataclasses import dataclass, fields, replace
from typing import Annotated, Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from skq.bitpacking import narrowed
from skq.exceptions import ProgramError
from skq.program.instructions.fields import Integers
from skq.program.types import MAX_SIZE, TensorType


def require(condition: bool, message: str) -> None:
    """Raise `ProgramError` with the message unless the condition holds."""
    if not condition:
        raise ProgramError(message)


@dataclass(frozen=True, eq=False)
class Instruction:
    """One step of a program: it reads the values numbered `inputs` and defines one value.

    The other fields are constants: arrays and numbers. A program stores arrays of integers in the
    smallest dtype that holds their values, so convert them to int64 before arithmetic.
    """

    inputs: Annotated[tuple[int, ...], Integers(0, MAX_SIZE)]

    arity: ClassVar[int | None] = 1  # number of operands; None: one or more

    def infer(self, *operands: TensorType) -> TensorType:
        """Type of the result, with its proven interval; `ProgramError` for illegal operands."""
        raise TypeError(f"{type(self).__name__} has no type rule")

    def arrays(self) -> dict[str, NDArray[Any]]:
        """The constant arrays, by field."""
        values = {field.name: getattr(self, field.name) for field in fields(self)}
        return {name: value for name, value in values.items() if isinstance(value, np.ndarray)}


def frozen(instruction: Instruction) -> Instruction:
    """The instruction with read-only arrays of the smallest dtypes that hold their values.

    Arrays that are so already are shared, others are copied.
    """
    changed: dict[str, Any] = {
        name: _read_only(array)
        for name, array in instruction.arrays().items()
        if array.flags.writeable or narrowed(array) is not array
    }
    return replace(instruction, **changed) if changed else instruction


def _read_only(array: NDArray[Any]) -> NDArray[Any]:
    smallest = narrowed(array)
    copy = np.array(array) if smallest is array else smallest
    copy.flags.writeable = False
    return copy
