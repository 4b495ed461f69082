"""Quantizers, quantized operators, the post-training converter and the quantized module.

Names are loaded at the first access, so a saved model predicts without the quantization code.
"""

from importlib import import_module as _import_module
from typing import TYPE_CHECKING
from typing import Any as _Any

from skq._lazy import lazily as _lazily

if TYPE_CHECKING:  # type checkers read these; `__getattr__` imports them at the first access
    from skq.frontend.numpy_module import (
        NumpyModule,
    )
    from skq.quantization import spec as spec
    from skq.quantization.base_quantized_op import (
        DEFAULT_MODEL_BITS,
        QuantizedMixingOp,
        QuantizedOp,
        QuantizedOpUnivariateOfEncrypted,
    )
    from skq.quantization.n_bits import (
        get_n_bits_dict,
    )
    from skq.quantization.post_training import (
        ONNXConverter,
        PostTrainingAffineQuantization,
        PostTrainingQATImporter,
    )
    from skq.quantization.quantized_module import (
        QuantizedModule,
    )
    from skq.quantization.quantized_ops import (
        ALL_QUANTIZED_OPS,
        ONNX_OPS_TO_NUMPY_IMPL,
        ONNX_OPS_TO_QUANTIZED_IMPL,
    )
    from skq.quantization.quantized_ops import (
        QuantizedAbs as QuantizedAbs,
    )
    from skq.quantization.quantized_ops import (
        QuantizedAcos as QuantizedAcos,
    )
    from skq.quantization.quantized_ops import (
        QuantizedAcosh as QuantizedAcosh,
    )
    from skq.quantization.quantized_ops import (
        QuantizedAdd as QuantizedAdd,
    )
    from skq.quantization.quantized_ops import (
        QuantizedAnd as QuantizedAnd,
    )
    from skq.quantization.quantized_ops import (
        QuantizedArgMax as QuantizedArgMax,
    )
    from skq.quantization.quantized_ops import (
        QuantizedAsin as QuantizedAsin,
    )
    from skq.quantization.quantized_ops import (
        QuantizedAsinh as QuantizedAsinh,
    )
    from skq.quantization.quantized_ops import (
        QuantizedAtan as QuantizedAtan,
    )
    from skq.quantization.quantized_ops import (
        QuantizedAtanh as QuantizedAtanh,
    )
    from skq.quantization.quantized_ops import (
        QuantizedAveragePool as QuantizedAveragePool,
    )
    from skq.quantization.quantized_ops import (
        QuantizedBatchNormalization as QuantizedBatchNormalization,
    )
    from skq.quantization.quantized_ops import (
        QuantizedCast as QuantizedCast,
    )
    from skq.quantization.quantized_ops import (
        QuantizedCeil as QuantizedCeil,
    )
    from skq.quantization.quantized_ops import (
        QuantizedCelu as QuantizedCelu,
    )
    from skq.quantization.quantized_ops import (
        QuantizedClip as QuantizedClip,
    )
    from skq.quantization.quantized_ops import (
        QuantizedConcat as QuantizedConcat,
    )
    from skq.quantization.quantized_ops import (
        QuantizedConstant as QuantizedConstant,
    )
    from skq.quantization.quantized_ops import (
        QuantizedConstantOfShape as QuantizedConstantOfShape,
    )
    from skq.quantization.quantized_ops import (
        QuantizedConv as QuantizedConv,
    )
    from skq.quantization.quantized_ops import (
        QuantizedCos as QuantizedCos,
    )
    from skq.quantization.quantized_ops import (
        QuantizedCosh as QuantizedCosh,
    )
    from skq.quantization.quantized_ops import (
        QuantizedDepthToSpace as QuantizedDepthToSpace,
    )
    from skq.quantization.quantized_ops import (
        QuantizedDequantizeLinear as QuantizedDequantizeLinear,
    )
    from skq.quantization.quantized_ops import (
        QuantizedDiv as QuantizedDiv,
    )
    from skq.quantization.quantized_ops import (
        QuantizedDropout as QuantizedDropout,
    )
    from skq.quantization.quantized_ops import (
        QuantizedElu as QuantizedElu,
    )
    from skq.quantization.quantized_ops import (
        QuantizedEqual as QuantizedEqual,
    )
    from skq.quantization.quantized_ops import (
        QuantizedErf as QuantizedErf,
    )
    from skq.quantization.quantized_ops import (
        QuantizedExp as QuantizedExp,
    )
    from skq.quantization.quantized_ops import (
        QuantizedExpand as QuantizedExpand,
    )
    from skq.quantization.quantized_ops import (
        QuantizedFlatten as QuantizedFlatten,
    )
    from skq.quantization.quantized_ops import (
        QuantizedFloor as QuantizedFloor,
    )
    from skq.quantization.quantized_ops import (
        QuantizedGather as QuantizedGather,
    )
    from skq.quantization.quantized_ops import (
        QuantizedGemm as QuantizedGemm,
    )
    from skq.quantization.quantized_ops import (
        QuantizedGlobalAveragePool as QuantizedGlobalAveragePool,
    )
    from skq.quantization.quantized_ops import (
        QuantizedGlobalMaxPool as QuantizedGlobalMaxPool,
    )
    from skq.quantization.quantized_ops import (
        QuantizedGreater as QuantizedGreater,
    )
    from skq.quantization.quantized_ops import (
        QuantizedGreaterOrEqual as QuantizedGreaterOrEqual,
    )
    from skq.quantization.quantized_ops import (
        QuantizedHardSigmoid as QuantizedHardSigmoid,
    )
    from skq.quantization.quantized_ops import (
        QuantizedHardSwish as QuantizedHardSwish,
    )
    from skq.quantization.quantized_ops import (
        QuantizedIdentity as QuantizedIdentity,
    )
    from skq.quantization.quantized_ops import (
        QuantizedInstanceNormalization as QuantizedInstanceNormalization,
    )
    from skq.quantization.quantized_ops import (
        QuantizedIsNaN as QuantizedIsNaN,
    )
    from skq.quantization.quantized_ops import (
        QuantizedLayerNormalization as QuantizedLayerNormalization,
    )
    from skq.quantization.quantized_ops import (
        QuantizedLeakyRelu as QuantizedLeakyRelu,
    )
    from skq.quantization.quantized_ops import (
        QuantizedLess as QuantizedLess,
    )
    from skq.quantization.quantized_ops import (
        QuantizedLessOrEqual as QuantizedLessOrEqual,
    )
    from skq.quantization.quantized_ops import (
        QuantizedLog as QuantizedLog,
    )
    from skq.quantization.quantized_ops import (
        QuantizedLogSoftmax as QuantizedLogSoftmax,
    )
    from skq.quantization.quantized_ops import (
        QuantizedMatMul as QuantizedMatMul,
    )
    from skq.quantization.quantized_ops import (
        QuantizedMax as QuantizedMax,
    )
    from skq.quantization.quantized_ops import (
        QuantizedMaxPool as QuantizedMaxPool,
    )
    from skq.quantization.quantized_ops import (
        QuantizedMean as QuantizedMean,
    )
    from skq.quantization.quantized_ops import (
        QuantizedMin as QuantizedMin,
    )
    from skq.quantization.quantized_ops import (
        QuantizedMod as QuantizedMod,
    )
    from skq.quantization.quantized_ops import (
        QuantizedMul as QuantizedMul,
    )
    from skq.quantization.quantized_ops import (
        QuantizedNeg as QuantizedNeg,
    )
    from skq.quantization.quantized_ops import (
        QuantizedNot as QuantizedNot,
    )
    from skq.quantization.quantized_ops import (
        QuantizedOr as QuantizedOr,
    )
    from skq.quantization.quantized_ops import (
        QuantizedPad as QuantizedPad,
    )
    from skq.quantization.quantized_ops import (
        QuantizedPow as QuantizedPow,
    )
    from skq.quantization.quantized_ops import (
        QuantizedPRelu as QuantizedPRelu,
    )
    from skq.quantization.quantized_ops import (
        QuantizedQuantizeLinear as QuantizedQuantizeLinear,
    )
    from skq.quantization.quantized_ops import (
        QuantizedReciprocal as QuantizedReciprocal,
    )
    from skq.quantization.quantized_ops import (
        QuantizedReduceMax as QuantizedReduceMax,
    )
    from skq.quantization.quantized_ops import (
        QuantizedReduceMean as QuantizedReduceMean,
    )
    from skq.quantization.quantized_ops import (
        QuantizedReduceMin as QuantizedReduceMin,
    )
    from skq.quantization.quantized_ops import (
        QuantizedReduceSum as QuantizedReduceSum,
    )
    from skq.quantization.quantized_ops import (
        QuantizedRelu as QuantizedRelu,
    )
    from skq.quantization.quantized_ops import (
        QuantizedReshape as QuantizedReshape,
    )
    from skq.quantization.quantized_ops import (
        QuantizedResize as QuantizedResize,
    )
    from skq.quantization.quantized_ops import (
        QuantizedRound as QuantizedRound,
    )
    from skq.quantization.quantized_ops import (
        QuantizedSelu as QuantizedSelu,
    )
    from skq.quantization.quantized_ops import (
        QuantizedShape as QuantizedShape,
    )
    from skq.quantization.quantized_ops import (
        QuantizedSigmoid as QuantizedSigmoid,
    )
    from skq.quantization.quantized_ops import (
        QuantizedSign as QuantizedSign,
    )
    from skq.quantization.quantized_ops import (
        QuantizedSin as QuantizedSin,
    )
    from skq.quantization.quantized_ops import (
        QuantizedSinh as QuantizedSinh,
    )
    from skq.quantization.quantized_ops import (
        QuantizedSlice as QuantizedSlice,
    )
    from skq.quantization.quantized_ops import (
        QuantizedSoftmax as QuantizedSoftmax,
    )
    from skq.quantization.quantized_ops import (
        QuantizedSoftplus as QuantizedSoftplus,
    )
    from skq.quantization.quantized_ops import (
        QuantizedSpaceToDepth as QuantizedSpaceToDepth,
    )
    from skq.quantization.quantized_ops import (
        QuantizedSplit as QuantizedSplit,
    )
    from skq.quantization.quantized_ops import (
        QuantizedSqrt as QuantizedSqrt,
    )
    from skq.quantization.quantized_ops import (
        QuantizedSqueeze as QuantizedSqueeze,
    )
    from skq.quantization.quantized_ops import (
        QuantizedSub as QuantizedSub,
    )
    from skq.quantization.quantized_ops import (
        QuantizedSum as QuantizedSum,
    )
    from skq.quantization.quantized_ops import (
        QuantizedTan as QuantizedTan,
    )
    from skq.quantization.quantized_ops import (
        QuantizedTanh as QuantizedTanh,
    )
    from skq.quantization.quantized_ops import (
        QuantizedThresholdedRelu as QuantizedThresholdedRelu,
    )
    from skq.quantization.quantized_ops import (
        QuantizedTranspose as QuantizedTranspose,
    )
    from skq.quantization.quantized_ops import (
        QuantizedTreeEnsembleRegressor as QuantizedTreeEnsembleRegressor,
    )
    from skq.quantization.quantized_ops import (
        QuantizedUnsqueeze as QuantizedUnsqueeze,
    )
    from skq.quantization.quantized_ops import (
        QuantizedWhere as QuantizedWhere,
    )
    from skq.quantization.quantizers import (
        STABILITY_CONST,
        MinMaxQuantizationStats,
        QuantizationOptions,
        QuantizedArray,
        UniformQuantizationParameters,
        UniformQuantizer,
        fill_from_kwargs,
    )

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
    "spec": "skq.quantization.spec",  # imports torch
}

__all__ = [
    "ALL_QUANTIZED_OPS",
    "DEFAULT_MODEL_BITS",
    "MinMaxQuantizationStats",
    "NumpyModule",
    "ONNXConverter",
    "ONNX_OPS_TO_NUMPY_IMPL",
    "ONNX_OPS_TO_QUANTIZED_IMPL",
    "PostTrainingAffineQuantization",
    "PostTrainingQATImporter",
    "QuantizationOptions",
    "QuantizedArray",
    "QuantizedMixingOp",
    "QuantizedModule",
    "QuantizedOp",
    "QuantizedOpUnivariateOfEncrypted",
    "STABILITY_CONST",
    "UniformQuantizationParameters",
    "UniformQuantizer",
    "fill_from_kwargs",
    "get_n_bits_dict",
]


if not TYPE_CHECKING:  # else every name would be there for a type checker
    _named = _lazily(__name__, _NAMES)

    def __getattr__(name: str) -> _Any:
        if name not in _NAMES and name.startswith("Quantized"):  # classes of operators
            operators = _import_module("skq.quantization.quantized_ops")
            if name in operators.__all__:
                return getattr(operators, name)
        return _named(name)


def __dir__() -> list[str]:
    return __all__
