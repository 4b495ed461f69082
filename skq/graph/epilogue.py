"""Check a float epilogue before it runs on data, and describe its outputs.

An epilogue is the small float graph after an integer program, such as a Softmax. It may come from
an untrusted file, so every node is run on two rows and on three. This detects shapes, dtypes, axes
and constants that do not fit, results that are too large, and nodes that mix rows.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from skq.graph.graph import ML_DOMAIN, FloatGraph, Node
from skq.graph.ops import bind_node
from skq.serialization.budget import declare

Array = NDArray[Any]
Interval = tuple[int, int]

#: Operators whose result has the shape to which their inputs broadcast.
BROADCAST = frozenset({"Add", "Clip", "Div", "Equal", "Mul", "Sub"})
#: Operators that take only the first input, and their default axis; None: it has to be given.
ON_AXIS: Mapping[str, int | None] = {
    "ArgMax": 0, "Concat": None, "Gather": 0, "LogSoftmax": -1, "Softmax": -1,
}  # fmt: skip
#: Operators that do not change integers, and so preserve their interval.
MOVES = frozenset({"Gather", "Identity", "Reshape", "Slice", "Squeeze", "Unsqueeze"})
#: Operators whose inputs after the first are axes, shapes or bounds, which must be constants.
WITH_CONSTANTS = frozenset({"ReduceMean", "ReduceSum", "Reshape", "Slice", "Squeeze", "Unsqueeze"})
#: Every operator of an epilogue.
OPERATORS = (
    BROADCAST
    | MOVES
    | WITH_CONSTANTS
    | ON_AXIS.keys()
    | {"Abs", "Cast", "Constant", "Exp", "LabelEncoder", "Log", "Neg", "Sigmoid"}
)

#: Bytes that a node counts towards the limit of a file: checking it takes some ten microseconds.
NODE_BYTES = 1 << 15


@dataclass(frozen=True)
class RowValue:
    """A value that depends on the rows: its shape for one row, and the interval of integers."""

    shape: tuple[int, ...]
    interval: Interval | None = None


@dataclass
class _Value:
    """A value for two rows and for three; a constant is the same for both."""

    tried: tuple[Array, Array]
    of_rows: bool
    interval: Interval | None = None


def describe_epilogue(graph: FloatGraph, inputs: Mapping[str, RowValue]) -> dict[str, RowValue]:
    """Check an epilogue, and describe its outputs.

    Parameters
    ----------
    graph : FloatGraph
        In topological order, every tensor defined once (`skq.graph.evaluator`).
    inputs : mapping of str to RowValue
        Its inputs; integers have an interval, real numbers have none.

    Returns
    -------
    dict of str to RowValue

    Raises
    ------
    ValueError
        Names the node that cannot run, or whose result is not one for each row by itself.
    """
    values = {name: _given(value) for name, value in inputs.items()}
    for name, array in graph.initializers.items():
        if array.dtype.kind not in "biuf":
            raise ValueError(f"the constant {name!r:.60} must hold numbers; got {array.dtype}")
        values[name] = _Value((array, array), of_rows=False)
    declare(NODE_BYTES * len(graph.nodes), f"an epilogue of {len(graph.nodes)} nodes")
    for node in graph.nodes:
        try:
            results = _try(node, [values[name] if name else None for name in node.inputs])
        except Exception as error:
            raise ValueError(f"the {node} of the epilogue cannot run: {error}") from error
        values.update(zip(node.outputs, results, strict=True))
    for name in graph.output_names:
        if not values[name].of_rows:
            raise ValueError(f"the output {name!r:.60} does not depend on the rows")
    return {
        name: RowValue(values[name].tried[0].shape[1:], values[name].interval)
        for name in graph.output_names
    }


def _given(value: RowValue) -> _Value:
    if value.interval is None:
        tried = [np.zeros((n, *value.shape)) for n in (2, 3)]
    else:
        tried = [np.zeros((n, *value.shape), np.int64) for n in (2, 3)]
        for array in tried:
            array[::2], array[1::2] = value.interval
    return _Value((tried[0], tried[1]), of_rows=True, interval=value.interval)


def _try(node: Node, inputs: list[_Value | None]) -> list[_Value]:
    if node.op_type not in OPERATORS or node.domain not in ("", ML_DOMAIN):
        raise ValueError(f"an epilogue supports the operators {', '.join(sorted(OPERATORS))}")
    present = [value for value in inputs if value is not None]
    of_rows = any(value.of_rows for value in present)
    if of_rows:
        _check_operands(node, present)
    function = bind_node(node)
    declare(8 * _size(node, present), f"the {node}")
    tried = []
    for k in (0, 1) if of_rows else (0,):
        (result, *more) = function(*[None if v is None else v.tried[k] for v in inputs])
        if more or len(node.outputs) != 1:
            raise ValueError("it has more than one output")
        if result.dtype.kind not in "biuf":
            raise ValueError(f"it gives values of dtype {result.dtype}")
        tried.append(result)
    if of_rows and not (
        all(r.ndim and len(r) == n for r, n in zip(tried, (2, 3), strict=True))
        and tried[0].shape[1:] == tried[1].shape[1:]
    ):
        raise ValueError("it does not give one result for each row")
    return [_Value((tried[0], tried[-1]), of_rows, _interval(node, present, tried[0]))]


def _check_operands(node: Node, inputs: list[_Value]) -> None:
    """Raise where a node reads along the axis of rows, or elements that depend on the data."""
    first = inputs[0]
    if node.op_type in WITH_CONSTANTS and any(value.of_rows for value in inputs[1:]):
        raise ValueError("axes, shapes and bounds are constants")
    if node.op_type == "Slice" and len(inputs) > 3:
        axes = [int(axis) % first.tried[0].ndim for axis in np.ravel(inputs[3].tried[0])]
        if 0 in axes:
            raise ValueError("it selects rows")
    elif node.op_type == "Slice":
        raise ValueError("it selects rows")
    if node.op_type not in ON_AXIS:
        return
    axis = node.attributes.get("axis", ON_AXIS[node.op_type])
    if type(axis) is not int or not -first.tried[0].ndim <= axis < first.tried[0].ndim:
        raise ValueError(f"it has the axis {axis!r:.60}")
    if first.of_rows and axis % first.tried[0].ndim == 0:
        raise ValueError("it computes along the axis of rows")
    if node.op_type == "Gather" and inputs[1].of_rows:
        length = first.tried[0].shape[axis]
        ends = inputs[1].interval
        if first.of_rows or ends is None or not -length <= ends[0] <= ends[1] < length:
            raise ValueError(f"its indices {ends} do not lie in {length} constants")


def _size(node: Node, inputs: list[_Value]) -> int:
    """Upper bound of the number of elements of the result, for three rows."""
    shapes = [value.tried[1].shape for value in inputs]
    if node.op_type in BROADCAST:
        return math.prod(np.broadcast_shapes(*shapes))
    if node.op_type == "Gather":
        return math.prod(shapes[0]) * math.prod(shapes[1])
    return sum(map(math.prod, shapes))


def _interval(node: Node, inputs: list[_Value], result: Array) -> Interval | None:
    """Interval of the integers that a node gives, where it is known."""
    if result.dtype.kind not in "iu" or not inputs:
        return None
    first = inputs[0]
    if node.op_type == "ArgMax":
        return 0, max(0, first.tried[0].shape[node.attributes.get("axis", 0)] - 1)
    if node.op_type == "Cast" and first.interval is not None:
        lo, hi = first.interval
        info = np.iinfo(result.dtype)
        return first.interval if info.min <= lo <= hi <= info.max else None
    if node.op_type not in MOVES:
        return None
    if first.of_rows:
        return first.interval
    array = first.tried[0]
    return (int(array.min()), int(array.max())) if array.size else None
