"""How each instruction is written in C: one emitter an instruction.

An emitter takes the function's body, the number of the value and, for a Requantize that is fused
with a MatMul, the number of the product.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from skq.export.c99.steps.elements import argmax, elementwise, reduction
from skq.export.c99.steps.features import binned, quantized
from skq.export.c99.steps.matmul import matmul
from skq.export.c99.steps.median import weighted_median
from skq.export.c99.steps.rescale import requantize, table
from skq.export.c99.steps.shapes import concat, gather
from skq.export.c99.steps.trees import trees
from skq.program import instructions as ins

Emitter = Callable[[Any, int, int | None], None]


def _rescaled(body: Any, value: int, product: int | None) -> None:
    if product is None:
        requantize(body, value)
    else:
        matmul(body, product, value)


EMITTERS: dict[type[ins.Instruction], Emitter] = {
    ins.Quantize: lambda body, value, _: quantized(body, value),
    ins.Bin: lambda body, value, _: binned(body, value),
    ins.MatMul: lambda body, value, _: matmul(body, value, None),
    ins.Requantize: _rescaled,
    ins.Table: lambda body, value, _: table(body, value),
    ins.Trees: lambda body, value, _: trees(body, value),
    ins.Add: lambda body, value, _: elementwise(body, value),
    ins.Sub: lambda body, value, _: elementwise(body, value),
    ins.Mul: lambda body, value, _: elementwise(body, value),
    ins.Maximum: lambda body, value, _: elementwise(body, value),
    ins.Minimum: lambda body, value, _: elementwise(body, value),
    ins.Sum: lambda body, value, _: reduction(body, value),
    ins.Max: lambda body, value, _: reduction(body, value),
    ins.Min: lambda body, value, _: reduction(body, value),
    ins.ArgMax: lambda body, value, _: argmax(body, value),
    ins.WeightedMedian: lambda body, value, _: weighted_median(body, value),
    ins.Gather: lambda body, value, _: gather(body, value),
    ins.Concat: lambda body, value, _: concat(body, value),
}
