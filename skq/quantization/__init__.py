"""Quantizers, quantized operators, the post-training converter and the quantized module."""

from importlib import import_module as _import_module
from typing import Any as _Any

from skq.frontend.numpy_module import NumpyModule
from skq.quantization.base_quantized_op import (
    ALL_QUANTIZED_OPS,
    DEFAULT_MODEL_BITS,
    ONNX_OPS_TO_NUMPY_IMPL,
    ONNX_OPS_TO_QUANTIZED_IMPL,
    QuantizedMixingOp,
    QuantizedOp,
    QuantizedOpUnivariateOfEncrypted,
)
from skq.quantization.post_training import (
    ONNXConverter,
    PostTrainingAffineQuantization,
    PostTrainingQATImporter,
    get_n_bits_dict,
)
from skq.quantization.quantized_module import QuantizedModule
from skq.quantization.quantizers import (
    STABILITY_CONST,
    MinMaxQuantizationStats,
    QuantizationOptions,
    QuantizedArray,
    UniformQuantizationParameters,
    UniformQuantizer,
    fill_from_kwargs,
)

__all__ = [
    "ALL_QUANTIZED_OPS",
    "DEFAULT_MODEL_BITS",
    "ONNX_OPS_TO_NUMPY_IMPL",
    "ONNX_OPS_TO_QUANTIZED_IMPL",
    "STABILITY_CONST",
    "MinMaxQuantizationStats",
    "NumpyModule",
    "ONNXConverter",
    "PostTrainingAffineQuantization",
    "PostTrainingQATImporter",
    "QuantizationOptions",
    "QuantizedArray",
    "QuantizedMixingOp",
    "QuantizedModule",
    "QuantizedOp",
    "QuantizedOpUnivariateOfEncrypted",
    "UniformQuantizationParameters",
    "UniformQuantizer",
    "fill_from_kwargs",
    "get_n_bits_dict",
]


def __getattr__(name: str) -> _Any:
    if name == "spec":  # imports torch, so it waits until it is asked for
        return _import_module("skq.quantization.spec")
    raise AttributeError(f"module 'skq.quantization' has no attribute {name!r}")
