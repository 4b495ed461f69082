"""Composite reductions, rewritten in operators that skq quantizes.

=============== ======================================
operator        becomes
=============== ======================================
ReduceL1        Abs, ReduceSum
ReduceL2        Mul, ReduceSum, Sqrt
ReduceSumSquare Mul, ReduceSum
=============== ======================================

Source: ONNX operators ReduceL1-18, ReduceL2-18, ReduceSumSquare-18.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from skq.graph.graph import FloatGraph, Node
from skq.graph.writer import GraphWriter, Rule, rewritten


def without_composite_operators(graph: FloatGraph) -> FloatGraph:
    """A graph that computes the same without the operators above.

    Parameters
    ----------
    graph : FloatGraph

    Returns
    -------
    FloatGraph
        The graph itself where there are none.
    """
    return rewritten(graph, lambda node: None if node.domain else _RULES.get(node.op_type))


def _summed(writer: GraphWriter, node: Node, terms: str, to: str) -> str:
    """Sum over the axes of the node, which are an attribute before operator set 18."""
    attributes = dict(node.attributes)
    axes = list(node.inputs[1:])
    if "axes" in attributes:
        axes = [writer.constant(node, "axes", attributes.pop("axes"), np.int64)]
    return writer.add("ReduceSum", terms, *axes, to=to, given=attributes)


def _reduce_l1(writer: GraphWriter, node: Node) -> None:
    size = writer.add("Abs", node.inputs[0], to=writer.name(node, "abs"))
    _summed(writer, node, size, node.outputs[0])


def _reduce_sum_square(writer: GraphWriter, node: Node) -> None:
    x = node.inputs[0]
    _summed(writer, node, writer.add("Mul", x, x, to=writer.name(node, "squares")), node.outputs[0])


def _reduce_l2(writer: GraphWriter, node: Node) -> None:
    x = node.inputs[0]
    squares = writer.add("Mul", x, x, to=writer.name(node, "squares"))
    total = _summed(writer, node, squares, writer.name(node, "sum"))
    writer.add("Sqrt", total, to=node.outputs[0])


_RULES: Mapping[str, Rule] = {
    "ReduceL1": _reduce_l1,
    "ReduceL2": _reduce_l2,
    "ReduceSumSquare": _reduce_sum_square,
}
