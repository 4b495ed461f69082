"""Rows that a network is trained on, and rows that are held back to compare networks."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from skq.training.code_network import Floats
from skq.training.fake_codes import as_tensor
from skq.training.objectives import OF_CLASSES, Objective

#: The share of rows that is held back.
HELD_BACK = 0.15


@dataclass(frozen=True, eq=False)
class TrainingData:
    """Rows, their targets, and their weights.

    Parameters
    ----------
    X : ndarray of shape (n_rows, n_features)
    targets : ndarray
        As the objective's loss takes them: see `skq.training.objectives.LOSSES`.
    row_weight : ndarray of shape (n_rows,)
        At least 0.
    float_scores : ndarray of shape (n_rows, n_scores)
        Of the float model.
    """

    X: Floats
    targets: NDArray[np.number]
    row_weight: Floats
    float_scores: Floats

    def part(self, rows: NDArray[np.int64]) -> TrainingData:
        """Some of the rows."""
        return TrainingData(
            self.X[rows], self.targets[rows], self.row_weight[rows], self.float_scores[rows]
        )


@dataclass(frozen=True)
class Quality:
    """How good scores are on held-back rows: share of wrong labels (or 0), and mean loss."""

    wrong: float
    loss: float


def split(
    y: NDArray[Any], random: np.random.RandomState, *, is_classes: bool
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Rows to train on, and rows to hold back: about the same share of each class.

    A row of each class is trained on.
    """
    order = random.permutation(len(y))
    first = np.zeros(len(order), dtype=bool)
    if is_classes:
        key = np.unique(y, return_inverse=True, axis=0 if y.ndim > 1 else None)[1].ravel()
        order = order[np.argsort(key[order], kind="stable")]
        first = np.diff(key[order], prepend=-1) != 0
    every = round(1 / HELD_BACK)
    held = np.zeros(len(order), dtype=bool)
    chosen = np.zeros(len(order), dtype=bool)
    chosen[every // 2 :: every] = True
    held[order[chosen & ~first]] = True
    return np.flatnonzero(~held), np.flatnonzero(held)


class Judge:
    """Compares scores on held-back rows.

    Parameters
    ----------
    objective : Objective
    data : TrainingData
        The rows.
    is_classifier : bool
        Whether labels follow from the scores: the greatest, or the signs.
    """

    def __init__(self, objective: Objective, data: TrainingData, *, is_classifier: bool) -> None:
        self.objective, self.data, self.is_classifier = objective, data, is_classifier
        self.targets = as_targets(objective, data.targets)
        self.weight = data.row_weight / data.row_weight.sum()

    def _wrong(self, scores: Floats) -> NDArray[np.bool_]:
        labels = self.data.targets
        if not self.is_classifier:
            return np.zeros(len(scores), dtype=bool)
        if labels.ndim == 1:
            return np.asarray(scores.argmax(axis=1) != labels)
        if labels.shape[1] > 1 and np.all((labels > 0).sum(axis=1) == 1):
            return np.asarray(scores.argmax(axis=1) != labels.argmax(axis=1))
        return np.asarray(np.any((scores > 0) != (labels > 0), axis=1))

    def quality(self, scores: Floats) -> Quality:
        """Quality of scores of shape (n_rows, n_scores)."""
        losses = self.objective.row_losses(as_tensor(scores), self.targets).numpy()
        return Quality(float(self.weight @ self._wrong(scores)), float(self.weight @ losses))

    def prefers(self, new: Floats, old: Floats) -> bool:
        """Whether new scores are better: their loss is less and labels are no worse, but for noise.

        Or labels are better by more than noise: one standard deviation of the difference in wrong
        labels if both were as good.
        """
        before, after = self.quality(old), self.quality(new)
        changed = self._wrong(old) != self._wrong(new)
        noise = float(np.sqrt((self.weight**2)[changed].sum()))
        if after.wrong < before.wrong - noise:
            return True
        return after.loss < before.loss and after.wrong <= before.wrong + noise


def as_targets(objective: Objective, targets: NDArray[np.number]) -> torch.Tensor:
    """Targets as the loss of an objective takes them: numbers of classes, or real numbers."""
    if objective.loss in OF_CLASSES:
        return torch.from_numpy(targets.astype(np.int64))
    return as_tensor(targets)
