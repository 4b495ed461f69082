"""Elementwise functions of one integer: fixed-point rescaling and lookup tables."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

import numpy as np

from skq.bitpacking import Ints
from skq.numerics import INT64_MAX
from skq.program.instructions.exact import BLOCK, magnitude, product, total
from skq.program.instructions.fields import Integer, IntegerArray
from skq.program.instructions.instruction import Instruction, require
from skq.program.types import TensorType
from skq.serialization import serializable


@serializable("skq.Requantize")
@dataclass(frozen=True, eq=False)
class Requantize(Instruction):
    """Fixed-point rescaling with saturation (`skq.numerics.requantize`).

    `multiplier` and `offset` are scalars, or one number for each channel (last axis). The offset
    includes the bias, the zero point and the rounding constant.
    """

    multiplier: Annotated[Ints, IntegerArray(0, 1)]  # () or (n_channels,)
    offset: Annotated[Ints, IntegerArray(0, 1)]  # same shape
    shift: Annotated[int, Integer(0, 62)]
    lo: Annotated[int, Integer()]
    hi: Annotated[int, Integer()]

    def infer(self, *operands: TensorType) -> TensorType:
        (x,) = operands
        lo, hi = x.interval
        for name, array in (("multiplier", self.multiplier), ("offset", self.offset)):
            require(
                array.shape in ((), x.shape[-1:]),
                f"Requantize {name} of shape {array.shape} does not fit rows of shape {x.shape}",
            )
        low, high = _interval(np.atleast_1d(self.multiplier), np.atleast_1d(self.offset), lo, hi)
        clip = lambda v: min(max(v >> self.shift, self.lo), self.hi)  # noqa: E731
        require(self.lo <= self.hi, f"empty range [{self.lo}, {self.hi}]")
        return TensorType(x.shape, clip(low), clip(high))


def _interval(multiplier: Ints, offset: Ints, lo: int, hi: int) -> tuple[int, int]:
    """Extremes of ``x * multiplier + offset``; an error if a step needs more than 63 bits."""
    low, high = [], []
    for start in range(0, max(len(multiplier), len(offset)), BLOCK):
        block = slice(start, start + BLOCK)
        factors, added = (
            (array if len(array) == 1 else array[block]).astype(np.int64)
            for array in (multiplier, offset)
        )
        largest = magnitude(factors) * max(-lo, hi) + magnitude(added)
        for end in (lo, hi):
            if largest > INT64_MAX:  # int64 might overflow
                result = total(product(factors, end), added)
            else:
                result = factors * end + added
            low.append(int(result.min()))
            high.append(int(result.max()))
    return min(low, default=0), max(high, default=0)


@serializable("skq.Table")
@dataclass(frozen=True, eq=False)
class Table(Instruction):
    """Any function of one integer: the table of its results for the operand's `lo` … `hi`."""

    table: Annotated[
        Ints, IntegerArray(1, 2)
    ]  # (size,), or (n_channels, size): one for each channel (last axis)

    def infer(self, *operands: TensorType) -> TensorType:
        (x,) = operands
        lo, hi = x.interval
        require(
            self.table.ndim == 1 or self.table.shape[:1] == x.shape[-1:],
            f"{self.table.shape[0]} tables for rows of shape {x.shape}",
        )
        require(
            self.table.shape[-1] == hi - lo + 1,
            f"a table of {self.table.shape[-1]} entries for {hi - lo + 1} codes in [{lo}, {hi}]",
        )
        if not self.table.size:  # no channels
            return TensorType(x.shape, 0, 0)
        return TensorType(x.shape, int(self.table.min()), int(self.table.max()))
