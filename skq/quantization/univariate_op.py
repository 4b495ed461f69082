"""Base class of operators that compute each element from one element: tables."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from skq.graph.ops import bind_node
from skq.quantization.lower.lowering import Lowering
from skq.quantization.lower.operands import Array, Features, Operand, QuantizedTensor, fuse
from skq.quantization.lower.views import elements, moved, with_constants
from skq.quantization.operator_facts import ErrorStep
from skq.quantization.quantized_op import QuantizedOp

__all__ = ["QuantizedOpUnivariateOfEncrypted"]

#: Half the distance of the difference quotient of a function, in standard deviations of its
#: argument: about the error of a quantized argument.
SLOPE_DISTANCE = 0.2


class QuantizedOpUnivariateOfEncrypted(QuantizedOp):
    """Base class of operators that compute each element from one element.

    Such an operator becomes a table, or part of a requantization. It may have several inputs if all
    of them are functions of the same integer tensor: ``x * sigmoid(x)`` is one table. The
    parameters are those of `QuantizedOp`.

    Examples
    --------
    >>> from skq.quantization import QuantizedArray, QuantizedOpUnivariateOfEncrypted
    >>> from skq.quantization.quantized_ops import QuantizedSigmoid
    >>> issubclass(QuantizedSigmoid, QuantizedOpUnivariateOfEncrypted)
    True
    >>> x = np.linspace(-2, 2, 9)[:, None]
    >>> op = QuantizedSigmoid(8, "sigmoid")
    >>> _ = op.calibrate(x)
    >>> bool(np.abs(op(QuantizedArray(8, x)).values - 1 / (1 + np.exp(-x))).max() < 0.01)
    True
    """

    #: Whether the result is one of integers; known when it is lowered.
    _truncates: bool = False

    def can_fuse(self) -> bool:
        """Whether one integer tensor generates all inputs, so that the result is a table of it."""
        return len(self._int_input_names) == 1

    @classmethod
    def input_error_weight(cls, step: ErrorStep) -> NDArray[np.float64] | None:
        real = step.values
        spread = np.sqrt(step.row_weight @ (real - step.row_weight @ real) ** 2)
        half = SLOPE_DISTANCE * spread + 1e-12 * np.abs(real).max(axis=0) + 1e-300
        arguments = list(step.arguments)
        dtype = np.asarray(arguments[step.position]).dtype
        sides = []
        for moved_values in (real - half, real + half):
            arguments[step.position] = moved_values.astype(dtype)
            with np.errstate(all="ignore"):
                sides.append(np.asarray(bind_node(step.node)(*arguments)[0], np.float64))
        if sides[0].shape != step.weight.shape or sides[0].shape != real.shape:
            return None
        slope = (sides[1] - sides[0]) / (2 * half)
        return np.asarray(step.weight * slope * slope)

    def lower(
        self, low: Lowering, x: Sequence[Any], reals: Sequence[Any], outputs: Sequence[Array]
    ) -> Sequence[Operand]:
        return [self.fused(low, x, reals, outputs[0])]

    def fused(
        self, low: Lowering, x: Sequence[Any], reals: Sequence[Any], output: Array
    ) -> QuantizedTensor:
        """One function of the integers that all inputs are functions of.

        Where ONNX returns integers, fractions are truncated.
        """
        self._truncates = output.dtype.kind in "iu"
        tensors = {
            i: low.tensor(v) for i, v in enumerate(x) if isinstance(v, Features | QuantizedTensor)
        }
        if any(reals[i].ndim != output.ndim for i in tensors):
            raise self.unsupported("it broadcasts a tensor to more axes, and so across rows")
        positions = list(tensors)
        first = tensors[positions[0]]
        if not all(first.same_integers(other) for other in tensors.values()):
            raise self.unsupported("its inputs come from different integer tensors")
        constants = self._row_constants(x, output.shape[1:])
        moved_first, values = with_constants(
            low, first, list(constants.values()), reals=reals[positions[0]]
        )
        if moved_first.value != first.value:
            if len(tensors) > 1:
                raise self.unsupported("constants that differ within a channel, and two tensors")
            first = moved_first
            tensors = {positions[0]: moved_first}
        channel = dict(zip(constants, values, strict=True))
        if len(tensors) == 1:
            found = self.compose(low, moved_first, channel)
        else:
            found = fuse(self._function(tensors, channel), *tensors.values())
        shape = output.shape[1:]
        view = elements(low, moved_first)
        if view.shape != shape:
            view = np.ascontiguousarray(np.broadcast_to(view, shape))
        return moved(low, found, view)

    def compose(
        self, low: Lowering, x: QuantizedTensor, constants: Mapping[int, Array]
    ) -> QuantizedTensor:
        """The tensor followed by this function.

        Parameters
        ----------
        low : Lowering
        x : QuantizedTensor
        constants : mapping of int to ndarray of shape () or (n_channels,)
            Constant inputs by position, one per channel of the integer value.
        """
        variable = next(i for i in range(len(constants) + 1) if i not in constants)
        return fuse(self._function({variable: x}, constants), x)

    def _function(
        self, tensors: Mapping[int, QuantizedTensor], constants: Mapping[int, Array]
    ) -> Callable[..., Array]:
        """The float operator as a function of its variable inputs."""
        n_inputs = 1 + max((*tensors, *constants))
        impl = self._bound(n_inputs, {})
        positions = list(tensors)

        def function(*values: Array) -> Array:
            arguments: list[Any] = [constants.get(i) for i in range(n_inputs)]
            for position, value in zip(positions, values, strict=True):
                arguments[position] = np.asarray(value, dtype=np.float64)
            result = np.asarray(impl(*arguments)[0], dtype=np.float64)
            return np.trunc(result) if self._truncates else result

        return function
