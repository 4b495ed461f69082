"""Scores that labels are decided on, and their distance to the decision."""

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
        """Signed distance of each score to the decision.

        With a threshold, the difference to the threshold. Otherwise the difference to the greatest
        of the other scores.

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
        """Labels: of shape (n_rows, n_scores) with a threshold, else (n_rows, 1)."""
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
    """Values that labels are decided on, with the decision.

    Parameters
    ----------
    graph : FloatGraph
    values : mapping of str to ndarray
        Values of the graph, constants among them.
    """
    decisions: dict[str, Decision] = {}
    constants = graph.constant_names
    for node in graph.nodes:
        read = [name for name in node.inputs if name not in constants]
        if len(read) != 1:
            continue
        decides = getattr(ONNX_OPS_TO_QUANTIZED_IMPL.get(node.op_type), "decides", "")
        if decides == "greatest":
            decisions[read[0]] = Decision()
        elif decides == "threshold":
            number = next(values.get(name) for name in node.inputs if name in constants)
            if number is not None and number.size == 1:
                decisions[read[0]] = Decision(float(number.reshape(-1)[0]))
    return decisions


def all_scores(graph: FloatGraph, values: Mapping[str, NDArray[Any]]) -> dict[str, Decision]:
    """`last_scores`, and the values that these are moved from."""
    decisions = last_scores(graph, values)
    constants = graph.constant_names
    for node in reversed(graph.nodes):
        read = [decisions[name] for name in node.outputs if name in decisions]
        if has_fact(node.op_type, "moves_elements") and read:
            decisions.update((name, read[0]) for name in node.inputs if name not in constants)
    return decisions


def weighted_median(values: Floats, row_weight: Floats) -> float:
    """Least value at or below which half of the weight lies, over all elements.

    Parameters
    ----------
    values : ndarray of shape (n_rows, n_columns)
    row_weight : ndarray of shape (n_rows,)
    """
    weight = np.repeat(row_weight, values.shape[1])
    return float(percentiles(values.reshape(-1, 1), weight, np.array([0.5]))[0, 0])
