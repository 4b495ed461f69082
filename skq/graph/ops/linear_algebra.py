"""Matrix products and convolution."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from skq.graph.ops.binding import numpy_op
from skq.graph.ops.result_types import with_type_of
from skq.graph.ops.windows import SpreadWindows, Windows

Array = NDArray[Any]


@numpy_op("MatMul")
def matmul(a: Array, b: Array) -> Array:
    """Matrix product, as `numpy.matmul`."""
    return np.matmul(a, b)


@numpy_op("Gemm")
def gemm(
    a: Array,
    b: Array,
    c: Array | None = None,
    *,
    alpha: float = 1.0,
    beta: float = 1.0,
    transA: int = 0,
    transB: int = 0,
) -> Array:
    """``alpha * a @ b + beta * c``, with ``a`` or ``b`` transposed first if requested.

    Parameters
    ----------
    a : ndarray of shape (m, k), or (k, m) with ``transA``
    b : ndarray of shape (k, n), or (n, k) with ``transB``
    c : ndarray that broadcasts to (m, n), default=None

    Returns
    -------
    ndarray of shape (m, n)
        In the dtype of ``a``; floats where that has integers and another input or a factor does
        not.
    """
    product = np.matmul(a.T if transA else a, b.T if transB else b)
    if alpha != 1.0:
        product = alpha * product
    if c is not None:
        product = product + (c if beta == 1.0 else beta * c)
    return with_type_of(a, product)


@numpy_op("Conv")
def conv(
    x: Array,
    weights: Array,
    bias: Array | None = None,
    *,
    auto_pad: str = "NOTSET",
    dilations: tuple[int, ...] | None = None,
    group: int = 1,
    kernel_shape: tuple[int, ...] | None = None,
    pads: tuple[int, ...] | None = None,
    strides: tuple[int, ...] | None = None,
) -> Array:
    """Convolution (cross-correlation) over any number of spatial axes.

    Parameters
    ----------
    x : ndarray of shape (n_samples, n_channels, *spatial)
    weights : ndarray of shape (n_filters, n_channels / group, *kernel_shape)
    bias : ndarray of shape (n_filters,), default=None

    Returns
    -------
    ndarray of shape (n_samples, n_filters, *output spatial), dtype of ``x``
    """
    kernel = weights.shape[2:]
    if kernel_shape is not None and tuple(kernel_shape) != tuple(kernel):
        raise ValueError(
            f"Conv's kernel_shape must be that of its weights, {tuple(kernel)}. "
            f"Got {tuple(kernel_shape)}."
        )
    windows = Windows.of(x.shape[2:], kernel, strides, dilations, pads, auto_pad)
    return _convolved(x, weights, bias, windows, group)


def _convolved(x: Array, weights: Array, bias: Array | None, windows: Windows, group: int) -> Array:
    """The filters at each window; `weights` of shape (n_filters, channels / group, *kernel)."""
    n_filters, n_group_channels, *kernel = weights.shape
    patches = windows.view(windows.pad(x, 0))
    n_samples, n_spatial = len(x), len(kernel)
    patches = patches.reshape(n_samples, group, n_group_channels, *patches.shape[2:])
    patches = np.moveaxis(patches, 2, 2 + n_spatial)
    rows = patches.reshape(n_samples, group, int(np.prod(windows.output)), -1)
    columns = weights.reshape(group, n_filters // group, -1).transpose(0, 2, 1)
    product = np.swapaxes(np.matmul(rows, columns), 2, 3)
    result = product.reshape(n_samples, n_filters, *windows.output)
    if bias is not None:
        result = result + bias.reshape(-1, *(1,) * n_spatial)
    return result


def turned_filters(weights: Array, group: int) -> Array:
    """Filters of ConvTranspose as filters of an equivalent convolution.

    Parameters
    ----------
    weights : ndarray of shape (n_channels, n_filters / group, *kernel)
    group : int

    Returns
    -------
    ndarray of shape (n_filters, n_channels / group, *kernel)
        Turned around on the spatial axes.
    """
    n_channels, per_group, *kernel = weights.shape
    grouped = weights.reshape(group, n_channels // group, per_group, *kernel).swapaxes(1, 2)
    filters = grouped.reshape(group * per_group, n_channels // group, *kernel)
    return np.flip(filters, tuple(range(2, filters.ndim)))


@numpy_op("ConvTranspose")
def conv_transpose(
    x: Array,
    weights: Array,
    bias: Array | None = None,
    *,
    auto_pad: str = "NOTSET",
    dilations: tuple[int, ...] | None = None,
    group: int = 1,
    kernel_shape: tuple[int, ...] | None = None,
    output_padding: tuple[int, ...] | None = None,
    output_shape: tuple[int, ...] | None = None,
    pads: tuple[int, ...] | None = None,
    strides: tuple[int, ...] | None = None,
) -> Array:
    """Transposed convolution over any number of spatial axes.

    Parameters
    ----------
    x : ndarray of shape (n_samples, n_channels, *spatial)
    weights : ndarray of shape (n_channels, n_filters / group, *kernel_shape)
    bias : ndarray of shape (n_filters,), default=None

    Returns
    -------
    ndarray of shape (n_samples, n_filters, *output spatial), dtype of ``x``
        The output has the length of `output_shape` if given, else
        ``(n - 1) * stride + extent of the kernel + output_padding - pads``.
    """
    kernel = weights.shape[2:]
    if kernel_shape is not None and tuple(kernel_shape) != tuple(kernel):
        raise ValueError(
            f"ConvTranspose's kernel_shape must be that of its weights, {tuple(kernel)}. "
            f"Got {tuple(kernel_shape)}."
        )
    windows = SpreadWindows.of_transposed(
        x.shape[2:], kernel, strides, dilations, pads, auto_pad, output_padding, output_shape
    )
    return _convolved(x, turned_filters(weights, group), bias, windows, group)
