"""ONNX's 4-bit integers: stored in bytes, with a Clip after each quantizer to 4 bits.

NumPy has no 4-bit type. A tensor of them is read as bytes, which is exact; the saturation of a
QuantizeLinear to 4 bits is written as a Clip of the codes.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import Any, NamedTuple

import numpy as np

from skq.graph.graph import Node


class FourBits(NamedTuple):
    """The dtype that stores a 4-bit type, and its least and greatest value."""

    dtype: str
    lo: int
    hi: int


#: By ``onnx.TensorProto.DataType``: UINT4 and INT4.
FOUR_BITS = {21: FourBits("uint8", 0, 15), 22: FourBits("int8", -8, 7)}


def four_bit_tensors(graph: Any) -> dict[str, FourBits]:
    """Names of a GraphProto's constants of 4-bit types."""
    tensors = {tensor.name: tensor.data_type for tensor in graph.initializer}
    for node in graph.node:
        if node.op_type == "Constant":
            kinds = [attribute.t.data_type for attribute in node.attribute if attribute.t.data_type]
            tensors.update((node.output[0], kind) for kind in kinds)
    return {name: FOUR_BITS[kind] for name, kind in tensors.items() if kind in FOUR_BITS}


def with_clips(
    nodes: Iterable[Node], narrow: dict[str, FourBits]
) -> tuple[tuple[Node, ...], dict[str, Any]]:
    """Nodes with a Clip after each quantizer to 4 bits, and the constants that these need.

    Parameters
    ----------
    nodes : iterable of Node
    narrow : dict of str to FourBits
        Constants of 4-bit types by name.
    """
    written: list[Node] = []
    constants: dict[str, Any] = {}
    for node in nodes:
        kind = None
        if node.op_type == "QuantizeLinear":
            zero_point = node.inputs[2] if len(node.inputs) > 2 else ""
            output = int(node.attributes.get("output_dtype", 0))
            kind = narrow.get(zero_point) or FOUR_BITS.get(output)
        if kind is None:
            written.append(node)
            continue
        attributes = dict(node.attributes)
        inputs = node.inputs
        if attributes.pop("output_dtype", 0) and not (len(inputs) > 2 and inputs[2]):
            zero = f"{node.outputs[0]}/zero point"
            constants[zero] = np.zeros((), kind.dtype)
            inputs = (*inputs[:2], zero)
        wide = f"{node.outputs[0]}/bytes"
        written.append(replace(node, inputs=inputs, outputs=(wide,), attributes=attributes))
        ends = f"{node.outputs[0]}/least", f"{node.outputs[0]}/greatest"
        for name, end in zip(ends, (kind.lo, kind.hi), strict=True):
            constants[name] = np.asarray(end, kind.dtype)
        written.append(Node("Clip", (wide, *ends), node.outputs))
    return tuple(written), constants
