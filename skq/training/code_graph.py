"""A `CodeNetwork` as a graph of QuantizeLinear and DequantizeLinear, and as integers.

Everything is counted in codes, so each quantizer has the scale 1; the import of trained graphs
does not change its codes.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from skq.graph.evaluator import GraphEvaluator
from skq.graph.graph import FloatGraph, Node
from skq.quantization.n_bits import get_n_bits_dict
from skq.quantization.post_training import PostTrainingQATImporter
from skq.quantization.quantized_module import QuantizedModule
from skq.training.code_network import FUNCTIONS, CodeLayer, CodeNetwork


def quantized_as_trained(
    graph: FloatGraph,
    network: CodeNetwork,
    *rows: Any,
    n_bits: int | Sequence[int] | Mapping[str, Any],
    rounding_threshold_bits: Any = None,
    sample_weight: Any = None,
    ranges: Any = None,
    has_bias: bool = True,
) -> QuantizedModule:
    """The integer program of a trained network.

    Parameters
    ----------
    graph : FloatGraph
        Of the float network whose layers these are (`CodeNetwork.float_layers`); what follows the
        last layer is taken from it.
    network : CodeNetwork
    *rows, n_bits, rounding_threshold_bits, sample_weight, ranges
        See `PostTrainingQATImporter`. No grid depends on them.
    has_bias : bool, default=True
        False: features of 0 give exactly 0.

    Returns
    -------
    QuantizedModule
        Its `graph` is the float graph.
    """
    model = GraphEvaluator(with_codes(graph, network, has_bias=has_bias))
    importer = PostTrainingQATImporter(n_bits, model, rounding_threshold_bits)
    module = importer.quantize_module(*rows, sample_weight=sample_weight, ranges=ranges)
    return replace(module, graph=graph, n_bits=get_n_bits_dict(n_bits))


def with_codes(graph: FloatGraph, network: CodeNetwork, *, has_bias: bool = True) -> FloatGraph:
    """The graph with its layers replaced by those of a network, and quantizers before them."""
    n_layers = sum(_is_layer(graph, node) for node in graph.nodes)
    if n_layers != len(network.layers):
        raise ValueError(f"the graph has {n_layers} layers, and the network {len(network.layers)}")
    writer = _Writer(graph, network, has_bias=has_bias)
    last = len(network.layers) - 1
    index = 0
    skipped: dict[str, str] = {}
    for node in graph.nodes:
        node = replace(node, inputs=tuple(skipped.get(name, name) for name in node.inputs))
        if _is_layer(graph, node):
            codes = writer.quantized(node.inputs[0], index)
            writer.layer(node.outputs[0], codes, index)
            index += 1
        elif node.op_type == "Relu" and 0 < index <= last:
            skipped[node.outputs[0]] = node.inputs[0]  # the codes after it saturate at 0
        else:
            writer.nodes.append(node)
    return replace(graph, nodes=tuple(writer.nodes), initializers=writer.constants)


def _is_layer(graph: FloatGraph, node: Node) -> bool:
    constants = graph.initializers
    return node.op_type in ("Gemm", "MatMul") and node.inputs[1] in constants


class _Writer:
    """Nodes and constants of the graph of codes."""

    def __init__(self, graph: FloatGraph, network: CodeNetwork, *, has_bias: bool) -> None:
        self.network, self.has_bias = network, has_bias
        self.nodes: list[Node] = []
        self.constants: dict[str, Any] = dict(graph.initializers)

    def constant(self, name: str, value: Any) -> str:
        """Add a constant."""
        self.constants[name] = np.asarray(value)
        return name

    def add(self, op_type: str, inputs: tuple[str, ...], result: str, **attributes: Any) -> str:
        """Add a node."""
        self.nodes.append(Node(op_type, inputs, (result,), attributes))
        return result

    def quantized(self, x: str, index: int) -> str:
        """Codes, as reals, of what a layer reads."""
        network, name = self.network, f"layers.{index}.input"
        if index == 0:
            step = self.constant(f"{name}.scale", network.input_scale)
            zero = self.constant(f"{name}.zero_point", network.input_zero)
            x = self.add("Div", (x, step), f"{name}.steps")
            x = self.add("Add", (x, zero), f"{name}.moved")
            top = network.input_top
        else:
            top = network.hidden_top
            if network.activation in FUNCTIONS:
                before = network.layers[index - 1]
                factor = self.constant(f"{name}.factor", 1.0 / before.unit[0])
                start = self.constant(f"{name}.start", -before.base[0] / before.unit[0])
                x = self.add("Mul", (x, factor), f"{name}.steps")
                x = self.add("Add", (x, start), f"{name}.moved")
        storage = np.uint8 if top <= 255 else np.uint16
        one = self.constant("codes.scale", np.float64(1.0))
        none = self.constant(f"codes.zero_point.{storage.__name__}", storage(0))
        x = self.add("QuantizeLinear", (x, one, none), f"{name}.quantized")
        if top != np.iinfo(storage).max:
            end = self.constant(f"{name}.top", storage(top))
            x = self.add("Clip", (x, none, end), f"{name}.codes")
        return self.add("DequantizeLinear", (x, one, none), name)

    def layer(self, result: str, codes: str, index: int) -> None:
        """The sums of integers times codes, and the offset."""
        layer, name = self.network.layers[index], f"layers.{index}"
        storage = np.int8 if self.network.weight_bits <= 8 else np.int16
        integers = self.constant(f"{name}.integers", layer.integers.astype(storage))
        scale = self.constant(f"{name}.scale", layer.scale)
        weights = self.add("DequantizeLinear", (integers, scale), f"{name}.weights", axis=1)
        bias = self.constant(f"{name}.bias", layer.offset)
        if not self.has_bias:
            bias = self._exact_bias(layer, name, scale)
        self.add("Gemm", (codes, weights, bias), result)

    def _exact_bias(self, layer: CodeLayer, name: str, scale: str) -> str:
        """The bias as integers, for which codes of 0 give exactly 0."""
        moved = np.rint(self.network.input_zero) @ layer.integers
        integers = self.constant(f"{name}.bias.integers", -moved.astype(np.int32))
        return self.add("DequantizeLinear", (integers, scale), f"{name}.exact_bias", axis=0)
