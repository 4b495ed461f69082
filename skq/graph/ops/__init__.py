"""ONNX operators in NumPy, one module per family, which registers its operators when imported.

A family is imported when a graph needs an operator of it, so that a saved model loads quickly.
"""

from importlib import import_module as _import_module
from typing import Any as _Any

from skq.graph.ops.binding import FAMILIES, bind_node, load_families, numpy_op

__all__ = ["ONNX_OPS_TO_NUMPY_IMPL", "TreeArrays", "bind_node", "numpy_op", *FAMILIES]


def __getattr__(name: str) -> _Any:
    if name == "ONNX_OPS_TO_NUMPY_IMPL":
        return load_families()
    if name == "TreeArrays":
        return _import_module("skq.graph.ops.tree_ensemble").TreeArrays
    if name in FAMILIES:
        return _import_module(f"skq.graph.ops.{name}")
    raise AttributeError(f"module 'skq.graph.ops' has no attribute {name!r}")
