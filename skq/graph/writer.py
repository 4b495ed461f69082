"""Rewriting of graphs: nodes are replaced by others that compute the same.

A rule is a function of the `GraphWriter` and a node, which writes what replaces that node.
`skq.graph.ml_operators`, `skq.graph.quantized_operators` and `skq.graph.composite_operators` are
tables of rules.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from skq.exceptions import UnsupportedModelError
from skq.graph.graph import FloatGraph, Node

Array = NDArray[Any]
Rule = Callable[["GraphWriter", Node], None]

#: Operator set of ai.onnx, where a graph names none: rules write nodes of it.
OPSET = 17


class GraphWriter:
    """The nodes and constants of the graph that is being written.

    Parameters
    ----------
    graph : FloatGraph
        The graph that is read.
    """

    def __init__(self, graph: FloatGraph) -> None:
        self._read = graph
        #: Name of the node that is rewritten: that of the nodes which replace it.
        self.node_name = ""
        self.nodes: list[Node] = []
        self.constants: dict[str, Array] = {k: np.asarray(v) for k, v in graph.initializers.items()}
        self._known = {
            **self.constants,
            **{
                node.outputs[0]: np.asarray(node.attributes["value"])
                for node in graph.nodes
                if node.op_type == "Constant" and "value" in node.attributes
            },
        }

    @staticmethod
    def name(node: Node, what: str) -> str:
        """Name of a tensor inside the rewrite of a node."""
        return f"{node.outputs[0] or node.outputs[-1]}/{what}"

    def add(
        self,
        op_type: str,
        *inputs: str,
        to: str,
        domain: str = "",
        given: Mapping[str, Any] | None = None,
        **attributes: Any,
    ) -> str:
        """Append a node; return the name of its result, `to`.

        Attributes come by name, or as a mapping, `given`.
        """
        attributes = {**attributes, **(given or {})}
        self.nodes.append(Node(op_type, inputs, (to,), attributes, self.node_name or to, domain))
        return to

    def constant(self, node: Node, what: str, values: Any, dtype: Any = None) -> str:
        """Add a constant of the rewrite of a node; return its name."""
        name = self.name(node, what)
        self.constants[name] = np.asarray(values, dtype)
        return name

    def is_input(self, name: str) -> bool:
        """Whether a tensor is an input of the graph that is read."""
        return name not in self._known and any(info.name == name for info in self._read.inputs)

    def is_constant(self, name: str) -> bool:
        """Whether a tensor of the graph that is read is a constant."""
        return name in self._known

    def value(self, node: Node, position: int, what: str) -> Array:
        """Value of a constant input of a node.

        Raises
        ------
        UnsupportedModelError
            If it is not a constant; names the node, what the input is, and the tensor.
        """
        name = node.inputs[position]
        if not self.is_constant(name):
            raise UnsupportedModelError(f"{node}: the {what} {name!r} must be constant.")
        return self._known[name]

    def graph(self) -> FloatGraph:
        """The graph that was written, with the operator sets that it uses."""
        used = {node.domain for node in self.nodes} | {""}
        opsets = {"": OPSET, **self._read.opsets}
        return replace(
            self._read,
            nodes=tuple(self.nodes),
            initializers=self.constants,
            opsets={domain: version for domain, version in opsets.items() if domain in used},
        )


def rewritten(graph: FloatGraph, rule_of: Callable[[Node], Rule | None]) -> FloatGraph:
    """The graph with nodes replaced, or the graph itself where no node has a rule.

    Parameters
    ----------
    graph : FloatGraph
    rule_of : callable
        Gives the rule of a node, or None for a node that stays.
    """
    rules = [rule_of(node) for node in graph.nodes]
    if not any(rules):
        return graph
    writer = GraphWriter(graph)
    for node, rule in zip(graph.nodes, rules, strict=True):
        if rule is None:
            writer.nodes.append(node)
        else:
            writer.node_name = node.name
            rule(writer, node)
    return writer.graph()
