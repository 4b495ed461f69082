"""Normalizations, and Dropout, which is the identity outside of training."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from skq.graph.ops.binding import Implementation, numpy_op
from skq.graph.ops.result_types import with_type_of

Array = NDArray[Any]


@numpy_op("BatchNormalization")
def batch_normalization(
    x: Array,
    scale: Array,
    bias: Array,
    mean: Array,
    variance: Array,
    *,
    epsilon: float = 1e-5,
    momentum: float = 0.9,
    training_mode: int = 0,
) -> Array | tuple[Array, Array, Array]:
    """``scale * (x - mean) / sqrt(variance + epsilon) + bias``, channel by channel.

    Parameters
    ----------
    x : ndarray of shape (n_samples, n_channels, *spatial)
    scale, bias, mean, variance : ndarray of shape (n_channels,)
    training_mode : int, default=0
        If 1, the moments of ``x`` itself are used, and the running mean and variance are returned
        too: ``running * momentum + current * (1 - momentum)``.
    """
    per_channel = (-1, *(1,) * (x.ndim - 2))
    if training_mode:
        axes = (0, *range(2, x.ndim))
        current_mean, current_variance = x.mean(axis=axes), x.var(axis=axes)
        running = (
            (mean * momentum + current_mean * (1 - momentum)).astype(mean.dtype),
            (variance * momentum + current_variance * (1 - momentum)).astype(variance.dtype),
        )
        mean, variance = current_mean, current_variance
    factor = scale.reshape(per_channel) / np.sqrt(variance.reshape(per_channel) + epsilon)
    y = with_type_of(x, factor * (x - mean.reshape(per_channel)) + bias.reshape(per_channel))
    return (y, *running) if training_mode else y


@numpy_op("InstanceNormalization")
def instance_normalization(x: Array, scale: Array, bias: Array, *, epsilon: float = 1e-5) -> Array:
    """``scale * (x - mean) / sqrt(variance + epsilon) + bias``, by the moments of each channel.

    Parameters
    ----------
    x : ndarray of shape (n_samples, n_channels, *spatial)
    scale, bias : ndarray of shape (n_channels,)
    """
    axes, per_channel = tuple(range(2, x.ndim)), (-1, *(1,) * (x.ndim - 2))
    mean, variance = x.mean(axis=axes, keepdims=True), x.var(axis=axes, keepdims=True)
    normal = (x - mean) / np.sqrt(variance + epsilon)
    return with_type_of(x, scale.reshape(per_channel) * normal + bias.reshape(per_channel))


def _bind_dropout(attributes: Mapping[str, Any], n_outputs: int) -> Implementation:
    return partial(dropout, **attributes, n_outputs=n_outputs)


@numpy_op("Dropout", bind=_bind_dropout)
def dropout(
    x: Array,
    ratio: Array | None = None,
    training_mode: Array | None = None,
    *,
    seed: int | None = None,
    n_outputs: int = 1,
) -> Array | tuple[Array, Array]:
    """Return the input; in training mode a share `ratio` of it is 0 and the rest scaled up.

    Returns
    -------
    y : ndarray of the shape of `x`
    mask : ndarray of bool
        Only with ``n_outputs=2``: what was not dropped.
    """
    share = 0.5 if ratio is None else float(ratio)
    trains = training_mode is not None and bool(training_mode) and share > 0
    mask = np.ones(x.shape, dtype=bool)
    y = x
    if trains:
        mask = np.random.RandomState(seed).uniform(0, 1.0, x.shape) >= share
        y = with_type_of(x, mask * x / (1 - share))
    return (y, mask) if n_outputs > 1 else y


def _bind_layer_normalization(attributes: Mapping[str, Any], n_outputs: int) -> Implementation:
    return partial(layer_normalization, **attributes, n_outputs=n_outputs)


@numpy_op("LayerNormalization", bind=_bind_layer_normalization)
def layer_normalization(
    x: Array,
    scale: Array,
    bias: Array | None = None,
    *,
    axis: int = -1,
    epsilon: float = 1e-5,
    stash_type: int = 1,
    n_outputs: int = 1,
) -> Array | tuple[Array, ...]:
    """``scale * (x - mean) / sqrt(variance + epsilon) + bias``, by the moments of each row.

    The moments are taken over `axis` and all axes after it, in the dtype of `x`.
    """
    axes = tuple(range(axis % x.ndim, x.ndim))
    mean = x.mean(axis=axes, keepdims=True)
    inverse = 1 / np.sqrt(x.var(axis=axes, keepdims=True) + epsilon)
    y = scale * ((x - mean) * inverse)
    y = with_type_of(x, y if bias is None else y + bias)
    return (y, mean, with_type_of(x, inverse))[:n_outputs] if n_outputs > 1 else y


@numpy_op("LRN")
def local_response_normalization(
    x: Array, *, size: int, alpha: float = 1e-4, beta: float = 0.75, bias: float = 1.0
) -> Array:
    """``x / (bias + alpha / size * s) ** beta``, s the sum of squares of `size` channels around.

    Parameters
    ----------
    x : ndarray of shape (n_samples, n_channels, *spatial)
    """
    squares = x * x
    sums = np.stack(
        [squares[:, near].sum(axis=1) for near in neighbouring_channels(x.shape[1], size)], axis=1
    )
    return with_type_of(x, x / (bias + alpha / size * sums) ** beta)


def neighbouring_channels(n_channels: int, size: int) -> list[slice]:
    """The channels whose squares LRN adds up, for each channel."""
    before, after = (size - 1) // 2, size // 2
    return [slice(max(0, c - before), c + after + 1) for c in range(n_channels)]
