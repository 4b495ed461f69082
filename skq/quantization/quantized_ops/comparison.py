"""Comparisons and argmax, exact on integers."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

import numpy as np

from skq.program import ArgMax
from skq.quantization.base_quantized_op import QuantizedOp, quantizes
from skq.quantization.lowering import Lowering
from skq.quantization.operands import Array, Operand, QuantizedTensor


class _AboveConstant(QuantizedOp):
    """``x > c`` and its kin."""

    or_equal: ClassVar[bool]

    def lower(
        self, low: Lowering, x: Sequence[Operand], reals: Sequence[Array], outputs: Sequence[Array]
    ) -> Sequence[Operand]:
        tensor, constant = x
        if not (isinstance(tensor, QuantizedTensor) and isinstance(constant, np.ndarray)):
            raise self.unsupported("only a layer's result is compared with a constant")
        if constant.size != 1:
            raise self.unsupported("the constant must be one number")
        threshold = constant.reshape(())
        return [low.is_above(tensor, threshold, or_equal=self.or_equal)]


@quantizes("Greater")
class QuantizedGreater(_AboveConstant):
    """``x > c``."""

    or_equal = False


@quantizes("GreaterOrEqual")
class QuantizedGreaterOrEqual(_AboveConstant):
    """``x >= c``."""

    or_equal = True


@quantizes("ArgMax")
class QuantizedArgMax(QuantizedOp):
    """Index of the first largest element of the last axis."""

    def lower(
        self, low: Lowering, x: Sequence[Operand], reals: Sequence[Array], outputs: Sequence[Array]
    ) -> Sequence[Operand]:
        (tensor,) = x
        if not isinstance(tensor, QuantizedTensor):
            raise self.unsupported("it reads the raw input")
        axis = int(self.attributes.get("axis", 0))
        if axis % reals[0].ndim != reals[0].ndim - 1 or self.attributes.get("select_last_index"):
            raise self.unsupported("only the first largest element of the last axis is found")
        value = low.add(ArgMax((low.align(tensor).value,)))
        result = QuantizedTensor(value, np.float64(1.0), np.float64(0.0))
        if self.attributes.get("keepdims", 1):
            raise self.unsupported("keepdims=1")
        return [result]
