"""Memory that a program takes."""

from __future__ import annotations

from skq.program import IntegerProgram


def program_bytes(program: IntegerProgram) -> int:
    """Bytes of a program's constant arrays in memory, as NumPy stores them."""
    return sum(a.nbytes for step in program.instructions for a in step.arrays().values())
