"""Quantizers, quantized operators, the post-training converter and the quantized module.

Names are loaded when first asked for: a saved model predicts without what quantizes.
"""

from importlib import import_module as _import_module
from typing import Any as _Any

#: Public names by the module that defines them. The operators register themselves in the tables of
#: `base_quantized_op` when `quantized_ops` is imported, which re-exports them.
_NAMES = {
    "ALL_QUANTIZED_OPS": "skq.quantization.quantized_ops",
    "DEFAULT_MODEL_BITS": "skq.quantization.base_quantized_op",
    "MinMaxQuantizationStats": "skq.quantization.quantizers",
    "NumpyModule": "skq.frontend.numpy_module",
    "ONNXConverter": "skq.quantization.post_training",
    "ONNX_OPS_TO_NUMPY_IMPL": "skq.quantization.quantized_ops",
    "ONNX_OPS_TO_QUANTIZED_IMPL": "skq.quantization.quantized_ops",
    "PostTrainingAffineQuantization": "skq.quantization.post_training",
    "PostTrainingQATImporter": "skq.quantization.post_training",
    "QuantizationOptions": "skq.quantization.quantizers",
    "QuantizedArray": "skq.quantization.quantizers",
    "QuantizedMixingOp": "skq.quantization.base_quantized_op",
    "QuantizedModule": "skq.quantization.quantized_module",
    "QuantizedOp": "skq.quantization.base_quantized_op",
    "QuantizedOpUnivariateOfEncrypted": "skq.quantization.base_quantized_op",
    "STABILITY_CONST": "skq.quantization.quantizers",
    "UniformQuantizationParameters": "skq.quantization.quantizers",
    "UniformQuantizer": "skq.quantization.quantizers",
    "fill_from_kwargs": "skq.quantization.quantizers",
    "get_n_bits_dict": "skq.quantization.n_bits",
}

__all__ = sorted(_NAMES)


def __getattr__(name: str) -> _Any:
    if name in _NAMES:
        return getattr(_import_module(_NAMES[name]), name)
    if name.startswith("Quantized"):  # classes of operators
        operators = _import_module("skq.quantization.quantized_ops")
        if name in operators.__all__:
            return getattr(operators, name)
    if name == "spec":  # imports torch
        return _import_module("skq.quantization.spec")
    raise AttributeError(f"module 'skq.quantization' has no attribute {name!r}")


def __dir__() -> list[str]:
    return __all__
