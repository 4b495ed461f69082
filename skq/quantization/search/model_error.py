"""Effect of an error inside a float graph on the model's outputs, by running the rest of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from skq.graph.graph import FloatGraph, Node
from skq.graph.ops import bind_node
from skq.graph.ops.binding import BoundNode
from skq.quantization.search.decisions import all_scores, last_scores, weighted_median
from skq.quantization.search.settings import ERRORS
from skq.quantization.search.tree_inputs import read_by_trees

Floats = NDArray[np.float64]
Array = NDArray[Any]


class ModelError:
    """Mean squared error of the model's outputs if one value of its float graph is replaced.

    Errors are relative to the variance of an output (to its mean square if it is constant). Scores
    that labels are decided on are compared as ``tanh(margin / typical margin)`` (see
    `skq.quantization.search.decisions`), so errors far from the decision hardly count. The share of
    labels that change is added, times `ERRORS.changed_label`.

    Parameters
    ----------
    graph : FloatGraph
    floats : mapping of str to ndarray of shape (n_rows, ...)
        Values on the calibration rows.
    ends : sequence of str
        Values that outputs, and the nodes that stay in floats, read.
    row_weight : ndarray of shape (n_rows,)
        They sum to 1.
    """

    def __init__(
        self,
        graph: FloatGraph,
        floats: Mapping[str, Array],
        ends: Sequence[str],
        row_weight: Floats,
    ) -> None:
        self._floats = floats
        self._row_weight = row_weight
        self._nodes = [
            (n, bind_node(n))
            for n in graph.nodes
            if all(name in floats for name in n.outputs if name)
        ]
        self._read_by_trees = read_by_trees(graph)
        decided = all_scores(graph, floats)
        self._decisions = last_scores(graph, floats)
        self._typical: dict[str, float] = {}
        self._labels: dict[str, NDArray[np.int64]] = {}
        self._exact: dict[str, Floats] = {}
        for name in [*self._decisions, *(end for end in ends if end not in decided)]:
            values = floats.get(name)
            if values is None or values.dtype.kind != "f" or not values.size or not values.ndim:
                continue
            if name in self._decisions:
                decision, scores = self._decisions[name], _rows(values)
                margins = np.abs(decision.margins(scores))
                self._typical[name] = weighted_median(margins, row_weight) or 1.0
                self._labels[name] = decision.labels(scores)
            self._exact[name] = self._compared(name, values)

    @property
    def decides(self) -> bool:
        """Whether labels are decided on scores of the graph."""
        return bool(self._typical)

    def of(self, name: str, values: Array) -> float | None:
        """Error of the outputs with these values in place of a graph's.

        None if no output reads them, or if trees compare them.

        Parameters
        ----------
        name : str
        values : ndarray of shape (n_rows, ...)
            As many as in the graph.
        """
        if name not in self._floats or name in self._read_by_trees:
            return None
        results = self._run_from(name, values.reshape(self._floats[name].shape))
        ends = [end for end in self._exact if end in results]
        if not ends:
            return None
        total = 0.0
        for end in ends:
            exact = self._exact[end]
            difference = self._compared(end, results[end]) - exact
            by_row = self._row_weight[:, None]
            spread = 1.0
            if end not in self._typical:
                mean = (by_row * exact).sum(axis=0)
                power = float((by_row * exact**2).sum())
                spread = float((by_row * (exact - mean) ** 2).sum())
                if spread <= ERRORS.negligible_spread * power:  # a constant
                    spread = power or 1.0
            with np.errstate(over="ignore"):
                total += float((by_row * difference**2).sum()) / spread
            if end in self._labels:
                labels = self._decisions[end].labels(_rows(results[end]))
                changed = labels != self._labels[end]
                total += ERRORS.changed_label * float((by_row * changed).sum())
        return total

    def _run_from(self, name: str, values: Array) -> dict[str, Array]:
        """A value and all values that depend on it."""
        changed = {name: values.astype(self._floats[name].dtype)}
        for node, function in self._nodes:
            if any(n in changed for n in node.inputs) and name not in node.outputs:
                changed.update(self._outputs(node, function, changed))
        return changed

    def _outputs(
        self, node: Node, function: BoundNode, changed: Mapping[str, Array]
    ) -> dict[str, Array]:
        arguments = [changed.get(n, self._floats.get(n)) if n else None for n in node.inputs]
        with np.errstate(all="ignore"):
            results = function(*arguments)
        return {n: r for n, r in zip(node.outputs, results, strict=False) if n}

    def _compared(self, name: str, values: Array) -> Floats:
        real = _rows(values)
        if name not in self._typical:
            return np.nan_to_num(real)
        return np.tanh(self._decisions[name].margins(real) / self._typical[name])


def _rows(values: Array) -> Floats:
    """Values as (n_rows, n_columns)."""
    return values.reshape(len(values), -1).astype(np.float64)
