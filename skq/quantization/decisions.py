"""Scores of a float graph that labels are decided on, and how near to the decision they are."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from skq.frontend.graph import FloatGraph
from skq.quantization.ranges import percentiles

Floats = NDArray[np.float64]

#: Operators that decide on scores, and those that may stand between a layer and them.
_DECISIONS = frozenset({"ArgMax", "Greater", "GreaterOrEqual", "Less", "LessOrEqual"})
_BETWEEN = frozenset(
    {"Gather", "Reshape", "Identity", "Squeeze", "Flatten", "Add", "Concat", "Slice"}
)


def score_names(graph: FloatGraph) -> frozenset[str]:
    """Values of a graph that labels are decided on, and nothing but links and outputs read else."""
    decided: set[str] = set()
    for node in reversed(graph.nodes):
        if node.op_type in _DECISIONS or (
            node.op_type in _BETWEEN and decided.intersection(node.outputs)
        ):
            decided.update(node.inputs)
    return frozenset(decided - set(graph.initializers))


def decision_weight(scores: Floats, row_weight: Floats) -> Floats:
    """Weight of each score: high near the decision, falling off with the distance to it.

    For class scores the distance of a class is how far it is behind the best (the best: how far it
    is ahead). ``1 / (1 + (distance / (1.5 * median margin))**2)``.

    Parameters
    ----------
    scores : ndarray of shape (n_rows, n_classes) or (n_rows, 1)
    row_weight : ndarray of shape (n_rows,)

    Returns
    -------
    ndarray of the same shape, in (0, 1]
    """
    if scores.shape[1] == 1:
        distance = margin = np.abs(scores)
    else:
        ordered = np.sort(scores, axis=1)
        margin = ordered[:, -1:] - ordered[:, -2:-1]
        behind = ordered[:, -1:] - scores
        distance = np.where(behind > 0, behind, margin)
    middle = 1.5 * weighted_median(margin, row_weight) + 1e-300
    with np.errstate(over="ignore"):
        return np.asarray(1 / (1 + (distance / middle) ** 2))


def weighted_median(values: Floats, row_weight: Floats) -> float:
    """Least value at or below which half of the weight lies, over all elements.

    Parameters
    ----------
    values : ndarray of shape (n_rows, n_columns)
    row_weight : ndarray of shape (n_rows,)
    """
    weight = np.repeat(row_weight, values.shape[1])
    return float(percentiles(values.reshape(-1, 1), weight, np.array([0.5]))[0, 0])


def margins(scores: Floats) -> Floats:
    """How far each score is ahead of the best of the others (behind: below 0); one score: of 0.

    Parameters
    ----------
    scores : ndarray of shape (n_rows, n_classes) or (n_rows, 1)

    Examples
    --------
    >>> margins(np.array([[1.0, 4.0, 2.0]]))
    array([[-3.,  2., -2.]])
    """
    if scores.shape[1] == 1:
        return scores
    best, second = np.partition(scores, -2, axis=1)[:, :-3:-1].T
    is_best = np.arange(scores.shape[1]) == scores.argmax(axis=1)[:, None]
    return np.asarray(scores - np.where(is_best, second[:, None], best[:, None]))
