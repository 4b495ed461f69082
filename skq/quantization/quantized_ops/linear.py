"""Layers: a tensor times a constant matrix."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from skq.quantization.base_quantized_op import QuantizedMixingOp, quantizes
from skq.quantization.lowering import Lowering
from skq.quantization.operands import Array, Features, Operand, QuantizedTensor


class _Layer(QuantizedMixingOp):
    """``x @ weights + bias``, the bias folded into the calibrated offset."""

    def _layer(
        self, low: Lowering, x: Operand, weights: Operand, reals: Array, output: Array
    ) -> Sequence[Operand]:
        if not (isinstance(x, Features | QuantizedTensor) and isinstance(weights, np.ndarray)):
            raise self.unsupported("the second factor must be a constant")
        if weights.ndim != 2:
            raise self.unsupported("the constant factor must be a matrix")
        n_bits = low.settings.n_bits
        codes = low.codes(x, reals, n_bits=n_bits["op_inputs"])
        return [low.matmul(codes, weights, output, n_bits=n_bits["op_weights"])]


@quantizes("MatMul")
class QuantizedMatMul(_Layer):
    """``x @ weights``."""

    def lower(
        self, low: Lowering, x: Sequence[Operand], reals: Sequence[Array], outputs: Sequence[Array]
    ) -> Sequence[Operand]:
        return self._layer(low, x[0], x[1], reals[0], outputs[0])


@quantizes("Gemm")
class QuantizedGemm(_Layer):
    """``alpha * x @ weights + beta * bias``, with either factor transposed or not."""

    def lower(
        self, low: Lowering, x: Sequence[Operand], reals: Sequence[Array], outputs: Sequence[Array]
    ) -> Sequence[Operand]:
        if self.attributes.get("transA", 0):
            raise self.unsupported("transA=1 mixes rows")
        weights = x[1]
        if isinstance(weights, np.ndarray):
            weights = weights.T if self.attributes.get("transB", 0) else weights
            weights = weights * float(self.attributes.get("alpha", 1.0))
        if len(x) > 2 and not isinstance(x[2], np.ndarray):
            raise self.unsupported("the bias must be a constant")
        return self._layer(low, x[0], weights, reals[0], outputs[0])
