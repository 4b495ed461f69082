"""Quantized operators, one module per family; importing this package registers them all.

The class of ONNX's operator ``Name`` is ``QuantizedName``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from skq.quantization.base_quantized_op import (
    ALL_QUANTIZED_OPS,
    DEFAULT_MODEL_BITS,
    ONNX_OPS_TO_NUMPY_IMPL,
    ONNX_OPS_TO_QUANTIZED_IMPL,
    QuantizedMixingOp,
    QuantizedOp,
    QuantizedOpUnivariateOfEncrypted,
)
from skq.quantization.quantized_ops import (  # noqa: F401
    activations,
    arithmetic,
    comparison,
    convolution,
    labels,
    linear,
    median,
    normalization,
    pooling,
    quantize_linear,
    reduction,
    shape,
    tree_ensemble,
    univariate,
)

_CLASSES = {cls.__name__: cls for cls in ONNX_OPS_TO_QUANTIZED_IMPL.values()}
globals().update(_CLASSES)

__all__ = [
    "ALL_QUANTIZED_OPS",
    "DEFAULT_MODEL_BITS",
    "ONNX_OPS_TO_NUMPY_IMPL",
    "ONNX_OPS_TO_QUANTIZED_IMPL",
    "QuantizedMixingOp",
    "QuantizedOp",
    "QuantizedOpUnivariateOfEncrypted",
    *sorted(_CLASSES),
]

if TYPE_CHECKING:

    def __getattr__(name: str) -> type[QuantizedOp]: ...
