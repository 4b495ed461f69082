"""ONNX operators in NumPy, one module a family; importing this package registers them all."""

from skq.graph.ops import (
    activations,
    casting,
    comparison,
    elementwise,
    linear_algebra,
    normalization,
    pooling,
    quantize_linear,
    reduction,
    resize,
    shape,
    tree_ensemble,
)
from skq.graph.ops.binding import ONNX_OPS_TO_NUMPY_IMPL, bind_node, numpy_op
from skq.graph.ops.tree_ensemble import TreeArrays

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
    "quantize_linear",
    "reduction",
    "resize",
    "shape",
    "tree_ensemble",
]
