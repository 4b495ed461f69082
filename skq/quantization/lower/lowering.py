"""`Lowering`: what operators use to write instructions.

It holds the program under construction and, for each value, the integers that the calibration rows
give there, so every layer is calibrated on the outputs of the quantized layers before it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from skq.engines.numpy_engine import execute
from skq.exceptions import AccumulatorOverflowError, UnsupportedModelError
from skq.numerics import EXACT_FLOAT64, bit_width, fixed_point
from skq.numerics import quantize as quantize_codes
from skq.program import (
    Dequantize,
    Gather,
    Instruction,
    MatMul,
    ProgramBuilder,
    Quantize,
    Requantize,
    Table,
    TensorType,
)
from skq.quantization.lower.missing_codes import filled, unseen_fill, with_fill
from skq.quantization.lower.operands import Array, Features, QuantizedTensor, scalar
from skq.quantization.lower.rounding import Rounding
from skq.quantization.lower.settings import LOWERING
from skq.quantization.lower.whole_numbers import are_whole, integer_grid, whole_step
from skq.quantization.search.candidates import whole_columns, whole_zero_point
from skq.quantization.search.grids import discrete_grid
from skq.quantization.search.model_error import ModelError
from skq.quantization.search.ranges import find_joint_range, find_range
from skq.quantization.search.weights import quantize_weights

#: A weight that stands for an offset has at most this magnitude.
LARGEST_OFFSET = 2.0**40

#: Step of a column that held one value in calibration: every other value gets the same code.
FROZEN_SCALE = float(np.finfo(np.float64).max / 4)

#: Step of the codes of such a column beside its value: whatever the code, it stands for the value.
CONSTANT_STEP = 2.0**-40

#: A zero point is held as an integer; a column's offset may not exceed this many steps.
MAX_ZERO_POINT = 2.0**62


@dataclass(frozen=True)
class Settings:
    """Choices that hold for a whole model.

    Parameters
    ----------
    n_bits : dict of str to int
        As `get_n_bits_dict` gives it.
    rounding : Rounding
    calibration : {"auto", "minmax", "percentile", "mse"}
        How the range of each tensor is chosen; see `skq.quantization.search.ranges`.
    signed_weights : bool
        Whether weights are on symmetric grids; else on affine ones, from least to greatest weight.
    discrete : bool
        Whether weights and activations are on grids already, which are to be found and kept.
    monotonic : bool
        Whether trees rise or fall with some features and are to do so as integers: weights behind
        them are rounded plainly, which keeps their signs.
    """

    n_bits: dict[str, int]
    rounding: Rounding
    calibration: str = "auto"
    signed_weights: bool = True
    discrete: bool = False
    monotonic: bool = False

    @property
    def searches(self) -> bool:
        """Whether parameters are chosen by the error at a layer's output."""
        return self.calibration == "auto" and not self.discrete

    @property
    def range_method(self) -> str:
        """How a range is chosen where no output is there to compare errors at."""
        return "minmax" if self.calibration == "auto" else self.calibration


