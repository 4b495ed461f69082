"""Layers: a tensor times a constant matrix; and the product of two tensors."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from skq.program import Mul, Reshape, Sum
from skq.quantization.arrange import arranged, elements, gather, moved, select
from skq.quantization.base_quantized_op import QuantizedMixingOp, quantizes
from skq.quantization.layers import fitted_layer
from skq.quantization.lowering import Lowering
from skq.quantization.operands import Array, Features, Operand, QuantizedTensor, scalar


def layer(
    low: Lowering,
    x: Features | QuantizedTensor,
    weights: Array,
    reals: Array,
    target: Array,
    *,
    decides: bool = False,
) -> QuantizedTensor:
    """``x @ weights`` over the last axis of `x`, with the bias that `target` calls for.

    Parameters
    ----------
    x : Features or QuantizedTensor
    weights : ndarray of shape (n_in, n_out)
    reals : ndarray of shape (n_rows, ..., n_in)
        What `x` stands for on the calibration rows.
    target : ndarray of shape (n_rows, ..., n_out)
        What the float layer gives.
    decides : bool
        Whether labels are decided on the result.
    """
    fitted = fitted_layer(low, x, weights, target, decides=decides)
    if fitted is not None:
        return fitted
    codes = low.codes(x, reals, n_bits=low.settings.n_bits["op_inputs"])
    rows, order = _rows(low, codes, reals)
    weights = np.asarray(weights, dtype=np.float64)[order]
    return low.matmul(rows, weights, target, n_bits=low.settings.n_bits["op_weights"])


def _rows(low: Lowering, x: QuantizedTensor, reals: Array) -> tuple[QuantizedTensor, Array | slice]:
    """Codes arranged for a product over the last axis, and the order of the inputs in it."""
    if x.view is not None and x.view.ndim == 1 and x.view.size == low.type(x.value).size:
        order = np.argsort(x.view)
        if np.array_equal(x.view[order], np.arange(x.view.size)):
            # a vector in another order: the weights are put into that order instead
            parameters = [
                p if np.ndim(p) == 0 else np.resize(p, x.view.size) for p in (x.scale, x.zero_point)
            ]
            shape = low.type(x.value).shape
            value = x.value if len(shape) == 1 else low.add(Reshape((x.value,), x.view.shape))
            return QuantizedTensor(value, parameters[0], parameters[1]), order
    found = gather(low, x, elements(low, x))
    if found.view is not None:
        lo, hi = float(reals.min()), float(reals.max())
        found = arranged(low, low.materialize(x, lo, hi, low.settings.n_bits["op_inputs"]))
    return found, slice(None)


@quantizes("MatMul")
class QuantizedMatMul(QuantizedMixingOp):
    """``a @ b``: a layer where one of them is a constant matrix, else products and sums."""

    def lower(
        self, low: Lowering, x: Sequence[Any], reals: Sequence[Any], outputs: Sequence[Array]
    ) -> Sequence[Operand]:
        a, b = x
        if isinstance(b, np.ndarray):
            return [self._times_constant(low, a, b, reals[0], outputs[0])]
        if isinstance(a, np.ndarray):
            return [self._constant_times(low, a, b, reals[1], outputs[0])]
        return [self._two_tensors(low, a, b, reals, outputs[0])]

    def _times_constant(
        self, low: Lowering, x: Any, weights: Array, reals: Array, output: Array
    ) -> QuantizedTensor:
        while weights.ndim > 2 and weights.shape[0] == 1 and reals.ndim >= weights.ndim:
            weights = weights[0]
        if reals.ndim < 2:
            raise self.unsupported("it multiplies along the rows")
        if weights.ndim == 1:
            found = layer(low, x, weights[:, None], reals, output[..., None])
            return moved(low, found, elements(low, found)[..., 0])
        if weights.ndim != 2:
            raise self.unsupported("the constant factor must be a vector or a matrix")
        decides = self.node.outputs[0] in low.score_names
        return layer(low, x, weights, reals, output, decides=decides)

    def _constant_times(
        self, low: Lowering, weights: Array, x: Any, reals: Array, output: Array
    ) -> QuantizedTensor:
        if reals.ndim < 3 or weights.ndim not in (1, 2):
            raise self.unsupported(
                "a constant first factor must be a vector or a matrix, and not multiply over rows"
            )
        swapped = low.codes(x, reals, n_bits=low.settings.n_bits["op_inputs"])
        swapped = moved(low, swapped, np.swapaxes(elements(low, swapped), -1, -2).copy())
        reals = np.swapaxes(reals, -1, -2)
        if weights.ndim == 1:
            found = layer(low, swapped, weights[:, None], reals, output[..., None])
            return moved(low, found, elements(low, found)[..., 0])
        found = layer(low, swapped, weights.T, reals, np.swapaxes(output, -1, -2))
        return moved(low, found, np.swapaxes(elements(low, found), -1, -2).copy())

    def _two_tensors(
        self, low: Lowering, a: Any, b: Any, reals: Sequence[Array], output: Array
    ) -> QuantizedTensor:
        if min(r.ndim for r in reals) < 3 or reals[0].ndim != reals[1].ndim:
            raise self.unsupported(
                "two tensors are multiplied where both have as many axes, beside the rows two "
                f"or more; got {[r.ndim for r in reals]} axes with the rows"
            )
        n_bits = low.settings.n_bits["op_inputs"]
        (first,) = low.common(low.codes(a, reals[0], n_bits=n_bits))
        (second,) = low.common(low.codes(b, reals[1], n_bits=n_bits))
        left = elements(low, first)[..., :, None, :]
        right = np.swapaxes(elements(low, second), -1, -2)[..., None, :, :]
        shape = np.broadcast_shapes(left.shape, right.shape)
        values = [
            select(low, t.value, np.ascontiguousarray(np.broadcast_to(places, shape)), 0)
            for t, places in ((first, left), (second, right))
        ]
        total = low.add(Sum((low.add(Mul((values[0], values[1]))),)))
        return QuantizedTensor(total, first.scale * second.scale, scalar(0.0))


@quantizes("Gemm")
class QuantizedGemm(QuantizedMixingOp):
    """``alpha * x @ weights + beta * bias``, with the weights transposed or not."""

    def lower(
        self, low: Lowering, x: Sequence[Any], reals: Sequence[Any], outputs: Sequence[Array]
    ) -> Sequence[Operand]:
        if self.attributes.get("transA", 0):
            raise self.unsupported("transA=1 mixes rows")
        weights = x[1]
        if not isinstance(weights, np.ndarray) or isinstance(x[0], np.ndarray):
            raise self.unsupported("the second factor must be a constant")
        if len(x) > 2 and x[2] is not None and not isinstance(x[2], np.ndarray):
            raise self.unsupported("the bias must be a constant")
        weights = weights.T if self.attributes.get("transB", 0) else weights
        weights = weights * float(self.attributes.get("alpha", 1.0))
        decides = self.node.outputs[0] in low.score_names
        return [layer(low, x[0], weights, reals[0], outputs[0], decides=decides)]
