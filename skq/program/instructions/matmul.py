"""Exact products of rows and constant weights."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from skq.bitpacking import Ints
from skq.numerics import INT64_MAX
from skq.program.instructions.instruction import Instruction, require
from skq.program.storage import Order
from skq.program.types import TensorType
from skq.serialization import serializable


@serializable("skq.MatMul")
@dataclass(frozen=True, eq=False)
class MatMul(Instruction):
    """Rows times a constant integer matrix; the result is the exact accumulator."""

    weights: Ints  # (n_in, n_out)

    order: ClassVar[Order] = "F"  # the weights of an output together

    def infer(self, *operands: TensorType) -> TensorType:
        (x,) = operands
        lo, hi = x.interval
        require(
            self.weights.ndim == 2 and x.shape[-1:] == self.weights.shape[:1],
            f"MatMul: rows of shape {x.shape} do not fit weights of shape {self.weights.shape}",
        )
        weights = (
            self.weights.astype(object)
            if _may_overflow(self.weights, lo, hi)
            else (self.weights.astype(np.int64))
        )
        positive = np.where(weights > 0, weights, 0).sum(axis=0)
        negative = np.where(weights < 0, weights, 0).sum(axis=0)
        low = [int(p) * lo + int(n) * hi for p, n in zip(positive, negative, strict=True)]
        high = [int(p) * hi + int(n) * lo for p, n in zip(positive, negative, strict=True)]
        shape = (*x.shape[:-1], self.weights.shape[1])
        return TensorType(shape, min(low, default=0), max(high, default=0))


def _may_overflow(weights: Ints, lo: int, hi: int) -> bool:
    largest = max(abs(int(weights.min(initial=0))), abs(int(weights.max(initial=0))))
    return largest * len(weights) > INT64_MAX
