"""Training of a network of one layer: by gradients, then by descent on the exact loss.

The descent begins where training by gradients has ended, or where that has begun. It is stopped
early where held-back rows tell so: few rows do not determine many grids.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
import torch

from skq.training.code_network import CodeNetwork
from skq.training.descend import DESCENT, Descent
from skq.training.fake_codes import Constraints
from skq.training.held_back import Judge, TrainingData
from skq.training.objectives import Objective

#: After these rounds of the descent the held-back rows are looked at.
LOOKS = (1, 2, 4, 8, DESCENT.rounds)


class Course(NamedTuple):
    """What was best on held-back rows.

    Parameters
    ----------
    by_gradients : bool
        Whether the descent begins where training by gradients has ended.
    rounds : int
        Of the descent.
    """

    by_gradients: bool
    rounds: int


def descended(
    network: CodeNetwork,
    data: TrainingData,
    targets: torch.Tensor,
    objective: Objective,
    constraints: Constraints,
    random: np.random.RandomState,
) -> Descent:
    """A descent on all rows, or on some of them if they are many."""
    n_rows, n_features = data.X.shape
    most = max(DESCENT.rows, DESCENT.values // max(n_features, 1))
    if n_rows > most:
        rows = np.linspace(0, n_rows - 1, most).astype(np.int64)
        data, targets = data.part(rows), targets[torch.from_numpy(rows)]
    weight = data.row_weight / data.row_weight.sum()
    return Descent(network, data.X, targets, weight, objective, constraints, random)


def train_layer(
    by_gradients: Callable[[], CodeNetwork],
    start: CodeNetwork,
    descent: Callable[[CodeNetwork], Descent],
    *,
    judge: Judge | None = None,
    course: Course | None = None,
    report: Callable[[str], None] | None = None,
) -> tuple[CodeNetwork, Course]:
    """Train a network of one layer.

    Parameters
    ----------
    by_gradients : callable
        Trains it by gradients.
    start : CodeNetwork
    descent : callable
        Begins a descent from a network.
    judge : Judge, default=None
        Of held-back rows, which choose the course; None: the least objective after all rounds.
    course : Course, default=None
        A course that was chosen before.
    report : callable, default=None
        Called with a line of text now and then.

    Returns
    -------
    network : CodeNetwork
    course : Course
    """
    if course is not None:
        network = by_gradients() if course.by_gradients else start
        if course.rounds:
            state = descent(network)
            for _ in state.rounds(course.rounds):
                pass
            network = state.network()
        return network, course
    trained = by_gradients()
    found = [(np.inf, trained, Course(True, 0))]
    if judge is not None:
        found = [(_held(judge, trained), trained, Course(True, 0))]
    for is_trained, network in ((True, trained), (False, start)):
        state = descent(network)
        for number in state.rounds(DESCENT.rounds):
            if judge is None:
                continue
            if number in LOOKS:
                reached = state.network()
                found.append((_held(judge, reached), reached, Course(is_trained, number)))
        if judge is None:
            found.append((state.loss, state.network(), Course(is_trained, DESCENT.rounds)))
    loss, network, course = min(found, key=lambda end: end[0])
    if report is not None:
        report(
            f"{'held-back loss' if judge else 'objective'} {loss:.4g} after {course.rounds} rounds "
            f"from {'trained' if course.by_gradients else 'rounded'} integers"
        )
    return network, course


def _held(judge: Judge, network: CodeNetwork) -> float:
    """Loss on held-back rows."""
    loss = judge.quality(network.scores(judge.data.X)).loss
    return loss if np.isfinite(loss) else np.inf
