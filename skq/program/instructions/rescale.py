"""Integers to other integers, one by one."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from skq.bitpacking import Ints
from skq.exceptions import AccumulatorOverflowError
from skq.numerics import INT64_MAX
from skq.program.instructions.instruction import Instruction, require
from skq.program.types import TensorType
from skq.serialization import serializable


@serializable("skq.Requantize")
@dataclass(frozen=True, eq=False)
class Requantize(Instruction):
    """Fixed-point rescaling with saturation (`skq.numerics.requantize`).

    `multiplier` and `offset` are scalars or one a channel (last axis). The offset carries bias,
    zero point and rounding constant.
    """

    multiplier: Ints  # () or (n_channels,)
    offset: Ints  # same shape
    shift: int
    lo: int
    hi: int

    def infer(self, *operands: TensorType) -> TensorType:
        (x,) = operands
        lo, hi = x.interval
        require(0 <= self.shift <= 62, f"a shift is in [0, 62]; got {self.shift}")
        for name, array in (("multiplier", self.multiplier), ("offset", self.offset)):
            require(
                array.shape in ((), x.shape[-1:]),
                f"Requantize {name} of shape {array.shape} does not fit rows of shape {x.shape}",
            )
        pairs = [
            (int(m) * e + int(o))
            for m, o in zip(
                *(a.ravel() for a in np.broadcast_arrays(self.multiplier, self.offset)), strict=True
            )
            for e in (lo, hi)
        ]
        low, high = min(pairs, default=0), max(pairs, default=0)
        widest = max(
            -low, high, *(abs(int(m)) * max(-lo, hi, 0) for m in np.ravel(self.multiplier)), 0
        )
        if widest > INT64_MAX:
            raise AccumulatorOverflowError(
                f"requantizing [{lo}, {hi}] by {self.multiplier!r} leaves 63 bits"
            )
        clip = lambda v: min(max(v >> self.shift, self.lo), self.hi)  # noqa: E731
        require(self.lo <= self.hi, f"empty range [{self.lo}, {self.hi}]")
        return TensorType(x.shape, clip(low), clip(high))


@serializable("skq.Table")
@dataclass(frozen=True, eq=False)
class Table(Instruction):
    """Any function of one integer, as the list of its results from the operand's `lo` on."""

    table: Ints  # (size,), or (n_channels, size): one a channel (last axis)

    def infer(self, *operands: TensorType) -> TensorType:
        (x,) = operands
        lo, hi = x.interval
        require(self.table.ndim in (1, 2), "a table has one or two dimensions")
        require(
            self.table.ndim == 1 or self.table.shape[:1] == x.shape[-1:],
            f"{self.table.shape[0]} tables for rows of shape {x.shape}",
        )
        require(
            self.table.shape[-1] == hi - lo + 1,
            f"a table of {self.table.shape[-1]} entries for {hi - lo + 1} codes in [{lo}, {hi}]",
        )
        return TensorType(x.shape, int(self.table.min()), int(self.table.max()))
