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
from skq.quantization.lower.operands import Array, Operand
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
        (tensor,) = low.common(combine.plain(low, low.tensor(x[0]), reals[0]))
        parameters = [tensor.scale, tensor.zero_point]
        rows = lay_out(low, tensor.value, elements(low, tensor), parameters, reduced=True)
        median = WeightedMedian((rows.value,), x[1].astype(np.int64), int(np.ravel(x[2])[0]))
        return [with_axes(low, replace(rows, value=low.add(median)), [0])]
