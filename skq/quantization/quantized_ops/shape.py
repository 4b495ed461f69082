"""Operators that move elements; rows stay rows."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from skq.program import Gather, Reshape
from skq.quantization.base_quantized_op import QuantizedOp, quantizes
from skq.quantization.lowering import Lowering
from skq.quantization.operands import Array, FeatureStep, Features, Operand, QuantizedTensor


@quantizes("Identity")
class QuantizedIdentity(QuantizedOp):
    """The tensor itself."""

    def lower(
        self, low: Lowering, x: Sequence[Operand], reals: Sequence[Array], outputs: Sequence[Array]
    ) -> Sequence[Operand]:
        return [x[0]]


@quantizes("Cast")
class QuantizedCast(QuantizedOp):
    """A cast of the features is folded into their quantizer; integers have no dtype to change."""

    def lower(
        self, low: Lowering, x: Sequence[Operand], reals: Sequence[Array], outputs: Sequence[Array]
    ) -> Sequence[Operand]:
        (tensor,) = x
        if isinstance(tensor, Features):
            if outputs[0].dtype.kind != "f":
                raise self.unsupported("it casts the float input to integers")
            return [tensor.then(FeatureStep("cast", dtype=outputs[0].dtype.name))]
        if outputs[0].dtype.kind != "f" and not _stands_for_integers(low, tensor):
            raise self.unsupported("it truncates reals to integers")
        return [tensor]


def _stands_for_integers(low: Lowering, tensor: Operand) -> bool:
    return (
        isinstance(tensor, QuantizedTensor)
        and tensor.is_plain
        and np.ndim(tensor.scale) == 0
        and tensor.scale == 1
        and tensor.zero_point == np.rint(tensor.zero_point)
    )


class _ElementMove(QuantizedOp):
    """Finds which element goes where by running the float operator on element numbers."""

    def lower(
        self, low: Lowering, x: Sequence[Operand], reals: Sequence[Array], outputs: Sequence[Array]
    ) -> Sequence[Operand]:
        tensor = x[0]
        if not isinstance(tensor, QuantizedTensor):
            raise self.unsupported("it moves elements of the raw input")
        shape = low.type(tensor.value).shape
        size = low.type(tensor.value).size
        numbers = np.arange(size, dtype=np.float64).reshape(1, *shape)
        moved = self._impl(numbers, *(v if isinstance(v, np.ndarray) else None for v in x[1:]))
        for real, result in zip(outputs, moved, strict=True):
            if result.shape[:1] != (1,) or result.shape[1:] != real.shape[1:]:
                raise self.unsupported("it moves elements between rows")
        return [self._select(low, tensor, result[0].astype(np.int64)) for result in moved]

    def _select(self, low: Lowering, tensor: QuantizedTensor, indices: Array) -> QuantizedTensor:
        """The elements at `indices` of the flattened row, with the parameters of their channels."""
        type_ = low.type(tensor.value)
        if np.array_equal(indices.ravel(), np.arange(type_.size)):
            same = indices.shape == type_.shape
            value = tensor.value if same else low.add(Reshape((tensor.value,), indices.shape))
        else:
            value = low.add(Gather((tensor.value,), indices))
        if np.ndim(tensor.scale) == 0 and np.ndim(tensor.zero_point) == 0:
            return replace(tensor, value=value)
        channel = indices % type_.shape[-1]
        scale, zero_point = (
            _by_channel(np.broadcast_to(p, type_.shape[-1:])[channel])
            for p in (tensor.scale, tensor.zero_point)
        )
        if scale is None or zero_point is None:
            raise self.unsupported("it mixes channels of different scales")
        return replace(tensor, value=value, scale=scale, zero_point=zero_point)


def _by_channel(parameters: Array) -> Array | None:
    """Parameters of all elements as one a channel (last axis), or a scalar; None if they vary."""
    rows = parameters.reshape(-1, parameters.shape[-1]) if parameters.ndim else parameters[None, None]
    if not np.all(rows == rows[0]):
        return None
    return rows[0] if parameters.ndim else rows[0, 0]


@quantizes("Gather")
class QuantizedGather(_ElementMove):
    """Elements at constant positions of an axis."""


@quantizes("Split")
class QuantizedSplit(_ElementMove):
    """Parts of an axis."""


@quantizes("Reshape", "Squeeze", "Unsqueeze", "Flatten", "Slice", "Transpose")
class QuantizedReshape(_ElementMove):
    """The same elements in another arrangement."""
