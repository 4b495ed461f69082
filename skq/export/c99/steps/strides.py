"""Indices as strides: ``start + i * a + j * b + ...`` for nested counters."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

#: Greatest number of nested counters.
MAX_DEPTH = 6


def strided(indices: NDArray[np.int64]) -> tuple[int, list[int], list[int]] | None:
    """Start, sizes and strides of nested counters that give the indices in order.

    Returns
    -------
    (int, list of int, list of int) or None
        None where there are none: negative steps, fillers or too many counters.

    Examples
    --------
    >>> strided(np.array([3, 4, 13, 14, 23, 24]))
    (3, [3, 2], [10, 1])
    """
    if not indices.size or indices.min() < 0:
        return None
    sizes: list[int] = []
    strides: list[int] = []
    rest: NDArray[Any] = indices
    while len(rest) > 1:
        step = int(rest[1] - rest[0])
        differs = np.flatnonzero(np.diff(rest) != step)
        length = int(differs[0]) + 1 if len(differs) else len(rest)
        if step < 0 or len(rest) % length or length == 1 or len(sizes) == MAX_DEPTH:
            return None
        rows = rest.reshape(-1, length)
        if not np.array_equal(
            rows - rows[:, :1], np.broadcast_to(rows[0] - rows[0, 0], rows.shape)
        ):
            return None
        sizes.insert(0, length)
        strides.insert(0, step)
        rest = rows[:, 0]
    return int(indices[0]), sizes or [1], strides or [0]
