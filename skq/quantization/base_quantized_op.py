"""Base classes of quantized operators, and the registries that hold them: the public names."""

from __future__ import annotations

from skq.graph.ops import ONNX_OPS_TO_NUMPY_IMPL
from skq.quantization.mixing_op import QuantizedMixingOp
from skq.quantization.n_bits import DEFAULT_MODEL_BITS
from skq.quantization.operator_facts import ONNX_OPS_TO_QUANTIZED_IMPL
from skq.quantization.quantized_op import ALL_QUANTIZED_OPS, QuantizedOp, quantizes
from skq.quantization.univariate_op import QuantizedOpUnivariateOfEncrypted

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
