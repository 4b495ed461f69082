"""Readable names of tensors and nodes: the exporter's paths, shortened."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from skq.graph.graph import FloatGraph, Node


def with_short_names(graph: FloatGraph) -> FloatGraph:
    """The same graph with inner tensors called ``Gemm_1``, not ``/operators.0/…/Gemm_1_output_0``.

    Inputs and outputs are not renamed; a name that would no longer be unique gets a number. Names
    of nodes are shortened in the same way.
    """
    fixed = {info.name for info in (*graph.inputs, *graph.outputs)} | {""}
    short = {name: name for name in fixed}
    inner = [*graph.initializers, *(name for node in graph.nodes for name in node.outputs)]
    taken = set(fixed)
    for name in inner:
        if name not in short:
            short[name] = unique_name(_short(name), taken)
            taken.add(short[name])
    nodes, node_names = [], set[str]()
    for node in graph.nodes:
        name = unique_name(_short(node.name), node_names) if node.name else ""
        node_names.add(name)
        nodes.append(_renamed(node, name, short))
    return replace(
        graph,
        nodes=tuple(nodes),
        initializers={short[name]: array for name, array in graph.initializers.items()},
    )


def _short(name: str) -> str:
    last = name.rsplit("/", 1)[-1].removesuffix("_output_0")
    return ".".join(last.split(".")[-2:]) or "tensor"


def unique_name(name: str, taken: set[str]) -> str:
    """The name, with a number from 2 on where it is taken."""
    number, candidate = 1, name
    while candidate in taken:
        number += 1
        candidate = f"{name}_{number}"
    return candidate


def _renamed(node: Node, name: str, short: Mapping[str, str]) -> Node:
    return replace(
        node,
        inputs=tuple(short[name] for name in node.inputs),
        outputs=tuple(short[name] for name in node.outputs),
        name=name,
    )
