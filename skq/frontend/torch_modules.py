"""Predictors as torch modules, in float64: what Hummingbird wires and torch exports.

A tree ensemble is traced as one placeholder node of the domain ``skq``, which
`skq.frontend.convert` replaces by ONNX-ML's tree operator; its arrays never pass through the
exporter. Imports torch: only `skq.frontend.convert` imports this file, when a model is converted.
"""

from __future__ import annotations

import itertools
import math
from typing import Any

import torch
from torch import nn

from skq.frontend.numpy_ops import TreeArrays
from skq.frontend.numpy_ops.trees import tree_sums
from skq.frontend.predictors import (
    Affine,
    Head,
    Layers,
    Mixture,
    Predictor,
    Scores,
    TreeEnsemble,
)
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

    def __init__(self, ensemble: TreeEnsemble, numbers: itertools.count[int]) -> None:
        super().__init__()
        further = ensemble.memberships
        self.memberships = None if further is None else TreesModule(further, numbers)
        self.attributes = tree_attributes(ensemble)
        self.float32_input = ensemble.float32_input
        self.index = next(numbers)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        if self.float32_input:
            x = x.float().double()
        if self.memberships is not None:
            x = torch.cat([x, self.memberships(x)], 1)
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


class MixtureModule(nn.Module):
    """`Mixture`: members' scores, a function of each member's, a matrix."""

    def __init__(self, mixture: Mixture, numbers: itertools.count[int]) -> None:
        super().__init__()
        self.members = _scores_module(mixture.members, numbers)
        self.mixture = mixture
        self.weights = _constant(mixture.weights)
        self.bias = _constant(mixture.bias)
        width = mixture.members.n_scores // mixture.n_members
        self.width = width
        between = torch.arange(width - 1, dtype=torch.float64) + 0.5
        self.between = nn.Parameter(between.repeat(mixture.n_members), requires_grad=False)
        self.spread = torch.arange(mixture.n_members).repeat_interleave(max(width - 1, 1))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return torch.addmm(self.bias, self._function(self.members(x)), self.weights)

    def _function(self, scores: torch.Tensor) -> torch.Tensor:
        mixture = self.mixture
        if mixture.function == "vote":
            return self._votes(scores)
        if mixture.score_factor != 1:
            scores = scores * mixture.score_factor
        if mixture.function == "softmax":
            by_member = scores.reshape(-1, mixture.n_members, self.width)
            return torch.softmax(by_member, 2).reshape(-1, mixture.n_members * self.width)
        return {"sigmoid": torch.sigmoid, "exp": torch.exp}[mixture.function](scores)

    def _votes(self, scores: torch.Tensor) -> torch.Tensor:
        n = self.mixture.n_members
        if self.width == 1:
            above = scores >= 0 if self.mixture.zero_is_positive else scores > 0
            return above.double()
        winner = scores.reshape(-1, n, self.width).argmax(2).double()
        return (winner[:, self.spread] - self.between > 0).double()


def _scores_module(scores: Scores, numbers: itertools.count[int]) -> nn.Module:
    """The module of some scores; tree ensembles take the next number."""
    if isinstance(scores, Layers):
        return LayersModule(scores)
    if isinstance(scores, Mixture):
        return MixtureModule(scores, numbers)
    return TreesModule(scores, numbers)


class PredictorModule(nn.Module):
    """Scores and head: returns the outputs that ``head.output_names`` lists."""

    def __init__(self, predictor: Predictor) -> None:
        super().__init__()
        numbers = itertools.count()
        self.scores = _scores_module(predictor.scores, numbers)
        own = predictor.decision
        self.decision = None if own is None else _scores_module(own, numbers)
        self.head = predictor.head

    def forward(self, x: torch.Tensor) -> tuple[torch.Tensor, ...]:
        outputs = _HEADS[self.head.kind](self.head, self.scores(x))
        if self.decision is None:
            return outputs
        decision = self.decision(x)
        return (decision[:, 0] if decision.shape[1] == 1 else decision, *outputs[1:])


def _constant(array: Any) -> nn.Parameter:
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


def _inlier(found: torch.Tensor) -> torch.Tensor:
    """1 for an inlier, -1 for an outlier."""
    return 2 * found.long() - 1


def _binary(head: Head, scores: torch.Tensor) -> tuple[torch.Tensor, ...]:
    score = scores[:, 0]
    outputs = [score] if head.decision else []
    if head.link is not None:
        positive = _PROBABILITIES[head.link](head, score)
        outputs.append(torch.stack([1 - positive, positive], 1))
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
    several = len(head.n_classes) > 1
    parts = list(torch.split(scores, list(head.n_classes), 1)) if several else [scores]
    outputs = [scores] if head.decision else []
    if head.link == "identity":
        outputs += parts
    elif head.link == "softmax":
        scaled = [part * head.score_factor if head.score_factor != 1 else part for part in parts]
        outputs += [torch.softmax(part, 1) for part in scaled]
    elif head.link == "clip":
        each = _clipped(scores)
        none = (each.sum(1, keepdim=True) == 0).double()  # all 0: all alike
        each = each + none
        outputs.append(each / each.sum(1, keepdim=True))
    elif head.link == "ovr":
        each = torch.sigmoid(scores)
        outputs.append(each / each.sum(1, keepdim=True))
    return (*outputs, *(part.argmax(1) for part in parts))


_HEADS = {
    "regressor": _regressor,
    "binary": _binary,
    "multilabel": _multilabel,
    "multiclass": _multiclass,
    "outlier": _outlier,
}
