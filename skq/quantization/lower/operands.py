"""Inputs and results of an operator while a graph is lowered.

A constant is a NumPy array, or a `BatchConstant` where it depends on the number of rows. Everything
else is one of two views of real values:

- `Features`: the graph's float input, followed by functions of single features (scalers, casts)
  that are not written as instructions.
- `QuantizedTensor`: an integer value of the program, with the function from it to real values.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]
Function = Callable[[Array], Array]


def scalar(value: Any) -> NDArray[np.float64]:
    """One real number as an array of shape ()."""
    return np.asarray(value, dtype=np.float64)


def constant_integer(value: int) -> NDArray[np.int64]:
    """One integer as an array of shape ()."""
    return np.asarray(value, dtype=np.int64)


@dataclass(frozen=True, eq=False)
class BatchConstant:
    """A value that a graph computes from shapes of tensors and that depends on the number of rows.

    Parameters
    ----------
    for_two, for_three : ndarray
        Its values for a batch of two rows and of three.
    """

    for_two: Array
    for_three: Array

    def for_rows(self, n_rows: int) -> Array:
        """Its value for two rows or for three."""
        return {2: self.for_two, 3: self.for_three}[n_rows]


@dataclass(frozen=True, eq=False)
class FeatureStep:
    """One function of single features: an affine step, or a cast.

    Parameters
    ----------
    function : {"add", "subtract", "multiply", "divide", "cast", "fill"}
        "fill" puts the constant in place of NaN; a NaN in it leaves missing values missing.
    constant : ndarray of shape (n_features,) or (), or None for a cast
    dtype : str or None
        Dtype of a cast.
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
        if self.function == "fill":
            return np.where(np.isnan(values), constant, values)
        with np.errstate(over="ignore", invalid="ignore"):
            return np.asarray(getattr(np, self.function)(values, constant))


@dataclass(frozen=True, eq=False)
class Features:
    """The float input followed by per-feature steps, which are folded into its quantizer.

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
    is_whole : bool
        Whether columns of whole numbers get grids that hold these exactly.
    holds_zero : bool
        Whether ranges include 0, so that a code represents exactly 0.
    n_bits : int or None
        Width of the codes, where it differs from that of the model's inputs.
    """

    value: int
    raw: Array
    lo: Array
    hi: Array
    has_missing: bool = False
    steps: tuple[FeatureStep, ...] = ()
    is_whole: bool = False
    holds_zero: bool = False
    n_bits: int | None = None

    def holding_zero(self) -> Features:
        """The same features with ranges that hold 0."""
        lo, hi = np.minimum(self.lo, 0.0), np.maximum(self.hi, 0.0)
        return replace(self, lo=lo, hi=hi, holds_zero=True)

    def then(self, step: FeatureStep) -> Features:
        """The features followed by one more step."""
        return replace(self, steps=(*self.steps, step))

    @property
    def fill(self) -> Array | None:
        """Fill value of NaN for each feature, before the other steps; None without imputation."""
        first = self.steps[0] if self.steps else None
        return first.constant if first is not None and first.function == "fill" else None

    def affine(self) -> tuple[Array, Array]:
        """``(a, b)`` where ``a * x + b`` is the result of the steps without casts."""
        a, b = np.ones(self.raw.shape[-1:]), np.zeros(self.raw.shape[-1:])
        for step in self.steps:
            if step.function in ("multiply", "divide"):
                a = step(a)
            if step.function not in ("cast", "fill"):
                b = step(b)
        return a, b

    def apply(self, values: Array, feature: Array | None = None) -> Array:
        """Results of the steps for raw values."""
        for step in self.steps:
            values = step(values, feature)
        return values


