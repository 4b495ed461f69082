"""Weights of errors at each value of a float graph, by their effect on predictions.

Where labels are decided on scores, an error counts most in the rows near the decision. An error
inside the network is weighted by its effect on the outputs: its square is weighted with the square
of the derivative, row by row (the diagonal of the Gauss-Newton matrix, with the contributions of
different paths added up, as in "optimal brain damage", LeCun et al. 1990). The weight is 0
for a neuron that a ReLU sets to zero in that row, and small for a row far from the decision.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from skq.graph.graph import FloatGraph, Node
from skq.quantization.operator_facts import ONNX_OPS_TO_QUANTIZED_IMPL, ErrorStep
from skq.quantization.search.decisions import all_scores
from skq.quantization.search.settings import ERRORS

Floats = NDArray[np.float64]


def error_weights(
    graph: FloatGraph,
    floats: Mapping[str, NDArray[np.generic]],
    ends: Sequence[str],
    row_weight: Floats,
) -> dict[str, Floats]:
    """Weight of a squared error at each value, row by row and element by element.

    Parameters
    ----------
    graph : FloatGraph
    floats : mapping of str to ndarray of shape (n_rows, ...)
        Values on the calibration rows.
    ends : sequence of str
        Values that outputs, and the nodes that stay in floats, read.
    row_weight : ndarray of shape (n_rows,)
        They sum to 1.

    Returns
    -------
    dict of str to ndarray of shape (n_rows, n_columns) or (n_rows,)
        For values of one axis besides the rows, from which only layers and elementwise functions
        lead to `ends`. Other values have no weights: all their errors count the same.
    """
    decisions = all_scores(graph, floats)
    weights: dict[str, Floats] = {}
    unknown: set[str] = set()
    for name in {*decisions, *ends}:
        values = floats.get(name)
        if values is not None and values.ndim in (1, 2) and values.dtype.kind == "f":
            real = values.astype(np.float64)
            decides = name in decisions and values.ndim == 2
            weights[name] = (
                decisions[name].weight(real, row_weight) if decides else np.ones_like(real)
            )
    seeds = frozenset(weights)
    constants = graph.constant_names
    for node in reversed(graph.nodes):
        inner = [n for n in node.inputs if n and n not in constants and n in floats]
        for name in inner:
            if name in seeds or name in unknown:
                continue  # weights are those of the decision
            weight = _before(node, name, weights, floats, row_weight) if len(inner) == 1 else None
            if weight is None:
                unknown.add(name)
                weights.pop(name, None)
            else:
                weights[name] = weights[name] + weight if name in weights else weight
    return {
        name: weight
        if name in seeds
        else weight + ERRORS.least_weight * (row_weight @ weight).mean()
        for name, weight in weights.items()
        if weight.any()
    }


def _before(
    node: Node,
    name: str,
    weights: Mapping[str, Floats],
    floats: Mapping[str, NDArray[np.generic]],
    row_weight: Floats,
) -> Floats | None:
    """Weights of errors at a node's only variable input; None where they are not known."""
    weight = weights.get(node.outputs[0])
    values = floats[name]
    if weight is None or values.ndim != 2 or values.dtype.kind != "f" or not len(values):
        return None
    operator = ONNX_OPS_TO_QUANTIZED_IMPL.get(node.op_type)
    if operator is None:
        return None
    arguments = [floats.get(n) if n else None for n in node.inputs]
    real = values.astype(np.float64)
    step = ErrorStep(node, node.inputs.index(name), arguments, real, weight, row_weight)
    before: Floats | None = operator.input_error_weight(step)
    return before if before is not None and np.all(np.isfinite(before)) else None
