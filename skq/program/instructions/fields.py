"""Declarations of the fields of instructions, checked when a program is built.

The annotation of a field declares one of four kinds:

=================  =============================================================================
declaration        values
=================  =============================================================================
`Integer`          a Python int in [lo, hi]: no bool, no NumPy scalar, whose arithmetic may wrap
`Integers`         a tuple of such ints
`IntegerArray`     an array of integers of 64 signed bits, each in [-(2**63 - 1), 2**63 - 1]
`FloatArray`       an array of float64 without NaN, and without infinity unless allowed
=================  =============================================================================

::

    shift: Annotated[int, Integer(0, 62)]
    multiplier: Annotated[Ints, IntegerArray(0, 1)]  # a scalar, or one axis

`skq.program.program.infer` calls `check_fields` for each instruction of every program, also of one
that is read from a file. So type rules, engines and exports may rely on the declarations.
"""

from __future__ import annotations

from dataclasses import fields
from functools import cache
from typing import Any, Protocol, get_type_hints

import numpy as np

from skq.exceptions import ProgramError
from skq.numerics import INT64_MAX
from skq.program.types import MAX_RANK

#: Dtypes of integers whose values need no check.
_SAFE = frozenset(np.dtype(t) for t in ("i1", "i2", "i4", "u1", "u2", "u4"))
_INT64, _FLOAT64 = np.dtype(np.int64), np.dtype(np.float64)


class Declaration(Protocol):
    """What a field may hold."""

    def complaint(self, value: Any) -> str | None:
        """What is expected instead of `value`; None if it fits."""


class Integer:
    """A Python int in [lo, hi]."""

    def __init__(self, lo: int = -INT64_MAX, hi: int = INT64_MAX) -> None:
        self.lo, self.hi = lo, hi

    def complaint(self, value: Any) -> str | None:
        if type(value) is int and self.lo <= value <= self.hi:
            return None
        return f"an int in [{self.lo}, {self.hi}]"


class Integers(Integer):
    """A tuple of Python ints in [lo, hi]."""

    def complaint(self, value: Any) -> str | None:
        if type(value) is tuple and all(
            type(item) is int and self.lo <= item <= self.hi for item in value
        ):
            return None
        return f"a tuple of ints in [{self.lo}, {self.hi}]"


class IntegerArray:
    """An array of integers; `ranks` are the numbers of axes that it may have, by default any."""

    def __init__(self, *ranks: int) -> None:
        self.ranks = ranks or tuple(range(MAX_RANK + 1))

    def complaint(self, value: Any) -> str | None:
        if _is_array(value) and value.ndim in self.ranks:
            if value.dtype in _SAFE:
                return None
            if value.dtype == _INT64 and (not value.size or value.min() >= -INT64_MAX):
                return None
        return f"an array of integers of 64 signed bits with {_axes(self.ranks)}"


class FloatArray:
    """An array of float64 without NaN; `ranks` are the numbers of axes that it may have."""

    def __init__(self, *ranks: int, infinite: bool = False) -> None:
        self.ranks, self.infinite = ranks, infinite

    def complaint(self, value: Any) -> str | None:
        if (
            _is_array(value)
            and value.ndim in self.ranks
            and value.dtype == _FLOAT64
            and (not np.isnan(value).any() if self.infinite else np.isfinite(value).all())
        ):
            return None
        kind = "float64 without NaN" if self.infinite else "finite float64"
        return f"an array of {kind} with {_axes(self.ranks)}"


def _is_array(value: object) -> bool:
    """Whether it is an array, or a NumPy scalar, which counts as an array without axes."""
    return type(value) in (np.ndarray, np.memmap) or isinstance(value, np.generic)


def _axes(ranks: tuple[int, ...]) -> str:
    return f"{' or '.join(map(str, ranks)) if len(ranks) < 4 else f'at most {ranks[-1]}'} axes"


@cache
def declarations(cls: Any) -> tuple[tuple[str, Declaration], ...]:
    """Name and declaration of each field of a class of instructions."""
    hints = get_type_hints(cls, include_extras=True)
    return tuple((field.name, hints[field.name].__metadata__[0]) for field in fields(cls))


def check_fields(instruction: Any) -> None:
    """Raise `ProgramError` for a field that does not hold what its annotation declares."""
    cls: Any = type(instruction)
    for name, declaration in declarations(cls):
        value = getattr(instruction, name)
        expected = declaration.complaint(value)
        if expected is not None:
            raise ProgramError(f"{name} must be {expected}; got {described(value)}")


def described(value: object) -> str:
    """A short description of a value for an error message."""
    if isinstance(value, np.ndarray):
        return f"an array of dtype {value.dtype} and shape {value.shape}"
    return f"{value!r:.60} ({type(value).__name__})"
