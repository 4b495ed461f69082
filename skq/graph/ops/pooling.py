"""Pooling over sliding windows."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from skq.graph.ops.binding import Implementation, numpy_op
from skq.graph.ops.result_types import with_type_of
from skq.graph.ops.windows import Windows

Array = NDArray[Any]


@numpy_op("GlobalAveragePool")
def global_average_pool(x: Array) -> Array:
    """Mean over all spatial axes, which then have length 1."""
    return x.mean(axis=tuple(range(2, x.ndim)), keepdims=True)


@numpy_op("GlobalMaxPool")
def global_max_pool(x: Array) -> Array:
    """Maximum over all spatial axes, which then have length 1."""
    return np.asarray(x.max(axis=tuple(range(2, x.ndim)), keepdims=True))


@numpy_op("AveragePool")
def average_pool(
    x: Array,
    *,
    kernel_shape: tuple[int, ...],
    auto_pad: str = "NOTSET",
    ceil_mode: int = 0,
    count_include_pad: int = 0,
    dilations: tuple[int, ...] | None = None,
    pads: tuple[int, ...] | None = None,
    strides: tuple[int, ...] | None = None,
) -> Array:
    """Mean of each window of ``x``, of shape (n_samples, n_channels, *spatial).

    Padding counts in the mean with ``count_include_pad`` only. The cells beyond the padding that
    ``ceil_mode`` adds never count, as in torch and ONNX Runtime.
    """
    spatial = x.shape[2:]
    windows = Windows.of(spatial, kernel_shape, strides, dilations, pads, auto_pad, ceil_mode)
    kernel_axes = tuple(range(-len(kernel_shape), 0))
    totals = windows.view(windows.pad(x, 0)).sum(axis=kernel_axes)
    counts = windows.counts(spatial, include_padding=bool(count_include_pad))
    return with_type_of(x, totals / counts)


def _bind_max_pool(attributes: Mapping[str, Any], n_outputs: int) -> Implementation:
    return partial(max_pool, **attributes, n_outputs=n_outputs)


@numpy_op("MaxPool", bind=_bind_max_pool)
def max_pool(
    x: Array,
    *,
    kernel_shape: tuple[int, ...],
    auto_pad: str = "NOTSET",
    ceil_mode: int = 0,
    dilations: tuple[int, ...] | None = None,
    pads: tuple[int, ...] | None = None,
    storage_order: int = 0,
    strides: tuple[int, ...] | None = None,
    n_outputs: int = 1,
) -> Array | tuple[Array, NDArray[np.int64]]:
    """Maximum of each window of ``x``, of shape (n_samples, n_channels, *spatial).

    Returns
    -------
    maxima : ndarray of shape (n_samples, n_channels, *output spatial)
    indices : ndarray of the same shape, int64
        Only with ``n_outputs=2``: position of each maximum in ``x`` flattened, the spatial axes in
        row-major order, or in column-major order with ``storage_order=1``.
    """
    windows = Windows.of(x.shape[2:], kernel_shape, strides, dilations, pads, auto_pad, ceil_mode)
    lowest = -np.inf if np.issubdtype(x.dtype, np.floating) else np.iinfo(x.dtype).min
    cells = windows.view(windows.pad(x, lowest))
    cells = cells.reshape(*cells.shape[: x.ndim], -1)
    maxima = cells.max(axis=-1)
    if n_outputs == 1:
        return maxima
    positions = np.arange(x.size, dtype=np.int64).reshape(x.shape)
    if storage_order:
        by_column = positions.reshape(*x.shape[:2], *x.shape[:1:-1])
        positions = by_column.transpose(0, 1, *range(x.ndim - 1, 1, -1))
    position_cells = windows.view(windows.pad(positions, -1)).reshape(cells.shape)
    chosen = cells.argmax(axis=-1, keepdims=True)
    return maxima, np.take_along_axis(position_cells, chosen, axis=-1)[..., 0]
