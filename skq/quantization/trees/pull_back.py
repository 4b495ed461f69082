"""Thresholds behind scalers and casts → edges on the raw feature, exactly.

``f(x) <= t`` with a rising ``f`` holds up to some largest double ``x``: that is the edge. It is
found by bisection over the doubles, so every rounding inside ``f`` is part of the answer; behind a
cast to float32 alone it has a closed form.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from skq.exceptions import UnsupportedModelError
from skq.quantization.operands import Features

Floats = NDArray[np.float64]

_SIGN = np.int64(-(2**63))
_LARGEST = np.finfo(np.float64).max

#: Half-width of the first bracket, in doubles: four steps of float32.
_REACH = np.int64(2**31)


def pull_back(features: Features, thresholds: Floats, feature: NDArray[Any]) -> Floats:
    """Largest raw value of a feature whose image is at most the threshold.

    Parameters
    ----------
    features : Features
        With per-feature steps that rise.
    thresholds : ndarray of shape (n,)
        In the space behind the steps.
    feature : ndarray of shape (n,)
        Feature that each threshold belongs to.

    Returns
    -------
    ndarray of shape (n,)
        Edges; -inf or inf where no or every finite value satisfies the threshold.
    """
    if not features.steps:
        return thresholds.astype(np.float64)
    slope, offset = features.affine()
    if np.any(slope[feature] <= 0):
        raise UnsupportedModelError(
            "trees behind a scaler with a negative or zero factor cannot be quantized"
        )

    casts = {step.dtype if step.function == "cast" else None for step in features.steps}
    if "float32" in casts and casts <= {"float32", "float64"}:
        return _behind_float32(thresholds)

    def below(keys: NDArray[np.int64]) -> NDArray[np.bool_]:
        return features.apply(_value(keys), feature) <= thresholds

    guess = np.clip((thresholds - offset[feature]) / slope[feature], -_LARGEST, _LARGEST)
    bottom, top = (_key(np.full(len(thresholds), bound)) for bound in (-_LARGEST, _LARGEST))
    center = _key(guess)
    lo = np.where(center > bottom + _REACH, center - _REACH, bottom)
    hi = np.where(center < top - _REACH, center + _REACH, top)
    lo = np.where(below(lo), lo, bottom)
    hi = np.where(below(hi), top, hi)
    everything, nothing = below(top), ~below(bottom)
    while np.any(hi - lo > 1):
        middle = lo + ((hi.astype(np.uint64) - lo.astype(np.uint64)) >> np.uint64(1)).astype(
            np.int64
        )
        holds = below(middle)
        lo = np.where(holds, middle, lo)
        hi = np.where(holds, hi, middle)
    return np.where(everything, np.inf, np.where(nothing, -np.inf, _value(lo)))


def _behind_float32(thresholds: Floats) -> Floats:
    """Largest double whose nearest float32 is at most the threshold, in closed form.

    It is the middle between the greatest such float32 and the next one, or the double before the
    middle where ties go up. A float32 threshold is compared in double precision.
    """
    with np.errstate(over="ignore"):
        nearest = thresholds.astype(np.float32)
        below = np.where(
            nearest > thresholds, np.nextafter(nearest, np.float32(-np.inf)), nearest
        ).astype(np.float32)
        above = np.nextafter(below, np.float32(np.inf)).astype(np.float64)
        # float32 overflows halfway between its greatest value and 2**128
        above = np.where(np.isposinf(above), 2.0**128, above)
        low = np.where(np.isneginf(below), -(2.0**128), below.astype(np.float64))
        middle = low + (above - low) / 2
        reaches = middle.astype(np.float32) <= thresholds
    edge = np.where(reaches, middle, np.nextafter(middle, -np.inf))
    edge = np.where(np.isposinf(thresholds) | np.isposinf(below), np.inf, edge)
    return np.where(np.isneginf(thresholds), -np.inf, edge)


def _key(values: Floats) -> NDArray[np.int64]:
    """Integers in the order of the doubles."""
    bits = values.view(np.int64)
    return np.where(bits < 0, _SIGN - bits, bits)


def _value(keys: NDArray[np.int64]) -> Floats:
    return np.where(keys < 0, _SIGN - keys, keys).view(np.float64)
