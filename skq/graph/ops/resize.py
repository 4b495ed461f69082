"""Resize by nearest neighbours; interpolation is refused when a graph is loaded."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from skq.exceptions import UnsupportedModelError
from skq.graph.ops.binding import Implementation, numpy_op

Array = NDArray[Any]

#: Coordinate in the input of pixel ``i`` of the output: ``f(i, scale, input, output length)``.
COORDINATES: dict[str, Implementation] = {
    "asymmetric": lambda i, scale, n_in, n_out: i / scale,
    "half_pixel": lambda i, scale, n_in, n_out: (i + 0.5) / scale - 0.5,
    "half_pixel_symmetric": lambda i, scale, n_in, n_out: (
        n_in / 2 * (1 - n_out / (scale * n_in)) + (i + 0.5) / scale - 0.5
    ),
    "pytorch_half_pixel": lambda i, scale, n_in, n_out: (
        (i + 0.5) / scale - 0.5 if n_out > 1 else 0 * i
    ),
    "align_corners": lambda i, scale, n_in, n_out: (
        i * (n_in - 1) / (n_out - 1) if n_out > 1 else 0 * i
    ),
}

#: The pixel that a coordinate between two pixels is rounded to.
NEAREST: dict[str, Implementation] = {
    "round_prefer_floor": lambda x: np.ceil(x - 0.5),
    "round_prefer_ceil": lambda x: np.floor(x + 0.5),
    "floor": np.floor,
    "ceil": np.ceil,
}

#: Attributes -> values that are supported.
SUPPORTED: dict[str, tuple[Any, ...]] = {
    "mode": ("nearest",),
    "coordinate_transformation_mode": tuple(COORDINATES),
    "nearest_mode": tuple(NEAREST),
    "keep_aspect_ratio_policy": ("stretch",),
}


def _bind_resize(attributes: Mapping[str, Any], _n_outputs: int) -> Implementation:
    for name, values in SUPPORTED.items():
        given = attributes.get(name, values[0])
        if given not in values:
            raise UnsupportedModelError(
                f"Resize's {name} must be one of {', '.join(values)}. Got {given!r}."
            )
    return partial(resize, **attributes)


@numpy_op("Resize", bind=_bind_resize)
def resize(
    x: Array,
    roi: Array | None = None,
    scales: Array | None = None,
    sizes: Array | None = None,
    *,
    mode: str = "nearest",
    coordinate_transformation_mode: str = "half_pixel",
    nearest_mode: str = "round_prefer_floor",
    axes: tuple[int, ...] | None = None,
    keep_aspect_ratio_policy: str = "stretch",
    antialias: int = 0,
    cubic_coeff_a: float = -0.75,
    exclude_outside: int = 0,
    extrapolation_value: float = 0.0,
) -> Array:
    """Repeat or leave out elements along axes, by the nearest neighbour.

    Parameters
    ----------
    x : ndarray
    roi : ndarray, default=None
        Not read: it belongs to a mode that is not supported.
    scales, sizes : ndarray of shape (n_axes,), default=None
        Factors of the lengths, or the new lengths; one of the two.
    """
    chosen = range(x.ndim) if axes is None else axes
    for k, axis in enumerate(chosen):
        n_in = x.shape[axis]
        if sizes is not None and np.size(sizes):
            n_out = int(np.ravel(sizes)[k])
            scale = n_out / n_in
        elif scales is not None and np.size(scales):
            scale = float(np.ravel(scales)[k])
            n_out = int(np.floor(n_in * scale))
        else:
            raise ValueError("Resize needs scales or sizes. Got neither.")
        if n_out == n_in and scale == 1:
            continue
        at = COORDINATES[coordinate_transformation_mode](np.arange(n_out), scale, n_in, n_out)
        index = np.clip(NEAREST[nearest_mode](at), 0, n_in - 1).astype(np.int64)
        x = np.take(x, index, axis=axis)
    return x
