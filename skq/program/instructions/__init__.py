"""The instruction set: frozen dataclasses, each with a rule for type and interval of its result.

============ ============================================ ==========================================
instruction  meaning (a row at a time)                    interval of the result
============ ============================================ ==========================================
Quantize     ``clip(rint(x / scale + zero_point))``       [lo, hi]
Bin          ``base + #{edges < x}``, NaN → `nan_code`    from the number of edges
MatMul       ``x @ weights``                              sum over positive and negative weights
Requantize   ``clip((x * multiplier + offset) >> shift)`` extremes, clipped to [lo, hi]
Table        ``table[x - lo(x)]``                         extremes of the table
Trees        sum over trees of the reached leaf           sum over trees of their extreme leaves
Add, Sub     elementwise, broadcast                       sum, difference of intervals
Mul          elementwise, broadcast                       extreme products
Maximum      elementwise, broadcast                       larger ends
Minimum      elementwise, broadcast                       smaller ends
Sum          over the last axis                           length times the interval
Max, Min     over the last axis                           unchanged
ArgMax       first index of the largest, last axis        [0, length - 1]
Weighted     element of the last axis at which the sum    unchanged
Median       of the weights, by rising value, reaches a
             threshold
Gather       flattened row at constant indices            unchanged, or with the fill value
Reshape      same elements, another shape                 unchanged
Concat       flattened operands one after another         union
Dequantize   ``(x - zero_point) * scale`` in float64      (float)
============ ============================================ ==========================================

`skq.engines.reference` defines what each instruction computes, with the functions of
`skq.numerics`. ``infer`` of an instruction raises `ProgramError` for operands that it cannot take.
"""

from skq.program.instructions.elements import (
    Add,
    ArgMax,
    Max,
    Maximum,
    Min,
    Minimum,
    Mul,
    Sub,
    Sum,
)
from skq.program.instructions.instruction import Instruction
from skq.program.instructions.matmul import MatMul
from skq.program.instructions.median import WeightedMedian
from skq.program.instructions.reals import Bin, Dequantize, Quantize
from skq.program.instructions.rescale import Requantize, Table
from skq.program.instructions.shapes import Concat, Gather, Reshape
from skq.program.instructions.trees import Trees

__all__ = [
    "ACCUMULATORS",
    "INSTRUCTIONS",
    "Add",
    "ArgMax",
    "Bin",
    "Concat",
    "Dequantize",
    "Gather",
    "Instruction",
    "MatMul",
    "Max",
    "Maximum",
    "Min",
    "Minimum",
    "Mul",
    "Quantize",
    "Requantize",
    "Reshape",
    "Sub",
    "Sum",
    "Table",
    "Trees",
    "WeightedMedian",
]

#: Every instruction that a program may hold.
INSTRUCTIONS: tuple[type[Instruction], ...] = (
    Quantize,
    Bin,
    MatMul,
    Requantize,
    Table,
    Trees,
    Add,
    Sub,
    Mul,
    Maximum,
    Minimum,
    Sum,
    Max,
    Min,
    ArgMax,
    WeightedMedian,
    Gather,
    Reshape,
    Concat,
    Dequantize,
)

#: Instructions whose results are accumulators: exact sums, before any requantization.
ACCUMULATORS: tuple[type[Instruction], ...] = (MatMul, Trees, Add, Sub, Mul, Sum)
