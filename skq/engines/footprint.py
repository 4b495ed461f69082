"""Memory that a program takes: its constants, and the plans that native runs have left with it."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from skq.engines.native import NativePlan
from skq.program import IntegerProgram
from skq.program.storage import PackedIntegers, owner_of

Array = NDArray[Any]


def constants_of(program: IntegerProgram) -> list[Array]:
    """Arrays that stand behind the constants of a program."""
    kept = [value for step in program.instructions for value in step.kept().values()]
    arrays = [value.data if isinstance(value, PackedIntegers) else value for value in kept]
    return [array for array in arrays if isinstance(array, np.ndarray)]


def plans_of(program: IntegerProgram) -> list[NativePlan]:
    """Plans of the native engine: one of all outputs, others of values in between."""
    return list(program.__dict__.get("_plans", {}).values())


def bytes_of(arrays: Iterable[Array]) -> int:
    """Bytes of the memory that stands behind arrays; what they share counts once."""
    return sum({id(owner): owner.nbytes for owner in map(owner_of, arrays)}.values())


def program_bytes(program: IntegerProgram, *, plans: bool = False) -> int:
    """Bytes of a program's constants, or of these and its plans."""
    arrays = constants_of(program)
    if plans:
        arrays += [array for plan in plans_of(program) for array in plan._keep]
    return bytes_of(arrays)
