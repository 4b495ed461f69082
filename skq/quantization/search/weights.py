"""Integer weights of a layer, one scale per output channel, by the error of the layer's output.

For each channel the error on the calibration rows is the quadratic form
``(V - s v)^T G (V - s v)``, with ``V`` the real weights over codes, ``v`` the integers, ``s`` the
scale and ``G`` the covariance of the input codes. Three steps lower it, and none raises it:

1. search: the grid is tried at several fractions of its min-max width;
2. refit: for given integers the best scale has a closed form;
3. descent: one integer at a time is moved to its best value while the others stay, as in
   coordinate descent over the lattice (compare GPTQ, arXiv:2210.17323), then the scale is refitted.

Means do not enter ``G``: the mean error goes into the layer's offset (bias correction).
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from skq.compiled import call, loops
from skq.quantization.search.ranges import find_reach
from skq.quantization.search.settings import LAYERS

Floats = NDArray[np.float64]


def quantize_weights(
    weights: Floats,
    codes: Floats,
    n_bits: int,
    row_weight: Floats,
    *,
    method: str = "auto",
    centered: bool = True,
) -> tuple[NDArray[np.int64], Floats]:
    """Quantize a layer's weights.

    Parameters
    ----------
    weights : ndarray of shape (n_in, n_out)
        Real weights over input codes: the input's scales are folded in.
    codes : ndarray of shape (n_rows, n_in)
        Input codes of calibration rows.
    n_bits : int
        Width of the integers: symmetric in [-(2**(n_bits - 1) - 1), 2**(n_bits - 1) - 1], and
        {-1, 1} for one bit.
    row_weight : ndarray of shape (n_rows,)
        Weight of each row; they sum to 1.
    method : {"auto", "minmax", "percentile", "mse"}
        Other than "auto": scale = the reach of `find_reach` / largest integer, and nothing else.

    centered : bool, default=True
        Whether the offset of the output is free: then codes count from their mean. Else they count
        from 0.

    Returns
    -------
    integers : ndarray of shape (n_in, n_out), int64
    scale : ndarray of shape (n_out,)
        ``weights ≈ integers * scale``; positive.
    """
    top = max(1, 2 ** (n_bits - 1) - 1)
    reach = find_reach(weights, n_bits, "minmax" if method == "auto" else method)
    scale = np.where(reach > 0, reach, 1.0) / top
    if method != "auto" or not weights.size:
        return _round(weights, scale, n_bits), scale
    gram = _covariance(codes, row_weight, centered=centered)
    target = gram @ weights if gram.ndim == 2 else gram[:, None] * weights
    best = _best_width(weights, scale, n_bits, gram, target)
    if gram.ndim == 2 and n_bits <= 8:
        best.descend(gram, target, n_bits)
    return best.integers, best.scale


def _fractions(n_bits: int) -> Floats:
    """Grid widths to try, as fractions of min-max: clipping helps more with fewer levels."""
    if n_bits > 8:
        return np.array([0.98])
    return np.linspace(0.25 if n_bits <= 3 else 0.5 if n_bits <= 5 else 0.8, 0.98, 20)


def _best_width(
    weights: Floats, scale: Floats, n_bits: int, gram: Floats, target: Floats
) -> _Candidate:
    """The grid of each channel, min-max or a fraction of it, that explains most of the output."""
    if n_bits == 1:  # the integers are signs for every width
        return _Candidate.of(weights, scale, n_bits, gram, target)
    scales = np.concatenate([[1.0], _fractions(n_bits)])[:, None] * scale
    at_once = max(1, LAYERS.weights_at_once // weights.size)
    gains = []
    for start in range(0, len(scales), at_once):
        part = scales[start : start + at_once]
        integers = _round(weights[:, None, :], part, n_bits).reshape(len(weights), -1)
        gains.append(_refit(integers, part.ravel(), gram, np.tile(target, len(part)))[1])
    chosen = np.concatenate(gains).reshape(scales.shape).argmax(axis=0)
    return _Candidate.of(weights, scales[chosen, np.arange(len(scale))], n_bits, gram, target)


def _round(weights: Floats, scale: Floats, n_bits: int) -> NDArray[np.int64]:
    if n_bits == 1:
        return np.where(weights >= 0, 1, -1)
    top = 2 ** (n_bits - 1) - 1
    return np.clip(np.rint(weights / scale), -top, top).astype(np.int64)


def _covariance(codes: Floats, row_weight: Floats, *, centered: bool) -> Floats:
    """Weighted covariance of the codes with a ridge on its diagonal; the diagonal alone if wide.

    Moments about 0 where codes are not to be centered.
    """
    if centered:
        codes = codes - row_weight @ codes
    variance = row_weight @ codes**2
    floor = 1e-6 * float(variance.max(initial=0.0)) + 1e-300
    ridge = LAYERS.ridge * variance + floor
    if codes.shape[1] > LAYERS.max_descent_inputs:
        return np.asarray(variance + ridge)
    gram = (codes * row_weight[:, None]).T @ codes
    gram[np.diag_indices_from(gram)] += ridge
    return np.asarray(gram)


def n_sweeps(n_in: int, n_out: int) -> int:
    """Sweeps of the descent that a layer of this size gets."""
    return int(min(LAYERS.sweeps, LAYERS.descent_cost // max(n_in * n_in * n_out, 1)))


class _Candidate:
    """Integers and refitted scales of all channels, with the part of the error they explain."""

    def __init__(self, integers: NDArray[np.int64], scale: Floats, gain: Floats) -> None:
        self.integers = integers
        self.scale = scale
        self.gain = gain

    @classmethod
    def of(
        cls, weights: Floats, scale: Floats, n_bits: int, gram: Floats, target: Floats
    ) -> _Candidate:
        integers = _round(weights, scale, n_bits)
        return cls(integers, *_refit(integers, scale, gram, target))

    def improve(self, other: _Candidate) -> None:
        """Replace the channels in which `other` explains more."""
        better = other.gain > self.gain
        self.integers = np.where(better, other.integers, self.integers)
        self.scale = np.where(better, other.scale, self.scale)
        self.gain = np.where(better, other.gain, self.gain)

    def descend(self, gram: Floats, target: Floats, n_bits: int) -> None:
        """Coordinate descent over the integers, all channels side by side."""
        top = max(1, 2 ** (n_bits - 1) - 1)
        integers = self.integers.astype(np.float64)
        scale = self.scale
        for _ in range(n_sweeps(*integers.shape)):
            before = integers.copy()
            residual = target - gram @ (integers * scale)
            sweep(gram, scale, integers, residual, 0 if n_bits == 1 else top)
            if np.array_equal(before, integers):
                break
            scale, _ = _refit(integers, scale, gram, target)
        result = integers.astype(np.int64)
        self.improve(_Candidate(result, *_refit(result, self.scale, gram, target)))


def sweep(gram: Floats, scale: Floats, integers: Floats, residual: Floats, top: int) -> None:
    """Move each row of integers to its best values while the others stay.

    Parameters
    ----------
    gram : ndarray of shape (n_in, n_in)
        Covariance of the input codes, symmetric.
    scale : ndarray of shape (n_out,)
    integers : ndarray of shape (n_in, n_out), float64
        Updated.
    residual : ndarray of shape (n_in, n_out)
        ``gram @ (weights - integers * scale)``; updated.
    top : int
        Greatest magnitude; 0 if the integers are -1 or 1.
    """
    if loops is None:
        sweep_in_numpy(gram, scale, integers, residual, top)
        return
    call("sweep", *integers.shape, top, gram, scale, integers, residual)


def sweep_in_numpy(
    gram: Floats, scale: Floats, integers: Floats, residual: Floats, top: int
) -> None:
    """`sweep` without the extension."""
    for j, column in enumerate(gram):
        wish = integers[j] + residual[j] / (scale * column[j])
        moved = np.where(wish >= 0, 1.0, -1.0) if top == 0 else np.clip(np.rint(wish), -top, top)
        step = (moved - integers[j]) * scale
        if step.any():
            residual -= np.outer(column, step)
        integers[j] = moved


def _refit(
    integers: NDArray[Any], scale: Floats, gram: Floats, target: Floats
) -> tuple[Floats, Floats]:
    """Best scale for given integers, and the reduction of the error; channel by channel."""
    image = gram @ integers if gram.ndim == 2 else gram[:, None] * integers
    power = (integers * image).sum(axis=0)
    agreement = (integers * target).sum(axis=0)
    useful = (power > 0) & (agreement > 0)
    safe = np.where(useful, power, 1.0)
    refitted = np.where(useful, agreement / safe, scale)
    return refitted, np.where(useful, agreement * refitted, 0.0)
