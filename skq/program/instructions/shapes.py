"""Instructions that move elements: gather, reshape and concatenate."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from skq.bitpacking import Ints
from skq.program.instructions.fields import Integer, IntegerArray, Integers
from skq.program.instructions.instruction import Instruction, require
from skq.program.types import MAX_SIZE, TensorType
from skq.serialization import serializable


@serializable("skq.Gather")
@dataclass(frozen=True, eq=False)
class Gather(Instruction):
    """Elements of the flattened row at constant indices; index -1 gives `fill`.

    Slices, transposes, padding and the patches of a convolution are lowered to it.
    """

    indices: Annotated[Ints, IntegerArray()]  # any shape, in [-1, size - 1]
    fill: Annotated[int, Integer()] = 0

    def infer(self, *operands: TensorType) -> TensorType:
        (x,) = operands
        lo, hi = x.interval
        low = int(self.indices.min(initial=0))
        high = int(self.indices.max()) if self.indices.size else -1
        require(-1 <= low and high < x.size, f"Gather reads outside of a row of shape {x.shape}")
        if low == -1:
            lo, hi = min(lo, self.fill), max(hi, self.fill)
        return TensorType(self.indices.shape, lo, hi)


@serializable("skq.Reshape")
@dataclass(frozen=True, eq=False)
class Reshape(Instruction):
    """The same elements in another shape."""

    shape: Annotated[tuple[int, ...], Integers(0, MAX_SIZE)]

    def infer(self, *operands: TensorType) -> TensorType:
        (x,) = operands
        result = TensorType(self.shape, *x.interval)
        require(result.size == x.size, f"cannot reshape {x.shape} to {self.shape}")
        return result


@serializable("skq.Concat")
@dataclass(frozen=True, eq=False)
class Concat(Instruction):
    """Flattened operands one after another."""

    arity = None

    def infer(self, *operands: TensorType) -> TensorType:
        intervals = [x.interval for x in operands]
        return TensorType(
            (sum(x.size for x in operands),),
            min(lo for lo, _ in intervals),
            max(hi for _, hi in intervals),
        )
