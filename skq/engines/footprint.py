"""Memory that a program takes: its constants, and the plans that native runs have left with it."""

from __future__ import annotations

from skq.engines.native import NativePlan
from skq.program import IntegerProgram


def plans_of(program: IntegerProgram) -> list[NativePlan]:
    """Plans of the native engine: one of all outputs, others of values in between."""
    return list(program.__dict__.get("_plans", {}).values())


def program_bytes(program: IntegerProgram, *, plans: bool = False) -> int:
    """Bytes of a program's constants in memory, or of these and its plans."""
    constants = sum(a.nbytes for step in program.instructions for a in step.arrays().values())
    return constants + plans * sum(plan.nbytes for plan in plans_of(program))
