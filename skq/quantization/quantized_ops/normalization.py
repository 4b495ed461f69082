"""Normalizations by a sum, or by the moments, of each row: a table of its inverse, and a product.

They are not exact: an inverse is looked up on a grid, and codes are multiplied with it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from skq.graph.ops.normalization import neighbouring_channels
from skq.program import Sum
from skq.quantization.base_quantized_op import QuantizedMixingOp, quantizes
from skq.quantization.lower import combine
from skq.quantization.lower.inverse import inverse
from skq.quantization.lower.lowering import Lowering
from skq.quantization.lower.operands import Array, Operand, QuantizedTensor, scalar
from skq.quantization.lower.views import elements, lay_out, moved, select
from skq.quantization.quantized_ops.reduction import cells_of, extreme, with_axes

#: Least and greatest width of the codes that are multiplied with an inverse.
NARROWEST, WIDEST = 8, 12


def total(low: Lowering, x: QuantizedTensor, last: Sequence[int]) -> QuantizedTensor:
    """Sum over axes of a row, which get the length 1; the tensor has one scale."""
    indices = cells_of(elements(low, x), last)
    parameters = [x.scale, x.zero_point * indices.shape[-1]]
    rows = lay_out(low, x.value, indices, parameters, reduced=True)
    found = replace(rows, value=low.add(Sum((rows.value,))))
    return moved(low, found, np.expand_dims(elements(low, found), tuple(last)))


def _width(low: Lowering) -> int:
    return min(max(low.settings.n_bits["op_inputs"], NARROWEST), WIDEST)


def _below_largest(low: Lowering, x: Any, reals: Array, last: int) -> QuantizedTensor:
    (tensor,) = low.common(combine.plain(low, x, reals))
    greatest = with_axes(low, extreme(low, tensor, reals, [last]), [last])
    return combine.subtract(low, tensor, greatest)


def _exponentials(low: Lowering, difference: QuantizedTensor) -> QuantizedTensor:
    """``exp`` of numbers up to 0, in [0, 1]; 1 is a code."""
    top = 2 ** _width(low) - 1
    reach = float(np.log(4 * top))  # from this distance on the code is 0: a quarter of a step
    n_bits = low.settings.rounding.table_bits(_width(low))
    index = low.materialize(difference.clipped(-reach, 0.0), -reach, 0.0, n_bits)
    return low.on_grid(index.then(np.exp), scalar(1.0 / top), scalar(0.0), 0, top)


class _OfRows(QuantizedMixingOp):
    """A normalization along an axis of a row."""

    def lower(
        self, low: Lowering, x: Sequence[Any], reals: Sequence[Any], outputs: Sequence[Array]
    ) -> Sequence[Operand]:
        axis = int(self.attributes.get("axis", -1)) % reals[0].ndim
        if axis == 0:
            raise self.unsupported("it normalizes over rows (axis 0)")
        return [self.normalized(low, x[0], reals[0], axis - 1)]

    def normalized(self, low: Lowering, x: Any, reals: Array, last: int) -> QuantizedTensor:
        """The tensor normalized over an axis of the row."""
        raise NotImplementedError


@quantizes("Softmax")
class QuantizedSoftmax(_OfRows):
    """``exp(x) / sum(exp(x))``: tables of exponentials and of the inverse sum, and their product.

    At the end of a model it is applied to dequantized scores instead.
    """

    is_link = True

    def normalized(self, low: Lowering, x: Any, reals: Array, last: int) -> QuantizedTensor:
        shares = _exponentials(low, _below_largest(low, x, reals, last))
        sums = total(low, shares, [last])
        most = float(max(reals.shape[last + 1], 2))
        return combine.multiply(low, shares, inverse(low, sums, lambda v: 1 / v, 1.0, most))


@quantizes("LogSoftmax")
class QuantizedLogSoftmax(_OfRows):
    """``x - log(sum(exp(x)))``: tables of exponentials and of the logarithm of their sum.

    At the end of a model it is applied to dequantized scores instead.
    """

    is_link = True

    def normalized(self, low: Lowering, x: Any, reals: Array, last: int) -> QuantizedTensor:
        difference = _below_largest(low, x, reals, last)
        sums = total(low, _exponentials(low, difference), [last])
        most = float(max(reals.shape[last + 1], 2))
        return combine.subtract(low, difference, inverse(low, sums, np.log, 1.0, most))


def by_moments(
    low: Lowering, x: Any, reals: Array, last: Sequence[int], epsilon: float
) -> QuantizedTensor:
    """``(x - mean) / sqrt(variance + epsilon)`` over axes of a row.

    The inverse deviation is a table over the variances of the calibration rows; variances beyond
    them saturate.
    """
    (tensor,) = low.common(combine.plain(low, x, reals))
    axes = tuple(axis + 1 for axis in last)
    share = scalar(1.0 / np.prod([reals.shape[axis] for axis in axes]))
    mean = total(low, tensor, last).affine(share, scalar(0.0))
    deviations = reals - reals.mean(axis=axes, keepdims=True)
    codes = low.codes(combine.subtract(low, tensor, mean), deviations, n_bits=_width(low))
    variance = total(low, combine.multiply(low, codes, codes), last).affine(share, scalar(0.0))
    known = (deviations.astype(np.float64) ** 2).mean(axis=axes)
    lo, hi = float(known.min()), float(known.max())
    hi = hi if hi > lo else lo + max(lo, epsilon)
    factor = inverse(low, variance, lambda v: 1 / np.sqrt(v + epsilon), lo, hi)
    return combine.multiply(low, codes, factor)


class _ByMoments(QuantizedMixingOp):
    """A normalization by the mean and the variance over axes of a row."""

    def lower(
        self, low: Lowering, x: Sequence[Any], reals: Sequence[Any], outputs: Sequence[Array]
    ) -> Sequence[Operand]:
        if not all(value is None or isinstance(value, np.ndarray) for value in x[1:]):
            raise self.unsupported("its scale and bias must be constants")
        if len([name for name in self.node.outputs if name]) > 1:
            raise self.unsupported("its moments are asked for, and not only the result")
        axes, shape = self.axes_and_shape(reals[0].ndim)
        if 0 in axes:
            raise self.unsupported("it normalizes over rows (axis 0)")
        epsilon = float(self.attributes.get("epsilon", 1e-5))
        last = [axis - 1 for axis in axes]
        normal = by_moments(low, x[0], reals[0], last, epsilon)
        factor = np.asarray(x[1], np.float64)
        offset = scalar(0.0) if len(x) < 3 or x[2] is None else np.asarray(x[2], np.float64)
        if shape is not None:
            factor, offset = factor.reshape(shape), offset.reshape(shape)
        return [combine.affine(low, normal, factor, offset, reals[0])]

    def axes_and_shape(self, n_axes: int) -> tuple[list[int], tuple[int, ...] | None]:
        """Axes to normalize over, and the shape in which the constants meet a row."""
        raise NotImplementedError


@quantizes("LayerNormalization")
class QuantizedLayerNormalization(_ByMoments):
    """By the moments over the last axes: products, and a table of the inverse deviation."""

    def axes_and_shape(self, n_axes: int) -> tuple[list[int], tuple[int, ...] | None]:
        return list(range(int(self.attributes.get("axis", -1)) % n_axes, n_axes)), None


@quantizes("InstanceNormalization")
class QuantizedInstanceNormalization(_ByMoments):
    """By the moments of each channel: products, and a table of the inverse deviation."""

    def axes_and_shape(self, n_axes: int) -> tuple[list[int], tuple[int, ...] | None]:
        return list(range(2, n_axes)), (-1, *(1,) * (n_axes - 2))


@quantizes("LRN")
class QuantizedLRN(QuantizedMixingOp):
    """``x / (bias + alpha / size * s) ** beta``: products, sums, and a table of the divisor.

    The table reaches over the sums of squares of the calibration rows; sums beyond them saturate.
    """

    def lower(
        self, low: Lowering, x: Sequence[Any], reals: Sequence[Any], outputs: Sequence[Array]
    ) -> Sequence[Operand]:
        a = self.attributes
        size, bias = int(a["size"]), float(a.get("bias", 1.0))
        share, beta = float(a.get("alpha", 1e-4)) / size, float(a.get("beta", 0.75))
        near = neighbouring_channels(reals[0].shape[1], size)
        squares = np.asarray(reals[0], np.float64) ** 2
        known = np.stack([squares[:, channels].sum(axis=1) for channels in near], axis=1)
        lo, hi = float(known.min()), float(known.max())
        hi = hi if hi > lo else lo + max(lo, 1.0)
        if not (bias + share * lo > 0 and bias + share * hi > 0):
            raise self.unsupported("bias and alpha give a divisor that is not above 0")
        (codes,) = low.common(low.codes(x[0], reals[0], n_bits=_width(low)))
        found = _windowed_sums(low, combine.multiply(low, codes, codes), near)
        factor = inverse(low, found, lambda v: (bias + share * v) ** -beta, lo, hi)
        return [combine.multiply(low, codes, factor)]


def _windowed_sums(low: Lowering, x: QuantizedTensor, near: Sequence[slice]) -> QuantizedTensor:
    """Sum over the channels around each channel, which is the first axis of a row.

    The tensor has one scale and the zero point 0; channels beyond the ends add 0.
    """
    indices = elements(low, x)
    most = max(channels.stop - channels.start for channels in near)
    cells = np.full((*indices.shape, most), -1, np.int64)
    for channel, channels in enumerate(near):
        part = indices[channels]
        cells[channel, ..., : len(part)] = np.moveaxis(part, 0, -1)
    rows = select(low, x.value, cells, 0)
    return QuantizedTensor(low.add(Sum((rows,))), x.scale, scalar(0.0))