@dataclass(frozen=True, eq=False)
class QuantizedTensor:
    """An integer value ``q`` of the program that represents ``f((q - zero_point) * scale)``.

    Parameters
    ----------
    value : int
        Number of the value in the program.
    scale, zero_point : ndarray of shape () or (n_channels,)
        One per channel, which is the last axis of the integer value. `zero_point` is real: it never
        enters integer arithmetic as it is, but is folded into the offset of the next
        requantization.
    function : callable or None
        ``f``, elementwise on rows of the integer value; None for the identity. Chains of
        univariate operators are composed here and become one table.
    clip : (float, float) or None
        Bounds of the reals, where ``f`` is the identity followed by a clip (ReLU); a requantization
        saturates at them without an additional instruction.
    view : ndarray of int64 or None
        Index of each element of the tensor's row in the flattened integer value; None where
        the integer value has the tensor's arrangement. Slices, transposes and reshapes change
        the view and cost no instruction; see `skq.quantization.lower.views`.
    """

    value: int
    scale: Array
    zero_point: Array
    function: Function | None = None
    clip: tuple[float, float] | None = None
    view: NDArray[np.int64] | None = None

    @property
    def is_plain(self) -> bool:
        """Whether the reals are an affine function of the codes."""
        return self.function is None and self.clip is None

    @property
    def has_one_scale(self) -> bool:
        """Whether all elements have the same scale and zero point."""
        return np.ndim(self.scale) == 0 and np.ndim(self.zero_point) == 0

    def reals(self, codes: Array) -> Array:
        """The real values of codes."""
        return self.of_argument((np.asarray(codes, np.float64) - self.zero_point) * self.scale)

    def of_argument(self, values: Array) -> Array:
        """The clip or the function, of ``(q - zero_point) * scale``."""
        if self.clip is not None:
            values = np.clip(values, *self.clip)
        return values if self.function is None else self.function(values)

    def of_what_is_read(self) -> QuantizedTensor:
        """The tensor with the parameters of channels that its view leaves out replaced.

        These elements are not read, but their scales would widen a grid that is chosen for all
        channels. They get the parameters of a channel that is read.
        """
        n_channels = max(np.size(self.scale), np.size(self.zero_point))
        if self.view is None or self.has_one_scale or not self.view.size:
            return self
        read = np.zeros(n_channels, dtype=bool)
        read[np.unique(self.view % n_channels)] = True
        if read.all():
            return self
        scale, zero_point = (
            p if np.ndim(p) == 0 else np.where(read, p, p[read.argmax()])
            for p in (self.scale, self.zero_point)
        )
        return replace(self, scale=scale, zero_point=zero_point)

    def same_integers(self, other: QuantizedTensor) -> bool:
        """Whether both are functions of the same integers, element by element."""
        if self.value != other.value:
            return False
        if self.view is None or other.view is None:
            return self.view is other.view
        return np.array_equal(self.view, other.view)

    def affine(self, factor: Array, offset: Array) -> QuantizedTensor:
        """The tensor ``factor * x + offset``, without an instruction where that is possible."""
        scale = self.scale * np.asarray(factor, np.float64)
        if self.function is not None or np.any(scale == 0) or not np.all(np.isfinite(scale)):
            return self.then(lambda x: x * factor + offset)
        clip = None
        if self.clip is not None:
            if np.ndim(factor) or np.ndim(offset):
                return self.then(lambda x: x * factor + offset)
            ends = sorted(float(end * factor + offset) for end in self.clip)
            clip = (ends[0], ends[1])
        return replace(self, scale=scale, zero_point=self.zero_point - offset / scale, clip=clip)

    def then(self, function: Function) -> QuantizedTensor:
        """The tensor followed by one more univariate function."""
        before = replace(self)

        def composed(x: Array) -> Array:
            return function(before.of_argument(x))

        return replace(self, function=composed, clip=None)

    def clipped(self, lo: float, hi: float) -> QuantizedTensor:
        """The tensor clipped to [lo, hi]."""
        if lo == -np.inf and hi == np.inf:
            return self
        if self.function is not None or lo > hi:
            return self.then(lambda x: np.minimum(np.maximum(x, lo), hi))
        if self.clip is not None:
            lo, hi = (float(np.clip(bound, *self.clip)) for bound in (lo, hi))
        return replace(self, clip=(lo, hi))


def fuse(function: Callable[..., Array], *operands: Array | QuantizedTensor) -> QuantizedTensor:
    """A function of several tensors of the same integers, as one function of these integers.

    Parameters
    ----------
    function : callable
        Elementwise.
    *operands : ndarray or QuantizedTensor
        The tensors have the same integers; the arrays broadcast against rows of them.
    """
    tensors = [operand for operand in operands if isinstance(operand, QuantizedTensor)]
    first = tensors[0]
    if all(
        np.array_equal(t.scale, first.scale) and np.array_equal(t.zero_point, first.zero_point)
        for t in tensors
    ):

        def of_argument(x: Array) -> Array:
            return function(*(_at(operand, x, QuantizedTensor.of_argument) for operand in operands))

        return replace(first, function=of_argument, clip=None)

    def of_codes(x: Array) -> Array:
        return function(*(_at(operand, x, QuantizedTensor.reals) for operand in operands))

    one, zero = scalar(1.0), scalar(0.0)
    return replace(first, scale=one, zero_point=zero, function=of_codes, clip=None)


def _at(
    operand: Array | QuantizedTensor, x: Array, read: Callable[[QuantizedTensor, Array], Array]
) -> Array:
    return read(operand, x) if isinstance(operand, QuantizedTensor) else operand


Operand = Array | BatchConstant | Features | QuantizedTensor
