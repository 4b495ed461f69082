"""Layers: a tensor times a constant matrix; and the product of two tensors."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from skq.program import Mul, Sum
from skq.quantization.base_quantized_op import QuantizedMixingOp, quantizes
from skq.quantization.lower import combine
from skq.quantization.lower.layers import layer, trained_layer
from skq.quantization.lower.lowering import Lowering
from skq.quantization.lower.operands import Array, Operand, QuantizedTensor, scalar
from skq.quantization.lower.trained import given_as_codes
from skq.quantization.lower.views import elements, moved, select
from skq.quantization.operator_facts import ErrorStep


@quantizes("MatMul")
class QuantizedMatMul(QuantizedMixingOp):
    """``a @ b``: a layer where one of them is a constant matrix, else products and sums."""

    is_layer = True

    @classmethod
    def input_error_weight(cls, step: ErrorStep) -> NDArray[np.float64] | None:
        return _weight_before_product(step)

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
            name = self.node.outputs[0]
            found = layer(low, x, weights[:, None], reals, output[..., None], name=name)
            return moved(low, found, elements(low, found)[..., 0])
        if weights.ndim != 2:
            raise self.unsupported("the constant factor must be a vector or a matrix")
        known = given_as_codes(low, self.node, 1)
        if known is not None and known.codes.ndim == 2:
            return trained_layer(low, x, known.codes, known.scale, name=self.node.inputs[0])
        return layer(low, x, weights, reals, output, name=self.node.outputs[0])

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
            select(low, t.value, np.ascontiguousarray(np.broadcast_to(indices, shape)), 0)
            for t, indices in ((first, left), (second, right))
        ]
        total = low.add(Sum((low.add(Mul((values[0], values[1]))),)))
        return QuantizedTensor(total, first.scale * second.scale, scalar(0.0))


@quantizes("Gemm")
class QuantizedGemm(QuantizedMixingOp):
    """``alpha * x @ weights + beta * bias``, with the weights transposed or not."""

    is_layer = True

    @classmethod
    def input_error_weight(cls, step: ErrorStep) -> NDArray[np.float64] | None:
        return _weight_before_product(step)

    def lower(
        self, low: Lowering, x: Sequence[Any], reals: Sequence[Any], outputs: Sequence[Array]
    ) -> Sequence[Operand]:
        if self.attributes.get("transA", 0):
            raise self.unsupported("transA=1 mixes rows")
        weights = x[1]
        if not isinstance(weights, np.ndarray) or isinstance(x[0], np.ndarray):
            raise self.unsupported(
                f"the second factor, {self._input_name(1)!r}, must be a constant: tensors have "
                "their rows on the first axis, so a product of two tensors would add up rows; "
                "with more axes, MatMul multiplies two tensors row by row"
            )
        alpha, beta = (float(self.attributes.get(name, 1.0)) for name in ("alpha", "beta"))
        if len(x) > 2 and x[2] is not None and not isinstance(x[2], np.ndarray):
            return [self._plus_tensor(low, x, reals, outputs[0], beta)]
        known = given_as_codes(low, self.node, 1) if alpha > 0 else None
        if known is not None:
            known = known.moved(np.transpose) if self.attributes.get("transB", 0) else known
            bias: Any = given_as_codes(low, self.node, 2) if beta == 1 else None
            if bias is None and len(x) > 2 and x[2] is not None:
                bias = beta * x[2]
            name, scale = self.node.inputs[0], known.scale * alpha
            return [trained_layer(low, x[0], known.codes, scale, bias, name=name)]
        weights = weights.T if self.attributes.get("transB", 0) else weights
        weights = weights * alpha
        has_bias = len(x) > 2 and x[2] is not None and bool(np.any(x[2]))
        name = self.node.outputs[0]
        return [layer(low, x[0], weights, reals[0], outputs[0], name=name, has_bias=has_bias)]

    def _plus_tensor(
        self,
        low: Lowering,
        x: Sequence[Any],
        reals: Sequence[Array],
        output: Array,
        beta: float,
    ) -> QuantizedTensor:
        """The layer without a bias, plus a tensor: they are added on a common grid."""
        added = np.asarray(beta * reals[2], np.float64)
        if added.shape != output.shape:
            raise self.unsupported(
                f"the tensor {self._input_name(2)!r} that it adds must have the shape of the result"
            )
        product = np.asarray(output - added, output.dtype)
        (result,) = self.lower(low, x[:2], reals[:2], [product])
        assert isinstance(result, QuantizedTensor)
        other = combine.plain(low, x[2], reals[2]).affine(scalar(beta), scalar(0.0))
        return combine.add(low, result, other)

    def _input_name(self, position: int) -> str:
        return self.node.inputs[position] if position < len(self.node.inputs) else str(position)


def _weight_before_product(step: ErrorStep) -> NDArray[np.float64] | None:
    """`QuantizedOp.input_error_weight` of ``alpha * x @ w``, with a constant w."""
    matrix = step.arguments[1] if step.position == 0 else None
    attributes = step.node.attributes
    if matrix is None or matrix.ndim > 2 or attributes.get("transA", 0):
        return None
    weight = step.weight
    if matrix.ndim == 1:
        matrix, weight = matrix[:, None], weight[:, None]
    weights = np.asarray(matrix, np.float64) * float(attributes.get("alpha", 1.0))
    weights = weights.T if attributes.get("transB", 0) else weights
    return np.asarray(weight @ (weights * weights).T)
