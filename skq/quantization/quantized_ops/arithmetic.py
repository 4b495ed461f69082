"""Arithmetic with a constant: folded into a scale and a zero point, or into the input quantizer."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

import numpy as np

from skq.quantization.base_quantized_op import QuantizedOp, quantizes
from skq.quantization.lowering import Lowering
from skq.quantization.operands import Array, FeatureStep, Features, Operand, QuantizedTensor


class _AffineOp(QuantizedOp):
    """A tensor and a constant; two tensors are refused."""

    function: ClassVar[str]

    def lower(
        self, low: Lowering, x: Sequence[Operand], reals: Sequence[Array], outputs: Sequence[Array]
    ) -> Sequence[Operand]:
        a, b = x
        if isinstance(b, np.ndarray) and isinstance(a, Features | QuantizedTensor):
            return [self._with_constant(low, a, _channel_constant(b), reals[0], outputs[0])]
        if isinstance(a, np.ndarray) and isinstance(b, Features | QuantizedTensor):
            return [self._constant_first(low, _channel_constant(a), b, reals[1], outputs[0])]
        raise self.unsupported("it combines two tensors")

    def _with_constant(
        self, low: Lowering, x: Features | QuantizedTensor, c: Array, reals: Array, output: Array
    ) -> Operand:
        if isinstance(x, Features):
            if output.shape != reals.shape:
                raise self.unsupported("a constant broadcasts the input to another shape")
            return x.then(FeatureStep(self.function, c))
        return x.affine(*self.factor_and_offset(c))

    def _constant_first(
        self, low: Lowering, c: Array, x: Features | QuantizedTensor, reals: Array, output: Array
    ) -> Operand:
        """``c - x`` and ``c / x`` are not ``x - c`` and ``x / c``; sums and products commute."""
        return self._with_constant(low, x, c, reals, output)

    def factor_and_offset(self, c: Array) -> tuple[Array, Array]:
        """The operator as ``factor * x + offset``."""
        raise self.unsupported("it has no affine form")


def _channel_constant(constant: Array) -> Array:
    """A constant of shape (1, ..., n_channels) or with one element, without its leading axes."""
    constant = np.asarray(constant, dtype=np.float64)
    if constant.size == 1:
        return constant.reshape(())
    return constant.reshape(constant.shape[-1]) if constant.size == constant.shape[-1] else constant


@quantizes("Add")
class QuantizedAdd(_AffineOp):
    """``x + c``."""

    function = "add"

    def factor_and_offset(self, c: Array) -> tuple[Array, Array]:
        return np.float64(1.0), c


@quantizes("Sub")
class QuantizedSub(_AffineOp):
    """``x - c`` or ``c - x``."""

    function = "subtract"

    def factor_and_offset(self, c: Array) -> tuple[Array, Array]:
        return np.float64(1.0), -c

    def _constant_first(
        self, low: Lowering, c: Array, x: Features | QuantizedTensor, reals: Array, output: Array
    ) -> Operand:
        if isinstance(x, Features):
            return x.then(FeatureStep("multiply", np.float64(-1.0))).then(FeatureStep("add", c))
        return x.affine(np.float64(-1.0), c)


@quantizes("Mul")
class QuantizedMul(_AffineOp):
    """``x * c``."""

    function = "multiply"

    def factor_and_offset(self, c: Array) -> tuple[Array, Array]:
        return c, np.float64(0.0)


@quantizes("Div")
class QuantizedDiv(_AffineOp):
    """``x / c``."""

    function = "divide"

    def factor_and_offset(self, c: Array) -> tuple[Array, Array]:
        return 1.0 / c, np.float64(0.0)

    def _constant_first(
        self, low: Lowering, c: Array, x: Features | QuantizedTensor, reals: Array, output: Array
    ) -> Operand:
        raise self.unsupported("it divides a constant by a tensor")
