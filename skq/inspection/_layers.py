"""The layers of a quantized module, and the corresponding values of the float graph."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from skq.graph.evaluator import GraphEvaluator
from skq.graph.graph import FloatGraph
from skq.program import MatMul, Trees
from skq.quantization.lower.digits import joined_sums
from skq.quantization.operator_facts import has_fact
from skq.quantization.quantized_module import QuantizedModule

Array = NDArray[Any]


@dataclass(frozen=True)
class Layer:
    """A matmul or an ensemble of trees in a program.

    Parameters
    ----------
    number : int
        Value of the program that holds its exact sums.
    name : str
        Its instruction and its place among the layers, as "MatMul 1".
    node : str
        Node of the float graph that it belongs to; "" where that is not known.
    constants : ndarray of int
        Its weights or leaf values.
    """

    number: int
    name: str
    node: str
    constants: Array


def layers_of(module: QuantizedModule) -> list[Layer]:
    """The layers of a module, in the order of the program."""
    program = module.program
    joined = joined_sums(program)
    # columns of digits that are multiplied one by one are one layer
    steps = {
        joined.get(number, number): (number, step)
        for number, step, _ in program.steps()
        if isinstance(step, MatMul | Trees)
    }
    first, nodes = len(program.inputs), module.node_names
    named = len(nodes) == len(program.instructions)
    return [
        Layer(
            result,
            f"{type(step).__name__} {k + 1}",
            nodes[number - first] if named else "",
            step.weights if isinstance(step, MatMul) else step.leaf_values,
        )
        for k, (result, (number, step)) in enumerate(steps.items())
    ]


def float_results(
    module: QuantizedModule, feeds: Mapping[int, Array], layers: Sequence[Layer]
) -> list[Array | None]:
    """Values of the float graph that correspond to each layer's sums, channels last.

    None for a layer whose node is not known, or written as several matmuls that are not groups of
    its channels; for all layers of a module without its float graph.
    """
    if module.graph is None:
        return [None] * len(layers)
    outputs = _layer_outputs(module.graph)
    known = {layer.node for layer in layers} & set(outputs)
    names = [outputs[node] for node in outputs if node in known]
    graph = GraphEvaluator(module.graph)
    values = graph.run({graph.inputs[i].name: array for i, array in feeds.items()}, names)
    reals = {
        name: value.reshape(len(value), -1) if value.ndim < 2 else value
        for name, value in values.items()
    }
    for name in reals:
        if _is_convolution(module.graph, name):
            reals[name] = np.moveaxis(reals[name], 1, -1)
    channels = Counter[str]()
    for layer in layers:
        channels[layer.node] += _n_channels(module, layer)
    results: list[Array | None] = []
    start = Counter[str]()
    for layer in layers:
        real = reals.get(outputs.get(layer.node, ""))
        begin, end = start[layer.node], start[layer.node] + _n_channels(module, layer)
        start[layer.node] = end
        fits = real is not None and channels[layer.node] == real.shape[-1]
        results.append(real[..., begin:end] if real is not None and fits else None)
    return results


def _layer_outputs(graph: FloatGraph) -> dict[str, str]:
    """Name of the result of each layer, by the name that instructions have of its node."""
    return {
        node.name or node.outputs[0]: node.outputs[0]
        for node in graph.nodes
        if has_fact(node.op_type, "is_layer")
    }


def _is_convolution(graph: FloatGraph, output: str) -> bool:
    return any(node.op_type.startswith("Conv") and output in node.outputs for node in graph.nodes)


def _n_channels(module: QuantizedModule, layer: Layer) -> int:
    shape = module.program.types[layer.number].shape
    return shape[-1] if shape else 1
