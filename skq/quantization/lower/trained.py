"""Grids of a trained graph: constants given as codes, layers of them, requantization to them.

Grids and widths are those of the graph; nothing is calibrated.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from skq.exceptions import UnsupportedModelError
from skq.graph.graph import FloatGraph, Node
from skq.graph.ops import bind_node
from skq.numerics import EXACT_FLOAT64
from skq.program import Bin, Instruction, MatMul, Maximum, Quantize, Requantize
from skq.quantization.lower.exact_requantize import exact_step, half_down, half_even, half_up
from skq.quantization.lower.lowering import Lowering
from skq.quantization.lower.operands import Array, Features, QuantizedTensor, scalar
from skq.quantization.lower.rounding import WIDEST_TABLE_BITS
from skq.quantization.operator_facts import has_fact

#: Operators whose results are codes on a grid of the graph.
QUANTIZERS = frozenset({"DequantizeLinear", "Quant", "BipolarQuant"})
#: A bound of a clip is on the grid if it is at most this fraction of a step away from a code.
ON_GRID = 1e-4


@dataclass(frozen=True, eq=False)
class TrainedConstant:
    """A constant that is given as integers in the graph.

    Parameters
    ----------
    codes : ndarray of int64
        Zero point left out: a value is ``codes * scale``.
    scale : ndarray of float64, of the same shape
    """

    codes: NDArray[np.int64]
    scale: NDArray[np.float64]

    def moved(self, function: Callable[[Array], Array]) -> TrainedConstant:
        """The constant with its elements moved by a function of one array."""
        return TrainedConstant(np.asarray(function(self.codes)), np.asarray(function(self.scale)))


def quantizers_first(graph: FloatGraph) -> FloatGraph:
    """The graph with QuantizeLinear of an input before operators that only move its elements.

    QuantizeLinear with one scale commutes with such operators. Only the quantizer of an input can
    read floats.
    """
    nodes = list(graph.nodes)
    floats = {info.name for info in graph.inputs} - set(graph.initializers)
    index = 0
    while index < len(nodes):
        node = nodes[index]
        producer = next((n for n in nodes[:index] if node.inputs[:1] == n.outputs), None)
        if (
            node.op_type == "QuantizeLinear"
            and producer is not None
            and has_fact(producer.op_type, "selects_elements")
            and _comes_from(nodes, producer.inputs[0], floats)
            and sum(node.inputs[0] in n.inputs for n in nodes) == 1
            and node.inputs[0] not in graph.output_names
        ):
            codes = f"{node.outputs[0]} before {producer.op_type}"
            first = replace(node, inputs=(producer.inputs[0], *node.inputs[1:]), outputs=(codes,))
            then = replace(producer, inputs=(codes, *producer.inputs[1:]), outputs=node.outputs[:1])
            nodes[index : index + 1] = [first, then]
            nodes.remove(producer)
            index -= 1  # the quantizer may be moved once more
        else:
            index += 1
    return graph if tuple(nodes) == graph.nodes else replace(graph, nodes=tuple(nodes))


def _comes_from(nodes: Sequence[Node], name: str, floats: set[str]) -> bool:
    """Whether a tensor holds elements of an input."""
    while name not in floats:
        producer = next((n for n in nodes if name in n.outputs), None)
        if producer is None or not has_fact(producer.op_type, "selects_elements"):
            return False
        name = producer.inputs[0]
    return True


def trained_constants(
    nodes: Sequence[Node], known: Mapping[str, Any]
) -> dict[str, TrainedConstant]:
    """Constants of a graph that are given as integers, by name.

    Parameters
    ----------
    nodes : sequence of Node
    known : mapping of str to ndarray
        Values of constants.
    """
    found: dict[str, TrainedConstant] = {}
    for node in nodes:
        if not all(name in known for name in node.inputs if name):
            continue
        arrays = [known[name] if name else None for name in node.inputs]
        if node.op_type == "DequantizeLinear":
            found[node.outputs[0]] = _dequantized(node, arrays)
        elif has_fact(node.op_type, "selects_elements") and node.inputs[0] in found:
            bound = bind_node(node)

            def move(array: Array, bound: Any = bound, rest: Any = arrays[1:]) -> Array:
                return np.asarray(bound(array, *rest)[0])

            if len(node.outputs) == 1:
                found[node.outputs[0]] = found[node.inputs[0]].moved(move)
    return found


def _dequantized(node: Node, arrays: Sequence[Any]) -> TrainedConstant:
    """Integers and scales of a DequantizeLinear of constants."""
    q, scale = arrays[0], np.asarray(arrays[1])
    zero_point = arrays[2] if len(arrays) > 2 else None
    check_scale(node, scale)
    # with codes of 1 and no zero point the node gives its scales, broadcast as it broadcasts them
    bound = bind_node(node)
    scales = bound(np.ones_like(q), scale)[0]
    codes = bound(q, np.ones_like(scale, dtype=np.float64), zero_point)[0]
    return TrainedConstant(np.rint(codes).astype(np.int64), np.asarray(scales, np.float64))


def given_as_codes(low: Lowering, node: Node, position: int) -> TrainedConstant | None:
    """The constant at a position of a node's inputs, if the graph gives it as integers."""
    if position >= len(node.inputs):
        return None
    found: TrainedConstant | None = low.trained.get(node.inputs[position])
    return found


