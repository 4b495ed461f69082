"""Descent of a network of one layer on the exact loss, feature by feature.

Gradients that pass through rounding lead no further where integers are few: one step of a weight
or of a grid changes the scores by much. So the features are taken in turn. With all others fixed,
some grids at random are tried for a feature, each with the integer weights that are best for it by
a quadratic model of the loss (gradient and curvature in the scores, offsets refitted). The best of
them is taken if the exact loss falls. After each round scales and offsets are refitted by Newton's
method. This is coordinate descent as in post-training quantization
(`skq.quantization.search.fit_layer`), on the estimator's own objective.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np
import torch
from numpy.typing import NDArray

from skq.training.code_network import CodeNetwork, Floats
from skq.training.fake_codes import Constraints, as_tensor
from skq.training.objectives import OF_CLASSES, Objective


@dataclass(frozen=True)
class DescentSettings:
    """How long is searched, and where."""

    #: Greatest number of rounds, and of features visited in all rounds (at least one round).
    rounds: int = 16
    visits: int = 10_000

    #: A round that lowers the objective by a smaller share than this is the last.
    least_gain: float = 1e-4

    #: At most this many values of X, and at least this many rows.
    values: int = 1_000_000
    rows: int = 1000

    #: Grids that are tried for a feature near its own, at random; the standard deviations of the
    #: logarithm of their steps and of their shift in codes, which shrink in each round.
    grids: int = 10
    step_spread: float = 0.35
    shift_spread: float = 0.6
    shrinking: float = 0.85

    #: Shares of the rows below the first and the last edge between codes of other grids.
    shares: tuple[tuple[float, float], ...] = (
        (0.02, 0.98), (0.1, 0.9), (0.2, 0.8), (0.35, 0.65), (0.05, 0.6), (0.4, 0.95),
    )  # fmt: skip

    #: The curvature is at least this share of its mean, and of the mean slope over that change.
    least_curvature: float = 0.05


DESCENT = DescentSettings()


@dataclass(frozen=True, eq=False)
class _Options:
    """Grids to try for a feature, and their codes, counted from the center."""

    step: Floats
    zero: Floats
    center: Floats
    codes: Floats


class Descent:
    """The search: grids, integers, scales and offsets, and the scores they give.

    Parameters
    ----------
    start : CodeNetwork
        Of one layer.
    X : ndarray of shape (n_rows, n_features)
    targets : Tensor
        As the loss takes them.
    row_weight : ndarray of shape (n_rows,)
        They sum to 1.
    objective : Objective
    constraints : Constraints
    random : RandomState

    Attributes
    ----------
    loss : float
        The objective; it never rises.
    """

    def __init__(
        self,
        start: CodeNetwork,
        X: Floats,
        targets: torch.Tensor,
        row_weight: Floats,
        objective: Objective,
        constraints: Constraints,
        random: np.random.RandomState,
    ) -> None:
        (layer,) = start.layers
        self.start, self.X, self.targets, self.row_weight = start, X, targets, row_weight
        self.objective, self.constraints, self.random = objective, constraints, random
        self.step, self.zero = start.input_scale.copy(), start.input_zero.copy()
        self.center = self.zero.copy()
        if constraints.has_bias:  # any other center only moves the offset
            self.center = np.full_like(self.zero, start.input_top / 2)
        self.codes = np.asfortranarray(start.input_codes(X) - self.center)
        self.integers, self.scale = layer.integers.astype(np.float64), layer.scale.copy()
        if start.weight_bits == 1 and not constraints.nonnegative:
            self.integers[self.integers == 0] = 1.0  # of columns that are constant
        self.offset = layer.offset + layer.scale * (self.center @ self.integers)
        self.l1, self.l2 = (
            np.broadcast_to(np.asarray(factor, dtype=np.float64), self.scale.shape)
            for factor in (objective.l1, objective.l2)
        )
        self.scores = np.asarray(self.scale * (self.codes @ self.integers) + self.offset)
        self.penalty = self._penalty(self.integers, self.step, self.scale)
        self.loss = self._row_loss(self.scores) + self.penalty + self._of_intercepts(self.offset)
        ordered = np.sort(X, axis=0)
        at = np.minimum(np.array(DESCENT.shares) * len(X), len(X) - 1).astype(np.int64)
        self.first, self.last = ordered[at[:, 0]], ordered[at[:, 1]]

    def _row_loss(self, scores: Floats) -> float:
        losses = self.objective.row_losses(torch.from_numpy(scores), self.targets)
        return float(self.row_weight @ losses.numpy())

    def _penalty(self, integers: Floats, step: Floats, scale: Floats) -> float:
        """The regularizer of some features' weights."""
        if not self.objective.has_penalty:
            return 0.0
        real = as_tensor(integers * scale / step[:, None])
        return float(self.objective.penalty([real], torch.zeros_like(real[0])))

    def _of_intercepts(self, offset: Floats) -> float:
        """The regularizer of the intercepts, which are the scores of features of 0."""
        if not self.objective.intercept:
            return 0.0
        values = offset + self.scale * ((self.zero - self.center) @ self.integers)
        return 0.5 * self.objective.intercept * float(self.l2 @ values**2)

    def _slopes(self, scores: Floats) -> Floats:
        """Derivatives of each row's loss by its scores."""
        values = torch.from_numpy(scores.copy()).requires_grad_()
        loss = self.objective.row_losses(values, self.targets).sum()
        return np.asarray(torch.autograd.grad(loss, values)[0].numpy())

    def curvatures(self) -> Floats:
        """Second differences of the losses, over the change that a step of a weight makes."""
        size = self.scale * max(self.codes.std(axis=0).mean(), 1e-3)

        def over(change: Floats) -> Floats:
            return self._slopes(self.scores + change) - self._slopes(self.scores - change)

        if self.objective.loss in OF_CLASSES:
            columns = [over(size * unit)[:, k] for k, unit in enumerate(np.eye(len(size)))]
            found = np.stack(columns, axis=1) / (2 * size)
        else:
            found = over(size) / (2 * size)
        found = np.where(np.isfinite(found), np.maximum(found, 0.0), 0.0)
        slope = self.row_weight @ np.abs(self._slopes(self.scores))
        least = np.maximum(self.row_weight @ found, slope / size)
        return np.asarray(np.maximum(found, DESCENT.least_curvature * least + 1e-300))

    def _options(self, j: int, shrunk: float) -> _Options:
        """The grid of a feature, and others."""
        top = self.start.input_top
        length, shift = shrunk * self.random.normal(size=(2, DESCENT.grids))
        step = self.step[j] * np.exp(DESCENT.step_spread * length)
        middle = (top / 2 - self.zero[j] + DESCENT.shift_spread * shift) * self.step[j]
        first, width = self.first[:, j], self.last[:, j] - self.first[:, j]
        first, width = first[width > 0], width[width > 0] / max(top - 1, 1)
        steps = np.concatenate([self.step[j : j + 1], step, width])
        zeros = np.concatenate([self.zero[j : j + 1], top / 2 - middle / step, 0.5 - first / width])
        if self.constraints.whole_zeros or not self.constraints.has_bias:
            zeros = np.rint(zeros)
        center = np.full_like(zeros, self.center[j])
        if not self.constraints.has_bias:
            center = zeros = np.clip(zeros, 0, top)
        codes = np.clip(np.rint(self.X[:, j, None] / steps + zeros), 0, top) - center
        return _Options(steps, zeros, center, codes)

    def improve(self, j: int, curvature: Floats, shrunk: float) -> None:
        """Give a feature the best grid and integers."""
        options = self._options(j, shrunk)
        codes, scale = options.codes, self.scale[:, None]
        slope = self._slopes(self.scores) * self.row_weight[:, None]
        curved = curvature * self.row_weight[:, None]
        before, old = self.codes[:, j], self.scale * self.integers[j]
        linear = slope.T @ codes - old[:, None] * ((curved * before[:, None]).T @ codes)
        square = curved.T @ (codes * codes)
        if self.constraints.has_bias:
            total, sums = curved.sum(axis=0), curved.T @ codes
            rest = slope.sum(axis=0) - old * (before @ curved)
            linear -= (rest / total)[:, None] * sums
            square -= sums**2 / total[:, None]
        real = scale / options.step  # of the integer 1
        linear = scale * linear
        square = scale**2 * np.maximum(square, 0.0) + self.l2[:, None] * real**2
        value, integers = self._best_integers(linear, square, self.l1[:, None] * real)
        for c in np.argsort(value, kind="stable")[:2]:
            if self._take(j, options, int(c), integers[:, c], slope, curved):
                return

    def _best_integers(
        self, linear: Floats, square: Floats, absolute: Floats
    ) -> tuple[Floats, Floats]:
        """The integers that are best for each output and grid, and the sums over the outputs."""
        top = float(self.start.weight_top)
        least = 0.0 if self.constraints.nonnegative else -top
        best = -linear / np.maximum(square, 1e-300)
        if self.start.weight_bits == 1 and not self.constraints.nonnegative:
            tried = np.stack([np.full_like(best, -1.0), np.full_like(best, 1.0)])
        else:
            tried = np.stack([np.floor(best), np.ceil(best), np.zeros_like(best)])
            tried = np.clip(tried, least, top)
        values = (linear + 0.5 * square * tried) * tried + absolute * np.abs(tried)
        chosen = values.argmin(axis=0)[None]
        value, integers = (np.take_along_axis(part, chosen, axis=0)[0] for part in (values, tried))
        return value.sum(axis=0), integers

    def _take(
        self, j: int, options: _Options, c: int, integers: Floats, slope: Floats, curved: Floats
    ) -> bool:
        """Change a feature if the loss falls."""
        step, codes = options.step[c], options.codes[:, c]
        change = codes[:, None] * (self.scale * integers)
        change -= self.codes[:, j, None] * (self.scale * self.integers[j])
        moved = np.zeros_like(self.scale)
        if self.constraints.has_bias:
            moved = -(slope + curved * change).sum(axis=0) / curved.sum(axis=0)
        scores = self.scores + change + moved
        old, new = (
            self._penalty(row[None], np.array([s]), self.scale)
            for row, s in ((self.integers[j], self.step[j]), (integers, step))
        )
        row_loss, penalty = self._row_loss(scores), self.penalty - old + new
        before = self.step[j], self.zero[j], self.center[j], self.integers[j].copy()
        self.step[j], self.zero[j], self.center[j] = step, options.zero[c], options.center[c]
        self.integers[j] = integers
        loss = row_loss + penalty + self._of_intercepts(self.offset + moved)
        if not loss < self.loss:
            self.step[j], self.zero[j], self.center[j], self.integers[j] = before
            return False
        self.loss, self.penalty, self.scores, self.codes[:, j] = loss, penalty, scores, codes
        self.offset = self.offset + moved
        return True

    def fit_scales(self) -> None:
        """Newton's step for scales and offsets, shortened until the loss falls."""
        curved = self.curvatures() * self.row_weight[:, None]
        slope = self._slopes(self.scores) * self.row_weight[:, None]
        sums = self.codes @ self.integers
        real = self.l2 * ((self.integers / self.step[:, None]) ** 2).sum(axis=0)
        by_scale = (slope * sums).sum(axis=0) + self.scale * real
        by_offset, size = slope.sum(axis=0), curved.sum(axis=0)
        mean = (curved * sums).sum(axis=0) / size
        if not self.constraints.has_bias:
            by_offset, mean = np.zeros_like(size), np.zeros_like(size)
        power = (curved * (sums - mean) ** 2).sum(axis=0) + real
        useful = power > 0
        d_scale = -(by_scale - mean * by_offset) / np.where(useful, power, np.inf)
        for share in (1.0, 0.5, 0.25):
            scale = np.maximum(self.scale + share * d_scale, 0.3 * self.scale)
            offset = self.offset - share * by_offset / size - mean * (scale - self.scale)
            scores = scale * sums + offset
            penalty = self._penalty(self.integers, self.step, scale)
            before, self.scale = self.scale, scale
            loss = self._row_loss(scores) + penalty + self._of_intercepts(offset)
            if loss < self.loss:
                self.loss, self.penalty, self.scores, self.offset = loss, penalty, scores, offset
                return
            self.scale = before

    def rounds(self, most: int) -> Iterator[int]:
        """Visit all features at most this many times; numbers from 1, after each round."""
        varied: NDArray[np.int64] = np.flatnonzero(np.ptp(self.X, axis=0) > 0)
        reached = min(most, max(1, DESCENT.visits // max(len(varied), 1)))
        for number in range(reached):
            before = self.loss
            self.fit_scales()
            curvature = self.curvatures()
            for j in self.random.permutation(varied)[: DESCENT.visits]:
                self.improve(int(j), curvature, DESCENT.shrinking**number)
            if number == reached - 1 or self.loss > before - DESCENT.least_gain * abs(before):
                self.fit_scales()
                yield most  # more rounds change nothing
                return
            yield number + 1

    def network(self) -> CodeNetwork:
        """What was reached."""
        layer = replace(
            self.start.layers[0],
            integers=self.integers.astype(np.int64),
            scale=self.scale.copy(),
            offset=self.offset - self.scale * (self.center @ self.integers),
        )
        return replace(
            self.start, input_scale=self.step.copy(), input_zero=self.zero.copy(), layers=(layer,)
        )
