"""Thresholds of trees after scalers and casts, as exact edges on the raw feature.

For an increasing ``f`` the edge is the largest double ``x`` with ``f(x) <= t``. It is computed by
bisection over the doubles with ``f`` in float arithmetic, so its rounding is taken into account.
For a cast to float32 alone there is a closed form.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from skq.exceptions import UnsupportedModelError
from skq.frontend.bisection import last_that_holds
from skq.quantization.lower.operands import Features

Floats = NDArray[np.float64]


def pull_back(features: Features, thresholds: Floats, feature: NDArray[Any]) -> Floats:
    """Largest raw value of a feature that the steps map to at most the threshold.

    Parameters
    ----------
    features : Features
        With increasing per-feature steps.
    thresholds : ndarray of shape (n,)
        Thresholds on the results of the steps.
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
            "trees after a scaler with a negative or zero factor cannot be quantized"
        )

    casts = {step.dtype if step.function == "cast" else None for step in features.steps}
    if "float32" in casts and casts <= {"float32", "float64"}:
        return _after_float32(thresholds)

    def below(values: Floats) -> NDArray[np.bool_]:
        return features.apply(values, feature) <= thresholds

    return last_that_holds(below, (thresholds - offset[feature]) / slope[feature])


def _after_float32(thresholds: Floats) -> Floats:
    """Largest double whose nearest float32 is at most the threshold, in closed form.

    It is the middle between the greatest such float32 and the next one, or the double before the
    middle where ties go up. A float32 threshold is compared in double precision.
    """
    with np.errstate(over="ignore", invalid="ignore"):  # thresholds may be infinite
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
