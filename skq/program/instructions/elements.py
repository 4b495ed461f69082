"""Arithmetic of two operands, and reductions over the last axis."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from skq.exceptions import ProgramError
from skq.program.instructions.instruction import Instruction, require
from skq.program.types import TensorType
from skq.serialization import serializable


def _broadcast(a: TensorType, b: TensorType) -> tuple[int, ...]:
    try:
        return np.broadcast_shapes(a.shape, b.shape)
    except ValueError:
        raise ProgramError(f"shapes {a.shape} and {b.shape} do not broadcast") from None


@dataclass(frozen=True, eq=False)
class Elementwise(Instruction):
    """Base of the two-operand instructions; shapes broadcast as in NumPy."""

    arity = 2

    def infer(self, *operands: TensorType) -> TensorType:
        a, b = operands
        return TensorType(_broadcast(a, b), *self._bounds(*a.interval, *b.interval))

    def _bounds(self, alo: int, ahi: int, blo: int, bhi: int) -> tuple[int, int]:
        raise TypeError(f"{type(self).__name__} has no interval rule")


@serializable("skq.Add")
class Add(Elementwise):
    """``a + b``."""

    def _bounds(self, alo: int, ahi: int, blo: int, bhi: int) -> tuple[int, int]:
        return alo + blo, ahi + bhi


@serializable("skq.Sub")
class Sub(Elementwise):
    """``a - b``."""

    def _bounds(self, alo: int, ahi: int, blo: int, bhi: int) -> tuple[int, int]:
        return alo - bhi, ahi - blo


@serializable("skq.Mul")
class Mul(Elementwise):
    """``a * b``."""

    def _bounds(self, alo: int, ahi: int, blo: int, bhi: int) -> tuple[int, int]:
        products = (alo * blo, alo * bhi, ahi * blo, ahi * bhi)
        return min(products), max(products)


@serializable("skq.Maximum")
class Maximum(Elementwise):
    """The larger of ``a`` and ``b``."""

    def _bounds(self, alo: int, ahi: int, blo: int, bhi: int) -> tuple[int, int]:
        return max(alo, blo), max(ahi, bhi)


@serializable("skq.Minimum")
class Minimum(Elementwise):
    """The smaller of ``a`` and ``b``."""

    def _bounds(self, alo: int, ahi: int, blo: int, bhi: int) -> tuple[int, int]:
        return min(alo, blo), min(ahi, bhi)


@dataclass(frozen=True, eq=False)
class Reduction(Instruction):
    """Base of the reductions over the last axis, which must not be empty."""

    def infer(self, *operands: TensorType) -> TensorType:
        (x,) = operands
        require(
            len(x.shape) > 0 and x.shape[-1] > 0,
            f"{type(self).__name__} needs a last axis that is not empty; got shape {x.shape}",
        )
        return TensorType(x.shape[:-1], *self._bounds(*x.interval, x.shape[-1]))

    def _bounds(self, lo: int, hi: int, length: int) -> tuple[int, int]:
        return lo, hi


@serializable("skq.Sum")
class Sum(Reduction):
    """Sum over the last axis."""

    def _bounds(self, lo: int, hi: int, length: int) -> tuple[int, int]:
        return lo * length, hi * length


@serializable("skq.Max")
class Max(Reduction):
    """Largest element of the last axis."""


@serializable("skq.Min")
class Min(Reduction):
    """Smallest element of the last axis."""


@serializable("skq.ArgMax")
class ArgMax(Reduction):
    """Index of the first largest element of the last axis."""

    def _bounds(self, lo: int, hi: int, length: int) -> tuple[int, int]:
        return 0, length - 1
