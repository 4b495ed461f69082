"""Training of a `CodeNetwork`: Adam with a cosine schedule, the best state on held-back rows.

Codes and integers are rounded in the forward pass, and the gradient passes through the rounding
(straight-through). Steps are trained with everything else, as in LSQ (arXiv:1902.08153).
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray

from skq.training.code_network import CodeNetwork, Floats
from skq.training.fake_codes import Constraints, FakeQuantizedNetwork, as_tensor
from skq.training.objectives import OF_CLASSES, Objective


@dataclass(frozen=True)
class TrainingSettings:
    """The optimizer."""

    #: Learning rates: of integers and offsets, relative to their range; of logarithms of scales.
    rate: float = 0.02
    scale_rate: float = 0.01
    betas: tuple[float, float] = (0.9, 0.99)

    #: An epoch has about this many batches, of at least so many rows.
    batches: int = 10
    least_batch: int = 32

    #: The share of rows that is held back, and how often they are looked at.
    held_back: float = 0.15
    looks: int = 10


TRAINING = TrainingSettings()


@dataclass(frozen=True, eq=False)
class TrainingData:
    """Rows, what they should give, and their weights.

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


@dataclass(frozen=True, eq=False)
class TrainingResult:
    """The trained network, and whether it is better than the scores it is compared with."""

    network: CodeNetwork
    before: Quality
    after: Quality
    is_better: bool


