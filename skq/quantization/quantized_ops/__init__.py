"""Quantized operators, one module a family; importing this package registers them all."""

from skq.quantization.quantized_ops.activations import QuantizedRelu, QuantizedSigmoid, QuantizedTanh
from skq.quantization.quantized_ops.arithmetic import (
    QuantizedAdd,
    QuantizedDiv,
    QuantizedMul,
    QuantizedSub,
)
from skq.quantization.quantized_ops.comparison import (
    QuantizedArgMax,
    QuantizedGreater,
    QuantizedGreaterOrEqual,
)
from skq.quantization.quantized_ops.linear import QuantizedGemm, QuantizedMatMul
from skq.quantization.quantized_ops.shape import (
    QuantizedCast,
    QuantizedGather,
    QuantizedIdentity,
    QuantizedReshape,
    QuantizedSplit,
)
from skq.quantization.quantized_ops.trees import QuantizedTreeEnsembleRegressor

__all__ = [
    "QuantizedAdd",
    "QuantizedArgMax",
    "QuantizedCast",
    "QuantizedDiv",
    "QuantizedGather",
    "QuantizedGemm",
    "QuantizedGreater",
    "QuantizedGreaterOrEqual",
    "QuantizedIdentity",
    "QuantizedMatMul",
    "QuantizedMul",
    "QuantizedRelu",
    "QuantizedReshape",
    "QuantizedSigmoid",
    "QuantizedSplit",
    "QuantizedSub",
    "QuantizedTanh",
    "QuantizedTreeEnsembleRegressor",
]
