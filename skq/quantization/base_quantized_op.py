"""Base classes of quantized operators, and the registries that hold them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from skq.exceptions import UnsupportedModelError
from skq.frontend.graph import Node
from skq.frontend.numpy_ops import ONNX_OPS_TO_NUMPY_IMPL, bind_node
from skq.quantization.lowering import Lowering
from skq.quantization.n_bits import DEFAULT_MODEL_BITS
from skq.quantization.operands import Array, Features, Operand, QuantizedTensor

__all__ = [
    "ALL_QUANTIZED_OPS",
    "DEFAULT_MODEL_BITS",
    "ONNX_OPS_TO_NUMPY_IMPL",
    "ONNX_OPS_TO_QUANTIZED_IMPL",
    "QuantizedMixingOp",
    "QuantizedOp",
    "QuantizedOpUnivariateOfEncrypted",
    "quantizes",
]

#: Every quantized operator class.
ALL_QUANTIZED_OPS: set[type[QuantizedOp]] = set()

#: Quantized operator class by ONNX operator.
ONNX_OPS_TO_QUANTIZED_IMPL: dict[str, type[QuantizedOp]] = {}


def quantizes(
    *op_types: str,
) -> Callable[[type[QuantizedOp]], type[QuantizedOp]]:
    """Register the decorated class for ONNX operators; each may have one class only."""

    def register(cls: type[QuantizedOp]) -> type[QuantizedOp]:
        for op_type in op_types:
            if op_type in ONNX_OPS_TO_QUANTIZED_IMPL:
                raise ValueError(
                    f"{op_type} is quantized by {ONNX_OPS_TO_QUANTIZED_IMPL[op_type].__name__}"
                )
            ONNX_OPS_TO_QUANTIZED_IMPL[op_type] = cls
        ALL_QUANTIZED_OPS.add(cls)
        return cls

    return register


class QuantizedOp:
    """An ONNX operator that can calibrate itself and lower itself to integer instructions.

    Parameters
    ----------
    node : Node
        What it stands for.
    constants : mapping of int to ndarray
        Constant inputs by position.
    """

    def __init__(self, node: Node, constants: Mapping[int, Array]) -> None:
        self.node = node
        self.constants = constants
        self._impl = bind_node(node)

    @property
    def attributes(self) -> Mapping[str, Any]:
        """The node's attributes."""
        return self.node.attributes

    def calibrate(self, *inputs: Array | None) -> tuple[Array, ...]:
        """Run the float operator on calibration rows."""
        return self._impl(*inputs)

    def lower(
        self, low: Lowering, x: Sequence[Operand], reals: Sequence[Array], outputs: Sequence[Array]
    ) -> Sequence[Operand]:
        """Write the instructions that compute the operator.

        Parameters
        ----------
        low : Lowering
        x : sequence of operands
            One an input; constants as arrays.
        reals : sequence of ndarray
            Float inputs for the calibration rows.
        outputs : sequence of ndarray
            Float outputs for the calibration rows.

        Returns
        -------
        sequence of operands, one an output
        """
        raise self.unsupported("it has no integer form")

    def unsupported(self, reason: str) -> UnsupportedModelError:
        """An error that names the node, the operator and the reason."""
        return UnsupportedModelError(f"{self.node} cannot be quantized: {reason}.")


class QuantizedOpUnivariateOfEncrypted(QuantizedOp):
    """A function of single elements: becomes part of a table, or of a requantization."""

    #: Position of the input that is not constant.
    variable: ClassVar[int] = 0

    def lower(
        self, low: Lowering, x: Sequence[Operand], reals: Sequence[Array], outputs: Sequence[Array]
    ) -> Sequence[Operand]:
        (operand,) = (v for v in x if not isinstance(v, np.ndarray))
        if isinstance(operand, Features):
            operand = low.codes(operand, reals[0], n_bits=low.settings.n_bits["model_inputs"])
        assert isinstance(operand, QuantizedTensor)
        return [self.compose(operand)]

    def compose(self, x: QuantizedTensor) -> QuantizedTensor:
        """The operand behind this function."""
        return x.then(lambda values: self._function(values))

    def _function(self, values: Array) -> NDArray[np.float64]:
        arguments = [values if v is None else v for v in self._arguments()]
        return np.asarray(self._impl(*arguments)[0], dtype=np.float64)

    def _arguments(self) -> list[Array | None]:
        """The node's inputs, None where the variable one goes."""
        return [self.constants.get(i) for i in range(len(self.node.inputs))]


class QuantizedMixingOp(QuantizedOp):
    """An operator that adds or multiplies elements of integer tensors."""