def split(
    targets: NDArray[np.number], random: np.random.RandomState, *, is_classes: bool
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Rows to train on, and rows to hold back: the same share of each class."""
    order = random.permutation(len(targets))
    if is_classes:
        keys = targets if targets.ndim == 1 else targets @ (2.0 ** -np.arange(targets.shape[1]))
        order = order[np.argsort(keys[order], kind="stable")]
    every = round(1 / TRAINING.held_back)
    held = np.zeros(len(order), dtype=bool)
    held[order[every // 2 :: every]] = True
    return np.flatnonzero(~held), np.flatnonzero(held)


def train_codes(
    start: CodeNetwork,
    data: TrainingData,
    objective: Objective,
    *,
    epochs: int,
    random: np.random.RandomState,
    constraints: Constraints | None = None,
    is_classifier: bool = False,
    compared: Floats | None = None,
    report: Callable[[str], None] | None = None,
) -> TrainingResult:
    """Train a network from where it is.

    Parameters
    ----------
    start : CodeNetwork
    data : TrainingData
    objective : Objective
    epochs : int
        At least 1.
    random : RandomState
        Chooses the rows that are held back, and the order of the others.
    constraints : Constraints, default=None
    is_classifier : bool, default=False
        Whether labels follow from the scores: the greatest, or the signs.
    compared : ndarray of shape (n_rows, n_scores), default=None
        Scores of what the result must be better than; by default those of `start`.
    report : callable, default=None
        Called with a line of text now and then.
    """
    few, held = split(data.targets, random, is_classes=is_classifier)
    kept = data.part(held)
    judge = _Judge(objective, kept, is_classifier=is_classifier)
    with _one_thread():
        network = _train(start, data.part(few), kept, objective, judge, epochs, random,
                         constraints or Constraints(), report)  # fmt: skip
    old = start.scores(kept.X) if compared is None else compared[held]
    before, after = judge.quality(old), judge.quality(network.scores(kept.X))
    noise = judge.noise(old, network.scores(kept.X))
    is_better = after.loss < before.loss and after.wrong <= before.wrong + noise
    is_better = is_better or after.wrong < before.wrong - noise
    return TrainingResult(network, before, after, is_better)


class _Judge:
    """Compares scores on held-back rows."""

    def __init__(self, objective: Objective, kept: TrainingData, *, is_classifier: bool) -> None:
        self.objective, self.is_classifier = objective, is_classifier
        self.targets = _targets(objective, kept.targets)
        self.weight = kept.row_weight / kept.row_weight.sum()
        self.labels = kept.targets

    def _wrong(self, scores: Floats) -> NDArray[np.bool_]:
        if not self.is_classifier:
            return np.zeros(len(scores), dtype=bool)
        if self.labels.ndim == 1:
            return np.asarray(scores.argmax(axis=1) != self.labels)
        if self.labels.shape[1] > 1 and np.all((self.labels > 0).sum(axis=1) == 1):
            return np.asarray(scores.argmax(axis=1) != self.labels.argmax(axis=1))
        return np.asarray(np.any((scores > 0) != (self.labels > 0), axis=1))

    def quality(self, scores: Floats) -> Quality:
        """Quality of scores of shape (n_rows, n_scores)."""
        losses = self.objective.row_losses(as_tensor(scores), self.targets).numpy()
        return Quality(float(self.weight @ self._wrong(scores)), float(self.weight @ losses))

    def noise(self, old: Floats, new: Floats) -> float:
        """One standard deviation of the difference in wrong labels, if both were as good."""
        changed = self._wrong(old) != self._wrong(new)
        return float(np.sqrt((self.weight**2)[changed].sum()))


def _targets(objective: Objective, targets: NDArray[np.number]) -> torch.Tensor:
    if objective.loss in OF_CLASSES:
        return torch.from_numpy(targets.astype(np.int64))
    return as_tensor(targets)


def _train(
    start: CodeNetwork,
    data: TrainingData,
    kept: TrainingData,
    objective: Objective,
    judge: _Judge,
    epochs: int,
    random: np.random.RandomState,
    constraints: Constraints,
    report: Callable[[str], None] | None,
) -> CodeNetwork:
    network = FakeQuantizedNetwork(start, data.X, constraints)
    rows, held = network.prepared(data.X), network.prepared(kept.X)
    targets, teacher = _targets(objective, data.targets), as_tensor(data.float_scores)
    weight = as_tensor(data.row_weight / data.row_weight.mean())
    size = judge.quality(start.scores(kept.X)).loss
    size = size if size > 0 else 1.0
    batch = max(TRAINING.least_batch, -(-len(rows) // TRAINING.batches))
    n_batches = -(-len(rows) // batch)
    optimizer = torch.optim.Adam(_groups(network), betas=TRAINING.betas, fused=True)
    rates = [group["lr"] for group in optimizer.param_groups]
    step, steps = 0, epochs * n_batches
    best: tuple[float, dict[str, torch.Tensor]] | None = None
    looks = {round(epochs * (k + 1) / TRAINING.looks) - 1 for k in range(TRAINING.looks)}
    for epoch in range(epochs):
        order = torch.from_numpy(random.permutation(len(rows)))
        for chosen in order.split(batch):
            optimizer.zero_grad()
            scores, integers = network(rows[chosen])
            losses = objective.training_losses(scores, targets[chosen], teacher[chosen])
            loss = (losses * weight[chosen]).sum() / len(chosen)
            if objective.has_penalty:
                loss = loss + objective.penalty(
                    network.real_weights(integers), network.intercepts(integers)
                )
            (loss / size).backward()
            for group, rate in zip(optimizer.param_groups, rates, strict=True):
                group["lr"] = rate * 0.5 * (1 + np.cos(np.pi * step / steps))
            optimizer.step()
            step += 1
            network.project()
        if epoch in looks or epoch == epochs - 1:
            with torch.no_grad():
                held_loss = judge.quality(network(held)[0].numpy()).loss
            if report is not None:
                report(f"epoch {epoch + 1} of {epochs}: held-back loss {held_loss:.4g}")
            if np.isfinite(held_loss) and (best is None or held_loss < best[0]):
                best = held_loss, copy.deepcopy(network.state_dict())
    if best is None:
        return start
    network.load_state_dict(best[1])
    return network.trained()


def _groups(network: FakeQuantizedNetwork) -> Iterator[dict[str, object]]:
    """Parameters with their learning rates."""
    start = network.start

    def group(parameter: torch.Tensor, rate: float) -> dict[str, object]:
        return {"params": [parameter], "lr": rate}

    yield group(network.log_step, TRAINING.scale_rate)
    yield group(network.moved, TRAINING.rate * start.input_top**0.5)
    for layer in network.integer_layers():
        yield group(layer.integers, TRAINING.rate * start.weight_top**0.5)
        yield group(layer.log_scale, TRAINING.scale_rate)
        yield group(layer.moved, TRAINING.rate)


@contextmanager
def _one_thread() -> Iterator[None]:
    """One thread for torch: the matrices are small, and results do not depend on the machine."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        with torch.enable_grad():
            yield
    finally:
        torch.set_num_threads(before)
