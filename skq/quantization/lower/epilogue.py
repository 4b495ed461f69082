"""Which nodes of a float graph are left to floats: what follows a final Softmax, Sigmoid or Exp."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from skq.graph.graph import FloatGraph, Node

#: Functions that are applied to dequantized scores where they end a model.
LINKS = frozenset({"Softmax", "LogSoftmax", "Sigmoid", "Exp", "Log", "Clip"})

#: What may follow a link, or stand between two.
FOLLOWERS = frozenset(
    {
        "Abs",
        "Add",
        "ArgMax",
        "Cast",
        "Concat",
        "Constant",
        "Equal",
        "Div",
        "Gather",
        "Identity",
        "Mul",
        "Neg",
        "ReduceSum",
        "Reshape",
        "Slice",
        "Squeeze",
        "Sub",
        "Unsqueeze",
    }
)


def tail_nodes(graph: FloatGraph) -> set[int]:
    """Indices of the nodes that are computed in floats behind the integer program.

    A node belongs to the tail if a link is it or is above it, and no node below needs integers.
    """
    readers: dict[str, list[int]] = {}
    for index, node in enumerate(graph.nodes):
        for name in node.inputs:
            readers.setdefault(name, []).append(index)
    below: set[int] = set()  # nodes with nothing but links and followers from here on
    for index in range(len(graph.nodes) - 1, -1, -1):
        node = graph.nodes[index]
        if node.op_type in LINKS | FOLLOWERS and all(
            reader in below for name in node.outputs for reader in readers.get(name, [])
        ):
            below.add(index)
    after_link: set[str] = set()
    tail: set[int] = set()
    for index, node in enumerate(graph.nodes):
        if index in below and (node.op_type in LINKS or _reads(node, after_link)):
            tail.add(index)
            after_link.update(node.outputs)
    return tail | _shapes_for(graph, tail, readers)


def _shapes_for(
    graph: FloatGraph, tail: set[int], readers: Mapping[str, Sequence[int]]
) -> set[int]:
    """Nodes that compute from shapes alone what nobody but the tail reads."""
    known, of_shapes = set(graph.constant_names), set()
    for index, node in enumerate(graph.nodes):
        if node.op_type == "Shape" or (node.inputs and known.issuperset(filter(None, node.inputs))):
            known.update(node.outputs)
            of_shapes.add(index)
    added: set[int] = set()
    for index in sorted(of_shapes, reverse=True):
        found = [reader for name in graph.nodes[index].outputs for reader in readers.get(name, [])]
        if found and tail.union(added).issuperset(found):
            added.add(index)
    return added


def _reads(node: Node, names: set[str]) -> bool:
    return any(name in names for name in node.inputs)
