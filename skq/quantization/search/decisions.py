"""Scores of a float graph that labels are decided on, and how near to the decision they are."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from skq.graph.graph import FloatGraph
from skq.quantization.operator_facts import ONNX_OPS_TO_QUANTIZED_IMPL, has_fact
from skq.quantization.search.ranges import percentiles

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Decision:
    """How labels are decided on scores.

    Parameters
    ----------
    threshold : float or None
        Each score is compared with it. None: the greatest of a row wins.
    """

    threshold: float | None = None

    def margins(self, scores: Floats) -> Floats:
        """How far each score is from being decided otherwise.

        A score that is compared: how far it is above the threshold. Else how far it is ahead of the
        best of the others (behind: below 0).

        Parameters
        ----------
        scores : ndarray of shape (n_rows, n_scores)

        Examples
        --------
        >>> Decision().margins(np.array([[1.0, 4.0, 2.0]]))
        array([[-3.,  2., -2.]])
        >>> Decision(threshold=0.5).margins(np.array([[1.0, 0.0]]))
        array([[ 0.5, -0.5]])
        """
        if self.threshold is not None:
            return scores - self.threshold
        if scores.shape[1] == 1:
            return scores
        best, second = np.partition(scores, -2, axis=1)[:, :-3:-1].T
        is_best = np.arange(scores.shape[1]) == scores.argmax(axis=1)[:, None]
        return np.asarray(scores - np.where(is_best, second[:, None], best[:, None]))

    def labels(self, scores: Floats) -> NDArray[np.int64]:
        """What is decided: of shape (n_rows, n_scores) with a threshold, else (n_rows, 1)."""
        if self.threshold is not None:
            return (scores > self.threshold).astype(np.int64)
        return scores.argmax(axis=1)[:, None]

    def weight(self, scores: Floats, row_weight: Floats) -> Floats:
        """Weight of each score: high near the decision, falling off with the distance to it.

        ``1 / (1 + (distance / (1.5 * median margin))**2)``, where the margin is that of a compared
        score, or of the class that wins.

        Parameters
        ----------
        scores : ndarray of shape (n_rows, n_scores)
        row_weight : ndarray of shape (n_rows,)

        Returns
        -------
        ndarray of the same shape, in (0, 1]
        """
        distance = margin = np.abs(self.margins(scores))
        if self.threshold is None and scores.shape[1] > 1:
            margin = distance.min(axis=1, keepdims=True)
        middle = 1.5 * weighted_median(margin, row_weight) + 1e-300
        with np.errstate(over="ignore"):
            return np.asarray(1 / (1 + (distance / middle) ** 2))


def last_scores(graph: FloatGraph, values: Mapping[str, NDArray[Any]]) -> dict[str, Decision]:
    """Values that decisions read, and how they decide.

    Parameters
    ----------
    graph : FloatGraph
    values : mapping of str to ndarray
        Values of the graph, constants among them.
    """
    found: dict[str, Decision] = {}
    constants = graph.constant_names
    for node in graph.nodes:
        read = [name for name in node.inputs if name not in constants]
        if len(read) != 1:
            continue
        decides = getattr(ONNX_OPS_TO_QUANTIZED_IMPL.get(node.op_type), "decides", "")
        if decides == "greatest":
            found[read[0]] = Decision()
        elif decides == "threshold":
            number = next(values.get(name) for name in node.inputs if name in constants)
            if number is not None and number.size == 1:
                found[read[0]] = Decision(float(number.reshape(-1)[0]))
    return found


def all_scores(graph: FloatGraph, values: Mapping[str, NDArray[Any]]) -> dict[str, Decision]:
    """`last_scores`, and values that only move on the way there."""
    found = last_scores(graph, values)
    constants = graph.constant_names
    for node in reversed(graph.nodes):
        read = [found[name] for name in node.outputs if name in found]
        if has_fact(node.op_type, "moves_elements") and read:
            found.update((name, read[0]) for name in node.inputs if name not in constants)
    return found


def weighted_median(values: Floats, row_weight: Floats) -> float:
    """Least value at or below which half of the weight lies, over all elements.

    Parameters
    ----------
    values : ndarray of shape (n_rows, n_columns)
    row_weight : ndarray of shape (n_rows,)
    """
    weight = np.repeat(row_weight, values.shape[1])
    return float(percentiles(values.reshape(-1, 1), weight, np.array([0.5]))[0, 0])
