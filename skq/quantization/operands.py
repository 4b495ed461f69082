"""What an operator reads and returns while a graph is lowered.

A constant is a NumPy array. Everything else is one of two views of real values:

- `Features`: the graph's float input, with functions of single features in front of it that have
  not cost an instruction yet (scalers, casts).
- `QuantizedTensor`: an integer value of the program, with the map to the reals it stands for.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]
Function = Callable[[Array], Array]


@dataclass(frozen=True, eq=False)
class FeatureStep:
    """One function of single features: an affine step, or a cast.

    Parameters
    ----------
    function : {"add", "subtract", "multiply", "divide", "cast"}
    constant : ndarray of shape (n_features,) or (), or None for a cast
    dtype : str or None
        What a cast casts to.
    """

    function: str
    constant: Array | None = None
    dtype: str | None = None

    def __call__(self, values: Array, feature: Array | None = None) -> Array:
        """Apply to values of the given features, or to whole rows."""
        if self.function == "cast":
            with np.errstate(over="ignore"):
                return values.astype(self.dtype)
        assert self.constant is not None
        constant = self.constant
        if feature is not None and constant.ndim:
            constant = constant[feature]
        with np.errstate(over="ignore", invalid="ignore"):
            return np.asarray(getattr(np, self.function)(values, constant))


@dataclass(frozen=True, eq=False)
class Features:
    """The float input behind per-feature steps that are still to be folded into its quantizer.

    Parameters
    ----------
    value : int
        The program's input.
    raw : ndarray of shape (n_rows, ...)
        Calibration rows, before the steps.
    lo, hi : ndarray of shape (n_features,), or of a row's shape
        Least and greatest value in all calibration data, before the steps; NaN left out.
    has_missing : bool
        Whether the calibration data have NaN anywhere.
    steps : tuple of FeatureStep
    """

    value: int
    raw: Array
    lo: Array
    hi: Array
    has_missing: bool = False
    steps: tuple[FeatureStep, ...] = ()

    def then(self, step: FeatureStep) -> Features:
        """The features behind one more step."""
        return replace(self, steps=(*self.steps, step))

    def affine(self) -> tuple[Array, Array]:
        """``(a, b)`` with ``a * x + b`` what the steps compute, casts left out."""
        a, b = np.ones(self.raw.shape[-1]), np.zeros(self.raw.shape[-1])
        for step in self.steps:
            if step.function in ("multiply", "divide"):
                a = step(a)
            if step.function != "cast":
                b = step(b)
        return a, b

    def apply(self, values: Array, feature: Array | None = None) -> Array:
        """What the steps make of raw values."""
        for step in self.steps:
            values = step(values, feature)
        return values


@dataclass(frozen=True, eq=False)
class QuantizedTensor:
    """An integer value ``q`` of the program that stands for ``f((q - zero_point) * scale)``.

    Parameters
    ----------
    value : int
        Number of the value in the program.
    scale, zero_point : ndarray of shape () or (n_channels,)
        `zero_point` is real: it never enters integer arithmetic as it is, but is folded into the
        offset of the next requantization.
    function : callable or None
        ``f``, elementwise; None for the identity. Chains of univariate operators collect here and
        become one table.
    clip : (float, float) or None
        Bounds of the reals, where ``f`` is the identity followed by a clip (ReLU); a requantization
        saturates at them for free.
    """

    value: int
    scale: Array
    zero_point: Array
    function: Function | None = None
    clip: tuple[float, float] | None = None

    @property
    def is_plain(self) -> bool:
        """Whether the reals are an affine function of the codes."""
        return self.function is None and self.clip is None

    def reals(self, codes: Array) -> Array:
        """The reals that codes stand for."""
        values = (np.asarray(codes, dtype=np.float64) - self.zero_point) * self.scale
        if self.clip is not None:
            values = np.clip(values, *self.clip)
        return values if self.function is None else self.function(values)

    def affine(self, factor: Array, offset: Array) -> QuantizedTensor:
        """The tensor ``factor * x + offset``, without an instruction where that is possible."""
        if not self.is_plain or np.any(np.asarray(factor) == 0):
            return self.then(lambda x: x * factor + offset)
        scale = self.scale * factor
        return replace(self, scale=scale, zero_point=self.zero_point - offset / scale)

    def then(self, function: Function) -> QuantizedTensor:
        """The tensor behind one more univariate function."""
        before = replace(self, value=-1, scale=np.float64(1), zero_point=np.float64(0))

        def composed(x: Array) -> Array:
            return function(before.reals(x))

        return replace(self, function=composed, clip=None)

    def clipped(self, lo: float, hi: float) -> QuantizedTensor:
        """The tensor clipped to [lo, hi]."""
        if self.function is not None:
            return self.then(lambda x: np.clip(x, lo, hi))
        if self.clip is not None:
            lo, hi = (float(np.clip(bound, *self.clip)) for bound in (lo, hi))
        return replace(self, clip=(lo, hi))


Operand = Array | Features | QuantizedTensor
