"""skq's own operators as functions of standard ONNX operators.

An ONNX model that uses one holds its function (a FunctionProto), so that any runtime computes it.

============== =====================================================================
operator       function
============== =====================================================================
WeightedMedian TopK of all elements, Gather of the weights, CumSum, Less; the number
               of sums below the threshold is the index for GatherElements
============== =====================================================================
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from skq.graph.graph import Node
from skq.graph.ops.element_types import ELEMENT_TYPE_CODES

_LAST, _FIRST = np.array([1], dtype=np.int64), np.array([0], dtype=np.int64)


@dataclass(frozen=True, eq=False)
class LocalFunction:
    """Names of inputs and outputs, and the nodes between them."""

    inputs: tuple[str, ...]
    outputs: tuple[str, ...]
    nodes: tuple[Node, ...]


#: Functions by the operator of the domain ``skq``.
LOCAL_FUNCTIONS: Mapping[str, LocalFunction] = {
    "WeightedMedian": LocalFunction(
        ("x", "weights", "threshold"),
        ("median",),
        (
            Node("Constant", (), ("axis",), {"value": _LAST}),
            Node("Constant", (), ("row",), {"value": _FIRST}),
            Node("Shape", ("weights",), ("length",)),
            Node(
                "TopK",
                ("x", "length"),
                ("ordered", "order"),
                {"axis": 1, "largest": 0, "sorted": 1},
            ),
            Node("Gather", ("weights", "order"), ("weight",), {"axis": 0}),
            Node("Squeeze", ("axis", "row"), ("sorted_axis",)),
            Node("CumSum", ("weight", "sorted_axis"), ("sum",)),
            Node("Less", ("sum", "threshold"), ("is_below",)),
            Node("Cast", ("is_below",), ("below",), {"to": ELEMENT_TYPE_CODES["int64"]}),
            Node("ReduceSum", ("below", "axis"), ("index",), {"keepdims": 1}),
            Node("GatherElements", ("ordered", "index"), ("median",), {"axis": 1}),
        ),
    )
}
