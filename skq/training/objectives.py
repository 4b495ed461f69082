"""Losses and regularizers of scikit-learn's estimators, in torch."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

Loss = Callable[[Tensor, Tensor, float], Tensor]


@dataclass(frozen=True)
class Objective:
    """Mean loss of a row plus a regularizer.

    Parameters
    ----------
    loss : str
        One of `LOSSES`.
    parameter : float, default=0.0
        Of the loss: epsilon, delta, quantile, power, or a factor of the scores.
    l1, l2, l21 : float or sequence of float, default=0.0
        Factors of the sum of absolute weights, of half the sum of squared weights, and of the sum
        of norms of a feature's weights; one, or one per output.
    intercept : float, default=0.0
        Factor of the square of the intercepts among the squared weights, as liblinear has it.
    distilled : float, default=0.0
        Share of the loss that is measured against the labels that the float model's scores give
        softly: its probabilities. They reduce overfitting.
    """

    loss: str
    parameter: float = 0.0
    l1: Any = 0.0
    l2: Any = 0.0
    l21: float = 0.0
    intercept: float = 0.0
    distilled: float = 0.0

    def row_losses(self, scores: Tensor, targets: Tensor) -> Tensor:
        """Loss of each row, of shape (n_rows,)."""
        return LOSSES[self.loss](scores, targets, self.parameter)

    def training_losses(self, scores: Tensor, targets: Tensor, float_scores: Tensor) -> Tensor:
        """Loss of each row with the share that is measured against the float model."""
        losses = self.row_losses(scores, targets)
        if not self.distilled:
            return losses
        if self.loss == "softmax":
            soft = F.cross_entropy(scores, float_scores.softmax(dim=1), reduction="none")
        else:
            positive = (float_scores * self.parameter).sigmoid()
            soft = F.binary_cross_entropy_with_logits(
                scores * self.parameter, positive, reduction="none"
            ).sum(dim=1)
        return (1 - self.distilled) * losses + self.distilled * soft

    def penalty(self, weights: Sequence[Tensor], intercepts: Tensor) -> Tensor:
        """The regularizer for real weights of shape (n_in, n_out), and the last intercepts."""
        total = torch.zeros((), dtype=torch.float64)
        l1, l2 = (torch.as_tensor(factor, dtype=torch.float64) for factor in (self.l1, self.l2))
        for matrix in weights:
            if np.any(self.l1):
                total = total + (l1 * matrix.abs().sum(dim=0)).sum()
            if np.any(self.l2):
                total = total + 0.5 * (l2 * (matrix * matrix).sum(dim=0)).sum()
            if self.l21:
                total = total + self.l21 * (matrix * matrix).sum(dim=1).add(1e-30).sqrt().sum()
        if self.intercept:
            total = total + 0.5 * self.intercept * (l2 * intercepts**2).sum()
        return total

    @property
    def has_penalty(self) -> bool:
        """Whether the regularizer is not always 0."""
        return bool(np.any(self.l1) or np.any(self.l2) or self.l21)


def _softmax(scores: Tensor, targets: Tensor, _: float) -> Tensor:
    return F.cross_entropy(scores, targets, reduction="none")


def _logistic(scores: Tensor, signs: Tensor, factor: float) -> Tensor:
    return F.softplus(-signs * scores * factor).sum(dim=1)


def _hinge(scores: Tensor, signs: Tensor, margin: float) -> Tensor:
    return (margin - signs * scores).clamp(min=0).sum(dim=1)


def _squared_hinge(scores: Tensor, signs: Tensor, margin: float) -> Tensor:
    return (margin - signs * scores).clamp(min=0).square().sum(dim=1)


def _modified_huber(scores: Tensor, signs: Tensor, _: float) -> Tensor:
    product = signs * scores
    squares = (1 - product).clamp(min=0).square()
    return torch.where(product >= -1, squares, -4 * product).sum(dim=1)


def _crammer_singer(scores: Tensor, targets: Tensor, _: float) -> Tensor:
    right = F.one_hot(targets, scores.shape[1]).bool()
    margins = scores - scores[right][:, None] + (~right).to(scores.dtype)
    return margins.amax(dim=1)


def _squared_error(scores: Tensor, targets: Tensor, _: float) -> Tensor:
    return 0.5 * (scores - targets).square().sum(dim=1)


def _huber(scores: Tensor, targets: Tensor, delta: float) -> Tensor:
    distance = (scores - targets).abs()
    inner = 0.5 * distance.square()
    return torch.where(distance <= delta, inner, delta * distance - 0.5 * delta**2).sum(dim=1)


def _epsilon_insensitive(scores: Tensor, targets: Tensor, epsilon: float) -> Tensor:
    return ((scores - targets).abs() - epsilon).clamp(min=0).sum(dim=1)


def _squared_epsilon_insensitive(scores: Tensor, targets: Tensor, epsilon: float) -> Tensor:
    return ((scores - targets).abs() - epsilon).clamp(min=0).square().sum(dim=1)


def _pinball(scores: Tensor, targets: Tensor, quantile: float) -> Tensor:
    distance = targets - scores
    return torch.maximum(quantile * distance, (quantile - 1) * distance).sum(dim=1)


def _poisson(scores: Tensor, targets: Tensor, _: float) -> Tensor:
    return (scores.exp() - targets * scores).sum(dim=1)


def _gamma(scores: Tensor, targets: Tensor, _: float) -> Tensor:
    return (scores + targets * (-scores).exp()).sum(dim=1)


def _exponential_squares(scores: Tensor, targets: Tensor, _: float) -> Tensor:
    return 0.5 * (scores.exp() - targets).square().sum(dim=1)


def _tweedie(scores: Tensor, targets: Tensor, power: float) -> Tensor:
    losses = ((2 - power) * scores).exp() / (2 - power)
    return (losses - targets * ((1 - power) * scores).exp() / (1 - power)).sum(dim=1)


#: Loss of each row by name: of scores of shape (n_rows, n_scores), and targets: reals or signs of
#: that shape, or class numbers of shape (n_rows,).
LOSSES: dict[str, Loss] = {
    "softmax": _softmax,
    "logistic": _logistic,
    "hinge": _hinge,
    "squared_hinge": _squared_hinge,
    "modified_huber": _modified_huber,
    "crammer_singer": _crammer_singer,
    "squared_error": _squared_error,
    "huber": _huber,
    "epsilon_insensitive": _epsilon_insensitive,
    "squared_epsilon_insensitive": _squared_epsilon_insensitive,
    "pinball": _pinball,
    "poisson": _poisson,
    "gamma": _gamma,
    "exponential_squares": _exponential_squares,
    "tweedie": _tweedie,
}
#: Losses of class numbers; those of classifiers otherwise take signs.
OF_CLASSES = frozenset({"softmax", "crammer_singer"})
