"""Weighted medians of the scores of a row."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from skq.graph.graph import SKQ_DOMAIN
from skq.program import WeightedMedian
from skq.quantization.base_quantized_op import QuantizedMixingOp, quantizes
from skq.quantization.lower import combine
from skq.quantization.lower.lowering import Lowering
from skq.quantization.lower.operands import Array, Operand, QuantizedTensor
from skq.quantization.lower.views import elements, lay_out
from skq.quantization.quantized_ops.reduction import with_axes


@quantizes("WeightedMedian", domain=SKQ_DOMAIN)
class QuantizedWeightedMedian(QuantizedMixingOp):
    """Weighted median of a row; exact on integers of one scale."""

    raw_inputs = frozenset({1, 2})
    stays_on_grid = True

    def lower(
        self, low: Lowering, x: Sequence[Any], reals: Sequence[Any], outputs: Sequence[Array]
    ) -> Sequence[Operand]:
        if not all(isinstance(operand, np.ndarray) for operand in x[1:]):
            raise self.unsupported("the weights and the threshold must be constant")
        tensor = combine.plain(low, low.tensor(x[0]), reals[0])
        middle = 0.0
        if not (tensor.has_one_scale and tensor.scale > 0):
            middle = _middle(low, tensor)
            if middle:  # differences to it need fewer bits
                shifted = tensor.zero_point + middle / tensor.scale
                tensor = replace(tensor, zero_point=shifted)
            (tensor,) = low.common(tensor)
        parameters = [tensor.scale, tensor.zero_point - middle / tensor.scale]
        rows = lay_out(low, tensor.value, elements(low, tensor), parameters, reduced=True)
        median = WeightedMedian((rows.value,), x[1].astype(np.int64), int(np.ravel(x[2])[0]))
        return [with_axes(low, replace(rows, value=low.add(median)), [0])]


def _middle(low: Lowering, x: QuantizedTensor) -> float:
    """Middle between the least and the greatest real that a plain tensor can reach.

    0 where a scale is 0: a zero point then cannot stand for a difference.
    """
    if np.any(x.scale == 0):
        return 0.0
    lo, hi = ((end - x.zero_point) * x.scale for end in low.type(x.value).interval)
    return float((np.min(lo) + np.max(hi)) / 2)
