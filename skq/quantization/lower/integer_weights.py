"""Real weights of a layer as integers, one scale per output channel."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from skq.numerics import quantize
from skq.quantization.lower.context import Settings
from skq.quantization.lower.operands import Array, QuantizedTensor
from skq.quantization.lower.settings import LOWERING
from skq.quantization.search.ranges import find_range
from skq.quantization.search.weights import quantize_weights

#: A weight that represents an offset has at most this magnitude.
LARGEST_OFFSET = 2.0**40


def integer_weights(
    settings: Settings,
    x: QuantizedTensor,
    weights: Array,
    folded: Array,
    codes: Array,
    n_bits: int,
    row_weight: NDArray[np.float64],
    method: str,
    *,
    centered: bool = True,
) -> tuple[Array, Array]:
    """Integers and one scale per output channel, with ``folded ≈ integers * scale``."""
    if settings.discrete and np.ndim(x.scale) == 0:
        found = [_weight_grid(column, n_bits) for column in weights.T]
        if None not in found:
            steps = np.array(found, dtype=np.float64)
            return np.rint(weights / steps).astype(np.int64), steps * x.scale
    if not settings.signed_weights:
        lo, hi = folded.min(axis=0, initial=0.0), folded.max(axis=0, initial=0.0)
        if method != "auto":
            lo, hi = find_range(folded, np.ones(len(folded)), lo, hi, n_bits, method)
            lo, hi = np.minimum(lo, 0.0), np.maximum(hi, 0.0)
        hi = np.where(hi > lo, hi, lo + 1.0)
        scale = (hi - lo) / (2**n_bits - 1)
        zero_point = np.rint(-lo / scale)
        integers = quantize(folded, scale, zero_point, 0, 2**n_bits - 1)
        return integers - zero_point.astype(np.int64), scale
    return quantize_weights(folded, codes, n_bits, row_weight, method=method, centered=centered)


def offsets(values: Array, scale: Array) -> NDArray[np.int64]:
    """Reals as integers of a layer's output, as wide as they need: a bias under a condition."""
    return np.rint(np.clip(values / scale, -LARGEST_OFFSET, LARGEST_OFFSET)).astype(np.int64)


def have_own_integers(codes: Array, folded: Array) -> NDArray[np.bool_]:
    """Inputs that are constant on the calibration rows and have very large weights.

    They are bits of values that no row has, such as that of unknown categories.
    """
    span = np.ptp(codes, axis=0)
    effect = np.abs(folded).max(axis=1, initial=0.0)
    return (span == 0) & (effect > np.max(effect * span, initial=0.0)) & bool(np.any(span > 0))


def _weight_grid(weights: Array, n_bits: int) -> float | None:
    """Largest step of which all weights are at most ``2**(n_bits - 1)`` multiples, or None."""
    largest = float(np.max(np.abs(weights), initial=0.0))
    if largest == 0:
        return 1.0
    steps = largest / np.arange(1, 2 ** (n_bits - 1) + 1)
    multiples = weights[:, None] / steps
    fits = np.all(np.abs(multiples - np.rint(multiples)) < LOWERING.grid_noise, axis=0)
    return float(steps[np.argmax(fits)]) if fits.any() else None
