"""Binning in the NumPy engine: codes of real values among sorted edges, a column at a time."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from skq.engines.numpy_steps import Step, Types
from skq.program import instructions as ins

Array = NDArray[Any]
Floats = NDArray[np.float64]

#: Rows that are transposed at a time, so that they stay in the cache.
TRANSPOSED_ROWS = 512
#: Fewer rows than this are searched by `np.searchsorted`.
GRID_ROWS = 512
#: Cells of the grid of a column for each of its edges, and the most of them.
CELLS_PER_EDGE, MOST_CELLS = 16, 8192
#: Most edges in one cell; where there are more, values are searched.
MOST_EDGES = 6


class Column(Step):
    """The edges of one column, with a grid of equal cells that narrows the search.

    ``cell(x)`` is computed by operations that never decrease, so edges in lower cells are below x
    and edges in higher cells are not: the search starts at the first edge in the cell of x and
    compares. The result does not depend on the grid.
    """

    def __init__(self, edges: Floats, base: int, nan_code: int) -> None:
        self.edges = edges
        self.base, self.nan_code = base, nan_code
        self.starts: Array | None = None
        if not len(edges) or not np.isfinite(edges[[0, -1]]).all() or edges[0] == edges[-1]:
            return
        n_cells = min(MOST_CELLS, CELLS_PER_EDGE * len(edges))
        with np.errstate(over="ignore", invalid="ignore"):
            self.factor = n_cells / (edges[-1] - edges[0])
            self.offset = -edges[0] * self.factor
        self.last = float(n_cells)
        if not (0 < self.factor < np.inf and np.isfinite(self.offset)):
            return
        cells = self._cells(edges)
        if np.bincount(cells).max() <= MOST_EDGES:
            self.starts = np.searchsorted(cells, np.arange(n_cells + 1))
            self.padded = np.append(edges, np.nan)  # nothing is above NaN

    def _cells(self, x: Floats) -> Array:
        """Numbers of cells; NaN gives any."""
        at = np.multiply(x, self.factor)
        at += self.offset
        np.fmax(at, 0.0, out=at)
        np.minimum(at, self.last, out=at)
        return at.astype(np.intp)

    def below(self, x: Floats) -> Array:
        """Number of edges below each value; for NaN any number of them."""
        if self.starts is None or len(x) < GRID_ROWS:
            return np.searchsorted(self.edges, x)
        count = self.starts.take(self._cells(x))
        above = x > self.padded.take(count)
        count += above
        rows = np.flatnonzero(above)
        while len(rows):
            rows = rows[x[rows] > self.padded[count[rows]]]
            count[rows] += 1
        return count


class Bin(Step):
    """Codes of the columns, of the narrowest dtype, each column contiguous."""

    def __init__(self, step: ins.Bin, types: Types) -> None:
        self.dtype = np.dtype(types.result.dtype)
        self.features, self.source = np.unique(step.feature, return_inverse=True)
        self.columns = [
            Column(
                step.edges[step.offsets[c] : step.offsets[c + 1]],
                int(step.base[c]),
                int(step.nan_code[c]),
            )
            for c in range(len(step.feature))
        ]
        self.all_features = len(self.features) == types.operands[0].size

    def __call__(self, *operands: Array) -> Array:
        reals = self._transposed(operands[0])
        codes = np.empty((len(self.columns), reals.shape[1]), self.dtype)
        missing = np.isnan(reals)
        any_missing = missing.any()
        for column, row, result in zip(self.columns, self.source, codes, strict=True):
            count = column.below(reals[row])
            count += column.base
            result[:] = count
            if any_missing:
                result[missing[row]] = column.nan_code
        return codes.T

    def _transposed(self, x: Array) -> Floats:
        """The features that are read, each contiguous."""
        result = np.empty((len(self.features), len(x)))
        for start in range(0, len(x), TRANSPOSED_ROWS):
            block = x[start : start + TRANSPOSED_ROWS]
            result[:, start : start + len(block)] = (
                block if self.all_features else block.take(self.features, axis=1)
            ).T
        return result