def check_scale(node: Node, scale: Array) -> None:
    """Refuse scales that are not finite or not positive.

    Raises
    ------
    UnsupportedModelError
    """
    if not np.all(np.isfinite(scale) & (scale > 0)):
        raise UnsupportedModelError(
            f"{node}: the scale {node.inputs[1]!r} must be finite and above 0. "
            f"Got {np.ravel(scale)[~(np.isfinite(scale) & (scale > 0)).ravel()][0]}."
        )


def check_grids(graph: FloatGraph, constants: Collection[str]) -> None:
    """Refuse quantizers whose scale or zero point is not constant, before anything runs.

    Parameters
    ----------
    graph : FloatGraph
    constants : collection of str
        Names of initializers and of values computed only from initializers.

    Raises
    ------
    UnsupportedModelError
    """
    for node in graph.nodes:
        if node.op_type in QUANTIZERS | {"QuantizeLinear"}:
            for name in filter(None, node.inputs[1:]):
                if name not in constants:
                    raise UnsupportedModelError(
                        f"{node}: {name!r} is computed from the input. Scales and zero points "
                        "must be constant: export the model with static quantization."
                    )


def check_layers(graph: FloatGraph, trained: Mapping[str, TrainedConstant]) -> None:
    """Refuse layers of trained weights whose input is not quantized; the message lists all.

    Raises
    ------
    UnsupportedModelError
    """
    producers = {name: node for node in graph.nodes for name in node.outputs}

    def is_quantized(name: str) -> bool:
        node = producers.get(name)
        if node is None:
            return name in graph.initializers
        if node.op_type in QUANTIZERS:
            return True
        first = node.inputs if node.op_type == "Concat" else node.inputs[:1]
        return has_fact(node.op_type, "stays_on_grid") and all(map(is_quantized, first))

    missing = [
        f"{node}: {node.inputs[0]!r}"
        for node in graph.nodes
        if has_fact(node.op_type, "is_layer") and len(node.inputs) > 1 and node.inputs[1] in trained
        if not is_quantized(node.inputs[0])
    ]
    if missing:
        raise UnsupportedModelError(
            "Layers with quantized weights need a quantizer before their input; without one the "
            f"integers are not known. Add QuantizeLinear and DequantizeLinear before "
            f"{'; '.join(missing)}."
        )


