"""The integer program: typed instructions with proven intervals, a verifier, a text format."""

from skq.program import instructions
from skq.program.instructions import *  # noqa: F403 (what its __all__ names)
from skq.program.program import IntegerProgram, ProgramBuilder, is_boundary
from skq.program.types import TensorType

__all__ = ["IntegerProgram", "ProgramBuilder", "TensorType", "is_boundary"]
__all__ += instructions.__all__
