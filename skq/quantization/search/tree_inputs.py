"""Values of a float graph, other than its inputs, that trees compare with thresholds.

Trees are discontinuous, so the effect of an error on the outputs of calibration rows predicts
little about other rows. The error of the value itself is minimized, relative to the variance of its
column.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from skq.graph.graph import FloatGraph

Floats = NDArray[np.float64]


def read_by_trees(graph: FloatGraph) -> frozenset[str]:
    """Names of the values that trees read."""
    read: set[str] = set()
    for node in reversed(graph.nodes):
        if node.op_type == "TreeEnsembleRegressor" or (
            node.op_type == "Concat" and read.intersection(node.outputs)
        ):
            read.update(node.inputs)
    return frozenset(read - set(graph.initializers) - {info.name for info in graph.inputs})


def weights_by_variance(
    graph: FloatGraph, floats: Mapping[str, NDArray[np.generic]], row_weight: Floats
) -> dict[str, Floats]:
    """Weight of a squared error at each of these values: one over the variance of its column.

    Parameters
    ----------
    graph : FloatGraph
    floats : mapping of str to ndarray of shape (n_rows, ...)
        Values on the calibration rows.
    row_weight : ndarray of shape (n_rows,)
        They sum to 1.

    Returns
    -------
    dict of str to ndarray of shape (n_rows, n_columns)
        0 for columns that are constant.
    """
    weights = {}
    for name in read_by_trees(graph):
        values = floats.get(name)
        if values is not None and values.ndim == 2 and values.dtype.kind == "f":
            real = values.astype(np.float64)
            variance = row_weight @ (real - row_weight @ real) ** 2
            share = np.where(variance > 0, 1 / np.where(variance > 0, variance, 1.0), 0.0)
            weights[name] = np.broadcast_to(share, real.shape)
    return weights
