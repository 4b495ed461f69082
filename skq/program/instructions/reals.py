"""Real values to codes, and codes to real values."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

import numpy as np
from numpy.typing import NDArray

from skq.bitpacking import Ints
from skq.numerics import EXACT_FLOAT64
from skq.program.instructions.exact import total
from skq.program.instructions.fields import FloatArray, Integer, IntegerArray
from skq.program.instructions.instruction import Instruction, require
from skq.program.types import TensorType
from skq.serialization import serializable
from skq.serialization.budget import declare

Floats = NDArray[np.float64]

#: Scale of a feature that is constant in calibration: all its values get the same code.
FROZEN_SCALE = float(np.finfo(np.float64).max / 4)


@serializable("skq.Quantize")
@dataclass(frozen=True, eq=False)
class Quantize(Instruction):
    """Real values to codes of a uniform grid for each feature (`skq.numerics.quantize`)."""

    scale: Annotated[Floats, FloatArray(0, 1)]  # (n_features,) or (), > 0
    zero_point: Annotated[Ints, IntegerArray(0, 1)]  # same shape
    lo: Annotated[int, Integer(-EXACT_FLOAT64, EXACT_FLOAT64)]
    hi: Annotated[int, Integer(-EXACT_FLOAT64, EXACT_FLOAT64)]

    def infer(self, *operands: TensorType) -> TensorType:
        (x,) = operands
        require(not x.is_integer, "Quantize takes a float value")
        require(bool(np.all(self.scale > 0)), "scales must be positive")
        require(
            self.scale.shape == self.zero_point.shape, "there must be one zero point for each scale"
        )
        require(
            self.scale.shape in ((), x.shape[-1:]),
            f"Quantize scales of shape {self.scale.shape} do not fit rows of shape {x.shape}",
        )
        return TensorType(x.shape, self.lo, self.hi)


@serializable("skq.Bin")
@dataclass(frozen=True, eq=False)
class Bin(Instruction):
    """Real values to codes among sorted edges, column by column (`skq.numerics.bin_codes`).

    Column ``c`` of the result reads feature ``feature[c]`` and has the edges
    ``edges[offsets[c]:offsets[c + 1]]``. A feature whose missing values go both ways in a tree
    ensemble has two columns, with a `nan_code` below all other codes and one above them.
    """

    feature: Annotated[Ints, IntegerArray(1)]  # (n_columns,)
    edges: Annotated[Floats, FloatArray(1, infinite=True)]  # (n_edges,), sorted within a column
    offsets: Annotated[Ints, IntegerArray(1)]  # (n_columns + 1,)
    base: Annotated[Ints, IntegerArray(1)]  # (n_columns,), code of values up to the first edge
    nan_code: Annotated[Ints, IntegerArray(1)]  # (n_columns,)

    def infer(self, *operands: TensorType) -> TensorType:
        (x,) = operands
        require(not x.is_integer and len(x.shape) == 1, "Bin takes a float row of features")
        n = len(self.feature)
        declare(256 * n, f"a Bin of {n} columns")
        require(
            self.offsets.shape == (n + 1,)
            and self.base.shape == (n,)
            and self.nan_code.shape == (n,),
            "Bin needs a feature, a base and a nan_code for each column and offsets around them",
        )
        require(
            int(self.offsets[0]) == 0
            and int(self.offsets[-1]) == len(self.edges)
            and bool(np.all(self.offsets[1:] >= self.offsets[:-1])),
            "Bin offsets must ascend from 0 to the number of edges",
        )
        offsets = self.offsets.astype(np.int64)
        counts = offsets[1:] - offsets[:-1]
        require(
            n == 0 or (int(self.feature.min()) >= 0 and int(self.feature.max()) < x.shape[0]),
            f"Bin reads features that do not exist; there are {x.shape[0]}",
        )
        rising = self.edges[1:] >= self.edges[:-1]
        starts = self.offsets[1:-1]
        inner = starts[(starts > 0) & (starts < len(self.edges))] - 1
        rising[inner] = True
        require(bool(np.all(rising)), "Bin edges of a column must be sorted")
        if n == 0:
            return TensorType((0,), 0, 0)
        lo = int(min(self.base.min(), self.nan_code.min()))
        last = total(self.base.astype(np.int64), counts)
        return TensorType((n,), lo, max(int(last.max()), int(self.nan_code.max())))


@serializable("skq.Dequantize")
@dataclass(frozen=True, eq=False)
class Dequantize(Instruction):
    """Integers back to real values (`skq.numerics.dequantize`)."""

    scale: Annotated[Floats, FloatArray(0, 1)]  # () or (n_channels,)
    zero_point: Annotated[Floats, FloatArray(0, 1)]  # same shape

    def infer(self, *operands: TensorType) -> TensorType:
        (x,) = operands
        x.interval  # noqa: B018  (raises for floats)
        for array in (self.scale, self.zero_point):
            require(
                array.shape in ((), x.shape[-1:]),
                f"Dequantize takes a scalar or one parameter for each channel of {x.shape}",
            )
        return TensorType(x.shape)
