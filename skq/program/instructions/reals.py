"""Between real values and codes."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from skq.bitpacking import Ints
from skq.program.instructions.instruction import Instruction, require
from skq.program.types import TensorType
from skq.serialization import serializable

Floats = NDArray[np.float64]


@serializable("skq.Quantize")
@dataclass(frozen=True, eq=False)
class Quantize(Instruction):
    """Real values to codes of a uniform grid, one grid a feature (`skq.numerics.quantize`)."""

    scale: Floats  # (n_features,) or (), > 0
    zero_point: Ints  # same shape
    lo: int
    hi: int

    def infer(self, *operands: TensorType) -> TensorType:
        (x,) = operands
        require(not x.is_integer, "Quantize takes a float value")
        require(bool(np.all(np.isfinite(self.scale) & (self.scale > 0))), "scales are positive")
        require(self.scale.shape == self.zero_point.shape, "one zero point a scale")
        require(self.scale.shape in ((), x.shape[-1:]), f"scales {self.scale.shape} for {x.shape}")
        return TensorType(x.shape, self.lo, self.hi)


@serializable("skq.Bin")
@dataclass(frozen=True, eq=False)
class Bin(Instruction):
    """Real values to codes among sorted edges, column by column (`skq.numerics.bin_codes`).

    Column ``c`` of the result reads feature ``feature[c]`` and has the edges
    ``edges[offsets[c]:offsets[c + 1]]``. A feature whose missing values go both ways in a tree
    ensemble stands in two columns that differ in their `nan_code`: below all other codes, or above.
    """

    feature: Ints  # (n_columns,)
    edges: Floats  # (n_edges,), sorted within a column
    offsets: Ints  # (n_columns + 1,)
    base: Ints  # (n_columns,), code of values up to the first edge
    nan_code: Ints  # (n_columns,)

    def infer(self, *operands: TensorType) -> TensorType:
        (x,) = operands
        require(not x.is_integer and len(x.shape) == 1, "Bin takes a float row of features")
        n = len(self.feature)
        require(
            self.offsets.shape == (n + 1,)
            and self.base.shape == (n,)
            and self.nan_code.shape == (n,)
            and self.feature.shape == (n,)
            and self.edges.ndim == 1,
            "Bin needs a feature, a base and a nan_code for each column and offsets around them",
        )
        counts = np.diff(self.offsets.astype(np.int64))
        require(
            int(self.offsets[0]) == 0
            and int(self.offsets[-1]) == len(self.edges)
            and bool(np.all(counts >= 0)),
            "Bin offsets rise from 0 to the number of edges",
        )
        require(
            n == 0 or (int(self.feature.min()) >= 0 and int(self.feature.max()) < x.shape[0]),
            f"Bin reads features outside of the {x.shape[0]} there are",
        )
        rising = np.diff(self.edges) >= 0
        starts = self.offsets[1:-1]
        inner = starts[(starts > 0) & (starts < len(self.edges))] - 1
        rising[inner] = True
        require(
            bool(np.all(rising)) and not bool(np.isnan(self.edges).any()), "Bin edges are sorted"
        )
        if n == 0:
            return TensorType((0,), 0, 0)
        lo = int(min(self.base.min(), self.nan_code.min()))
        hi = int(max((self.base + counts).max(), self.nan_code.max()))
        return TensorType((n,), lo, hi)


@serializable("skq.Dequantize")
@dataclass(frozen=True, eq=False)
class Dequantize(Instruction):
    """Integers back to real values (`skq.numerics.dequantize`)."""

    scale: Floats  # () or (n_channels,)
    zero_point: Floats  # same shape

    def infer(self, *operands: TensorType) -> TensorType:
        (x,) = operands
        x.interval  # noqa: B018  (raises for floats)
        for array in (self.scale, self.zero_point):
            require(
                array.shape in ((), x.shape[-1:]) and bool(np.all(np.isfinite(array))),
                f"Dequantize takes finite parameters, a scalar or one a channel of {x.shape}",
            )
        return TensorType(x.shape)
