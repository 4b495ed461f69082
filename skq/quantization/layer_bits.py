"""Widths of single layers: the entry "layers" of `n_bits`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from numbers import Integral
from typing import Any

from skq.graph.graph import FloatGraph, Node
from skq.quantization.n_bits import LAYERS
from skq.quantization.operator_facts import has_fact


def node_name(node: Node) -> str:
    """Name of a node, or of its result where it has none."""
    return node.name or node.outputs[0]


def layer_names(graph: FloatGraph) -> list[str]:
    """Names of the layers of a graph, in order: what "layers" of `n_bits` counts and names."""
    return [node_name(node) for node in graph.nodes if has_fact(node.op_type, "is_layer")]


def named_layers(n_bits: Mapping[str, Any], graph: FloatGraph) -> dict[str, dict[str, int]]:
    """Widths of layers by the names of their nodes.

    Parameters
    ----------
    n_bits : mapping
        As `get_n_bits_dict` gives it.
    graph : FloatGraph

    Returns
    -------
    dict of str to dict of str to int
        ``op_inputs`` and ``op_weights`` of each layer with separate widths; empty where
        `n_bits` has no "layers".

    Raises
    ------
    ValueError
        If a layer does not exist, is given twice, or a list has another length; names the layers.
    """
    given: Mapping[Any, Any] | Sequence[Any] = n_bits.get(LAYERS, {})
    names = layer_names(graph)
    listed = ", ".join(f"{i}: {name!r}" for i, name in enumerate(names)) or "none"
    there = f"The layers of this model are {listed}."
    if not isinstance(given, Mapping):
        if len(given) != len(names):
            raise ValueError(
                f"A list of widths in n_bits must have one for each layer. Got {len(given)} for "
                f"{len(names)}. {there}"
            )
        given = dict(enumerate(given))
    found: dict[str, dict[str, int]] = {}
    for key, widths in given.items():
        name = key
        if isinstance(key, Integral):
            name = names[int(key)] if 0 <= int(key) < len(names) else None
        if name not in names:
            raise ValueError(f"n_bits[{LAYERS!r}] has no layer {key!r} to set. {there}")
        if name in found:
            raise ValueError(f"n_bits[{LAYERS!r}] sets the layer {name!r} twice. {there}")
        found[name] = dict(widths)
    return {name: found[name] for name in names if name in found}


def described(n_bits: Mapping[str, Any]) -> str:
    """Widths in a line, as in ``model_inputs 5, op_inputs 4, ...; Gemm_1: op_inputs 2, ...``."""
    roles = ", ".join(f"{role} {bits}" for role, bits in n_bits.items() if role != LAYERS)
    layers = [
        f"{name}: " + ", ".join(f"{role} {bits}" for role, bits in widths.items())
        for name, widths in n_bits.get(LAYERS, {}).items()
    ]
    return "; ".join([roles, *layers])
