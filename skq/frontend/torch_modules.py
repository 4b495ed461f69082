"""Predictors as torch modules, in float64: Hummingbird connects them and torch exports them.

A tree ensemble is traced as one placeholder node of the domain ``skq``, which
`skq.frontend.convert` replaces by ONNX-ML's tree operator; its arrays never pass through the
exporter. Imports torch: only `skq.frontend.convert` imports this file, when a model is converted.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import torch
from torch import nn

from skq.frontend.predictors import (
    Affine,
    Head,
    LayerInputs,
    Layers,
    Median,
    Mixture,
    TreeEnsemble,
)
from skq.frontend.tree_nodes import tree_attributes
from skq.graph.graph import SKQ_DOMAIN
from skq.graph.ops import TreeArrays
from skq.graph.ops.median import weighted_median
from skq.graph.ops.tree_ensemble import tree_sums

PLACEHOLDER_OP = "TreeEnsemblePlaceholder"

ACTIVATIONS = {
    "identity": lambda x: x,
    "relu": torch.relu,
    "tanh": torch.tanh,
    "logistic": torch.sigmoid,
}

LINKS = {"identity": lambda x: x, "exp": torch.exp, "sigmoid": torch.sigmoid}


class LayersModule(nn.Module):
    """`Layers` as a chain of Gemm and activation nodes."""

    def __init__(self, layers: Layers) -> None:
        super().__init__()
        self.weights = nn.ParameterList(constant(w) for w in layers.weights)
        self.biases = nn.ParameterList(constant(b) for b in layers.biases)
        self.activation = ACTIVATIONS[layers.activation]
        self.inputs = None if layers.inputs is None else LayerInputsModule(layers.inputs)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        x = x if self.inputs is None else self.inputs(x)
        last = len(self.weights) - 1
        for i, (weight, bias) in enumerate(zip(self.weights, self.biases, strict=True)):
            x = torch.addmm(bias, x, weight)
            if i < last:
                x = self.activation(x)
        return x


class LayerInputsModule(nn.Module):
    """`LayerInputs`: fill, append, scale, multiply."""

    def __init__(self, inputs: LayerInputs) -> None:
        super().__init__()
        self.fill = None if inputs.fill is None else constant(inputs.fill)
        self.bits = None if inputs.bits is None else TreesModule(inputs.bits)
        self.bits_alone = inputs.bits_alone
        self.products = [torch.as_tensor(part) for part in inputs.products]
        if inputs.source is not None:
            self.source = torch.as_tensor(inputs.source)
            self.factor, self.offset = constant(inputs.factor), constant(inputs.offset)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        bits = None if self.bits is None else self.bits(x)
        if bits is not None and self.bits_alone:
            return bits
        if self.fill is not None:
            x = torch.where(torch.isnan(x), self.fill, x)
        if bits is not None:
            x = torch.cat([x, bits], 1)
        if not self.products:
            return x
        x = x[:, self.source] * self.factor + self.offset
        columns = []
        for part in self.products:
            product = x[:, part[:, 0]]
            for k in range(1, part.shape[1]):
                product = product * x[:, part[:, k]]
            columns.append(product)
        return torch.cat(columns, 1) if len(columns) > 1 else columns[0]


class TreesFunction(torch.autograd.Function):
    """Scores of a tree ensemble; in a traced graph, one placeholder node."""

    @staticmethod
    def forward(ctx: Any, x: torch.Tensor, module: TreesModule) -> torch.Tensor:
        trees = TreeArrays.from_attributes(module.attributes)
        return torch.from_numpy(tree_sums(trees, x.detach().numpy()))

    @staticmethod
    def symbolic(g: Any, x: Any, module: TreesModule) -> Any:
        node = g.op(f"{SKQ_DOMAIN}::{PLACEHOLDER_OP}", x, index_i=module.index)
        return node.setType(x.type().with_sizes([None, module.attributes["n_targets"]]))


class TreesModule(nn.Module):
    """`TreeEnsemble` as one node.

    `index` identifies the ensemble in its graph; `skq.frontend.convert` sets it.
    """

    index = 0

    def __init__(self, ensemble: TreeEnsemble) -> None:
        super().__init__()
        self.derived = nn.ModuleList(scores_module(scores) for scores in ensemble.derived)
        self.attributes = tree_attributes(ensemble)
        self.float32_input = ensemble.float32_input

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        if self.float32_input:
            x = x.float().double()
        if self.derived:
            x = torch.cat([x, *(scores(x) for scores in self.derived)], 1)
        scores: torch.Tensor = TreesFunction.apply(x, self)
        return scores


class AffineModule(nn.Module):
    """`Affine` as up to four elementwise nodes."""

    def __init__(self, affine: Affine) -> None:
        super().__init__()
        for name in ("subtract", "divide", "multiply", "add"):
            array = getattr(affine, name)
            setattr(self, name, None if array is None else constant(array))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        x = x if self.subtract is None else x - self.subtract
        x = x if self.divide is None else x / self.divide
        x = x if self.multiply is None else x * self.multiply
        return x if self.add is None else x + self.add


class MixtureModule(nn.Module):
    """`Mixture`: scores of base estimators, a nonlinearity, then a matrix."""

    def __init__(self, mixture: Mixture) -> None:
        super().__init__()
        self.base_estimators = scores_module(mixture.base_estimators)
        self.mixture = mixture
        self.weights = constant(mixture.weights)
        self.bias = constant(mixture.bias)
        width = mixture.base_estimators.n_scores // mixture.n_estimators
        self.width = width
        between = torch.arange(width - 1, dtype=torch.float64) + 0.5
        self.between = nn.Parameter(between.repeat(mixture.n_estimators), requires_grad=False)
        self.spread = torch.arange(mixture.n_estimators).repeat_interleave(max(width - 1, 1))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return torch.addmm(self.bias, self._function(self.base_estimators(x)), self.weights)

    def _function(self, scores: torch.Tensor) -> torch.Tensor:
        mixture = self.mixture
        if mixture.function == "vote":
            return self._votes(scores)
        if mixture.score_factor != 1:
            scores = scores * mixture.score_factor
        return {"sigmoid": torch.sigmoid, "exp": torch.exp}[mixture.function](scores)

    def _votes(self, scores: torch.Tensor) -> torch.Tensor:
        n = self.mixture.n_estimators
        if self.width == 1:
            above = scores >= 0 if self.mixture.zero_is_positive else scores > 0
            return above.double()
        winner = scores.reshape(-1, n, self.width).argmax(2).double()
        return (winner[:, self.spread] - self.between > 0).double()


class MedianFunction(torch.autograd.Function):
    """Weighted median; in a traced graph, one node of the domain ``skq``."""

    @staticmethod
    def forward(
        ctx: Any, x: torch.Tensor, weights: torch.Tensor, threshold: torch.Tensor
    ) -> torch.Tensor:
        return torch.from_numpy(
            weighted_median(x.detach().numpy(), weights.numpy(), threshold.numpy())
        )

    @staticmethod
    def symbolic(g: Any, x: Any, weights: Any, threshold: Any) -> Any:
        node = g.op(f"{SKQ_DOMAIN}::WeightedMedian", x, weights, threshold)
        return node.setType(x.type().with_sizes([None, 1]))


class MedianModule(nn.Module):
    """`Median` as one node."""

    def __init__(self, median: Median) -> None:
        super().__init__()
        self.base_estimators = scores_module(median.base_estimators)
        self.weights = constant(median.weights)
        self.threshold = constant(np.array(median.threshold))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        scores: torch.Tensor = MedianFunction.apply(
            self.base_estimators(x), self.weights, self.threshold
        )
        return scores


def scores_module(scores: Layers | TreeEnsemble | Mixture | Median | LayerInputs) -> nn.Module:
    """The module of scores of a single model, or of products."""
    if isinstance(scores, LayerInputs):
        return LayerInputsModule(scores)
    if isinstance(scores, Layers):
        return LayersModule(scores)
    if isinstance(scores, Mixture):
        return MixtureModule(scores)
    if isinstance(scores, Median):
        return MedianModule(scores)
    return TreesModule(scores)


def outputs_of(head: Head, scores: torch.Tensor) -> tuple[torch.Tensor, ...]:
    """What ``head.output_names`` lists, from scores along the last axis."""
    return _HEADS[head.kind](head, scores)


def constant(array: Any) -> nn.Parameter:
    """An array as a constant of the graph."""
    return nn.Parameter(torch.from_numpy(array.copy()), requires_grad=False)


def _regressor(head: Head, scores: torch.Tensor) -> tuple[torch.Tensor, ...]:
    values = LINKS[head.link or "identity"](scores)
    return (values[:, 0] if head.flat and scores.shape[1] == 1 else values,)


def _outlier(head: Head, scores: torch.Tensor) -> tuple[torch.Tensor, ...]:
    score = scores[:, 0]
    if head.link == "identity":
        decision = score - head.outlier_offset
        return score, decision, _inlier(decision >= 0)
    threshold = -math.log2(-head.outlier_offset) if head.outlier_offset < 0 else math.inf
    samples = -torch.exp(score * -math.log(2.0))
    return samples, samples - head.outlier_offset, _inlier(score >= threshold)


def _inlier(is_inlier: torch.Tensor) -> torch.Tensor:
    """1 for an inlier, -1 for an outlier."""
    return 2 * is_inlier.long() - 1


def _binary(head: Head, scores: torch.Tensor) -> tuple[torch.Tensor, ...]:
    score = scores[..., 0]
    outputs = [score] if head.decision else []
    if head.link is not None:
        positive = _PROBABILITIES[head.link](head, score)
        outputs.append(torch.stack([1 - positive, positive], score.dim()))
    return (*outputs, _is_positive(head, score))


def _multilabel(head: Head, scores: torch.Tensor) -> tuple[torch.Tensor, ...]:
    outputs = [scores] if head.decision else []
    if head.link is not None:
        outputs.append(_sigmoid(head, scores))
    return (*outputs, _is_positive(head, scores))


_PROBABILITIES = {
    "identity": lambda head, score: score,
    "clip": lambda head, score: _clipped(score),
    "sigmoid": lambda head, score: _sigmoid(head, score),
}


def _clipped(scores: torch.Tensor) -> torch.Tensor:
    return (torch.clamp(scores, -1.0, 1.0) + 1.0) / 2.0


def _sigmoid(head: Head, scores: torch.Tensor) -> torch.Tensor:
    if head.score_factor != 1:
        scores = scores * head.score_factor
    return torch.sigmoid(scores)


def _is_positive(head: Head, scores: torch.Tensor) -> torch.Tensor:
    if head.zero_is_positive:
        return (scores >= head.threshold).long()
    return (scores > head.threshold).long()


def _multiclass(head: Head, scores: torch.Tensor) -> tuple[torch.Tensor, ...]:
    axis = scores.dim() - 1
    several = len(head.n_classes) > 1
    parts = list(torch.split(scores, list(head.n_classes), axis)) if several else [scores]
    outputs = [scores] if head.decision else []
    if head.link == "identity":
        outputs += parts
    elif head.link == "softmax":
        scaled = [part * head.score_factor if head.score_factor != 1 else part for part in parts]
        outputs += [torch.softmax(part, axis) for part in scaled]
    elif head.link == "clip":
        outputs.append(normalized(_clipped(scores)))
    elif head.link == "ovr":
        each = torch.sigmoid(scores)
        outputs.append(each / each.sum(axis, keepdim=True))
    return (*outputs, *(part.argmax(axis) for part in parts))


def normalized(each: torch.Tensor) -> torch.Tensor:
    """Divided by the sum over the last axis; equal shares where all are 0."""
    axis = each.dim() - 1
    none = (each.sum(axis, keepdim=True) == 0).double()
    each = each + none
    return each / each.sum(axis, keepdim=True)


_HEADS = {
    "regressor": _regressor,
    "binary": _binary,
    "multilabel": _multilabel,
    "multiclass": _multiclass,
    "outlier": _outlier,
}
