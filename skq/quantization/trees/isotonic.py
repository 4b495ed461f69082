"""Isotonic regression: the nearest values in a given order."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]


def in_order(wanted: Floats, order: Floats, weight: NDArray[Any]) -> Floats:
    """The nearest values to `wanted` in the order of `order`, column by column.

    Where `order` has ties, the results are equal. The distance is the weighted sum of squares, as
    in scikit-learn's `IsotonicRegression`.

    Parameters
    ----------
    wanted, order : ndarray of shape (n_values, n_columns)
    weight : ndarray of shape (n_values,)
        Above 0.

    Returns
    -------
    ndarray of shape (n_values, n_columns)

    Examples
    --------
    >>> wanted, order = np.array([[3.0], [1.0], [5.0]]), np.array([[0.0], [1.0], [2.0]])
    >>> in_order(wanted, order, np.ones(3)).ravel()
    array([2., 2., 5.])
    """
    result = np.empty_like(wanted)
    for k in range(wanted.shape[1]):
        _, group = np.unique(order[:, k], return_inverse=True)
        total = np.bincount(group, weights=weight)
        mean = np.bincount(group, weights=weight * wanted[:, k]) / total
        result[:, k] = _rising(mean, total)[group]
    return result


def _rising(values: NDArray[Any], weight: NDArray[Any]) -> Floats:
    """The nearest rising values, by pooling adjacent violators."""
    pools: list[tuple[float, float, int]] = []  # mean, weight, number of values
    for mean, share in zip(values.tolist(), weight.tolist(), strict=True):
        size = 1
        while pools and pools[-1][0] >= mean:
            before, more, count = pools.pop()
            mean = (before * more + mean * share) / (more + share)
            share, size = share + more, size + count
        pools.append((mean, share, size))
    return np.repeat([pool[0] for pool in pools], [pool[2] for pool in pools])
