"""Entries of a table: codes of a function at each code of its argument."""

from __future__ import annotations

from typing import Any

import numpy as np

from skq.numerics import quantize
from skq.quantization.lower.operands import Array


def table_entries(reals: Array, scale: Array, zero_point: Array, lo: int, hi: int) -> Any:
    """Entries (size, 1) or (size, n_channels) of reals → codes, (size,) or (n_channels, size).

    If the function is not defined (because the argument was rounded), the nearest
    defined entry is used.
    """
    for column in reals.T[np.isnan(reals).any(axis=0)]:
        defined = np.flatnonzero(~np.isnan(column))
        if len(defined):
            above = np.searchsorted(defined, np.arange(len(column))).clip(0, len(defined) - 1)
            below = np.maximum(above - 1, 0)
            index = np.arange(len(column))
            is_nearer = index - defined[below] < np.abs(defined[above] - index)
            column[:] = column[defined[np.where(is_nearer, below, above)]]
    codes = quantize(reals, scale, zero_point, lo, hi).T
    return codes[0] if len(codes) == 1 else codes
