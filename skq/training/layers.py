"""Layers with fake-quantized weights, and the role of each operator for quantizers."""

from __future__ import annotations

import operator
from collections.abc import Callable
from typing import Any

import torch
from torch import nn
from torch.nn import functional as F

#: Layers with weights.
LAYERS = (nn.Linear, nn.Conv1d, nn.Conv2d)
#: Modules whose rows of weights are looked up by integers; the results are on the weights' grid.
LOOKUPS = (nn.Embedding,)
#: Modules, functions and methods whose results are elements of their input, or 0: on its grid.
GRID_PRESERVING_MODULES = (
    nn.AdaptiveMaxPool1d,
    nn.AdaptiveMaxPool2d,
    nn.Dropout,
    nn.Dropout1d,
    nn.Dropout2d,
    nn.Flatten,
    nn.Identity,
    nn.MaxPool1d,
    nn.MaxPool2d,
    nn.ReLU,
)
GRID_PRESERVING_FUNCTIONS = {
    F.dropout,
    F.max_pool1d,
    F.max_pool2d,
    F.relu,
    torch.flatten,
    torch.permute,
    torch.relu,
    torch.reshape,
    torch.squeeze,
    torch.transpose,
    torch.unsqueeze,
}
GRID_PRESERVING_METHODS = {
    "contiguous",
    "flatten",
    "permute",
    "relu",
    "reshape",
    "squeeze",
    "transpose",
    "unsqueeze",
    "view",
}
#: Those that need quantized inputs and whose results are on no grid.
MIXING_MODULES = (
    nn.AdaptiveAvgPool1d,
    nn.AdaptiveAvgPool2d,
    nn.AvgPool1d,
    nn.AvgPool2d,
    nn.ELU,
    nn.GELU,
    nn.Hardsigmoid,
    nn.Hardswish,
    nn.LeakyReLU,
    nn.SiLU,
    nn.Sigmoid,
    nn.Softplus,
    nn.Tanh,
)
MIXING_FUNCTIONS = {
    F.adaptive_avg_pool1d,
    F.adaptive_avg_pool2d,
    F.avg_pool1d,
    F.avg_pool2d,
    F.gelu,
    F.leaky_relu,
    F.sigmoid,
    F.silu,
    F.tanh,
    operator.add,
    operator.iadd,
    operator.sub,
    torch.add,
    torch.cat,
    torch.sigmoid,
    torch.sub,
    torch.tanh,
}
MIXING_METHODS = {"add", "mean", "sigmoid", "sub", "tanh"}
#: Clips: they are part of the quantizer after them and need none before.
CLIPPING_MODULES = (nn.Hardtanh, nn.ReLU6)
#: Functions of final scores, which are computed in floats.
LINK_MODULES = (nn.LogSoftmax, nn.Softmax)
LINK_FUNCTIONS = {F.log_softmax, F.softmax, torch.log_softmax, torch.softmax}
SHAPE_FUNCTIONS: set[Callable[..., Any]] = {getattr, operator.getitem, operator.mul}
SHAPE_METHODS = {"size", "dim"}
#: Methods that make indices of embeddings, which are not quantized.
INDEX_METHODS = {"int", "long"}


class QATLayer(nn.Module):
    """A layer that runs on fake-quantized weights.

    Parameters
    ----------
    layer : Linear, Conv1d, Conv2d or Embedding
        Holds the float weights, which are trained.
    weight_fake_quantize : torch.nn.Module
        Fake quantizer of the weights.
    """

    def __init__(self, layer: nn.Module, weight_fake_quantize: nn.Module) -> None:
        super().__init__()
        self.layer = layer
        self.weight_fake_quantize = weight_fake_quantize

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Return the layer's result.

        Parameters
        ----------
        x : Tensor
        """
        weight = self.weight_fake_quantize(self.layer.weight)
        if isinstance(self.layer, nn.Linear):
            result: torch.Tensor = F.linear(x, weight, self.layer.bias)
        elif isinstance(self.layer, nn.Embedding):
            result = F.embedding(
                x,
                weight,
                self.layer.padding_idx,
                scale_grad_by_freq=self.layer.scale_grad_by_freq,
            )
        else:
            result = self.layer._conv_forward(x, weight, self.layer.bias)
        return result


def role_of(node: Any, modules: dict[str, nn.Module]) -> str:
    """Role of an operator of a traced network for quantizers.

    Returns
    -------
    {"layer", "lookup", "preserving", "mixing", "clipping", "link", "shape", "index", "input",
    "output", "constant", "unknown"}
    """
    if node.op in ("placeholder", "output", "get_attr"):
        return {"placeholder": "input", "get_attr": "constant"}.get(node.op, "output")
    if node.op == "call_module":
        kinds: dict[str, tuple[type, ...]] = {
            "layer": (QATLayer,),
            "preserving": GRID_PRESERVING_MODULES,
            "mixing": MIXING_MODULES,
            "clipping": CLIPPING_MODULES,
            "link": LINK_MODULES,
        }
        module = modules[node.target]
        if isinstance(module, QATLayer) and isinstance(module.layer, LOOKUPS):
            return "lookup"
        return next((name for name, kind in kinds.items() if isinstance(module, kind)), "unknown")
    targets: dict[str, set[Any]] = {
        "preserving": GRID_PRESERVING_FUNCTIONS | GRID_PRESERVING_METHODS,
        "mixing": MIXING_FUNCTIONS | MIXING_METHODS,
        "link": LINK_FUNCTIONS,
        "shape": SHAPE_FUNCTIONS | SHAPE_METHODS,
        "index": INDEX_METHODS,
    }
    return next((name for name, known in targets.items() if node.target in known), "unknown")