class Lowering:
    """Program under construction, with calibration integers for every value.

    Parameters
    ----------
    settings : Settings
    row_weight : ndarray of shape (n_rows,)
        Weight of each calibration row; they sum to 1.

    Attributes
    ----------
    builder : ProgramBuilder
    error_weights : mapping of str to ndarray of shape (n_rows, n_columns)
        Weights of squared errors at values of the float graph, where they are known; see
        `skq.quantization.search.sensitivity`.
    model_error : ModelError or None
        What errors at values of the float graph do to the model's outputs, where that is known.
    trained : mapping of str to TrainedConstant
        Constants that the graph gives as integers; see `skq.quantization.lower.trained`.
    without_missing_code : set of int
        Features whose missing values have no code, though trees read them; see
        `skq.quantization.trees.columns`.
    """

    def __init__(
        self,
        settings: Settings,
        row_weight: NDArray[np.float64],
    ) -> None:
        self.settings = settings
        self.error_weights: Mapping[str, NDArray[np.float64]] = {}
        self.model_error: ModelError | None = None
        self.without_missing_code: set[int] = set()
        self.trained: Mapping[str, Any] = {}
        self.row_weight = row_weight
        self.builder = ProgramBuilder()
        self._samples: dict[int, Array] = {}
        self._steps: dict[int, Instruction] = {}
        self._numbers: dict[tuple[Any, ...], int] = {}
        self._aligned: dict[tuple[int, bytes, bytes], QuantizedTensor] = {}
        self._features: list[tuple[Features, str, QuantizedTensor]] = []

    def input(
        self,
        raw: Array,
        lo: Array,
        hi: Array,
        *,
        has_missing: bool = False,
        is_whole: bool = False,
    ) -> Features:
        """Declare a float input; see `Features`."""
        value = self.builder.input(TensorType(raw.shape[1:]))
        self._samples[value] = raw
        return Features(value, raw, lo, hi, has_missing, is_whole=is_whole)

    def codes_input(
        self, codes: Array, lo: int, hi: int, scale: Array, zero_point: Array
    ) -> QuantizedTensor:
        """Declare an input of integers in [lo, hi], with what they are on the calibration rows."""
        value = self.builder.input(TensorType(codes.shape[1:], lo, hi))
        self._samples[value] = np.asarray(codes, dtype=np.int64)
        return QuantizedTensor(value, scale, zero_point)

    def add(self, instruction: Instruction) -> int:
        """Append an instruction, unless it is there already; return the number of its value."""
        key = _contents(instruction)
        if key not in self._numbers:
            self._numbers[key] = self.builder.add(instruction)
            self._steps[self._numbers[key]] = instruction
        return self._numbers[key]

    def type(self, value: int) -> TensorType:
        """Type of a value."""
        return self.builder.types[value]

    def step(self, value: int) -> Instruction | None:
        """The instruction of a value; None for inputs."""
        return self._steps.get(value)

    def sample(self, value: int) -> Array:
        """What the calibration rows give at a value; computed when it is first asked for."""
        if value not in self._samples:
            step = self._steps[value]
            operands = [self.sample(operand) for operand in step.inputs]
            types = [self.type(operand) for operand in step.inputs]
            sample = execute(step, types, operands)
            if isinstance(step, Gather):  # cheap to do again, and large for a convolution
                return sample
            self._samples[value] = sample
        return self._samples[value]

    def error_weight(self, name: str, values: Array) -> NDArray[np.float64]:
        """Weights of squared errors at a value of the float graph, of a shape like `values`.

        They hold the weights of the rows.
        """
        by_row = self.row_weight.reshape(-1, *(1,) * (values.ndim - 1))
        known = self.error_weights.get(name)
        if known is None:
            return np.broadcast_to(by_row, values.shape)
        return by_row * known.reshape(values.shape)

    # ---------------------------------------------------------------- reals -> codes

    def quantize_features(
        self, features: Features, n_bits: int, *, per_feature: bool, method: str
    ) -> QuantizedTensor:
        """Codes of the float input: a uniform grid for each feature, or one for all."""
        top = 2**n_bits - 1
        lo, hi = np.asarray(features.lo, np.float64), np.asarray(features.hi, np.float64)
        raw = np.asarray(features.raw, np.float64)
        raw, lo, hi = with_fill(features, raw, lo, hi)
        whole = np.zeros(np.shape(lo), dtype=bool)
        if method == "whole":
            whole, method = self.whole_columns(features, n_bits), "minmax"
        if per_feature:
            lo, hi = find_range(raw, self.row_weight, lo, hi, n_bits, method)
            hold = unseen_fill(features)
            lo, hi = np.fmin(lo, hold), np.fmax(hi, hold)
            if features.holds_zero:
                lo, hi = np.minimum(lo, 0.0), np.maximum(hi, 0.0)
        else:
            lo, hi = scalar(lo.min()), scalar(hi.max())
            if method != "minmax":
                lo, hi = map(scalar, find_joint_range(raw, self.row_weight, n_bits, method))
            lo, hi = np.minimum(lo, 0.0), np.maximum(hi, 0.0)
        scale = hi / top - lo / top
        frozen = ~(scale > 0)
        if features.is_whole:
            lo, scale = _whole_grids(features, raw, lo, scale, top)
        scale = np.maximum(scale, np.abs(lo) / MAX_ZERO_POINT)
        scale = np.where(frozen, FROZEN_SCALE, scale)
        zero_point = np.where(frozen, 0.0, np.rint(-lo / scale))
        if np.any(whole):
            scale = np.where(whole, 1.0, scale)
            zero_point = np.where(whole, whole_zero_point(lo, hi, top), zero_point)
        value = self.add(
            Quantize((features.value,), scale, zero_point.astype(np.int64), lo=0, hi=top)
        )
        value = filled(self.add, features, value, scale, zero_point, top)
        if not features.steps:
            return QuantizedTensor(value, *_with_constants(frozen, lo, scale, zero_point))
        factor, offset = features.affine()
        if not per_feature and (np.ptp(factor) > 0 or np.ptp(offset) > 0):
            raise UnsupportedModelError(
                "functions of single features in front of an operator that needs one scale for all"
            )
        frozen = frozen | (factor == 0)
        step = np.where(frozen, 1.0, scale * factor)
        return QuantizedTensor(
            value, *_with_constants(frozen, lo * factor + offset, step, zero_point - offset / step)
        )

    def whole_columns(self, features: Features, n_bits: int) -> NDArray[np.bool_]:
        """Columns of integers that codes of `n_bits` hold with a scale of 1, constants left out."""
        raw, lo, hi = with_fill(
            features, np.asarray(features.raw, np.float64), features.lo, features.hi
        )
        hold = unseen_fill(features)
        lo, hi = np.fmin(lo, hold), np.fmax(hi, hold)
        return whole_columns(raw, lo, hi, n_bits) & (lo < hi)

    def codes(
        self,
        x: Features | QuantizedTensor,
        reals: Array,
        *,
        n_bits: int,
        hold: float | None = None,
        method: str | None = None,
    ) -> QuantizedTensor:
        """Narrow codes for an operator that mixes elements, per feature where that is possible.

        Parameters
        ----------
        x : Features or QuantizedTensor
        reals : ndarray of shape (n_rows, ...)
            What the float graph has there for the calibration rows.
        n_bits : int
            Width of the codes of an inner tensor; the input's is ``model_inputs``.
        hold : float, default=None
            One more value that the codes have to hold.
        method : {"minmax", "percentile", "mse", "whole"}, default=None
            How the range is chosen; None: as the settings say. "whole" is for features: a scale of
            1 for integers that the codes hold, "minmax" for others.
        """
        if isinstance(x, Features):
            return self.tensor(x, method)
        n_bits = self.settings.rounding.limit(n_bits)
        if x.is_plain and self.type(x.value).bits <= n_bits:
            return x
        if reals.dtype.kind in "biu":
            scale, zero_point, top = integer_grid(reals, n_bits, hold)
            return self.on_grid(x, scale, zero_point, 0, top)
        if self.settings.discrete:
            values = np.unique(reals) if hold is None else np.union1d(reals, hold)
            grid = discrete_grid(values, n_bits, is_signed=False, is_symmetric=False)
            if grid is not None:
                scale, zero_point = scalar(grid[0]), scalar(grid[1])
                return self.on_grid(x, scale, zero_point, 0, 2**n_bits - 1)
        lo, hi = self.range(reals, n_bits, hold=hold, method=method)
        return self.materialize(x, lo, hi, n_bits)

    def range(
        self,
        reals: Array,
        n_bits: int,
        *,
        hold: float | None = None,
        share: float = LOWERING.headroom,
        method: str | None = None,
    ) -> tuple[float, float]:
        """Range of an inner tensor; with room for other rows where there are bits to spare."""
        method = method or self.settings.range_method
        if self.settings.discrete or self.settings.n_bits["op_inputs"] >= LOWERING.spare_bits:
            method = "minmax"
        lo, hi = find_joint_range(np.asarray(reals, np.float64), self.row_weight, n_bits, method)
        if hold is not None:
            lo, hi = min(lo, hold), max(hi, hold)
        spare = self.settings.n_bits["op_inputs"] >= LOWERING.spare_bits
        room = share * (hi - lo) if spare and not self.settings.discrete else 0.0
        return lo - room, hi + room

    def tensor(self, x: Features | QuantizedTensor, method: str | None = None) -> QuantizedTensor:
        """The tensor itself, or codes of the float input, which is quantized once by a method."""
        if isinstance(x, QuantizedTensor):
            return x
        method = method or self.settings.range_method
        for features, by, tensor in self._features:
            if by == method and all(
                getattr(features, name) == getattr(x, name)
                for name in ("value", "steps", "holds_zero")
            ):
                return tensor
        tensor = self.quantize_features(
            x, self.settings.n_bits["model_inputs"], per_feature=x.raw.ndim == 2, method=method
        )
        self._features.append((x, method, tensor))
        return tensor

    def materialize(self, x: QuantizedTensor, lo: float, hi: float, n_bits: int) -> QuantizedTensor:
        """Codes of `n_bits` on one uniform grid over the reals [lo, hi].

        A plain or clipped tensor takes one requantization; any other function takes a table, whose
        index is the requantized argument.
        """
        top = 2**n_bits - 1
        # steps beside a single value as fine as others: weights behind them are rounded together
        scale = scalar((hi - lo if hi > lo else abs(lo) or 1.0) / top)
        return self.on_grid(x, scale, scalar(np.rint(-lo / scale)), 0, top)

    def on_grid(
        self, x: QuantizedTensor, scale: Array, zero_point: Array, lo: int, hi: int
    ) -> QuantizedTensor:
        """Codes in [lo, hi] that stand for ``(q - zero_point) * scale``."""
        if x.function is None:
            x = x.of_what_is_read()
            bounds = (lo, hi)
            if x.clip is not None:
                clipped = quantize_codes(np.array(x.clip), scale, zero_point, lo, hi)
                bounds = (int(clipped[0]), int(clipped[1]))
            value = self._requantize(x, scale, zero_point, *bounds)
        else:
            index = self._table_index(x, bit_width(lo, hi))
            first, last = self.type(index.value).interval
            with np.errstate(all="ignore"):
                entries = np.array(index.reals(np.arange(first, last + 1)[:, None]))
            value = self.add(Table((index.value,), _as_table(entries, scale, zero_point, lo, hi)))
        return QuantizedTensor(value, scale, zero_point, view=x.view)

    def _table_index(self, x: QuantizedTensor, result_bits: int) -> QuantizedTensor:
        """The argument of a function, narrow enough to index a table."""
        n_bits = self.settings.rounding.table_bits(result_bits)
        if self.type(x.value).bits <= n_bits:
            return x
        argument = replace(x, function=None).of_what_is_read()
        reals = argument.reals(self.sample(x.value))
        if x.view is not None:
            reals = reals.reshape(len(reals), -1)[:, np.unique(x.view)]
        lo, hi = self.range(reals, n_bits, share=LOWERING.table_headroom, method="minmax")
        index = self.materialize(argument, lo, hi, n_bits)
        return replace(index, function=x.function)

    def _requantize(
        self, x: QuantizedTensor, scale: Array, zero_point: Array, lo: int, hi: int
    ) -> int:
        ratio = x.scale / scale
        addend = zero_point - x.zero_point * ratio
        try:
            multiplier, offset, shift = fixed_point(ratio, addend, *self.type(x.value).interval)
        except OverflowError as error:
            remedy = (
                "use fewer bits (n_bits)"
                if np.isfinite(addend).all()
                else "the features are too small or too large for float64 scales: standardize them"
            )
            raise AccumulatorOverflowError(f"requantization: {error}; {remedy}") from None
        return self.add(Requantize((x.value,), multiplier, offset, shift, lo, hi))

    # ---------------------------------------------------------------- layers

    def matmul(
        self,
        x: QuantizedTensor,
        weights: Array,
        target: Array,
        *,
        n_bits: int,
        method: str,
        holds_zero: bool = False,
    ) -> QuantizedTensor:
        """Codes times real weights; the bias is whatever makes the mean output right.

        Parameters
        ----------
        x : QuantizedTensor
            Codes, plain; the scale may be one a feature.
        weights : ndarray of shape (n_in, n_out)
        target : ndarray of shape (n_rows, ..., n_out)
            What the float layer gives for the calibration rows, bias included.
        n_bits : int
            Width of the integer weights.
        method : {"auto", "minmax", "percentile", "mse"}
            How their scales are chosen.
        holds_zero : bool, default=False
            Whether there is no bias: where all inputs are 0, so is the output, exactly.
        """
        codes = self.sample(x.value)
        codes = codes.reshape(-1, codes.shape[-1]).astype(np.float64)
        zero = np.broadcast_to(np.rint(x.zero_point), (codes.shape[-1],))
        if holds_zero:
            codes = codes - zero
        target = target.reshape(-1, target.shape[-1]).astype(np.float64)
        row_weight = np.repeat(self.row_weight, len(codes) // len(self.row_weight))
        if len(codes) > LOWERING.max_layer_rows:
            rows = np.linspace(0, len(codes) - 1, LOWERING.max_layer_rows).astype(np.int64)
            codes, target, row_weight = codes[rows], target[rows], row_weight[rows]
        row_weight = row_weight / row_weight.sum()
        folded = weights * np.broadcast_to(x.scale, (len(weights),))[:, None]
        own = _have_own_integers(codes, folded)
        integers, scale = self._integer_weights(
            x,
            weights,
            np.where(own[:, None], 0.0, folded),
            codes,
            n_bits,
            row_weight,
            method,
            centered=not holds_zero,
        )
        integers[own] = offsets(folded[own], scale)
        value = self.add(MatMul((x.value,), integers))
        if holds_zero:
            return QuantizedTensor(value, scale, zero @ integers)
        if self.settings.discrete:
            # most rows meet the float layer exactly: theirs is the bias
            return QuantizedTensor(
                value, scale, np.median(codes @ integers - target / scale, axis=0)
            )
        mean = (row_weight @ codes) @ integers
        return QuantizedTensor(value, scale, mean - (row_weight @ target) / scale)

    def _integer_weights(
        self,
        x: QuantizedTensor,
        weights: Array,
        folded: Array,
        codes: Array,
        n_bits: int,
        row_weight: NDArray[np.float64],
        method: str,
        *,
        centered: bool = True,
    ) -> tuple[Array, Array]:
        """Integers and one scale an output channel, with ``folded ≈ integers * scale``."""
        if self.settings.discrete and np.ndim(x.scale) == 0:
            found = [_weight_grid(column, n_bits) for column in weights.T]
            if None not in found:
                steps = np.array(found, dtype=np.float64)
                return np.rint(weights / steps).astype(np.int64), steps * x.scale
        if not self.settings.signed_weights:
            lo, hi = folded.min(axis=0, initial=0.0), folded.max(axis=0, initial=0.0)
            if method != "auto":
                lo, hi = find_range(folded, np.ones(len(folded)), lo, hi, n_bits, method)
                lo, hi = np.minimum(lo, 0.0), np.maximum(hi, 0.0)
            hi = np.where(hi > lo, hi, lo + 1.0)
            scale = (hi - lo) / (2**n_bits - 1)
            zero_point = np.rint(-lo / scale)
            integers = quantize_codes(folded, scale, zero_point, 0, 2**n_bits - 1)
            return integers - zero_point.astype(np.int64), scale
        return quantize_weights(folded, codes, n_bits, row_weight, method=method, centered=centered)

    def align(self, x: QuantizedTensor) -> QuantizedTensor:
        """The same reals as integers of one scale with zero point 0, so that order is comparable.

        Nothing is rounded off: channels are multiplied up to a common, finer scale, within the
        53 bits that float64 holds exactly.
        """
        if not x.is_plain:
            raise UnsupportedModelError("scores are compared only where they come from a layer")
        x = x.of_what_is_read()
        if _identity(x) in self._aligned:
            return replace(self._aligned[_identity(x)], view=x.view)
        if x.has_one_scale and x.zero_point == 0 and x.scale > 0:
            return x
        lo, hi = self.type(x.value).interval
        largest = float(np.max(np.abs(x.scale))) or 1.0
        offset = -np.asarray(x.zero_point * x.scale)
        reach = largest * max(-lo, hi, 1) + float(np.max(np.abs(offset)))
        room = int(np.floor(np.log2(EXACT_FLOAT64 / 2 / (reach / largest))))
        common = largest / 2.0 ** min(LOWERING.align_bits, room)
        multiplier = np.rint(x.scale / common).astype(np.int64)
        whole = np.rint(x.zero_point) == x.zero_point  # 0 stays 0
        steps = np.where(whole, -x.zero_point * multiplier, offset / common)
        shape = np.broadcast_shapes(np.shape(x.scale), np.shape(x.zero_point))
        value = self.add(
            Requantize(
                (x.value,),
                np.broadcast_to(multiplier, shape).copy(),
                np.broadcast_to(np.rint(steps).astype(np.int64), shape).copy(),
                shift=0,
                lo=-EXACT_FLOAT64,
                hi=EXACT_FLOAT64,
            )
        )
        aligned = QuantizedTensor(value, scalar(common), scalar(0.0))
        self._aligned[_identity(x)] = aligned
        return replace(aligned, view=x.view)

    def is_above(self, x: QuantizedTensor, threshold: Array, *, or_equal: bool) -> QuantizedTensor:
        """1 where the reals exceed a constant (or equal it), else 0; exact on integers.

        The constant is one number, or one a channel of the integer value.
        """
        x = self.align(x)
        steps = np.asarray(threshold, dtype=np.float64) / x.scale
        least = np.ceil(steps) if or_equal else np.floor(steps) + 1
        offset = np.clip(1 - least, -EXACT_FLOAT64, EXACT_FLOAT64).astype(np.int64)
        one = np.ones_like(offset)
        return QuantizedTensor(
            self.add(Requantize((x.value,), one, offset, shift=0, lo=0, hi=1)),
            scalar(1.0),
            scalar(0.0),
            view=x.view,
        )

    def common(self, *tensors: QuantizedTensor) -> list[QuantizedTensor]:
        """Plain tensors as integers of one positive scale with zero point 0.

        Where all scales are multiples of the least of them nothing is rounded off; else the grid
        is `LOWERING.finer_bits` bits finer than codes over everything that the tensors can reach.
        """
        tensors = tuple(tensor.of_what_is_read() for tensor in tensors)
        width = min(LOWERING.common_bits, self.settings.n_bits["op_inputs"] + LOWERING.finer_bits)
        if self.settings.discrete:
            width = LOWERING.trained_bits
        scales = [np.abs(np.ravel(t.scale)) for t in tensors]
        reach = max(
            float(np.max(np.abs((end - t.zero_point) * t.scale)))
            for t in tensors
            for end in self.type(t.value).interval
        )
        least = min(float(s[s > 0].min(initial=np.inf)) for s in scales)
        exact = np.isfinite(least) and reach / least < 2.0**LOWERING.common_bits
        exact = exact and all(
            np.all(np.rint(part) == part)
            for t in tensors
            for part in (t.scale / least, t.zero_point * t.scale / least)
        )
        step = scalar(least if exact else reach / 2.0**width or 1.0)
        limit = int(np.ceil(reach / step)) + 1
        return [self._on_scale(t, step, limit, exact=exact) for t in tensors]

    def _on_scale(
        self, x: QuantizedTensor, step: Array, limit: int, *, exact: bool
    ) -> QuantizedTensor:
        if x.has_one_scale and x.scale == step and x.zero_point == 0:
            return x
        zero = scalar(0.0)
        if exact:
            shape = np.broadcast_shapes(np.shape(x.scale), np.shape(x.zero_point))
            ratio = np.broadcast_to(np.rint(x.scale / step), shape).astype(np.int64)
            offset = np.rint(-x.zero_point * ratio).astype(np.int64)
            value = self.add(Requantize((x.value,), ratio, offset, 0, -limit, limit))
        else:
            value = self._requantize(x, step, zero, -limit, limit)
        return QuantizedTensor(value, step, zero, view=x.view)

    # ---------------------------------------------------------------- codes -> reals

    def settled(self, x: QuantizedTensor, reals: Array) -> QuantizedTensor:
        """The plain tensor that an output is dequantized from; a function is materialized first."""
        if not x.is_plain:
            n_bits = self.settings.n_bits["model_outputs"]
            x = self.materialize(x, float(reals.min()), float(reals.max()), n_bits)
        # the very integers that labels are decided on
        return replace(self._aligned.get(_identity(x.of_what_is_read()), x), view=x.view)

    def dequantize(self, x: QuantizedTensor) -> int:
        """The float value that a plain tensor in its own arrangement stands for."""
        shape = np.broadcast_shapes(np.shape(x.scale), np.shape(x.zero_point))
        scale = np.broadcast_to(np.asarray(x.scale, np.float64), shape).copy()
        zero_point = np.broadcast_to(np.asarray(x.zero_point, np.float64), shape).copy()
        return self.add(Dequantize((x.value,), scale, zero_point))


def _whole_grids(
    features: Features, raw: Array, lo: Array, scale: Array, top: int
) -> tuple[Array, Array]:
    """Least values and scales, those of columns of whole numbers replaced where codes hold them."""
    least, greatest = np.asarray(features.lo, np.float64), np.asarray(features.hi, np.float64)
    whole: Array | np.bool_ = are_whole(raw) & are_whole(least[None]) & are_whole(greatest[None])
    if np.ndim(lo) == 0:
        whole, least, greatest = whole.all(keepdims=True), least.min(), greatest.max()
    step = whole_step(least, greatest, top)
    holds = whole & ~np.isnan(step) & (greatest > least)
    shape = np.shape(lo)
    return (
        np.where(holds, least, lo).reshape(shape),
        np.where(holds, step, scale).reshape(shape),
    )


def offsets(values: Array, scale: Array) -> NDArray[np.int64]:
    """Reals as integers of a layer's output, as wide as they need: a bias under a condition."""
    return np.rint(np.clip(values / scale, -LARGEST_OFFSET, LARGEST_OFFSET)).astype(np.int64)


def _have_own_integers(codes: Array, folded: Array) -> NDArray[np.bool_]:
    """Inputs that no calibration row varies, with weights that all others would be lost beside.

    They are bits of values that no row has, such as that of unknown categories.
    """
    span = np.ptp(codes, axis=0)
    effect = np.abs(folded).max(axis=1, initial=0.0)
    return (span == 0) & (effect > np.max(effect * span, initial=0.0)) & bool(np.any(span > 0))


def _weight_grid(weights: Array, n_bits: int) -> float | None:
    """Largest step of which all weights are at most ``2**(n_bits - 1)`` multiples, or None."""
    largest = float(np.max(np.abs(weights), initial=0.0))
    if largest == 0:
        return 1.0
    steps = largest / np.arange(1, 2 ** (n_bits - 1) + 1)
    multiples = weights[:, None] / steps
    fits = np.all(np.abs(multiples - np.rint(multiples)) < LOWERING.grid_noise, axis=0)
    return float(steps[np.argmax(fits)]) if fits.any() else None


def _with_constants(
    is_constant: NDArray[np.bool_], constant: Array, scale: Array, zero_point: Array
) -> tuple[Array, Array]:
    """Scales and zero points, by which all codes of some columns stand for a constant."""
    step = np.where(constant == 0, 1.0, np.abs(constant)) * CONSTANT_STEP
    return (
        np.where(is_constant, step, scale),
        np.where(is_constant, -constant / step, zero_point),
    )


def _contents(instruction: Instruction) -> tuple[Any, ...]:
    """What tells instructions apart."""
    contents = (
        (v.shape, v.dtype.str, v.tobytes()) if isinstance(v, np.ndarray) else v
        for v in (getattr(instruction, field.name) for field in fields(instruction))
    )
    return (type(instruction), *contents)


def _identity(x: QuantizedTensor) -> tuple[int, bytes, bytes]:
    """What tells plain tensors apart."""
    return x.value, np.asarray(x.scale).tobytes(), np.asarray(x.zero_point).tobytes()


def _as_table(reals: Array, scale: Array, zero_point: Array, lo: int, hi: int) -> Any:
    """Entries (size, 1) or (size, n_channels) of reals → codes, (size,) or (n_channels, size).

    Where the function is not defined (the argument was rounded out of its domain) the nearest
    entry that is defined stands in.
    """
    for column in reals.T[np.isnan(reals).any(axis=0)]:
        defined = np.flatnonzero(~np.isnan(column))
        if len(defined):
            above = np.searchsorted(defined, np.arange(len(column))).clip(0, len(defined) - 1)
            below = np.maximum(above - 1, 0)
            place = np.arange(len(column))
            is_nearer = place - defined[below] < np.abs(defined[above] - place)
            column[:] = column[defined[np.where(is_nearer, below, above)]]
    codes = quantize_codes(reals, scale, zero_point, lo, hi).T
    return codes[0] if len(codes) == 1 else codes
