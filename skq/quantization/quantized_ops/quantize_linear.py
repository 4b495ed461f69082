"""QuantizeLinear and DequantizeLinear: the grids of a graph, which are used unchanged."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from skq.frontend.bisection import last_that_holds
from skq.program import Bin, Quantize, Requantize
from skq.quantization.base_quantized_op import QuantizedOp, quantizes
from skq.quantization.lower import combine
from skq.quantization.lower.lowering import Lowering
from skq.quantization.lower.operands import Array, Features, Operand, QuantizedTensor, scalar
from skq.quantization.lower.trained import check_scale, on_given_grid, trained_codes

#: Greatest distance of an offset of the input from a whole number of steps, in steps.
WHOLE = 1e-6

#: Most edges between codes of a feature.
MAX_EDGES = 255


class _Grid(QuantizedOp):
    """Base class of both: constant scales, and one zero point."""

    raw_inputs = frozenset({1, 2})

    def _grid(self, x: Sequence[Any], n_axes: int) -> tuple[Array, int]:
        """Scale, as it meets a row, and zero point; `n_axes` with that of the rows."""
        scale, zero_point = x[1], x[2] if len(x) > 2 and x[2] is not None else np.zeros((), int)
        names = [*self.node.inputs, *map(str, range(3))]
        if not isinstance(scale, np.ndarray) or not isinstance(zero_point, np.ndarray):
            raise self.unsupported("scale and zero point must be constant")
        check_scale(self.node, scale)
        points = np.unique(np.asarray(zero_point, np.float64))
        if points.size != 1:
            raise self.unsupported(
                f"the activation {names[0]!r} must have one zero point. "
                f"Got {points.size} in {names[2]!r}"
            )
        if points[0] != np.rint(points[0]):
            raise self.unsupported(f"the zero point {names[2]!r} must be whole. Got {points[0]}")
        if self.attributes.get("block_size", 0):
            raise self.unsupported(
                f"the activation {names[0]!r} has block-wise scales {names[1]!r}: sums over blocks "
                "of different scales are no integers"
            )
        if scale.size == 1:
            return scalar(scale.ravel()[0]), int(points[0])
        axis = int(self.attributes.get("axis", 1)) % n_axes
        if axis == 0:
            raise self.unsupported(f"the scales {names[1]!r} differ from row to row (axis 0)")
        return np.asarray(scale, np.float64).reshape(-1, *(1,) * (n_axes - 1 - axis)), int(
            points[0]
        )


@quantizes("QuantizeLinear")
class QuantizedQuantizeLinear(_Grid):
    """Codes on the given grid: the input quantizer, or one requantization."""

    def lower(
        self, low: Lowering, x: Sequence[Any], reals: Sequence[Any], outputs: Sequence[Array]
    ) -> Sequence[Operand]:
        scale, zero_point = self._grid(x, reals[0].ndim)
        limits = np.iinfo(outputs[0].dtype)
        lo, hi = int(limits.min), int(limits.max)
        one, zero = scalar(1.0), scalar(0.0)
        is_input = isinstance(x[0], Features) and x[0].fill is None
        if scale.ndim and not (is_input and reals[0].ndim == 2):
            raise self.unsupported(
                f"the activation {self.node.inputs[0]!r} has several scales, "
                f"{self.node.inputs[1]!r}; only columns of the model's input may have"
            )
        if is_input:
            value = self._of_features(low, x[0], scale, zero_point, lo, hi)
            return [QuantizedTensor(value, one, zero)]
        tensor = low.tensor(x[0])
        if low.settings.discrete and low.is_codes_of_input(tensor):
            raise self.unsupported(
                f"its input {self.node.inputs[0]!r} is the model's input after operators that are "
                "no part of its quantizer, so it would be rounded twice; an affine step of a whole "
                "number of steps, on rows of features, is one: quantize the input itself"
            )
        codes = on_given_grid(low, tensor, float(scale), zero_point, lo, hi)
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
                f"its input {self.node.inputs[0]!r} is the model's input after an affine step that "
                "turns a feature around or makes it constant: quantize the input itself"
            )
        moved = np.rint(offset / scale)
        if np.any(np.abs(offset / scale - moved) > WHOLE):
            if x.raw.ndim != 2 or hi - lo > MAX_EDGES or scale.ndim:
                raise self.unsupported(
                    f"its input {self.node.inputs[0]!r} is the model's input after an affine step "
                    "that moves it by no whole number of steps of the grid, "
                    f"{scale.ravel()[0]:g}, which is supported for rows of features with 8 bits "
                    "and one scale: quantize the input itself"
                )
            return low.add(_bins(x, float(scale), zero_point, lo, hi))
        if np.all(factor == 1) and np.all(moved == moved.ravel()[:1]):
            steps, moved = np.asarray(scale), moved.ravel()[0]
        else:
            steps = scale / factor
        odd = zero_point % 2
        zeros = np.broadcast_to(moved + zero_point - odd, np.shape(steps)).astype(np.int64)
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
    """The same integers as real values: no instruction."""

    def lower(
        self, low: Lowering, x: Sequence[Any], reals: Sequence[Any], outputs: Sequence[Array]
    ) -> Sequence[Operand]:
        scale, zero_point = self._grid(x, reals[0].ndim)
        tensor = low.tensor(x[0])
        if tensor.clip is not None and tensor.has_one_scale:
            tensor = trained_codes(low, tensor, self.node.inputs[0])
        if scale.ndim:
            return [combine.affine(low, tensor, scale, -zero_point * scale, reals[0])]
        if tensor.is_plain and tensor.has_one_scale and tensor.scale == 1:
            moved = tensor.zero_point + zero_point
            return [QuantizedTensor(tensor.value, scale, moved, view=tensor.view)]
        return [tensor.affine(scale, -zero_point * scale)]
