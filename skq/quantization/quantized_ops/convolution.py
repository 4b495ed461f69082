"""Convolution: patches gathered at static indices, times the filters as a matrix."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from skq.graph.ops.linear_algebra import turned_filters
from skq.graph.ops.windows import SpreadWindows, Windows
from skq.program import Concat, Gather
from skq.quantization.base_quantized_op import QuantizedMixingOp, quantizes
from skq.quantization.lower.layers import least_error
from skq.quantization.lower.lowering import Lowering
from skq.quantization.lower.operands import Array, Operand, QuantizedTensor
from skq.quantization.lower.trained import (
    TrainedConstant,
    given_as_codes,
    trained_codes,
    trained_product,
)
from skq.quantization.lower.views import Indices, at, elements, lay_out, moved


@quantizes("Conv")
class QuantizedConv(QuantizedMixingOp):
    """Convolution over any number of spatial axes, in groups or not.

    ``Gather`` collects the patches, of shape (positions, channels * kernel), with the code of real
    zero outside of the input; ``MatMul`` multiplies them with the filters. The result has the
    filters on its last axis, each with its scale, and the tensor is a view of it.
    """

    is_layer = True

    def lower(
        self, low: Lowering, x: Sequence[Any], reals: Sequence[Any], outputs: Sequence[Array]
    ) -> Sequence[Operand]:
        weights = x[1]
        if not isinstance(weights, np.ndarray) or isinstance(x[0], np.ndarray):
            raise self.unsupported("the filters must be constant and the other input a tensor")
        if len(x) > 2 and x[2] is not None and not isinstance(x[2], np.ndarray):
            raise self.unsupported("the bias must be a constant")
        windows = self._layout(reals[0].shape[2:], weights.shape[2:])
        output = outputs[0]

        known_filters = given_as_codes(low, self.node, 1)
        if known_filters is not None:
            filters = known_filters.moved(self._filters)
            return [self._trained(low, x, filters, reals[0], windows, output)]
        weights = self._filters(weights)

        def write(range_method: str, weight_method: str) -> QuantizedTensor:
            n_bits = low.settings.n_bits
            codes, patches, known = self._patches(
                low, x[0], reals[0], windows, range_method, n_bits["op_inputs"]
            )
            group = int(self.attributes.get("group", 1))
            matrices = weights.reshape(group, len(weights) // group, -1).astype(np.float64)
            targets = output.reshape(len(output), *matrices.shape[:2], -1).swapaxes(2, 3)

            def multiply(rows: QuantizedTensor, g: int) -> QuantizedTensor:
                return low.matmul(
                    rows,
                    matrices[g].T,
                    targets[:, g],
                    n_bits=n_bits["op_weights"],
                    method=weight_method,
                )

            return self._convolved(low, codes, patches, known, len(weights), output, multiply)

        return [least_error(low, write, output, self.node.outputs[0])]

    def _layout(self, spatial: Sequence[int], kernel: Sequence[int]) -> Windows:
        """Where the windows lie on the spatial axes."""
        a = self.attributes
        return Windows.of(
            *(spatial, kernel),
            *(a.get("strides"), a.get("dilations"), a.get("pads")),
            auto_pad=a.get("auto_pad", "NOTSET"),
        )

    def _filters(self, weights: Array) -> Array:
        """The filters, of shape (n_filters, channels of a group, *kernel)."""
        return weights

    def _trained(
        self,
        low: Lowering,
        x: Sequence[Any],
        filters: TrainedConstant,
        reals: Array,
        windows: Windows,
        output: Array,
    ) -> QuantizedTensor:
        """The convolution with filters that are integers in the graph."""
        codes = trained_codes(low, x[0], self.node.inputs[0])
        widest = low.type(codes.value).bits
        codes, patches, known = self._patches(low, codes, reals, windows, "minmax", widest)
        group = int(self.attributes.get("group", 1))
        shape = group, len(filters.codes) // group, -1
        weights, scale = filters.codes.reshape(shape), filters.scale.reshape(shape)
        bias: Any = given_as_codes(low, self.node, 2)
        if bias is None and len(x) > 2:
            bias = x[2]

        def multiply(rows: QuantizedTensor, g: int) -> QuantizedTensor:
            def of_group(b: Array) -> Array:
                return np.asarray(b.reshape(group, -1)[g])

            part = bias
            if bias is not None:
                is_known = isinstance(bias, TrainedConstant)
                part = bias.moved(of_group) if is_known else of_group(bias)
            name = self.node.inputs[0]
            return trained_product(low, rows, weights[g].T, scale[g].T, part, name=name)

        n_filters = len(filters.codes)
        return self._convolved(low, codes, patches, known, n_filters, output, multiply)

    def _convolved(
        self,
        low: Lowering,
        codes: QuantizedTensor,
        patches: Indices,
        known: Indices,
        n_filters: int,
        output: Array,
        multiply: Callable[[QuantizedTensor, int], QuantizedTensor],
    ) -> QuantizedTensor:
        """The filters over the patches; `multiply` writes the product of a group."""
        spatial = output.shape[2:]
        group = int(self.attributes.get("group", 1))
        n_positions, per_group = int(np.prod(spatial)), n_filters // group
        fill = int(codes.zero_point) if codes.has_one_scale else 0
        parts = []
        for g, channels in enumerate(np.split(np.arange(patches.shape[1]), group)):
            indices = patches[:, channels].reshape(n_positions, -1)
            inside = known[:, channels].reshape(n_positions, -1)
            parameters = [at(low, codes, p, inside) for p in (codes.scale, codes.zero_point)]
            rows = lay_out(low, codes.value, indices, parameters, fill=fill)
            parts.append(multiply(rows, g))
        joined = _side_by_side(low, parts, n_positions, per_group)
        indices = np.arange(n_positions * n_filters).reshape(n_positions, n_filters).T
        return moved(low, joined, indices.reshape(n_filters, *spatial).copy())

    def _patches(
        self, low: Lowering, x: Any, reals: Array, windows: Windows, method: str, n_bits: int
    ) -> tuple[QuantizedTensor, Indices, Indices]:
        """Codes, and the indices of the patches in them: (positions, channels, kernel), twice.

        In the second, padding has the index of some element of the same channel.
        """
        padded = windows.has_padding
        hold = 0.0 if padded else None
        codes = low.codes(x, reals, n_bits=n_bits, hold=hold, method=method)
        found = elements(low, codes)
        fits = codes.has_one_scale and codes.zero_point == np.rint(codes.zero_point)
        if not fits and (padded or not _has_one_scale_a_channel(low, codes, found)):
            n_bits = low.settings.rounding.limit(n_bits)
            lo, hi = low.range(reals, n_bits, hold=hold, method=method)
            codes = low.materialize(codes, lo, hi, n_bits)
        indices = _windows(windows, found, -1)
        if not padded:
            return codes, indices, indices
        one_each = found.reshape(len(found), -1)[:, :1].reshape(-1, *(1,) * (found.ndim - 1))
        inside = np.broadcast_to(one_each, (len(found), *windows.padded(found.shape[1:])))
        return codes, indices, _windows(windows, inside, None)


@quantizes("ConvTranspose")
class QuantizedConvTranspose(QuantizedConv):
    """Transposed convolution, computed as a convolution.

    The patches are those of the input with the code of real zero between its cells, and the filters
    are turned around.
    """

    def _layout(self, spatial: Sequence[int], kernel: Sequence[int]) -> Windows:
        a = self.attributes
        return SpreadWindows.of_transposed(
            *(spatial, kernel),
            *(a.get("strides"), a.get("dilations"), a.get("pads")),
            auto_pad=a.get("auto_pad", "NOTSET"),
            output_padding=a.get("output_padding"),
            output_shape=a.get("output_shape"),
        )

    def _filters(self, weights: Array) -> Array:
        return turned_filters(weights, int(self.attributes.get("group", 1)))


def _windows(windows: Windows, indices: Array, pad: int | None) -> Indices:
    """Indices (channels, *spatial) → (positions, channels, kernel), padded unless `pad` is None."""
    rows = indices[None] if pad is None else windows.pad(indices[None], pad)
    cells = windows.view(rows)[0]
    n_axes = len(windows.output)
    cells = np.moveaxis(cells, 0, n_axes)
    return np.ascontiguousarray(
        cells.reshape(int(np.prod(windows.output)), len(indices), -1), dtype=np.int64
    )


def _has_one_scale_a_channel(low: Lowering, x: QuantizedTensor, indices: Indices) -> bool:
    parameters = [at(low, x, p, indices) for p in (x.scale, x.zero_point)]
    return all(
        np.ndim(p) == 0 or bool(np.all(p.reshape(len(p), -1) == p.reshape(len(p), -1)[:, :1]))
        for p in parameters
    )


def _side_by_side(
    low: Lowering, parts: Sequence[QuantizedTensor], n_positions: int, per_group: int
) -> QuantizedTensor:
    """Groups of filters as one value of shape (positions, filters)."""
    if len(parts) == 1:
        return parts[0]
    flat = low.add(Concat(tuple(part.value for part in parts)))
    numbers = np.arange(len(parts) * n_positions * per_group).reshape(len(parts), n_positions, -1)
    value = low.add(Gather((flat,), numbers.swapaxes(0, 1).reshape(n_positions, -1).copy()))
    scale = np.concatenate([np.ravel(part.scale) for part in parts])
    zero_point = np.concatenate([np.ravel(part.zero_point) for part in parts])
    return QuantizedTensor(value, scale, zero_point)
