"""Exact products of rows and constant weights."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from skq.bitpacking import Ints
from skq.numerics import INT64_MAX
from skq.program.instructions.exact import BLOCK, column_sums, magnitude, product, total
from skq.program.instructions.fields import IntegerArray
from skq.program.instructions.instruction import Instruction, require
from skq.program.types import TensorType
from skq.serialization import serializable


@serializable("skq.MatMul")
@dataclass(frozen=True, eq=False)
class MatMul(Instruction):
    """Rows times a constant integer matrix; the result is the exact accumulator."""

    weights: Annotated[Ints, IntegerArray(2)]  # (n_in, n_out)

    def infer(self, *operands: TensorType) -> TensorType:
        (x,) = operands
        lo, hi = x.interval
        require(
            x.shape[-1:] == self.weights.shape[:1],
            f"MatMul: rows of shape {x.shape} do not fit weights of shape {self.weights.shape}",
        )
        low, high = 0, 0
        if x.interval != (0, 0) and self.weights.size:
            bounds = [
                _interval(self.weights[:, start : start + BLOCK], lo, hi)
                for start in range(0, self.weights.shape[1], BLOCK)
            ]
            low, high = min(b[0] for b in bounds), max(b[1] for b in bounds)
        return TensorType((*x.shape[:-1], self.weights.shape[1]), low, high)


def _interval(weights: Ints, lo: int, hi: int) -> tuple[int, int]:
    """Extremes of ``x @ weights``; an error if a partial sum needs more than 63 bits."""
    positive, negative = column_sums(weights, magnitude(weights))
    widest = (int(positive.max()) - int(negative.min())) * max(-lo, hi)
    if widest > INT64_MAX:  # int64 might overflow; a product not added yet counts as 0
        below, above = min(lo, 0), max(hi, 0)
        total(product(positive, below), product(negative, above))
        total(product(positive, above), product(negative, below))
    low, high = positive * lo + negative * hi, positive * hi + negative * lo
    return int(low.min()), int(high.max())
