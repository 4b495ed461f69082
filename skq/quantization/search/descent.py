"""One round of the coordinate descent over the input grids and integer weights of a layer.

`descend_round` runs in the compiled extension where there is one. `descend_round_in_numpy` computes
the same, to the bit: all sums are added up one term after another, in the order of the arrays.

A sum over the rows of codes times values is computed as a sum over the codes: with the rows in the
order of the feature, ``sum_r code[r] * value[r]`` is the sum over the codes c = 1, 2, ... of the
values of all rows whose code is at least c. So a candidate grid costs as many additions as it has
codes, for any number of rows.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from skq.compiled import call, loops
from skq.quantization.search.candidates import Candidates, codes_of_steps
from skq.quantization.search.least import first_least
from skq.quantization.search.settings import LAYERS

Floats = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Grids:
    """The candidate grids of all features of a layer, one below the other.

    Parameters
    ----------
    scale, zero_point : ndarray of shape (n_grids,)
    steps : ndarray of shape (n_grids, n_steps), int32
        See `Candidates`.
    by_row : bool
        See `Candidates`.
    start : ndarray of shape (n_features + 1,), int64
        First grid of each feature, and the number of grids.
    order : ndarray of shape (n_features, n_rows), int32
        The rows, from the least value of a feature to the greatest.
    holds_zero : bool
        Whether codes count from the zero point.
    """

    scale: Floats
    zero_point: Floats
    steps: NDArray[np.int32]
    by_row: bool
    start: NDArray[np.int64]
    order: NDArray[np.int32]
    holds_zero: bool

    @classmethod
    def of(cls, features: Sequence[Candidates], holds_zero: bool) -> Grids:
        """The grids of some features."""
        return cls(
            np.concatenate([f.scale for f in features]),
            np.concatenate([f.zero_point for f in features]),
            np.concatenate([f.steps for f in features]),
            features[0].by_row,
            np.cumsum([0, *(len(f.scale) for f in features)], dtype=np.int64),
            np.stack([f.order for f in features]),
            holds_zero,
        )

    @property
    def n_features(self) -> int:
        """Number of features."""
        return len(self.order)

    def of_feature(self, i: int) -> slice:
        """The grids of a feature."""
        return slice(self.start[i], self.start[i + 1])

    def chosen_codes(self, grid: NDArray[np.int64]) -> Floats:
        """Codes of one grid of each feature, of shape (n_rows, n_features).

        Minus the zero points if codes count from there.
        """
        n_features, n_rows = self.order.shape
        codes = np.empty((n_rows, n_features))
        chosen = self.start[:-1] + grid
        if loops is not None:
            call(
                "chosen_codes",
                n_rows, n_features, self.steps.shape[1], len(self.steps), int(self.by_row),
                self.order, self.steps, chosen, codes,
            )  # fmt: skip
        else:
            for i, g in enumerate(chosen):
                codes[self.order[i], i] = self._rising(g)
        if self.holds_zero:
            codes -= self.zero_point[chosen]
        return codes

    def _rising(self, g: int) -> Floats:
        """Codes of a grid in the order of the feature's values."""
        steps = self.steps[g : g + 1]
        codes = steps if self.by_row else codes_of_steps(steps, self.order.shape[1])
        return codes[0].astype(np.float64)

    def _sum(self, part: slice, above: Floats, *, squared: bool = False) -> Floats:
        """Sums over the rows of codes times values, of shape (n_grids, n_outputs).

        `above`: see `_sums_above`. `squared`: of squares of codes.
        """
        steps = self.steps[part]
        if self.by_row:
            codes = steps.astype(np.float64)
            terms = np.diff(codes * codes if squared else codes, axis=1, prepend=0.0)
            return _added(terms[:, :, None] * above[None, :-1])
        odd = np.arange(1.0, 2 * steps.shape[1], 2)[:, None]
        return _added(odd * above[steps] if squared else above[steps])

    def moments(self, share: Floats) -> tuple[Floats, Floats]:
        """Mean and variance of the codes of each grid, (n_grids, n_outputs) each.

        Parameters
        ----------
        share : ndarray of shape (n_rows, n_outputs)
            Weight of each row for each output; they sum to 1.
        """
        n_out = share.shape[1]
        mean, square = np.empty((len(self.steps), n_out)), np.empty((len(self.steps), n_out))
        if loops is not None:
            call(
                "code_moments",
                len(share), n_out, self.n_features, self.steps.shape[1], len(self.steps),
                int(self.by_row), self.order, self.start, self.steps, share, mean, square,
            )  # fmt: skip
        else:
            for i in range(self.n_features):
                part = self.of_feature(i)
                above = _sums_above(share[self.order[i]])
                mean[part] = self._sum(part, above)
                square[part] = self._sum(part, above, squared=True)
        if self.holds_zero:
            zero = self.zero_point[:, None]
            square = square - 2 * zero * mean + zero * zero
            mean = mean - zero
        centered = np.zeros_like(mean) if self.holds_zero else mean
        return centered, np.maximum(square - centered * centered, 1e-12)


