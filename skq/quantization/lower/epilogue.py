"""The epilogue of a float graph: a final link such as Softmax, and what follows it."""

from __future__ import annotations

from skq.graph.graph import FloatGraph, Node
from skq.quantization.operator_facts import has_fact


def epilogue_nodes(graph: FloatGraph) -> set[int]:
    """Indices of the nodes that are computed in floats after the integer program.

    A node belongs to the epilogue if it is a link or reads the result of one, directly or through
    other nodes, and all nodes after it may be computed in floats.
    """
    readers: dict[str, list[int]] = {}
    for index, node in enumerate(graph.nodes):
        for name in node.inputs:
            readers.setdefault(name, []).append(index)
    # nodes that may be computed in floats, as all nodes after them
    may_end: set[int] = set()
    for index in range(len(graph.nodes) - 1, -1, -1):
        node = graph.nodes[index]
        if _may_be_float(node.op_type) and all(
            reader in may_end for name in node.outputs for reader in readers.get(name, [])
        ):
            may_end.add(index)
    after_link: set[str] = set()
    epilogue: set[int] = set()
    for index, node in enumerate(graph.nodes):
        if index in may_end and (has_fact(node.op_type, "is_link") or _reads(node, after_link)):
            epilogue.add(index)
            after_link.update(node.outputs)
    return epilogue


def _reads(node: Node, names: set[str]) -> bool:
    return any(name in names for name in node.inputs)


def _may_be_float(op_type: str) -> bool:
    return has_fact(op_type, "is_link") or has_fact(op_type, "follows_link")
