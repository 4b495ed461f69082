"""Sums, means and extremes over axes."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Sequence
from dataclasses import replace
from typing import Any, ClassVar

import numpy as np

from skq.program import Max, Min, Mul, Sum
from skq.quantization.base_quantized_op import QuantizedMixingOp, quantizes
from skq.quantization.lower import combine
from skq.quantization.lower.lowering import Lowering
from skq.quantization.lower.operands import Array, Operand, QuantizedTensor, scalar
from skq.quantization.lower.truth_values import truncated_quotient
from skq.quantization.lower.views import at, elements, lay_out, moved

#: Greatest number of elements that ReduceProd multiplies.
MOST_FACTORS = 8
#: Widest exact product of ReduceProd, and the width of a product that is requantized, in bits.
EXACT_BITS, WIDEST_FACTOR = 48, 16


class _Reduction(QuantizedMixingOp):
    """A reduction over axes of a row."""

    follows_link = True
    raw_inputs = frozenset({1})

    #: Verb for the operator in messages.
    verb: ClassVar[str]

    def lower(
        self, low: Lowering, x: Sequence[Any], reals: Sequence[Any], outputs: Sequence[Array]
    ) -> Sequence[Operand]:
        axes = self._axes(x, reals[0].ndim)
        if not axes:
            return [low.tensor(x[0])]
        if 0 in axes:
            raise self.unsupported(f"it {self.verb} rows (axis 0)")
        last = [axis - 1 for axis in axes]
        result = self._reduced(low, x[0], reals[0], last, outputs[0])
        if self.attributes.get("keepdims", 1):
            result = with_axes(low, result, last)
        return [result]

    @abstractmethod
    def _reduced(
        self, low: Lowering, x: Any, reals: Array, last: Sequence[int], output: Array
    ) -> QuantizedTensor:
        """The operand reduced over axes of a row, without these axes."""

    def _axes(self, x: Sequence[Any], n_axes: int) -> list[int]:
        """Axes to reduce, rows included, or none."""
        given = x[1] if len(x) > 1 else self.attributes.get("axes")
        if given is not None and not isinstance(given, np.ndarray | tuple | list):
            raise self.unsupported("the axes must be constant")
        axes = [] if given is None else [int(axis) % n_axes for axis in np.ravel(given)]
        if not axes and not self.attributes.get("noop_with_empty_axes", 0):
            return list(range(n_axes))
        return sorted(axes)


def cells_of(indices: Array, last: Sequence[int]) -> Array:
    """Axes of a row to reduce, as one axis at the end."""
    others = [axis for axis in range(indices.ndim) if axis not in last]
    lead = tuple(indices.shape[axis] for axis in others)
    return np.ascontiguousarray(indices.transpose(*others, *last)).reshape(*lead, -1)


def with_axes(low: Lowering, x: QuantizedTensor, last: Sequence[int]) -> QuantizedTensor:
    """A result with the reduced axes, of length 1."""
    return moved(low, x, np.expand_dims(elements(low, x), tuple(last)))


def extreme(
    low: Lowering, x: Any, reals: Array, last: Sequence[int], *, is_largest: bool = True
) -> QuantizedTensor:
    """Largest or least element over axes of a row; exact on integers of one scale.

    Parameters
    ----------
    last : sequence of int
        Axes of the row, without that of the rows.
    """
    tensor = combine.plain(low, x, reals)
    indices = cells_of(elements(low, tensor), last)
    if _differ(low, tensor, indices) or np.any(tensor.scale <= 0):
        (tensor,) = low.common(tensor)
    parameters = [at(low, tensor, p, indices[..., 0]) for p in (tensor.scale, tensor.zero_point)]
    rows = lay_out(low, tensor.value, indices, parameters, reduced=True)
    instruction = Max if is_largest else Min
    return replace(rows, value=low.add(instruction((rows.value,))))


def _differ(low: Lowering, tensor: QuantizedTensor, indices: Array) -> bool:
    """Whether elements that are reduced together have different scales or zero points."""
    vectors = [p for p in (tensor.scale, tensor.zero_point) if np.ndim(p)]
    return any(np.ptp(at(low, tensor, p, indices), axis=-1).any() for p in vectors)


class _ReduceExtreme(_Reduction):
    """The largest or the least element over axes of a row."""

    follows_link = False
    stays_on_grid = True
    verb = "compares"

    is_largest: ClassVar[bool]

    def _reduced(
        self, low: Lowering, x: Any, reals: Array, last: Sequence[int], output: Array
    ) -> QuantizedTensor:
        return extreme(low, x, reals, last, is_largest=self.is_largest)


@quantizes("ReduceMax")
class QuantizedReduceMax(_ReduceExtreme):
    """Greatest element over axes of a row; exact."""

    is_largest = True


@quantizes("ReduceMin")
class QuantizedReduceMin(_ReduceExtreme):
    """Least element over axes of a row; exact."""

    is_largest = False


@quantizes("ReduceProd")
class QuantizedReduceProd(_Reduction):
    """Product over axes of a row: codes are multiplied one after the other.

    The relative errors of the factors add up, so there may be at most `MOST_FACTORS`. A partial
    product is requantized where its width, and that of the next factor, exceed `EXACT_BITS`.
    """

    follows_link = False
    verb = "multiplies"

    def _reduced(
        self, low: Lowering, x: Any, reals: Array, last: Sequence[int], output: Array
    ) -> QuantizedTensor:
        tensor = low.tensor(x)
        numbers = cells_of(np.arange(reals[0].size).reshape(reals.shape[1:]), last)
        n_factors = numbers.shape[-1]
        if not 1 <= n_factors <= MOST_FACTORS:
            raise self.unsupported(
                f"it multiplies {n_factors} elements, and the relative errors of all factors add "
                f"up; 1 to {MOST_FACTORS} can be multiplied"
            )
        flat = np.asarray(reals, np.float64).reshape(len(reals), -1)
        codes = low.codes(tensor, reals, n_bits=low.settings.n_bits["op_inputs"])
        (codes,) = low.common(codes)
        indices = cells_of(elements(low, codes), last)
        product, so_far = moved(low, codes, indices[..., 0]), flat[:, numbers[..., 0]]
        for i in range(1, n_factors):
            product = self._times(low, product, moved(low, codes, indices[..., i]), so_far)
            so_far = so_far * flat[:, numbers[..., i]]
        return product

    @staticmethod
    def _times(
        low: Lowering, product: QuantizedTensor, factor: QuantizedTensor, reals: Array
    ) -> QuantizedTensor:
        """The product so far (real values `reals`) times one more factor; exact if it fits."""
        bits = low.type(factor.value).bits
        if low.type(product.value).bits + bits > EXACT_BITS:
            (product,) = low.common(low.codes(product, reals, n_bits=WIDEST_FACTOR))
        first, second, view = combine.broadcast(low, product, factor)
        value = low.add(Mul((first, second)))
        return QuantizedTensor(value, product.scale * factor.scale, scalar(0.0), view=view)


@quantizes("ReduceSum")
class QuantizedReduceSum(_Reduction):
    """Sum over axes of a row; exact."""

    #: Whether the sum is divided by the number of elements.
    is_mean: ClassVar[bool] = False

    verb = "adds up"

    def _reduced(
        self, low: Lowering, x: Any, reals: Array, last: Sequence[int], output: Array
    ) -> QuantizedTensor:
        tensor = combine.plain(low, low.tensor(x), reals)
        indices = cells_of(elements(low, tensor), last)
        if _differ(low, tensor, indices):
            (tensor,) = low.common(tensor)
        count = indices.shape[-1]
        scale, zero_point = (
            at(low, tensor, p, indices[..., 0]) for p in (tensor.scale, tensor.zero_point)
        )
        truncates = self.is_mean and output.dtype.kind in "iu"
        divisor = float(count) if self.is_mean and not truncates else 1.0
        parameters = [scale / divisor, zero_point * count]
        rows = lay_out(low, tensor.value, indices, parameters, reduced=True)
        total = replace(rows, value=low.add(Sum((rows.value,))))
        if truncates:
            total = truncated_quotient(low, total, np.asarray(float(count)))
        return total


@quantizes("ReduceMean")
class QuantizedReduceMean(QuantizedReduceSum):
    """Mean over axes of a row; exact."""

    is_mean = True
