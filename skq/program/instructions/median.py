"""The weighted median of the elements of a row."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

import numpy as np

from skq.bitpacking import Ints
from skq.numerics import INT64_MAX
from skq.program.instructions.exact import column_sums, magnitude
from skq.program.instructions.fields import Integer, IntegerArray
from skq.program.instructions.instruction import Instruction, require
from skq.program.types import TensorType
from skq.serialization import serializable


@serializable("skq.WeightedMedian")
@dataclass(frozen=True, eq=False)
class WeightedMedian(Instruction):
    """Least element of the last axis up to which the weights add up to `threshold`.

    The elements are sorted, and their weights added up in that order; the result is the element at
    which the sum first reaches the threshold. Equal elements may stand in any order. With half of
    the sum of all weights as the threshold, rounded up, it is the (lower) weighted median.
    """

    weights: Annotated[Ints, IntegerArray(1)]  # (length of the last axis,), >= 0
    threshold: Annotated[int, Integer(1, INT64_MAX)]  # at most the sum of the weights

    def infer(self, *operands: TensorType) -> TensorType:
        (x,) = operands
        lo, hi = x.interval
        require(
            len(x.shape) > 0 and self.weights.shape == x.shape[-1:],
            "WeightedMedian needs a weight for each element of the last axis; got "
            f"{self.weights.size} weights for shape {x.shape}",
        )
        require(
            bool(np.all(self.weights >= 0)), "the weights of a weighted median must not be negative"
        )
        column = self.weights[:, np.newaxis]
        total = int(column_sums(column, magnitude(column))[0][0])
        require(
            self.threshold <= total,
            f"the threshold of a weighted median must be at most the sum of its weights, {total}; "
            f"got {self.threshold}",
        )
        return TensorType(x.shape[:-1], lo, hi)
