"""The epilogue of a module: the float functions after the dequantized scores.

Its operators are the same in all operator sets from 13 on, so its nodes are copied. Sigmoid and
Softmax are written with Exp, because ONNX Runtime's float64 kernels are imprecise: its Sigmoid
returns 0 below about -18, and its Softmax differs by up to 6 units in the last place.
"""

from __future__ import annotations

import numpy as np

from skq.export.onnx_integer.builder import GraphBuilder, Value
from skq.graph.graph import FloatGraph

#: Dtype of all floats of the epilogue.
REALS = "float64"
#: NumPy sums a row of at least `LANES` and fewer than `LONGEST` elements in `LANES` partial sums.
LANES, LONGEST = 8, 128


def add_epilogue(
    g: GraphBuilder, epilogue: FloatGraph, values: dict[str, Value]
) -> dict[str, Value]:
    """Append the nodes of the epilogue.

    Parameters
    ----------
    g : GraphBuilder
    epilogue : FloatGraph
        Of a `QuantizedModule`.
    values : dict of str to Value
        Outputs of the program by name.

    Returns
    -------
    dict of str to Value
        Outputs of the module by name.
    """
    known = {info.name: g.cast(values[info.name], info.dtype) for info in epilogue.inputs}
    shapes = {info.name: info.shape[1:] for info in epilogue.inputs}
    known |= {name: g.constant(array) for name, array in epilogue.initializers.items()}
    for node in epilogue.nodes:
        (output,) = node.outputs
        first = known[node.inputs[0]]
        if node.op_type == "Sigmoid":
            known[output] = _sigmoid(g, first)
        elif node.op_type == "Softmax":
            columns = shapes.get(node.inputs[0], ())
            known[output] = _softmax(g, first, columns, **node.attributes)
        else:
            operands = [known[name] if name else "" for name in node.inputs]
            known[output] = g.node(node.op_type, operands, "", **node.attributes)
    outputs = {}
    for info in epilogue.outputs:
        dtype = REALS if info.dtype.startswith("float") else info.dtype
        outputs[info.name] = Value(known[info.name].name, known[info.name].dtype or dtype)
    return outputs


def _sigmoid(g: GraphBuilder, x: Value) -> Value:
    """``1 / (1 + exp(-x))``."""
    power = g.node("Exp", [g.node("Neg", [x], REALS)], REALS)
    return g.node("Div", [np.array(1.0), g.binary("Add", power, 1.0)], REALS)


def _softmax(g: GraphBuilder, x: Value, columns: tuple[int | None, ...], axis: int = -1) -> Value:
    """``exp(x - max) / sum(exp(x - max))`` along an axis.

    Parameters
    ----------
    g : GraphBuilder
    x : Value
    columns : tuple of int
        Shape of a row; empty where it is not known.
    axis : int, default=-1
    """
    greatest = g.reduce("ReduceMax", x, axis, keepdims=1)
    powers = g.node("Exp", [g.node("Sub", [x, greatest], REALS)], REALS)
    if len(columns) == 1 and columns[0] is not None and LANES <= columns[0] < LONGEST:
        total = _sum_of_lanes(g, powers, columns[0])
    else:
        total = g.reduce("ReduceSum", powers, axis, keepdims=1)
    return g.node("Div", [powers, total], REALS)


def _sum_of_lanes(g: GraphBuilder, x: Value, n_columns: int) -> Value:
    """Sums of rows, shape (n_rows, 1), in NumPy's order: `LANES` partial sums, then the rest."""
    whole = n_columns // LANES * LANES
    lanes = g.reshape(_columns(g, x, 0, whole), (whole // LANES, LANES))
    lanes = g.reduce("ReduceSum", lanes, 1)
    for pairs in (4, 2, 1):
        lanes = g.reduce("ReduceSum", g.reshape(lanes, (pairs, 2)), -1)
    for column in range(whole, n_columns):
        lanes = g.node("Add", [lanes, _columns(g, x, column, column + 1)], REALS)
    return lanes


def _columns(g: GraphBuilder, x: Value, first: int, end: int) -> Value:
    ends = [np.array([first]), np.array([end]), np.array([1])]
    return g.node("Slice", [x, *ends], REALS)
