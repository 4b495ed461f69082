"""Largest double that fulfils a monotonic condition, exactly, by bisection over the doubles."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

_SIGN = np.int64(-(2**63))
#: No finite value is above it.
LARGEST = float(np.finfo(np.float64).max)

#: Half-width of the first bracket, in doubles: four steps of float32.
_REACH = np.int64(2**31)


def last_that_holds(condition: Callable[[Floats], NDArray[np.bool_]], guess: Floats) -> Floats:
    """Largest double that fulfils a condition which holds up to some value and not beyond.

    Parameters
    ----------
    condition : callable
        From an ndarray of shape (n,) to booleans; each element has a separate bound.
    guess : ndarray of shape (n,)
        Estimates of the bounds.

    Returns
    -------
    ndarray of shape (n,)
        Bounds; -inf or inf where no or every finite value fulfils the condition.
    """

    def holds_at(keys: NDArray[np.int64]) -> NDArray[np.bool_]:
        return condition(_value(keys))

    guess = np.clip(np.nan_to_num(guess), -LARGEST, LARGEST)
    bottom, top = (_key(np.full(len(guess), bound)) for bound in (-LARGEST, LARGEST))
    center = _key(guess)
    lo = np.where(center > bottom + _REACH, center - _REACH, bottom)
    hi = np.where(center < top - _REACH, center + _REACH, top)
    lo = np.where(holds_at(lo), lo, bottom)
    hi = np.where(holds_at(hi), top, hi)
    everything, nothing = holds_at(top), ~holds_at(bottom)
    while np.any(hi - lo > 1):
        middle = lo + ((hi.astype(np.uint64) - lo.astype(np.uint64)) >> np.uint64(1)).astype(
            np.int64
        )
        holds = holds_at(middle)
        lo = np.where(holds, middle, lo)
        hi = np.where(holds, hi, middle)
    return np.where(everything, np.inf, np.where(nothing, -np.inf, _value(lo)))


def _key(values: Floats) -> NDArray[np.int64]:
    """Integers in the order of the doubles."""
    bits: Any = values.view(np.int64)
    return np.where(bits < 0, _SIGN - bits, bits)


def _value(keys: NDArray[np.int64]) -> Floats:
    return np.where(keys < 0, _SIGN - keys, keys).view(np.float64)
