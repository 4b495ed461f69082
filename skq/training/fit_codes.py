"""Training of a `CodeNetwork`: Adam with a cosine schedule, the best state on held-back rows.

Codes and integers are rounded in the forward pass, and the gradient passes through the rounding
(straight-through). Steps are trained with everything else, as in LSQ (arXiv:1902.08153). With one
layer, descent on the exact loss follows: see `skq.training.single_layer`.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import numpy as np
import torch
from threadpoolctl import threadpool_limits

from skq.training.code_network import CodeNetwork
from skq.training.descend import Descent
from skq.training.fake_codes import Constraints, FakeQuantizedNetwork, as_tensor
from skq.training.held_back import Judge, TrainingData, as_targets
from skq.training.objectives import Objective
from skq.training.single_layer import Course, descended, train_layer


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

    #: How often the rows that are held back are looked at.
    looks: int = 10


TRAINING = TrainingSettings()


def train_codes(
    start: CodeNetwork,
    data: TrainingData,
    objective: Objective,
    *,
    epochs: int,
    random: np.random.RandomState,
    constraints: Constraints | None = None,
    judge: Judge | None = None,
    course: Course | None = None,
    report: Callable[[str], None] | None = None,
) -> tuple[CodeNetwork, Course | None]:
    """Train a network from its present state.

    Parameters
    ----------
    start : CodeNetwork
    data : TrainingData
    objective : Objective
    epochs : int
        At least 1.
    random : RandomState
        Chooses the order of the rows.
    constraints : Constraints, default=None
    judge : Judge, default=None
        Of held-back rows: the state with the least loss there is taken. None: the last state.
    course : Course, default=None
        Of a network of one layer, as it was chosen before by a judge.
    report : callable, default=None
        Called with a line of text now and then.

    Returns
    -------
    network : CodeNetwork
    course : Course or None
        How a network of one layer was trained; None with more layers.
    """
    constraints = constraints or Constraints()

    def by_gradients() -> CodeNetwork:
        return _train(start, data, objective, epochs, random, constraints, judge, report)

    def descent(network: CodeNetwork) -> Descent:
        targets = as_targets(objective, data.targets)
        return descended(network, data, targets, objective, constraints, random)

    with _one_thread():
        if len(start.layers) > 1:
            return by_gradients(), None
        return train_layer(by_gradients, start, descent, judge=judge, course=course, report=report)


def _train(
    start: CodeNetwork,
    data: TrainingData,
    objective: Objective,
    epochs: int,
    random: np.random.RandomState,
    constraints: Constraints,
    judge: Judge | None,
    report: Callable[[str], None] | None,
) -> CodeNetwork:
    network = FakeQuantizedNetwork(start, data.X, constraints)
    rows = network.prepared(data.X)
    targets, teacher = as_targets(objective, data.targets), as_tensor(data.float_scores)
    weight = as_tensor(data.row_weight / data.row_weight.mean())
    first = objective.row_losses(as_tensor(start.scores(data.X)), targets)
    size = float((first * weight).mean())
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
        if epoch in looks and judge is not None:
            with torch.no_grad():
                held_loss = judge.quality(network(network.prepared(judge.data.X))[0].numpy()).loss
            if report is not None:
                report(f"epoch {epoch + 1} of {epochs}: held-back loss {held_loss:.4g}")
            if np.isfinite(held_loss) and (best is None or held_loss < best[0]):
                best = held_loss, copy.deepcopy(network.state_dict())
    if best is not None:
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
    """One thread for torch and BLAS: matrices are small, and the machine changes no result."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        with torch.enable_grad(), threadpool_limits(1, user_api="blas"):
            yield
    finally:
        torch.set_num_threads(before)
