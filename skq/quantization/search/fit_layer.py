"""Input grids and integer weights of a layer, chosen jointly by the error of its output.

The layer's output is ``z[r, k] = sum_j v[j, k] x[r, j]``; quantized it is
``s[k] * sum_j w[j, k] q_j(x[r, j])`` plus an offset. The error is the weighted sum of squared
differences on the calibration rows, with ``z`` of the float model. It is reduced feature by
feature: with all others fixed, every candidate grid of the feature is tried with its best integer
weights (closed form, rounded). After each round the scales ``s`` are refitted.
This is coordinate descent, as in GPTQ (arXiv:2210.17323) or OBQ (arXiv:2208.11580), with the input
grid in the loop. Integer weights are regularized towards the real ones, because a few calibration
rows do not determine them, in particular for a neuron that is active in one row only.

The search starts at the best weights for min-max grids, at several scales. It returns the min-max
weights if nothing is better.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from skq.quantization.search.candidates import Candidates, candidates
from skq.quantization.search.descent import Grids, Problem, descend_round
from skq.quantization.search.least import first_least
from skq.quantization.search.settings import LAYERS
from skq.quantization.search.weights import quantize_weights

Floats = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class FittedLayer:
    """A layer's input grids, integers and scales.

    Parameters
    ----------
    input_scale, zero_point : ndarray of shape (n_in,)
        Grid of each feature.
    integers : ndarray of shape (n_in, n_out), int64
    scale : ndarray of shape (n_out,)
    error : float
        Weighted mean squared error on the calibration rows that were used.
    """

    input_scale: Floats
    zero_point: Floats
    integers: NDArray[np.int64]
    scale: Floats
    error: float


@dataclass(frozen=True, eq=False)
class LayerData:
    """A layer on the calibration rows, and the widths of its codes and weights.

    Parameters
    ----------
    x : ndarray of shape (n_rows, n_in)
        Inputs on the calibration rows, finite.
    weights : ndarray of shape (n_in, n_out)
        Of the float layer.
    target : ndarray of shape (n_rows, n_out)
        Outputs of the float layer; adding a constant to a column changes nothing.
    row_weight : ndarray of shape (n_rows,)
        They sum to 1.
    error_weight : ndarray of shape (n_rows, n_out)
        Weight of each output's squared error, without the weight of the row.
    lo, hi : ndarray of shape (n_in,)
        Range of each input; ``lo < hi`` where the input matters.
    input_bits, weight_bits : int
    clips : bool, default=True
        Whether grids may clip the ends of the ranges.
    starts_at_zero : bool, default=False
        Whether code 0 must represent 0 (and everything below).
    whole : ndarray of shape (n_in,), bool, default=None
        Columns of integers that get the grid of scale 1, and no other; None for no column.
    holds_zero : bool, default=False
        Whether there is no bias: where all inputs are 0, so is the output, exactly.
    are_digits : bool, default=False
        Whether the codes are split into digits; see `candidates`.
    """

    x: Floats
    weights: Floats
    target: Floats
    row_weight: Floats
    error_weight: Floats
    lo: Floats
    hi: Floats
    input_bits: int
    weight_bits: int
    clips: bool = True
    starts_at_zero: bool = False
    whole: NDArray[np.bool_] | None = None
    holds_zero: bool = False
    are_digits: bool = False

    def on_rows(self, most: int) -> LayerData:
        """The layer on at most this many rows, evenly spaced."""
        if len(self.x) <= most:
            return self
        rows = np.linspace(0, len(self.x) - 1, most).astype(np.int64)
        parts = ("x", "target", "row_weight", "error_weight")
        return replace(self, **{name: getattr(self, name)[rows] for name in parts})


def fit_layer(data: LayerData) -> FittedLayer:
    """Choose the grids of the inputs and the integer weights."""
    search = _Search(data)
    plain = search.min_max()
    ends = [search.descend(from_range, factor) for from_range, factor in search.starts]
    best = ends[first_least([state.error for state in ends], share=LAYERS.tie)]
    return search.result(best if best.error < plain.error else plain)


@dataclass(eq=False)
class _State:
    """One grid and one row of integer weights for each feature, with the scales of the outputs.

    `sums` are the sums of the integer products on the calibration rows.
    """

    grid: NDArray[np.int64]
    integers: Floats
    scale: Floats
    sums: Floats
    error: float = np.inf


class _Search:
    """Codes of the calibration rows on every candidate grid, and the coordinate descent."""

    def __init__(self, data: LayerData) -> None:
        n_in, n_out = data.weights.shape
        few = n_in > LAYERS.many_inputs
        self.n_bits = data.weight_bits
        wide = data.weight_bits >= LAYERS.wide_weights
        pull = LAYERS.weak_pull if wide else LAYERS.pull
        self.shape = (n_in, n_out)
        one_row = float(data.row_weight @ data.row_weight) if wide else 0.0
        top_code = 2**data.input_bits - 1
        n_grids = 9 if few or (data.input_bits > 6 and not data.are_digits) else 100
        data = data.on_rows(int(max(LAYERS.min_rows, LAYERS.round_cost / (n_grids * n_in * n_out))))
        share = data.error_weight * data.row_weight[:, None]
        importance = share.sum(axis=0)
        self.share = share / importance  # sums to 1 for each output
        self.importance = importance / importance.mean()
        self.holds_zero = data.holds_zero
        self.target = self._center(data.target)
        self.row_weight = data.row_weight
        self.candidates, self.feature = _candidates(data, few)
        starts = (
            LAYERS.few_starts if few else LAYERS.starts.get(data.weight_bits, LAYERS.few_starts)
        )
        self.starts = (
            starts[:: max(1, len(starts) // 2)] if n_in * n_out > LAYERS.many_weights else starts
        )
        self._first: dict[bool, _State] = {}
        if not self.candidates:
            return
        self.grids = Grids.of(self.candidates, data.holds_zero)
        mean, variance = self.grids.moments(self.share)
        # variance that one more row adds if its codes are uniformly distributed
        zero = self.grids.zero_point[:, None] if self.holds_zero else 0.0
        unseen = top_code**2 / 12 + (top_code / 2 - zero - mean) ** 2
        n_candidates = np.diff(self.grids.start)
        #: Real weights over the codes of each grid: (n_grids, n_out).
        real = self.grids.scale[:, None] * np.repeat(
            data.weights[self.feature], n_candidates, axis=0
        )
        firsts = self.grids.start[:-1]
        spread = (np.abs(real[firsts]) * np.sqrt(variance[firsts])).sum(axis=1)
        self.problem = Problem(
            self.grids,
            mean,
            variance,
            pull * variance + one_row * unseen,
            real,
            np.ascontiguousarray(self.share),
            np.ascontiguousarray(self.importance),
            np.argsort(-spread, kind="stable"),
            0 if data.weight_bits == 1 else 2 ** (data.weight_bits - 1) - 1,
        )

    # ------------------------------------------------------------------ states

    def min_max(self) -> _State:
        """Min-max grids and min-max weights, without a search."""
        return self._measured(self._on(np.zeros(len(self.candidates), dtype=np.int64), "minmax"))

    def descend(self, from_range: bool, factor: float) -> _State:
        """Coordinate descent from given grids until a round no longer lowers the error."""
        best = self._begin(from_range)
        grid, integers, scale, sums = best.grid, best.integers, best.scale * factor, best.sums
        error = np.inf
        for _ in range(
            LAYERS.max_rounds if self.n_bits < LAYERS.wide_weights else LAYERS.few_rounds
        ):
            before = error
            grid, integers = grid.copy(), integers.copy()
            if self.candidates:
                # a constant in each column of the residual has no effect
                residual = np.ascontiguousarray(self.target - sums * scale)
                descend_round(self.problem, scale, residual, grid, integers)
            state = self._refitted(_State(grid, integers, scale, self._sums(grid, integers)))
            scale, sums, error = state.scale, state.sums, state.error
            if error < best.error:
                best = state
            if error > before * (1 - LAYERS.tolerance):
                break
        return best

    def result(self, state: _State) -> FittedLayer:
        """The state as a `FittedLayer` of all features; those without influence have weight 0."""
        n_in, n_out = self.shape
        scale, zero_point = np.zeros(n_in), np.zeros(n_in)
        integers = np.zeros((n_in, n_out), dtype=np.int64)
        if self.candidates:
            chosen = self.grids.start[:-1] + state.grid
            scale[self.feature] = self.grids.scale[chosen]
            zero_point[self.feature] = self.grids.zero_point[chosen]
            integers[self.feature] = state.integers
        return FittedLayer(scale, zero_point, integers, state.scale, state.error)

    # ------------------------------------------------------------------ parts

    def _begin(self, from_range: bool) -> _State:
        """The best weights for min-max grids, or for those whose codes have most entropy."""
        if from_range not in self._first:
            grid = [0 if from_range else _most_even(f, self.row_weight) for f in self.candidates]
            self._first[from_range] = self._refitted(
                self._on(np.array(grid, dtype=np.int64), "auto")
            )
        return self._first[from_range]

    def _on(self, grid: NDArray[np.int64], method: str) -> _State:
        """Integer weights for given grids, one output at a time."""
        if not self.candidates:
            n_out = self.shape[1]
            return _State(grid, np.zeros((0, n_out)), np.ones(n_out), np.zeros_like(self.target))
        codes = self.grids.chosen_codes(grid)
        integers, scale = quantize_weights(
            self.problem.real[self.grids.start[:-1] + grid],
            codes,
            self.n_bits,
            self.row_weight,
            method=method,
            centered=not self.holds_zero,
        )
        real = integers.astype(np.float64)
        return _State(grid, real, scale, np.asarray(codes @ real))

    def _sums(self, grid: NDArray[np.int64], integers: Floats) -> Floats:
        if not self.candidates:
            return np.zeros_like(self.target)
        return np.asarray(self.grids.chosen_codes(grid) @ integers)

    def _center(self, values: Floats) -> Floats:
        """Values without their mean, for which the offset compensates if it is free."""
        if self.holds_zero:
            return values
        return np.asarray(values - (self.share * values).sum(axis=0))

    def _measured(self, state: _State, centered: Floats | None = None) -> _State:
        """The state with its error; `centered`: its sums without their mean."""
        sums = self._center(state.sums) if centered is None else centered
        error = (self.share * (self.target - sums * state.scale) ** 2).sum(axis=0)
        return replace(state, error=float(error @ self.importance))

    def _refitted(self, state: _State) -> _State:
        """The same integers with the best scale for each output."""
        sums = self._center(state.sums)
        power = (self.share * sums * sums).sum(axis=0)
        agreement = (self.share * sums * self.target).sum(axis=0)
        useful = (power > 0) & (agreement > 0)
        scale = np.where(useful, agreement / np.where(useful, power, 1.0), state.scale)
        return self._measured(replace(state, scale=scale), sums)


def _candidates(data: LayerData, few: bool) -> tuple[list[Candidates], list[int]]:
    """Grids of the features that have an influence, and the numbers of these features."""
    found: list[Candidates] = []
    feature: list[int] = []
    columns = np.ascontiguousarray(data.x.T)
    orders = np.argsort(columns, axis=1)
    matters = (data.hi > data.lo) & np.any(data.weights != 0, axis=1)
    for j in np.flatnonzero(matters):
        grids = candidates(
            columns[j], data.row_weight, data.lo[j], data.hi[j], data.input_bits,
            few=few, clips=data.clips, starts_at_zero=data.starts_at_zero,
            whole=data.whole is not None and bool(data.whole[j]),
            holds_zero=data.holds_zero,
            avoids_ties=data.weight_bits >= LAYERS.least_whole_weight_bits,
            are_digits=data.are_digits,
            order=orders[j],
        )  # fmt: skip
        if not grids.is_constant(0):
            found.append(grids)
            feature.append(int(j))
    return found, feature


def _most_even(grids: Candidates, row_weight: Floats) -> int:
    """Index of the grid whose codes have the greatest entropy."""
    n_rows = len(row_weight)
    top = 16 if grids.by_row else int(np.count_nonzero(grids.steps < n_rows, axis=1).max())
    if top > 15:
        return 0
    below = np.concatenate([[0.0], np.cumsum(row_weight[grids.order])])[grids.steps[:, :top]]
    share = np.diff(below, axis=1, prepend=0.0, append=row_weight.sum())
    entropy = -(share * np.log(np.maximum(share, 1e-12))).sum(axis=1)
    return int(np.argmax(entropy > entropy.max() - 1e-9))
