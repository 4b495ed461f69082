"""Facts of operators: class attributes that the graph analyses read.

Each fact is a class attribute of `skq.quantization.base_quantized_op.QuantizedOp`, False unless a
class says otherwise. Sets of operators are derived from them, never written as lists of names.

==================== ===========================================================================
fact                 meaning
==================== ===========================================================================
moves_elements       each output element is an input element, or a constant
keeps_element_order  moves elements, and leaves those of a row in their order
is_link              computed on dequantized scores where it ends a model
follows_link         may follow a link, or stand between two, in the float epilogue
decides              how labels are decided on its input: "greatest", "threshold", or ""
is_layer             a layer: reports list it, searches choose its widths
selects_elements     each output element is an element of the first input alone: no constant
stays_on_grid        where its inputs are codes of one grid, so are its results, after a clip
jumps                discontinuous at whole numbers: grids of its inputs hold these exactly
tells_integers_apart each whole number of its inputs needs a different code
==================== ===========================================================================

The whole numbers that an input is looked up by are given by the class method `QuantizedOp.reach`.
How squared errors propagate from its output to its input is the class method
`QuantizedOp.input_error_weight`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from skq.graph.graph import Node

Floats = NDArray[np.float64]

#: Names of the facts, as in the table above.
FACTS = (
    "moves_elements",
    "keeps_element_order",
    "is_link",
    "follows_link",
    "decides",
    "is_layer",
    "selects_elements",
    "stays_on_grid",
    "jumps",
    "tells_integers_apart",
)

#: Quantized operator class by ONNX operator. `quantizes` of `base_quantized_op` registers them.
ONNX_OPS_TO_QUANTIZED_IMPL: dict[str, Any] = {}


def has_fact(op_type: str, fact: str) -> bool:
    """Whether the class of an ONNX operator has a fact; False where there is no class."""
    return bool(getattr(ONNX_OPS_TO_QUANTIZED_IMPL.get(op_type), fact, False))


def operators_with(fact: str) -> frozenset[str]:
    """Names of the ONNX operators whose classes have a fact.

    Examples
    --------
    >>> import skq.quantization
    >>> sorted(operators_with("is_layer"))
    ['Conv', 'ConvTranspose', 'Gemm', 'MatMul', 'TreeEnsembleRegressor']
    """
    return frozenset(name for name in ONNX_OPS_TO_QUANTIZED_IMPL if has_fact(name, fact))


class Reach(NamedTuple):
    """Whole numbers that an input of a node is looked up by.

    Parameters
    ----------
    position : int
        Of the input.
    lo, hi : int
        Least and greatest whole number that needs a code.
    size : int
        Number of entries, where the input counts them: other numbers than those in
        [-size, size - 1] are errors. 0 where any number may come.
    """

    position: int
    lo: int
    hi: int
    size: int = 0


@dataclass(frozen=True, eq=False)
class ErrorStep:
    """One node in the propagation of squared errors from the outputs of a graph to its inputs.

    Parameters
    ----------
    node : Node
    position : int
        Of the only input that is not constant.
    arguments : sequence of ndarray or None
        All inputs of the node on the calibration rows.
    values : ndarray of shape (n_rows, n_columns), float64
        The input at `position`.
    weight : ndarray of shape (n_rows, ...), float64
        Weight of a squared error at each element of the node's output.
    row_weight : ndarray of shape (n_rows,), float64
        Weights of the calibration rows; they sum to 1.
    """

    node: Node
    position: int
    arguments: Sequence[NDArray[Any] | None]
    values: Floats
    weight: Floats
    row_weight: Floats
