"""`NumpyModule`: an ONNX model or a torch module as a float graph that runs in NumPy."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

from skq.frontend.torch_export import export_module
from skq.graph.composite_operators import without_composite_operators
from skq.graph.evaluator import GraphEvaluator
from skq.graph.graph import FloatGraph
from skq.graph.ml_operators import without_ml_operators
from skq.graph.onnx_proto import at_supported_opset, graph_from_proto
from skq.graph.quantized_operators import with_quantize_linear
from skq.serialization import serializable

if TYPE_CHECKING:
    import onnx
    import torch


@serializable("skq.NumpyModule")
class NumpyModule(GraphEvaluator):
    """Float graph of an ONNX model or a torch module, which runs in NumPy.

    Parameters
    ----------
    model : FloatGraph, onnx.ModelProto or torch.nn.Module
        A torch module is exported to ONNX, with a dynamic batch dimension.
    dummy_input : tensor, array or tuple of them, default=None
        Example inputs for the export of a torch module, with rows on the first axis. Required for a
        torch module, and not allowed for other models. Floats are cast to the dtype of the module's
        weights.

    Attributes
    ----------
    graph : FloatGraph
        The float graph.

    Raises
    ------
    UnsupportedModelError
        If an operator, or its operator set, is not supported.
    ConversionError
        If the graph is malformed: not in topological order, undefined or twice defined tensors.

    See Also
    --------
    skq.graph.evaluator.GraphEvaluator : The same for a `FloatGraph`, without ONNX and torch.

    Examples
    --------
    >>> import numpy as np
    >>> from skq.graph.graph import FloatGraph, Node, TensorInfo
    >>> from skq.quantization import NumpyModule
    >>> graph = FloatGraph(
    ...     nodes=(Node("Relu", ("x",), ("y",)),),
    ...     initializers={},
    ...     inputs=(TensorInfo("x", "float32", (None, 2)),),
    ...     outputs=(TensorInfo("y", "float32", (None, 2)),),
    ... )
    >>> NumpyModule(graph)(np.array([[3.0, -1.0]]))
    array([[3., 0.]], dtype=float32)
    """

    def __init__(
        self,
        model: FloatGraph | onnx.ModelProto | torch.nn.Module,
        dummy_input: Any = None,
    ) -> None:
        graph = without_composite_operators(_as_graph(model, dummy_input))
        super().__init__(with_quantize_linear(graph))

    def __skq_state__(self) -> dict[str, Any]:
        """Return the constructor's argument."""
        return {"model": self.graph}


def _as_graph(model: Any, dummy_input: Any) -> FloatGraph:
    torch = sys.modules.get("torch")
    if torch is not None and isinstance(model, torch.nn.Module):
        return _graph_of_torch_module(model, dummy_input)
    if dummy_input is not None:
        raise ValueError("dummy_input is for a torch.nn.Module only; leave it out.")
    if isinstance(model, FloatGraph):
        return model
    if hasattr(model, "SerializeToString"):
        return without_ml_operators(graph_from_proto(at_supported_opset(model)))
    raise TypeError(
        f"model must be a FloatGraph, an onnx.ModelProto or a torch.nn.Module. "
        f"Got {type(model).__name__} instead."
    )


def _graph_of_torch_module(module: torch.nn.Module, dummy_input: Any) -> FloatGraph:
    import torch

    from skq.graph.onnx_proto import graph_from_proto

    if dummy_input is None:
        raise ValueError(
            "A torch.nn.Module needs dummy_input: a tensor, an array or a tuple of them, of the "
            "shape of a batch. Got None."
        )
    values = dummy_input if isinstance(dummy_input, tuple) else (dummy_input,)
    examples = [torch.as_tensor(value) for value in values]
    dtypes = [weights.dtype for weights in module.parameters() if weights.is_floating_point()]
    if dtypes:
        examples = [e.to(dtypes[0]) if e.is_floating_point() else e for e in examples]
    return graph_from_proto(export_module(module, tuple(examples)))