@dataclass(frozen=True, eq=False)
class Problem:
    """Data that do not change during the descent.

    Parameters
    ----------
    grids : Grids
    mean, variance : ndarray of shape (n_grids, n_outputs)
        Of the codes; the mean is 0 if the output has no offset.
    pull : ndarray of shape (n_grids, n_outputs)
        Weight of the squared distance of the integer weights from the real ones.
    real : ndarray of shape (n_grids, n_outputs)
        Real weights over the codes of each grid.
    share : ndarray of shape (n_rows, n_outputs)
        Weight of each row for each output; they sum to 1.
    importance : ndarray of shape (n_outputs,)
        Weight of the error of each output.
    sequence : ndarray of shape (n_features,), int64
        The order in which features are visited.
    top : int
        Greatest magnitude of the integer weights; 0 if they are -1 or 1.
    """

    grids: Grids
    mean: Floats
    variance: Floats
    pull: Floats
    real: Floats
    share: Floats
    importance: Floats
    sequence: NDArray[np.int64]
    top: int


def descend_round(
    problem: Problem,
    scale: Floats,
    residual: Floats,
    grid: NDArray[np.int64],
    integers: Floats,
) -> None:
    """Choose the grid and the weights of each feature in turn, with all others fixed.

    Parameters
    ----------
    problem : Problem
    scale : ndarray of shape (n_outputs,)
        Of the outputs.
    residual : ndarray of shape (n_rows, n_outputs)
        Float outputs minus those of the integers, up to a constant in each column; updated.
    grid : ndarray of shape (n_features,), int64
        Grid of each feature, counted from its first; updated.
    integers : ndarray of shape (n_features, n_outputs), float64
        Integer weights; updated.
    """
    if loops is None:
        descend_round_in_numpy(problem, scale, residual, grid, integers)
        return
    grids = problem.grids
    call(
        "descend_round",
        *residual.shape, grids.n_features, grids.steps.shape[1], len(grids.steps),
        int(grids.by_row), problem.top, int(grids.holds_zero), LAYERS.tie,
        grids.order, grids.start, grids.steps, grids.zero_point,
        problem.mean, problem.variance, problem.pull, problem.real, problem.share,
        problem.importance, problem.sequence, scale, residual, grid, integers,
    )  # fmt: skip


def descend_round_in_numpy(
    problem: Problem,
    scale: Floats,
    residual: Floats,
    grid: NDArray[np.int64],
    integers: Floats,
) -> None:
    """`descend_round` without the extension."""
    grids = problem.grids
    for i in problem.sequence:
        part, order = grids.of_feature(i), grids.order[i]
        zero = grids.zero_point[part, None]
        codes = grids._rising(part.start + grid[i])[:, None]
        if grids.holds_zero:
            codes = codes - zero[grid[i]]
        ordered = residual[order] + codes * (integers[i] * scale)
        above = _sums_above(problem.share[order] * ordered)
        product = grids._sum(part, above)
        if grids.holds_zero:
            product = product - zero * above[0]
        product = product - problem.mean[part] * above[0]
        variance, pull, real = problem.variance[part], problem.pull[part], problem.real[part]
        wish = (product + pull * real) / ((variance + pull) * scale)
        if problem.top == 0:
            options = np.where(wish >= 0, 1.0, -1.0)
        else:
            options = np.clip(np.rint(wish), -problem.top, problem.top)
        step = options * scale
        cost = step * (step * variance - 2 * product) + pull * (step - real) ** 2
        cost = np.cumsum(cost * problem.importance, axis=1)[:, -1]
        chosen = first_least(cost, share=LAYERS.tie)
        grid[i], integers[i] = chosen, options[chosen]
        codes = grids._rising(part.start + chosen)[:, None]
        if grids.holds_zero:
            codes = codes - zero[chosen]
        residual[order] = ordered - codes * step[chosen]


def _sums_above(ordered: Floats) -> Floats:
    """For each k from 0 to n the sum of the rows from k on; the last row is added up first."""
    result = np.zeros((len(ordered) + 1, *ordered.shape[1:]))
    np.cumsum(ordered[::-1], axis=0, out=result[-2::-1])
    return result


def _added(terms: Floats) -> Floats:
    """Sums over the second axis, of shape (n_grids, n_outputs); its first element comes first."""
    return np.asarray(np.add.accumulate(terms, axis=1)[:, -1])
