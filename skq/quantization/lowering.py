"""`Lowering`: what operators use to write instructions.

It holds the program under construction and, for each value, the integers that the calibration rows
give there, so every layer is calibrated on the outputs of the quantized layers before it.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from skq.engines.reference import execute
from skq.exceptions import AccumulatorOverflowError, UnsupportedModelError
from skq.numerics import EXACT_FLOAT64, fixed_point
from skq.numerics import quantize as quantize_codes
from skq.program import (
    Dequantize,
    Instruction,
    MatMul,
    ProgramBuilder,
    Quantize,
    Requantize,
    Table,
    TensorType,
)
from skq.quantization.operands import Array, Features, QuantizedTensor
from skq.quantization.rounding import Rounding
from skq.quantization.weights import quantize_weights

#: Step of a column that held one value in calibration: every other value gets the same code.
FROZEN_SCALE = float(np.finfo(np.float64).max / 4)

#: A zero point is held as an integer; a column's offset may not exceed this many steps.
MAX_ZERO_POINT = 2.0**62

#: Bits by which scores of several channels are refined when they are brought to one scale.
ALIGN_BITS = 24


@dataclass(frozen=True)
class Settings:
    """Choices that hold for a whole model.

    Parameters
    ----------
    n_bits : dict of str to int
        As `get_n_bits_dict` gives it.
    rounding : Rounding
    calibration : {"auto", "minmax"}
        How quantization parameters are chosen.
    """

    n_bits: dict[str, int]
    rounding: Rounding
    calibration: str = "auto"


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
    """

    def __init__(self, settings: Settings, row_weight: NDArray[np.float64]) -> None:
        self.settings = settings
        self.row_weight = row_weight
        self.builder = ProgramBuilder()
        self._samples: dict[int, Array] = {}
        self._steps: dict[int, Instruction] = {}
        self._aligned: dict[tuple[int, bytes, bytes], QuantizedTensor] = {}

    def input(self, raw: Array, lo: Array, hi: Array, *, has_missing: bool = False) -> Features:
        """Declare a float input; see `Features`."""
        value = self.builder.input(TensorType(raw.shape[1:]))
        self._samples[value] = raw
        return Features(value, raw, lo, hi, has_missing)

    def add(self, instruction: Instruction) -> int:
        """Append an instruction and return the number of its value."""
        value = self.builder.add(instruction)
        self._steps[value] = instruction
        return value

    def type(self, value: int) -> TensorType:
        """Type of a value."""
        return self.builder.types[value]

    def sample(self, value: int) -> Array:
        """What the calibration rows give at a value; computed when it is first asked for."""
        if value not in self._samples:
            step = self._steps[value]
            operands = [self.sample(operand) for operand in step.inputs]
            types = [self.type(operand) for operand in step.inputs]
            self._samples[value] = execute(step, types, operands)
        return self._samples[value]

    # ---------------------------------------------------------------- reals -> codes

    def quantize_features(
        self, features: Features, n_bits: int, *, per_feature: bool
    ) -> QuantizedTensor:
        """Codes of the float input: a uniform grid for each feature, or one for all."""
        top = 2**n_bits - 1
        lo, hi = np.asarray(features.lo, np.float64), np.asarray(features.hi, np.float64)
        if not per_feature:
            lo, hi = np.float64(min(lo.min(), 0.0)), np.float64(max(hi.max(), 0.0))
        scale = hi / top - lo / top
        frozen = ~(scale > 0)
        scale = np.maximum(scale, np.abs(lo) / MAX_ZERO_POINT)
        scale = np.where(frozen, FROZEN_SCALE, scale)
        zero_point = np.where(frozen, 0.0, np.rint(-lo / scale))
        value = self.add(
            Quantize((features.value,), scale, zero_point.astype(np.int64), lo=0, hi=top)
        )
        scale = np.where(frozen, 0.0, scale)
        if not features.steps:
            return QuantizedTensor(value, scale, zero_point)
        factor, offset = features.affine()
        if not per_feature and (np.ptp(factor) > 0 or np.ptp(offset) > 0):
            raise UnsupportedModelError(
                "functions of single features in front of an operator that needs one scale for all"
            )
        step = scale * factor
        safe = np.where(step == 0, 1.0, step)
        return QuantizedTensor(value, step, zero_point - np.where(step == 0, 0.0, offset / safe))

    def codes(self, x: Features | QuantizedTensor, reals: Array, *, n_bits: int) -> QuantizedTensor:
        """Narrow codes for an operator that mixes elements, per feature where that is possible.

        Parameters
        ----------
        x : Features or QuantizedTensor
        reals : ndarray of shape (n_rows, ...)
            What the float graph has there for the calibration rows.
        n_bits : int
            Width of the codes of an inner tensor; the input's is ``model_inputs``.
        """
        if isinstance(x, Features):
            per_feature = reals.ndim == 2
            return self.quantize_features(
                x, self.settings.n_bits["model_inputs"], per_feature=per_feature
            )
        n_bits = self.settings.rounding.limit(n_bits)
        if x.is_plain and self.type(x.value).bits <= n_bits:
            return x
        return self.materialize(x, float(reals.min()), float(reals.max()), n_bits)

    def materialize(
        self, x: QuantizedTensor, lo: float, hi: float, n_bits: int
    ) -> QuantizedTensor:
        """Codes of `n_bits` on one uniform grid over the reals [lo, hi].

        A plain or clipped tensor takes one requantization; any other function takes a table, whose
        index is the requantized argument.
        """
        top = 2**n_bits - 1
        scale = np.float64((hi - lo) / top if hi > lo else 1.0)
        zero_point = np.float64(np.rint(-lo / scale))
        if x.function is None:
            bounds = (0, top)
            if x.clip is not None:
                clipped = quantize_codes(np.array(x.clip), scale, zero_point, 0, top)
                bounds = (int(clipped[0]), int(clipped[1]))
            value = self._requantize(x, scale, zero_point, *bounds)
        else:
            index = self._table_index(x)
            first, last = self.type(index.value).interval
            entries = index.reals(np.arange(first, last + 1)[:, None])
            value = self.add(
                Table((index.value,), _as_table(entries, scale, zero_point, top))
            )
        return QuantizedTensor(value, scale, zero_point)

    def _table_index(self, x: QuantizedTensor) -> QuantizedTensor:
        """The argument of a function, narrow enough to index a table."""
        n_bits = self.settings.rounding.table_bits
        if self.type(x.value).bits <= n_bits:
            return x
        argument = replace(x, function=None)
        reals = argument.reals(self.sample(x.value))
        index = self.materialize(argument, float(reals.min()), float(reals.max()), n_bits)
        return replace(index, function=x.function)

    def _requantize(
        self, x: QuantizedTensor, scale: Array, zero_point: Array, lo: int, hi: int
    ) -> int:
        ratio = x.scale / scale
        try:
            multiplier, offset, shift = fixed_point(
                ratio, zero_point - x.zero_point * ratio, *self.type(x.value).interval
            )
        except OverflowError as error:
            raise AccumulatorOverflowError(
                f"requantization: {error}; use fewer bits (n_bits)"
            ) from None
        return self.add(Requantize((x.value,), multiplier, offset, shift, lo, hi))

    # ---------------------------------------------------------------- layers

    def matmul(
        self, x: QuantizedTensor, weights: Array, target: Array, *, n_bits: int
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
        """
        codes = self.sample(x.value)
        codes = codes.reshape(-1, codes.shape[-1]).astype(np.float64)
        target = target.reshape(-1, target.shape[-1]).astype(np.float64)
        row_weight = np.repeat(self.row_weight, len(codes) // len(self.row_weight))
        row_weight = row_weight / row_weight.sum()
        folded = weights * np.broadcast_to(x.scale, (len(weights),))[:, None]
        integers, scale = quantize_weights(
            folded, codes, n_bits, row_weight, method=self.settings.calibration
        )
        value = self.add(MatMul((x.value,), integers))
        mean = (row_weight @ codes) @ integers
        return QuantizedTensor(value, scale, mean - (row_weight @ target) / scale)

    def align(self, x: QuantizedTensor) -> QuantizedTensor:
        """The same reals as integers of one scale with zero point 0, so that order is comparable.

        Nothing is rounded off: channels are multiplied up to a common, finer scale, within the
        53 bits that float64 holds exactly.
        """
        if not x.is_plain:
            raise UnsupportedModelError("scores are compared only where they come from a layer")
        if _identity(x) in self._aligned:
            return self._aligned[_identity(x)]
        if np.ndim(x.scale) == 0 and np.ndim(x.zero_point) == 0 and x.zero_point == 0:
            return x
        lo, hi = self.type(x.value).interval
        largest = float(np.max(np.abs(x.scale)))
        offset = -np.asarray(x.zero_point * x.scale)
        reach = largest * max(-lo, hi, 1) + float(np.max(np.abs(offset)))
        room = int(np.floor(np.log2(EXACT_FLOAT64 / 2 / (reach / largest))))
        common = largest / 2.0 ** min(ALIGN_BITS, room)
        multiplier = np.rint(x.scale / common).astype(np.int64)
        shape = np.broadcast_shapes(np.shape(x.scale), np.shape(x.zero_point))
        value = self.add(
            Requantize(
                (x.value,),
                np.broadcast_to(multiplier, shape).copy(),
                np.broadcast_to(np.rint(offset / common).astype(np.int64), shape).copy(),
                shift=0,
                lo=-EXACT_FLOAT64,
                hi=EXACT_FLOAT64,
            )
        )
        aligned = QuantizedTensor(value, np.float64(common), np.float64(0.0))
        self._aligned[_identity(x)] = aligned
        return aligned

    def is_above(self, x: QuantizedTensor, threshold: Array, *, or_equal: bool) -> QuantizedTensor:
        """1 where the reals exceed a constant (or equal it), else 0; exact on integers."""
        x = self.align(x)
        steps = np.asarray(threshold, dtype=np.float64) / x.scale
        least = np.ceil(steps) if or_equal else np.floor(steps) + 1
        offset = np.clip(1 - least, -EXACT_FLOAT64, EXACT_FLOAT64).astype(np.int64)
        one = np.ones_like(offset)
        return QuantizedTensor(
            self.add(Requantize((x.value,), one, offset, shift=0, lo=0, hi=1)),
            np.float64(1.0),
            np.float64(0.0),
        )

    # ---------------------------------------------------------------- codes -> reals

    def dequantize(self, x: QuantizedTensor, reals: Array) -> int:
        """The float value that a tensor stands for; a function of it is materialized first."""
        if not x.is_plain:
            n_bits = self.settings.n_bits["model_outputs"]
            x = self.materialize(x, float(reals.min()), float(reals.max()), n_bits)
        x = self._aligned.get(_identity(x), x)  # the very integers that labels are decided on
        shape = np.broadcast_shapes(np.shape(x.scale), np.shape(x.zero_point))
        scale = np.broadcast_to(np.asarray(x.scale, np.float64), shape).copy()
        zero_point = np.broadcast_to(np.asarray(x.zero_point, np.float64), shape).copy()
        return self.add(Dequantize((x.value,), scale, zero_point))


def _identity(x: QuantizedTensor) -> tuple[int, bytes, bytes]:
    """What tells plain tensors apart."""
    return x.value, np.asarray(x.scale).tobytes(), np.asarray(x.zero_point).tobytes()


def _as_table(reals: Array, scale: Array, zero_point: Array, top: int) -> Any:
    """Entries (size, 1) or (size, n_channels) of reals → codes, (size,) or (n_channels, size)."""
    codes = quantize_codes(reals, scale, zero_point, 0, top).T
    return codes[0] if len(codes) == 1 else codes
