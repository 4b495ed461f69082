"""QuantizeLinear and DequantizeLinear: the grids of a graph, which are used unchanged."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from skq.frontend.bisection import last_that_holds
from skq.program import Bin, Quantize, Requantize
from skq.quantization.base_quantized_op import QuantizedOp, quantizes
from skq.quantization.lower.lowering import Lowering
from skq.quantization.lower.operands import Array, Features, Operand, QuantizedTensor, scalar
from skq.quantization.lower.trained import check_scale, on_given_grid, trained_codes

#: Greatest distance of an offset of the input from a whole number of steps, in steps.
WHOLE = 1e-6

#: Most edges between codes of a feature.
MAX_EDGES = 255


class _Grid(QuantizedOp):
    """What both have in common: one scale and zero point, which are constant."""

    raw_inputs = frozenset({1, 2})

    def _grid(self, x: Sequence[Any]) -> tuple[Array, Array]:
        scale, zero_point = x[1], x[2] if len(x) > 2 and x[2] is not None else np.zeros((), int)
        if not isinstance(scale, np.ndarray) or not isinstance(zero_point, np.ndarray):
            raise self.unsupported("scale and zero point must be constant")
        if scale.size != 1 or zero_point.size != 1:
            raise self.unsupported("an activation has one scale and one zero point")
        check_scale(self.node, scale)
        if zero_point.ravel()[0] != np.rint(zero_point.ravel()[0]):
            raise self.unsupported(f"the zero point must be whole; got {zero_point.ravel()[0]}")
        return scalar(scale.ravel()[0]), scalar(zero_point.ravel()[0])


@quantizes("QuantizeLinear")
class QuantizedQuantizeLinear(_Grid):
    """Codes on the given grid: the input quantizer, or one requantization."""

    def lower(
        self, low: Lowering, x: Sequence[Any], reals: Sequence[Any], outputs: Sequence[Array]
    ) -> Sequence[Operand]:
        scale, zero_point = self._grid(x)
        limits = np.iinfo(outputs[0].dtype)
        lo, hi = int(limits.min), int(limits.max)
        one, zero = scalar(1.0), scalar(0.0)
        if isinstance(x[0], Features) and x[0].fill is None:
            value = self._of_features(low, x[0], scale, int(zero_point), lo, hi)
            return [QuantizedTensor(value, one, zero)]
        codes = on_given_grid(low, low.tensor(x[0]), float(scale), int(zero_point), lo, hi)
        return [QuantizedTensor(codes.value, one, zero, view=codes.view)]

    def _of_features(
        self, low: Lowering, x: Features, scale: Array, zero_point: int, lo: int, hi: int
    ) -> int:
        """Codes of the float input, of which features may be scaled and moved.

        If they are moved by whole steps, this is a Quantize. ONNX adds the zero point after
        rounding, Quantize before. That makes a difference at ties, where the zero point is odd: one
        step is added then. Otherwise the codes are counts of edges.
        """
        factor, offset = x.affine()
        if np.any(factor <= 0):
            raise self.unsupported(
                "its input is the model's input after an affine step that turns a feature around "
                "or makes it constant: quantize the input itself"
            )
        moved = np.rint(offset / scale)
        if np.any(np.abs(offset / scale - moved) > WHOLE):
            if x.raw.ndim != 2 or hi - lo > MAX_EDGES:
                raise self.unsupported(
                    "its input is the model's input after an affine step that moves it by no whole "
                    f"number of steps of the grid, {scale:g}, which is supported for rows of "
                    "features with 8 bits: quantize the input itself"
                )
            return low.add(_bins(x, float(scale), zero_point, lo, hi))
        if np.all(factor == 1) and np.all(moved == moved.ravel()[:1]):
            steps, moved = np.asarray(scale), moved.ravel()[0]
        else:
            steps = scale / factor
        odd = zero_point % 2
        zeros = np.asarray(moved + zero_point - odd).astype(np.int64)
        codes = low.add(Quantize((x.value,), steps, zeros, lo - odd, hi - odd))
        if not odd:
            return codes
        one = np.ones((), np.int64)
        return low.add(Requantize((codes,), one, one, 0, lo, hi))


def _bins(x: Features, scale: float, zero_point: int, lo: int, hi: int) -> Bin:
    """Edges between the codes of each feature: the last double of each but the greatest."""
    factor, offset = x.affine()
    n_features, code = len(factor), np.arange(lo, hi, dtype=np.float64)
    feature = np.repeat(np.arange(n_features), len(code))
    last = np.tile(code, n_features)

    def is_at_most(values: Array) -> NDArray[np.bool_]:
        with np.errstate(over="ignore"):
            return np.asarray(np.rint(x.apply(values, feature) / scale) + zero_point <= last)

    guess = ((last - zero_point + 0.5) * scale - offset[feature]) / factor[feature]
    return Bin(
        (x.value,),
        np.arange(n_features),
        last_that_holds(is_at_most, guess),
        np.arange(n_features + 1) * len(code),
        np.full(n_features, lo),
        np.full(n_features, lo),
    )


@quantizes("DequantizeLinear")
class QuantizedDequantizeLinear(_Grid):
    """The same integers, standing for reals again: no instruction."""

    def lower(
        self, low: Lowering, x: Sequence[Any], reals: Sequence[Any], outputs: Sequence[Array]
    ) -> Sequence[Operand]:
        scale, zero_point = self._grid(x)
        tensor = low.tensor(x[0])
        if tensor.clip is not None and tensor.has_one_scale:
            tensor = trained_codes(low, tensor)
        if tensor.is_plain and tensor.has_one_scale and tensor.scale == 1:
            zero_point = tensor.zero_point + zero_point
            return [QuantizedTensor(tensor.value, scale, zero_point, view=tensor.view)]
        return [tensor.affine(scale, -zero_point * scale)]
