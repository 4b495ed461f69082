"""Pooling: windows gathered at static indices, then reduced."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from skq.graph.ops.windows import Windows
from skq.program import Max, Sum
from skq.quantization.base_quantized_op import QuantizedMixingOp, QuantizedOp, quantizes
from skq.quantization.lower import combine
from skq.quantization.lower.lowering import Lowering
from skq.quantization.lower.operands import Array, Operand, QuantizedTensor
from skq.quantization.lower.views import Indices, at, elements, lay_out
from skq.quantization.quantized_ops.reduction import extreme, with_axes


def _windows_of(op: QuantizedOp, reals: Array) -> Windows:
    a = op.attributes
    return Windows.of(
        reals.shape[2:],
        a["kernel_shape"],
        a.get("strides"),
        a.get("dilations"),
        a.get("pads"),
        a.get("auto_pad", "NOTSET"),
        a.get("ceil_mode", 0),
    )


def _cells(windows: Windows, indices: Indices) -> Indices:
    """Indices of the cells of each window, -1 for padding: shape (channels, *output, kernel)."""
    cells = windows.view(windows.pad(indices[None], -1))[0]
    return np.ascontiguousarray(cells.reshape(*cells.shape[: indices.ndim], -1))


@quantizes("MaxPool")
class QuantizedMaxPool(QuantizedMixingOp):
    """Maximum of each window; the largest integer is the largest real, so nothing is rounded."""

    stays_on_grid = True

    def lower(
        self, low: Lowering, x: Sequence[Any], reals: Sequence[Any], outputs: Sequence[Array]
    ) -> Sequence[Operand]:
        if len(self.node.outputs) > 1 and self.node.outputs[1]:
            raise self.unsupported("the positions of the maxima are asked for")
        tensor = low.tensor(x[0])
        if tensor.function is not None or np.any(tensor.scale <= 0):
            lo, hi = float(reals[0].min()), float(reals[0].max())
            tensor = low.materialize(tensor, lo, hi, low.settings.n_bits["op_inputs"])
        indices = _cells(_windows_of(self, reals[0]), elements(low, tensor))
        some = indices.max(axis=-1)  # a cell of each window that is not padding
        parameters = [at(low, tensor, p, some) for p in (tensor.scale, tensor.zero_point)]
        fill = low.type(tensor.value).interval[0]
        cells = lay_out(low, tensor.value, indices, parameters, fill=fill, reduced=True)
        return [replace(cells, value=low.add(Max((cells.value,))), clip=tensor.clip)]


@quantizes("GlobalMaxPool")
class QuantizedGlobalMaxPool(QuantizedMixingOp):
    """Maximum over all positions of a channel."""

    stays_on_grid = True

    def lower(
        self, low: Lowering, x: Sequence[Any], reals: Sequence[Any], outputs: Sequence[Array]
    ) -> Sequence[Operand]:
        last = list(range(1, reals[0].ndim - 1))
        return [with_axes(low, extreme(low, x[0], reals[0], last), last)]


class _Averaging(QuantizedMixingOp):
    """Sums over windows, divided by exact counts, which fold into the scale."""

    def _average(
        self, low: Lowering, x: Any, reals: Array, cells: Any, counts: Any
    ) -> QuantizedTensor:
        """Mean over windows.

        Parameters
        ----------
        cells : callable
            Indices of a row's elements → indices of the cells of each window.
        counts : ndarray that broadcasts against the windows, or None
            Divisor; by default the number of cells that are not padding.
        """
        tensor = combine.plain(low, x, reals)
        indices = cells(elements(low, tensor))
        inside = (indices >= 0).sum(axis=-1)
        counts = inside if counts is None else np.broadcast_to(counts, inside.shape)
        known = indices.max(axis=-1)
        scale = at(low, tensor, tensor.scale, known) / counts
        zero_point = at(low, tensor, tensor.zero_point, known) * inside
        rows = lay_out(low, tensor.value, indices, [scale, zero_point], fill=0, reduced=True)
        return replace(rows, value=low.add(Sum((rows.value,))))


@quantizes("AveragePool")
class QuantizedAveragePool(_Averaging):
    """Mean of each window, padding counted or not."""

    def lower(
        self, low: Lowering, x: Sequence[Any], reals: Sequence[Any], outputs: Sequence[Array]
    ) -> Sequence[Operand]:
        windows = _windows_of(self, reals[0])
        padding = bool(self.attributes.get("count_include_pad", 0))
        counts = windows.counts(reals[0].shape[2:], include_padding=padding)
        cells = lambda indices: _cells(windows, indices)  # noqa: E731
        return [self._average(low, x[0], reals[0], cells, counts)]


@quantizes("GlobalAveragePool")
class QuantizedGlobalAveragePool(_Averaging):
    """Mean over all positions of a channel."""

    def lower(
        self, low: Lowering, x: Sequence[Any], reals: Sequence[Any], outputs: Sequence[Array]
    ) -> Sequence[Operand]:
        n_axes = reals[0].ndim - 2

        def cells(indices: Indices) -> Indices:
            return indices.reshape(len(indices), *(1,) * n_axes, -1)

        return [self._average(low, x[0], reals[0], cells, None)]
