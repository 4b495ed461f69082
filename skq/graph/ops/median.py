"""WeightedMedian of skq's own domain: ONNX has no such operator.

ONNX models hold it as a local function of standard operators; see `skq.graph.local_functions`.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from skq.graph.graph import SKQ_DOMAIN
from skq.graph.ops.binding import numpy_op

Array = NDArray[Any]


@numpy_op("WeightedMedian", domain=SKQ_DOMAIN)
def weighted_median(x: Array, weights: Array, threshold: Array) -> Array:
    """Least element of each row up to which the weights add up to a threshold.

    The elements are sorted, and their weights added up in that order; the result is the element at
    which the sum first reaches the threshold.

    Parameters
    ----------
    x : ndarray of shape (n_rows, n)
    weights : ndarray of shape (n,), int64, at least 0
    threshold : ndarray of shape (), int64
        At least 1 and at most the sum of the weights.

    Returns
    -------
    ndarray of shape (n_rows, 1)

    Examples
    --------
    >>> x = np.array([[3.0, 1.0, 2.0], [1.0, 2.0, 3.0]])
    >>> weighted_median(x, np.array([2, 1, 1]), np.array(2))
    array([[2.],
           [1.]])
    """
    order = np.argsort(x, axis=1, kind="stable")
    reached = np.cumsum(weights[order], axis=1) >= threshold
    first = np.take_along_axis(order, reached.argmax(axis=1)[:, np.newaxis], axis=1)
    return np.take_along_axis(x, first, axis=1)
