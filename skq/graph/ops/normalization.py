"""Batch normalization."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from skq.graph.ops.binding import numpy_op
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