def trained_codes(low: Lowering, x: Features | QuantizedTensor, name: str) -> QuantizedTensor:
    """A tensor on a grid as integers; a clip is applied to the integers.

    Parameters
    ----------
    low : Lowering
    x : Features or QuantizedTensor
    name : str
        Name of the tensor, for messages.

    Raises
    ------
    UnsupportedModelError
        If the tensor is not on a grid.
    """
    if isinstance(x, Features) or x.function is not None:
        raise UnsupportedModelError(f"its input {name!r} is not quantized: quantize it first")
    if x.clip is None:
        return x
    if not x.has_one_scale:
        raise UnsupportedModelError(f"its input {name!r} is clipped and has several scales")
    first, last = low.type(x.value).interval
    ends = np.asarray(x.clip) / x.scale + x.zero_point
    ends = np.sort(ends)
    finite = np.isfinite(ends)
    if np.any(np.abs(ends[finite] - np.rint(ends[finite])) > ON_GRID):
        raise UnsupportedModelError(
            f"its input {name!r} is clipped at {x.clip}, which is not on its grid"
        )
    lo, hi = (int(end) for end in np.clip(np.rint(ends), first, last))
    if (lo, hi) == (first, last):
        return replace(x, clip=None)
    step = low.step(x.value)
    if isinstance(step, Quantize | Requantize):  # saturate at the bounds of the clip
        narrower: Instruction = replace(step, lo=max(step.lo, lo), hi=min(step.hi, hi))
    elif isinstance(step, Bin) and np.all(step.base == first):
        narrower = _fewer_bins(step, lo, hi)
    else:
        one, zero = np.ones((), np.int64), np.zeros((), np.int64)
        narrower = Requantize((x.value,), one, zero, 0, lo, hi)
    return replace(x, value=low.add(narrower), clip=None)


def _fewer_bins(step: Bin, lo: int, hi: int) -> Bin:
    """Bins whose codes saturate at `lo` and `hi`."""
    offsets = step.offsets.astype(np.int64)
    counts = np.diff(offsets)
    code = np.arange(len(step.edges)) - np.repeat(offsets[:-1] - step.base, counts)
    inside = (code >= lo) & (code < hi)
    per_column = np.add.reduceat(inside, offsets[:-1]) if len(counts) else counts
    base, nan_code = (np.clip(c.astype(np.int64), lo, hi) for c in (step.base, step.nan_code))
    ends = np.concatenate([[0], np.cumsum(per_column)])
    return replace(step, edges=step.edges[inside], offsets=ends, base=base, nan_code=nan_code)


def trained_product(
    low: Lowering,
    rows: QuantizedTensor,
    weights: NDArray[np.int64],
    scale: NDArray[np.float64],
    bias: Array | TrainedConstant | None = None,
    *,
    name: str,
) -> QuantizedTensor:
    """Codes times given integer weights, over the last axis. The bias is a real offset.

    The integers of a quantized bias are used if its scale equals that of the sums in float32. Where
    the codes have one scale per feature, each a whole multiple of the least, the weights are
    multiplied by these multiples.

    Parameters
    ----------
    low : Lowering
    rows : QuantizedTensor
        Plain.
    weights : ndarray of int64, shape (n_in, n_out)
    scale : ndarray of float64, shape (n_in, n_out)
        The same for all inputs of an output.
    bias : ndarray or TrainedConstant of shape (n_out,), or None
    name : str
        Name of the codes' tensor, for messages.

    Raises
    ------
    UnsupportedModelError
        If the sums are not integers: several scales of the weights for an output, or scales of the
        features that are not multiples of the least.
    """
    columns = scale[:1].ravel() if len(scale) else np.ones(scale.shape[1])
    if np.any(scale != columns):
        raise UnsupportedModelError("weights must have one scale, or one per output channel")
    least = np.min(rows.scale)
    multiples = np.rint(np.broadcast_to(rows.scale / least, (len(weights),)))
    if np.any(multiples * least != rows.scale):
        raise UnsupportedModelError(
            f"its input {name!r} has several scales that are not multiples of the least, "
            f"{least:g}, so its sums are not integers; quantize it with one scale"
        )
    weights = weights * multiples.astype(np.int64)[:, None]
    step = columns * least
    value = low.add(MatMul((rows.value,), weights))
    points = np.broadcast_to(rows.zero_point, (len(weights),))
    offset = points @ weights - _bias_codes(bias, step)
    return QuantizedTensor(value, step, offset)


