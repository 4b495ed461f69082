"""`Lowering`: what operators use to write instructions.

It is a program under construction (`CalibratedProgram`) with the choices that hold for the whole
model. Every layer is calibrated on the outputs of the quantized layers before it, because `sample`
computes any value of the program for the calibration rows.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from skq.numerics import bit_width
from skq.numerics import quantize as quantize_codes
from skq.program import Table
from skq.quantization.lower import scales
from skq.quantization.lower.calibrated_program import CalibratedProgram
from skq.quantization.lower.context import Settings
from skq.quantization.lower.digits import code_bits, product
from skq.quantization.lower.feature_grids import quantize_features
from skq.quantization.lower.integer_weights import have_own_integers, integer_weights, offsets
from skq.quantization.lower.operands import Array, Features, QuantizedTensor, scalar
from skq.quantization.lower.settings import LOWERING
from skq.quantization.lower.tables import table_entries
from skq.quantization.lower.whole_numbers import integer_grid
from skq.quantization.search.grids import discrete_grid
from skq.quantization.search.model_error import ModelError
from skq.quantization.search.ranges import find_joint_range


class Lowering(CalibratedProgram):
    """Program under construction, with calibration integers for every value.

    Parameters
    ----------
    settings : Settings
    row_weight : ndarray of shape (n_rows,)
        Weight of each calibration row; they sum to 1.
    error_weights : mapping of str to ndarray of shape (n_rows, n_columns), default=None
        Weights of squared errors at values of the float graph, where they are known; see
        `skq.quantization.search.sensitivity`.
    model_error : ModelError, default=None
        Effect of errors at values of the float graph on the model's outputs, where it is known.
    trained : mapping of str to TrainedConstant, default=None
        Constants that are integers in the graph; see `skq.quantization.lower.trained`.

    Attributes
    ----------
    builder : ProgramBuilder
    without_missing_code : set of int
        Features whose missing values have no code, though trees read them; see
        `skq.quantization.trees.code_columns`.
    """

    def __init__(
        self,
        settings: Settings,
        row_weight: NDArray[np.float64],
        *,
        error_weights: Mapping[str, NDArray[np.float64]] | None = None,
        model_error: ModelError | None = None,
        trained: Mapping[str, Any] | None = None,
    ) -> None:
        super().__init__()
        self.settings = settings
        self.row_weight = row_weight
        self.error_weights = error_weights or {}
        self.model_error = model_error
        self.trained = trained or {}
        self.without_missing_code: set[int] = set()
        self._aligned: dict[tuple[int, bytes, bytes], QuantizedTensor] = {}
        self._features: list[tuple[Features, tuple[str, int], QuantizedTensor]] = []

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

    def codes(
        self,
        x: Features | QuantizedTensor,
        reals: Array,
        *,
        n_bits: int,
        hold: float | None = None,
        method: str | None = None,
        in_columns: bool = False,
    ) -> QuantizedTensor:
        """Narrow codes for an operator that mixes elements, per feature where that is possible.

        Parameters
        ----------
        x : Features or QuantizedTensor
        reals : ndarray of shape (n_rows, ...)
            Values of the float graph for the calibration rows.
        n_bits : int
            Width of the codes of an inner tensor; the input's is ``model_inputs``.
        hold : float, default=None
            An additional value that needs a code.
        method : {"minmax", "percentile", "mse", "whole"}, default=None
            How the range is chosen. None means the method of the settings. "whole" is for features:
            a scale of 1 for integers that fit the codes, "minmax" for others.
        in_columns : bool, default=False
            Whether codes of features may be as wide as all their columns; see
            `skq.quantization.lower.digits`.
        """
        if isinstance(x, Features):
            return self.tensor(x, method, in_columns=in_columns)
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

    def tensor(
        self, x: Features | QuantizedTensor, method: str | None = None, *, in_columns: bool = False
    ) -> QuantizedTensor:
        """The tensor itself, or codes of the float input, which is quantized once by a method.

        `in_columns`: see `codes`.
        """
        if isinstance(x, QuantizedTensor):
            return x
        method = method or self.settings.range_method
        n_bits = x.n_bits or self.settings.n_bits["model_inputs"]
        if in_columns:
            n_bits = code_bits(self.settings, x)
        for features, by, tensor in self._features:
            if by == (method, n_bits) and all(
                getattr(features, name) == getattr(x, name)
                for name in ("value", "steps", "holds_zero")
            ):
                return tensor
        tensor = quantize_features(
            self,
            x,
            n_bits,
            self.row_weight,
            per_feature=x.raw.ndim == 2,
            method=method,
        )
        self._features.append((x, (method, n_bits), tensor))
        return tensor

    def is_codes_of_input(self, x: QuantizedTensor) -> bool:
        """Whether a tensor is a function of the codes that `tensor` gave the float input."""
        return any(x.value == tensor.value for _, _, tensor in self._features)

    def materialize(self, x: QuantizedTensor, lo: float, hi: float, n_bits: int) -> QuantizedTensor:
        """Codes of `n_bits` on one uniform grid over the reals [lo, hi].

        A plain or clipped tensor takes one requantization; any other function takes a table, whose
        index is the requantized argument.
        """
        top = 2**n_bits - 1
        # for a single value a scale of its magnitude, as weights after it share one grid
        scale = scalar((hi - lo if hi > lo else abs(lo) or 1.0) / top)
        return self.on_grid(x, scale, scalar(np.rint(-lo / scale)), 0, top)

    def on_grid(
        self, x: QuantizedTensor, scale: Array, zero_point: Array, lo: int, hi: int
    ) -> QuantizedTensor:
        """Codes in [lo, hi] that represent ``(q - zero_point) * scale``."""
        if x.function is None:
            x = x.of_what_is_read()
            bounds = (lo, hi)
            if x.clip is not None:
                clipped = quantize_codes(np.array(x.clip), scale, zero_point, lo, hi)
                bounds = (int(clipped[0]), int(clipped[1]))
            value = self.requantize(x, scale, zero_point, *bounds)
        else:
            index = self._table_index(x, bit_width(lo, hi))
            first, last = self.type(index.value).interval
            with np.errstate(all="ignore"):
                entries = np.array(index.reals(np.arange(first, last + 1)[:, None]))
            value = self.add(
                Table((index.value,), table_entries(entries, scale, zero_point, lo, hi))
            )
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
        """Codes times real weights; the bias is chosen so that the mean output is exact.

        Parameters
        ----------
        x : QuantizedTensor
            Codes, plain; the scale may be one per feature.
        weights : ndarray of shape (n_in, n_out)
        target : ndarray of shape (n_rows, ..., n_out)
            Output of the float layer for the calibration rows, including the bias.
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
        has_own = have_own_integers(codes, folded)
        integers, scale = integer_weights(
            self.settings,
            x,
            weights,
            np.where(has_own[:, None], 0.0, folded),
            codes,
            n_bits,
            row_weight,
            method,
            centered=not holds_zero,
        )
        integers[has_own] = offsets(folded[has_own], scale)
        value = product(self, self.settings, x.value, integers)
        if holds_zero:
            return QuantizedTensor(value, scale, zero @ integers)
        if self.settings.discrete:
            # most rows equal the float layer exactly: use their bias
            return QuantizedTensor(
                value, scale, np.median(codes @ integers - target / scale, axis=0)
            )
        mean = (row_weight @ codes) @ integers
        return QuantizedTensor(value, scale, mean - (row_weight @ target) / scale)

    # ---------------------------------------------------------------- one scale

    def align(self, x: QuantizedTensor) -> QuantizedTensor:
        """The same reals as integers of one scale with zero point 0; see `scales.aligned`.

        A tensor is aligned once: labels and scores come from the very same integers.
        """
        x = x.of_what_is_read()
        if _identity(x) not in self._aligned:
            self._aligned[_identity(x)] = scales.aligned(self, x)
        return replace(self._aligned[_identity(x)], view=x.view)

    def is_above(self, x: QuantizedTensor, threshold: Array, *, or_equal: bool) -> QuantizedTensor:
        """1 where the reals exceed a constant (or equal it), else 0; see `scales.is_above`.

        In trained graphs the codes are compared with the threshold in steps of each channel.
        """
        if self.settings.discrete and x.is_plain and np.all(x.scale > 0):
            steps = np.asarray(threshold, np.float64) / x.scale + x.zero_point
            own = replace(x, scale=scalar(1.0), zero_point=scalar(0.0))
            return scales.is_above(self, own, steps, or_equal=or_equal)
        return scales.is_above(self, self.align(x), threshold, or_equal=or_equal)

    def common(self, *tensors: QuantizedTensor) -> list[QuantizedTensor]:
        """Plain tensors as integers of one positive scale; see `scales.on_common_scale`.

        Where something is rounded off, the grid is `LOWERING.finer_bits` bits finer than the codes
        of inner layers.
        """
        width = min(LOWERING.common_bits, self.settings.n_bits["op_inputs"] + LOWERING.finer_bits)
        if self.settings.discrete:
            width = LOWERING.trained_bits
        return scales.on_common_scale(self, tensors, width)

    # ---------------------------------------------------------------- outputs

    def settled(self, x: QuantizedTensor, reals: Array) -> QuantizedTensor:
        """The plain tensor that an output is dequantized from; a function is materialized first."""
        if not x.is_plain:
            n_bits = self.settings.n_bits["model_outputs"]
            x = self.materialize(x, float(reals.min()), float(reals.max()), n_bits)
        # the same integers that labels are decided on
        return replace(self._aligned.get(_identity(x.of_what_is_read()), x), view=x.view)


def _identity(x: QuantizedTensor) -> tuple[int, bytes, bytes]:
    """Key that identifies a plain tensor."""
    return x.value, np.asarray(x.scale).tobytes(), np.asarray(x.zero_point).tobytes()
