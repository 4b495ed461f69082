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
from scipy.linalg.blas import dger

from skq.quantization.search.candidates import Candidates, candidates
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
        Whether code 0 must stand for real 0 (and everything below).
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
    """One grid and one row of integer weights for each feature, with the scales of the outputs."""

    grid: NDArray[np.int64]
    integers: Floats
    scale: Floats
    error: float


class _Search:
    """Codes of the calibration rows on every candidate grid, and the coordinate descent."""

    def __init__(self, data: LayerData) -> None:
        n_in, n_out = data.weights.shape
        few = n_in > LAYERS.many_inputs
        self.n_bits = data.weight_bits
        wide = data.weight_bits >= LAYERS.wide_weights
        pull = LAYERS.weak_pull if wide else LAYERS.pull
        self.top = max(1, 2 ** (data.weight_bits - 1) - 1)
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
        self.grids: list[Candidates] = []
        self.feature: list[int] = []
        for j in range(n_in):
            if not data.hi[j] > data.lo[j] or not np.any(data.weights[j]):
                continue
            grids = candidates(
                data.x[:, j], data.row_weight, data.lo[j], data.hi[j], data.input_bits,
                few=few, clips=data.clips, starts_at_zero=data.starts_at_zero,
                whole=data.whole is not None and bool(data.whole[j]),
                holds_zero=data.holds_zero,
                avoids_ties=data.weight_bits >= LAYERS.least_whole_weight_bits,
                are_digits=data.are_digits,
            )  # fmt: skip
            if np.ptp(grids.codes[0]):
                self.grids.append(grids)
                self.feature.append(j)
        self.mean, self.variance, self.pull = [], [], []
        for grids in self.grids:
            codes = self._codes_of(grids)
            mean = codes @ self.share
            zero = np.zeros((len(grids.codes), 1))
            if self.holds_zero:
                mean, zero = np.zeros_like(mean), grids.zero_point[:, None]
            self.mean.append(mean)
            variance = np.maximum((codes * codes) @ self.share - mean * mean, 1e-12)
            self.variance.append(variance)
            # variance that one more row adds if its codes are uniformly distributed
            unseen = top_code**2 / 12 + (top_code / 2 - zero - mean) ** 2
            self.pull.append(pull * variance + one_row * unseen)
        #: Real weights over the codes of each grid: (n_grids, n_out).
        self.real = [
            grids.scale[:, None] * data.weights[j]
            for grids, j in zip(self.grids, self.feature, strict=True)
        ]
        self.row_weight = data.row_weight
        self._weighted = np.empty_like(self.share)
        spread = [
            float((np.abs(real[0]) * np.sqrt(v[0])).sum())
            for real, v in zip(self.real, self.variance, strict=True)
        ]
        self.order = np.argsort(-np.array(spread), kind="stable")
        starts = (
            LAYERS.few_starts if few else LAYERS.starts.get(data.weight_bits, LAYERS.few_starts)
        )
        self.starts = (
            starts[:: max(1, len(starts) // 2)] if n_in * n_out > LAYERS.many_weights else starts
        )

    # ------------------------------------------------------------------ states

    def min_max(self) -> _State:
        """Min-max grids and min-max weights, without a search."""
        return self._on(np.zeros(len(self.grids), dtype=np.int64), "minmax")

    def descend(self, from_range: bool, factor: float) -> _State:
        """Coordinate descent from given grids until a round no longer lowers the error."""
        first = [0 if from_range else _most_even(g.codes, self.row_weight) for g in self.grids]
        best = self._refitted(self._on(np.array(first, dtype=np.int64), "auto"))
        state = _State(best.grid, best.integers, best.scale * factor, np.inf)
        for _ in range(
            LAYERS.max_rounds if self.n_bits < LAYERS.wide_weights else LAYERS.few_rounds
        ):
            before = state.error
            state = _State(state.grid.copy(), state.integers.copy(), state.scale, np.inf)
            # `_better` ignores a constant in each column
            residual = self.target - self._sums(state) * state.scale
            for i in self.order:
                self._better(int(i), state, residual)
            state = self._refitted(state)
            if state.error < best.error:
                best = state
            if state.error > before * (1 - LAYERS.tolerance):
                break
        return best

    def result(self, state: _State) -> FittedLayer:
        """The state as a `FittedLayer` of all features; those without influence have weight 0."""
        n_in, n_out = self.shape
        scale, zero_point = np.zeros(n_in), np.zeros(n_in)
        integers = np.zeros((n_in, n_out), dtype=np.int64)
        for i, j in enumerate(self.feature):
            grid = state.grid[i]
            scale[j], zero_point[j] = self.grids[i].scale[grid], self.grids[i].zero_point[grid]
            integers[j] = state.integers[i]
        return FittedLayer(scale, zero_point, integers, state.scale, state.error)

    # ------------------------------------------------------------------ parts

    def _on(self, grid: NDArray[np.int64], method: str) -> _State:
        """Integer weights for given grids, one output at a time."""
        if not self.grids:
            n_out = self.shape[1]
            return self._measured(_State(grid, np.zeros((0, n_out)), np.ones(n_out), 0.0))
        codes = self._chosen_codes(grid)
        real = np.stack([real[k] for real, k in zip(self.real, grid, strict=True)])
        integers, scale = quantize_weights(
            real, codes, self.n_bits, self.row_weight, method=method, centered=not self.holds_zero
        )
        return self._measured(_State(grid, integers.astype(np.float64), scale, np.inf))

    def _better(self, i: int, state: _State, residual: Floats) -> None:
        """Choose the grid and the weights of feature i; updates the residual in place."""
        grids, mean, variance, real = self.grids[i], self.mean[i], self.variance[i], self.real[i]
        pull = self.pull[i]
        codes = self._codes_of(grids)
        _add_outer(residual, codes[state.grid[i]], state.integers[i] * state.scale)
        weighted = np.multiply(self.share, residual, out=self._weighted)
        product = codes @ weighted - mean * weighted.sum(axis=0)
        wish = (product + pull * real) / ((variance + pull) * state.scale)
        if self.n_bits == 1:
            integers = np.where(wish >= 0, 1.0, -1.0)
        else:
            integers = np.clip(np.rint(wish), -self.top, self.top)
        step = integers * state.scale
        cost = step * (step * variance - 2 * product) + pull * (step - real) ** 2
        chosen = first_least(cost @ self.importance, share=LAYERS.tie)
        state.grid[i], state.integers[i] = chosen, integers[chosen]
        _add_outer(residual, codes[chosen], -step[chosen])

    def _sums(self, state: _State) -> Floats:
        if not self.grids:
            return np.zeros_like(self.target)
        return np.asarray(self._chosen_codes(state.grid) @ state.integers)

    def _codes_of(self, grids: Candidates) -> Floats:
        """Codes of all grids of a feature, less the zero points if 0 must be exact."""
        codes = grids.codes.astype(np.float64)
        if not self.holds_zero:
            return codes
        return np.asarray(codes - grids.zero_point[:, None])

    def _chosen_codes(self, grid: NDArray[np.int64]) -> Floats:
        """The same of one grid for each feature, of shape (n_rows, n_features)."""
        chosen = list(zip(self.grids, grid, strict=True))
        codes = np.stack([g.codes[k] for g, k in chosen], axis=1).astype(np.float64)
        if self.holds_zero:
            codes -= [g.zero_point[k] for g, k in chosen]
        return codes

    def _center(self, values: Floats) -> Floats:
        """Values without their mean, for which the offset compensates if it is free."""
        if self.holds_zero:
            return values
        return np.asarray(values - (self.share * values).sum(axis=0))

    def _measured(self, state: _State) -> _State:
        sums = self._center(self._sums(state))
        error = (self.share * (self.target - sums * state.scale) ** 2).sum(axis=0)
        return _State(state.grid, state.integers, state.scale, float(error @ self.importance))

    def _refitted(self, state: _State) -> _State:
        """The same integers with the best scale for each output."""
        sums = self._center(self._sums(state))
        power = (self.share * sums * sums).sum(axis=0)
        agreement = (self.share * sums * self.target).sum(axis=0)
        useful = (power > 0) & (agreement > 0)
        scale = np.where(useful, agreement / np.where(useful, power, 1.0), state.scale)
        return self._measured(_State(state.grid, state.integers, scale, np.inf))


def _add_outer(values: Floats, rows: Floats, columns: Floats) -> None:
    """``values += outer(rows, columns)`` in one pass, without a temporary array."""
    dger(1.0, columns, rows, a=values.T, overwrite_a=1)


def _most_even(codes: NDArray[np.unsignedinteger], row_weight: Floats) -> int:
    """Index of the grid whose codes have the greatest entropy."""
    top = int(codes.max(initial=0))
    if top > 15:
        return 0
    share = np.stack([(codes == level) @ row_weight for level in range(top + 1)])
    entropy = -(share * np.log(np.maximum(share, 1e-12))).sum(axis=0)
    return int(np.argmax(entropy > entropy.max() - 1e-9))