def _bias_codes(bias: Array | TrainedConstant | None, step: Array) -> Array:
    """The bias in steps of the sums."""
    if bias is None:
        return np.zeros_like(step)
    if not isinstance(bias, TrainedConstant):
        return np.asarray(bias, np.float64) / step
    if np.array_equal(bias.scale.astype(np.float32), step.astype(np.float32)):
        return bias.codes.astype(np.float64)
    return bias.codes * bias.scale / step


def on_given_grid(
    low: Lowering, x: QuantizedTensor, scale: float, zero_point: int, lo: int, hi: int
) -> QuantizedTensor:
    """Codes ``clip(rint(x / scale) + zero_point, lo, hi)``, exact, with ties to even.

    Returns
    -------
    QuantizedTensor
        The codes, which represent real values on the grid.
    """
    step, zero = scalar(scale), scalar(zero_point)
    if x.function is not None:
        if low.type(x.value).bits > WIDEST_TABLE_BITS:
            return low.on_grid(x, step, zero, lo, hi)
        odd = zero_point % 2  # a table of rint(x / scale) + even part, as ties are decided there
        found = low.on_grid(x, step, zero - odd, lo - odd, hi - odd)
        return _moved_by(low, found, odd)
    if x.clip is not None:
        ends = np.clip(np.rint(np.asarray(x.clip) / scale) + zero_point, lo, hi)
        lo, hi = int(ends.min()), int(ends.max())
    ratio = x.scale / scale
    addend = -x.zero_point * ratio
    value = _exact(low, x.value, ratio, addend, zero_point, lo, hi)
    if value is None:
        return low.on_grid(x, step, zero, lo, hi)
    return QuantizedTensor(value, step, zero, view=x.view)


def _exact(
    low: Lowering, operand: int, ratio: Array, addend: Array, zero_point: int, lo: int, hi: int
) -> int | None:
    """Exact requantization: one step, or the greater of two; None where neither is exact."""
    interval = low.type(operand).interval
    shape = np.broadcast_shapes(np.shape(ratio), np.shape(addend))
    least, most = lo - zero_point, hi - zero_point

    def step_of(rule: Any) -> Any:
        found = exact_step(ratio, addend, interval, least, most, rule)
        return found and (found[0].reshape(shape), found[1].reshape(shape), found[2])

    def added(step: Any, zero: int, lo: int, hi: int) -> int:
        multiplier, offset, shift = step
        return low.add(Requantize((operand,), multiplier, offset + (zero << shift), shift, lo, hi))

    if not -EXACT_FLOAT64 < zero_point < EXACT_FLOAT64:
        return None
    direct = step_of(half_even)
    if direct is not None:
        return added(direct, zero_point, lo, hi)
    down, up = step_of(half_down), step_of(half_up)
    if down is None or up is None:
        return None
    one = np.ones((), np.int64)
    high = added(up, 0, least, most)
    half = low.add(Requantize((high,), one, one * 0, 1, least // 2, most // 2))
    even = low.add(Requantize((half,), 2 * one, one * zero_point, 0, lo, hi))
    return low.add(Maximum((added(down, zero_point, lo, hi), even)))


def _moved_by(low: Lowering, x: QuantizedTensor, offset: int) -> QuantizedTensor:
    """The same reals as codes that are greater by an integer."""
    if not offset:
        return x
    lo, hi = (end + offset for end in low.type(x.value).interval)
    one = np.ones((), np.int64)
    value = low.add(Requantize((x.value,), one, one * offset, 0, lo, hi))
    return replace(x, value=value, zero_point=x.zero_point + offset)
