"""ONNX operators in NumPy, one module a family; importing this package registers them all."""

from skq.frontend.numpy_ops import (
    activations,
    casting,
    comparison,
    elementwise,
    linear_algebra,
    normalization,
    pooling,
    quantization,
    reduction,
    shape,
    trees,
)
from skq.frontend.numpy_ops.registry import ONNX_OPS_TO_NUMPY_IMPL, bind_node, numpy_op
from skq.frontend.numpy_ops.trees import TreeArrays

__all__ = [
    "ONNX_OPS_TO_NUMPY_IMPL",
    "TreeArrays",
    "activations",
    "bind_node",
    "casting",
    "comparison",
    "elementwise",
    "linear_algebra",
    "normalization",
    "numpy_op",
    "pooling",
    "quantization",
    "reduction",
    "shape",
    "trees",
]
