"""Activations: a clip that costs nothing (ReLU), or a table."""

from __future__ import annotations

import numpy as np

from skq.quantization.base_quantized_op import QuantizedOpUnivariateOfEncrypted, quantizes
from skq.quantization.operands import QuantizedTensor


@quantizes("Relu")
class QuantizedRelu(QuantizedOpUnivariateOfEncrypted):
    """``max(x, 0)``: the requantization behind it saturates at the code of 0."""

    def compose(self, x: QuantizedTensor) -> QuantizedTensor:
        return x.clipped(0.0, float(np.inf))


@quantizes("Tanh")
class QuantizedTanh(QuantizedOpUnivariateOfEncrypted):
    """``tanh(x)`` as a table."""


@quantizes("Sigmoid")
class QuantizedSigmoid(QuantizedOpUnivariateOfEncrypted):
    """``1 / (1 + exp(-x))`` as a table."""
