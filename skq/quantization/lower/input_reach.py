"""Inputs of a model that are indices of tables: the whole numbers that need codes.

An embedding, a Gather of constants at indices that are the model's input, needs a code for every
entry, also if it does not occur in the calibration rows.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from skq.exceptions import UnsupportedModelError
from skq.graph.graph import FloatGraph, Node
from skq.graph.ops import bind_node
from skq.quantization.lower.operands import Array
from skq.quantization.lower.whole_numbers import WIDEST_INTEGER, casts_to_integers
from skq.quantization.operator_facts import ONNX_OPS_TO_QUANTIZED_IMPL, Reach, has_fact


class InputReach(NamedTuple):
    """Elements of an input that are indices of a node's table.

    Parameters
    ----------
    name : str
        Name of the graph's input.
    elements : ndarray of int64
        Their numbers in the flattened row.
    reach : Reach
    """

    name: str
    elements: NDArray[np.int64]
    reach: Reach


def input_reaches(graph: FloatGraph, floats: Mapping[str, Array]) -> list[InputReach]:
    """Inputs that are indices of tables, directly or after operators that select elements.

    Parameters
    ----------
    graph : FloatGraph
    floats : mapping of str to ndarray
        Values of the graph on the calibration rows.
    """
    constants = graph.constant_names
    reaches = [_reach_of(node, floats, constants) for node in graph.nodes]
    wanted = _read_for(graph, reaches)
    numbers: dict[str, tuple[str, Array]] = {}
    for info in graph.inputs:
        if info.name in wanted and info.name not in constants:
            shape = floats[info.name].shape
            row = np.arange(int(np.prod(shape[1:])), dtype=np.float64).reshape(shape[1:])
            numbers[info.name] = info.name, np.broadcast_to(row, shape)
    found = []
    for node, reach in zip(graph.nodes, reaches, strict=True):
        if reach is not None and node.inputs[reach.position] in numbers:
            name, array = numbers[node.inputs[reach.position]]
            found.append(InputReach(name, np.unique(array).astype(np.int64), reach))
        if not wanted.intersection(node.outputs) or node.inputs[0] not in numbers:
            continue
        name, array = numbers[node.inputs[0]]
        moved: Sequence[Array] = (array,)
        if not casts_to_integers(node):
            moved = bind_node(node)(array, *(floats.get(other) for other in node.inputs[1:]))
        pairs = zip(node.outputs, moved, strict=False)
        numbers.update((output, (name, result)) for output, result in pairs if output)
    return found


def _read_for(graph: FloatGraph, reaches: Sequence[Reach | None]) -> set[str]:
    """Tensors that are indices, and the tensors whose elements they are."""
    wanted: set[str] = set()
    for node, reach in zip(graph.nodes[::-1], reaches[::-1], strict=True):
        if reach is not None:
            wanted.add(node.inputs[reach.position])
        selects = casts_to_integers(node) or has_fact(node.op_type, "selects_elements")
        if wanted.intersection(node.outputs):
            if selects:
                wanted.add(node.inputs[0])
            else:
                wanted.difference_update(node.outputs)
    return wanted


def _reach_of(node: Node, floats: Mapping[str, Array], constants: Collection[str]) -> Reach | None:
    op_class: Any = ONNX_OPS_TO_QUANTIZED_IMPL.get(node.op_type)
    if op_class is None:
        return None
    known = {i: floats[name] for i, name in enumerate(node.inputs) if name in constants}
    found: Reach | None = op_class.reach(node, known)
    return found


def held(
    lo: Array, hi: Array, reaches: Sequence[InputReach]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Ranges of an input's elements, widened to all indices of the tables.

    Parameters
    ----------
    lo, hi : ndarray of a row's shape
    reaches : sequence of InputReach
        Those of the input.
    """
    least, greatest = np.array(lo, np.float64), np.array(hi, np.float64)
    for _, elements, reach in reaches:
        least.flat[elements] = np.minimum(least.flat[elements], reach.lo)
        greatest.flat[elements] = np.maximum(greatest.flat[elements], reach.hi)
    return least, greatest


def needed_bits(lo: Array, hi: Array, n_bits: int, reaches: Sequence[InputReach]) -> int:
    """Width of the codes of an input: more than `n_bits` where all of it is looked up and needs it.

    Raises
    ------
    UnsupportedModelError
        If the input needs more bits and has other elements too, or more bits than tables have.
    """
    spans = [
        int(np.max(hi.flat[elements]) - np.min(lo.flat[elements])).bit_length()
        for _, elements, _ in reaches
    ]
    bits = max(spans, default=0)
    if bits <= n_bits:
        return n_bits
    name, numbers = reaches[0].name, [elements for _, elements, _ in reaches]
    if bits > WIDEST_INTEGER:
        raise UnsupportedModelError(
            f"Input {name!r} is an index of a table and needs codes of {bits} bits; tables "
            f"support {WIDEST_INTEGER} bits at most."
        )
    if len(np.unique(np.concatenate(numbers))) < np.size(lo):
        raise UnsupportedModelError(
            f"Some elements of input {name!r} are indices of a table and need codes of {bits} "
            f"bits; others are not. Got n_bits of {n_bits} for 'model_inputs'; pass a dict of "
            f"n_bits with at least {bits} there, or make them two inputs."
        )
    return bits
