"""Quantiles that replace the calibration samples of an operator, so that no row is stored."""

from __future__ import annotations

import numpy as np

from skq.quantization.lower.operands import Array

__all__ = ["TYPICAL_ROWS", "typical_rows"]

#: Number of rows of quantiles that are stored instead of the calibration samples.
TYPICAL_ROWS = 65


def typical_rows(samples: Array) -> Array:
    """Rows of the quantiles of each element's samples, in an order that differs by element.

    They have the range and the distribution of each element, but no row of the samples.

    Parameters
    ----------
    samples : ndarray of shape (n_rows, ...)

    Returns
    -------
    ndarray of shape (TYPICAL_ROWS, ...), of the dtype of `samples`
    """
    if samples.ndim == 0 or samples.size == 0:
        return samples
    at = np.rint(np.linspace(0, len(samples) - 1, TYPICAL_ROWS)).astype(np.int64)
    quantiles = np.sort(samples, axis=0)[at].reshape(TYPICAL_ROWS, -1)
    mixed = np.random.default_rng(0).permuted(quantiles, axis=0)
    return mixed.reshape(TYPICAL_ROWS, *samples.shape[1:])
