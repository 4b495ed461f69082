"""Sums and products of arrays of integers that never overflow, for interval rules.

They compute in int64 if a bound in Python ints shows that this cannot overflow, else in halves of
32 bits. They process an array in blocks, so that verifying a program takes little memory.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from skq.exceptions import AccumulatorOverflowError
from skq.numerics import INT64_MAX

Wide = NDArray[np.int64]

#: Most elements that are converted to int64 at a time.
BLOCK = 1 << 18
HALF, MASK = np.int64(32), np.int64(2**32 - 1)


def too_wide() -> AccumulatorOverflowError:
    """The error for a sum or product that needs more than 63 bits."""
    return AccumulatorOverflowError(
        "a sum or a product needs more than 63 bits; use fewer bits (n_bits) or fewer inputs"
    )


def extremes(array: NDArray[np.integer[Any]]) -> tuple[int, int]:
    """Least and greatest of the elements and 0, as Python ints."""
    return int(array.min(initial=0)), int(array.max(initial=0))


def magnitude(array: NDArray[np.integer[Any]]) -> int:
    """Greatest absolute value, as a Python int."""
    lo, hi = extremes(array)
    return max(-lo, hi)


def product(array: Wide, factor: int) -> Wide:
    """``array * factor``; AccumulatorOverflowError if it needs more than 63 bits."""
    if magnitude(array) * abs(factor) > INT64_MAX:
        raise too_wide()
    return array * np.int64(factor)


def total(a: Wide, b: Wide) -> Wide:
    """``a + b``; AccumulatorOverflowError if it needs more than 63 bits."""
    result = a + b
    if (((a ^ result) & (b ^ result)) < 0).any() or (result == -INT64_MAX - 1).any():
        raise too_wide()
    return result


def joined(high: Wide, low: Wide) -> Wide:
    """``high * 2**32 + low``, low >= 0; AccumulatorOverflowError if it needs more than 63 bits."""
    high = high + (low >> HALF)
    if (high >= 2**31).any() or (high < -(2**31)).any():
        raise too_wide()
    return (high << HALF) + (low & MASK)


def column_sums(weights: NDArray[np.integer[Any]], largest: int) -> tuple[Wide, Wide]:
    """Sums over rows of the weights above 0, and of those below.

    Parameters
    ----------
    weights : ndarray of int, shape (n_rows, n_columns)
    largest : int
        Bound of the absolute values.

    Returns
    -------
    tuple of ndarray of shape (n_columns,), int64
        ``(positive, negative)``.
    """
    rows = max(1, BLOCK // max(1, weights.shape[1]))
    narrow = largest * len(weights) <= INT64_MAX
    if narrow and len(weights) <= rows:
        block = weights.astype(np.int64)
        return np.maximum(block, 0).sum(axis=0), np.minimum(block, 0).sum(axis=0)
    low, high = (np.zeros((2, weights.shape[1]), np.int64) for _ in range(2))
    for start in range(0, len(weights), rows):
        block = weights[start : start + rows].astype(np.int64)
        for sign, values in enumerate((np.maximum(block, 0), np.minimum(block, 0))):
            if narrow:
                low[sign] += values.sum(axis=0)
            else:
                low[sign] += (values & MASK).sum(axis=0)
                high[sign] += (values >> HALF).sum(axis=0)
    positive, negative = low if narrow else joined(high, low)
    return positive, negative


class Sums:
    """Sums of integers by index.

    Parameters
    ----------
    size : int
        Number of sums.
    narrow : bool
        Whether no sum of any of the integers can need more than 63 bits.
    """

    def __init__(self, size: int, narrow: bool) -> None:
        self._low = np.zeros(size, np.int64)
        self._high = None if narrow else np.zeros(size, np.int64)

    def add(self, index: NDArray[np.integer[Any]], values: Wide) -> None:
        """Add each value at its index; the two broadcast."""
        if self._high is None:
            np.add.at(self._low, index, values)
        else:
            np.add.at(self._low, index, values & MASK)
            np.add.at(self._high, index, values >> HALF)

    def values(self) -> Wide:
        """The sums; AccumulatorOverflowError if one needs more than 63 bits."""
        return self._low if self._high is None else joined(self._high, self._low)
