"""Predictors as torch modules, in float64: what Hummingbird wires and torch exports.

A tree ensemble is traced as one placeholder node of the domain ``skq``, which
`skq.frontend.convert` replaces by ONNX-ML's tree operator; its arrays never pass through the
exporter. Imports torch: only `skq.frontend.convert` imports this file, when a model is converted.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import nn

from skq.frontend.numpy_ops import TreeArrays
from skq.frontend.numpy_ops.trees import tree_sums
from skq.frontend.predictors import Affine, Head, Layers, Predictor, TreeEnsemble
from skq.frontend.tree_nodes import tree_attributes

PLACEHOLDER_DOMAIN = "skq"
PLACEHOLDER_OP = "TreeEnsemblePlaceholder"

ACTIVATIONS = {
    "identity": lambda x: x,
    "relu": torch.relu,
    "tanh": torch.tanh,
    "logistic": torch.sigmoid,
}

LINKS = {"identity": lambda x: x, "exp": torch.exp}


class LayersModule(nn.Module):
    """`Layers` as a chain of Gemm and activation nodes."""

    def __init__(self, layers: Layers) -> None:
        super().__init__()
        self.weights = nn.ParameterList(_constant(w) for w in layers.weights)
        self.biases = nn.ParameterList(_constant(b) for b in layers.biases)
        self.activation = ACTIVATIONS[layers.activation]

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        last = len(self.weights) - 1
        for i, (weight, bias) in enumerate(zip(self.weights, self.biases, strict=True)):
            x = torch.addmm(bias, x, weight)
            if i < last:
                x = self.activation(x)
        return x


class TreesFunction(torch.autograd.Function):
    """Scores of a tree ensemble; in a traced graph, one placeholder node."""

    @staticmethod
    def forward(ctx: Any, x: torch.Tensor, module: TreesModule) -> torch.Tensor:
        trees = TreeArrays.from_attributes(module.attributes)
        return torch.from_numpy(tree_sums(trees, x.detach().numpy()))

    @staticmethod
    def symbolic(g: Any, x: Any, module: TreesModule) -> Any:
        node = g.op(f"{PLACEHOLDER_DOMAIN}::{PLACEHOLDER_OP}", x, index_i=module.index)
        return node.setType(x.type().with_sizes([None, module.attributes["n_targets"]]))


class TreesModule(nn.Module):
    """`TreeEnsemble` as one node; `index` tells the ensembles of a graph apart."""

    def __init__(self, ensemble: TreeEnsemble, index: int) -> None:
        super().__init__()
        self.attributes = tree_attributes(ensemble)
        self.float32_input = ensemble.float32_input
        self.index = index

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        if self.float32_input:
            x = x.float().double()
        scores: torch.Tensor = TreesFunction.apply(x, self)
        return scores


class AffineModule(nn.Module):
    """`Affine` as up to four elementwise nodes."""

    def __init__(self, affine: Affine) -> None:
        super().__init__()
        for name in ("subtract", "divide", "multiply", "add"):
            array = getattr(affine, name)
            setattr(self, name, None if array is None else _constant(array))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        x = x if self.subtract is None else x - self.subtract
        x = x if self.divide is None else x / self.divide
        x = x if self.multiply is None else x * self.multiply
        return x if self.add is None else x + self.add


class PredictorModule(nn.Module):
    """Scores and head: returns the outputs that ``head.output_names`` lists."""

    def __init__(self, predictor: Predictor, index: int) -> None:
        super().__init__()
        scores = predictor.scores
        self.scores = (
            LayersModule(scores) if isinstance(scores, Layers) else TreesModule(scores, index)
        )
        self.head = predictor.head

    def forward(self, x: torch.Tensor) -> tuple[torch.Tensor, ...]:
        return _HEADS[self.head.kind](self.head, self.scores(x))


def _constant(array: Any) -> nn.Parameter:
    return nn.Parameter(torch.from_numpy(array.copy()), requires_grad=False)


def _regressor(head: Head, scores: torch.Tensor) -> tuple[torch.Tensor, ...]:
    values = LINKS[head.link or "identity"](scores)
    return (values[:, 0] if head.flat and scores.shape[1] == 1 else values,)


def _binary(head: Head, scores: torch.Tensor) -> tuple[torch.Tensor, ...]:
    score = scores[:, 0]
    outputs = [score] if head.decision else []
    if head.link is not None:
        positive = _sigmoid(head, score)
        outputs.append(torch.stack([1 - positive, positive], 1))
    return (*outputs, _is_positive(head, score))


def _multilabel(head: Head, scores: torch.Tensor) -> tuple[torch.Tensor, ...]:
    return _sigmoid(head, scores), _is_positive(head, scores)


def _sigmoid(head: Head, scores: torch.Tensor) -> torch.Tensor:
    if head.score_factor != 1:
        scores = scores * head.score_factor
    return torch.sigmoid(scores)


def _is_positive(head: Head, scores: torch.Tensor) -> torch.Tensor:
    return (scores >= 0 if head.zero_is_positive else scores > 0).long()


def _multiclass(head: Head, scores: torch.Tensor) -> tuple[torch.Tensor, ...]:
    several = len(head.n_classes) > 1
    parts = list(torch.split(scores, list(head.n_classes), 1)) if several else [scores]
    outputs = [scores] if head.decision else []
    if head.link == "identity":
        outputs += parts
    elif head.link == "softmax":
        outputs += [torch.softmax(part, 1) for part in parts]
    elif head.link == "ovr":
        each = torch.sigmoid(scores)
        outputs.append(each / each.sum(1, keepdim=True))
    return (*outputs, *(part.argmax(1) for part in parts))


_HEADS = {
    "regressor": _regressor,
    "binary": _binary,
    "multilabel": _multilabel,
    "multiclass": _multiclass,
}
