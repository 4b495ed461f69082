"""Requantize and Table in integers.

::

    Requantize  Cast(int64) Mul Add, Cast(uint64) BitShift Cast(int64) Add, Clip, Cast
    Table       Add, Gather

ONNX shifts unsigned integers only: the operand of the shift is moved by a multiple of
``2**shift`` so that the least value of the proven interval is at least 0, and the result is moved
back. Where that needs more than 63 bits, a division that rounds down is used instead.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from skq.export.onnx_integer.builder import GraphBuilder, Value
from skq.export.onnx_integer.quantizers import Types, storage_dtype
from skq.numerics import INT64_MAX
from skq.program import TensorType
from skq.program import instructions as ins

Ints = NDArray[np.int64]


def product_interval(step: ins.Requantize, x: TensorType) -> tuple[int, int]:
    """Least and greatest ``x * multiplier + offset`` over all channels."""
    pairs = np.broadcast_arrays(step.multiplier, step.offset)
    ends = [
        int(m) * end + int(o)
        for m, o in zip(*(array.ravel().tolist() for array in pairs), strict=True)
        for end in x.interval
    ]
    return min(ends), max(ends)


def requantize(
    g: GraphBuilder, step: ins.Requantize, types: Types, result: TensorType, x: Value
) -> Value:
    """``clip((x * multiplier + offset) >> shift, lo, hi)`` in int64."""
    low, high = product_interval(step, types[0])
    offset = step.offset.astype(np.int64)
    wide = g.cast(x, "int64")
    if np.any(step.multiplier != 1):
        wide = g.binary("Mul", wide, step.multiplier.astype(np.int64))
    if step.shift:
        wide = _shifted(g, wide, offset, step.shift, low, high)
    elif np.any(offset != 0):
        wide = g.binary("Add", wide, offset)
    if (low >> step.shift) < step.lo or (high >> step.shift) > step.hi:
        ends = [np.array(end, dtype=np.int64) for end in (step.lo, step.hi)]
        wide = g.node("Clip", [wide, *ends], "int64")
    return g.cast(wide, storage_dtype(result))


def _shifted(g: GraphBuilder, x: Value, offset: Ints, shift: int, low: int, high: int) -> Value:
    """``(x + offset) >> shift`` where the sum lies in [low, high]."""
    least = low >> shift
    moved = [int(o) - (least << shift) for o in np.ravel(offset).tolist()]
    if high - (least << shift) > INT64_MAX or max(map(abs, moved), default=0) > INT64_MAX:
        return _divided(g, g.binary("Add", x, offset), shift)
    moved_offset = np.array(moved, dtype=np.int64).reshape(offset.shape)
    positive = g.cast(g.binary("Add", x, moved_offset), "uint64")
    bits = np.array(shift, dtype=np.uint64)
    positive = g.node("BitShift", [positive, bits], "uint64", direction="RIGHT")
    rescaled = g.cast(positive, "int64")
    return g.binary("Add", rescaled, np.int64(least)) if least else rescaled


def _divided(g: GraphBuilder, x: Value, shift: int) -> Value:
    """``x >> shift`` by ONNX's division, which rounds towards zero."""
    divisor = np.int64(1) << np.int64(shift)
    quotient = g.binary("Div", x, divisor)
    rest = g.binary("Sub", x, g.binary("Mul", quotient, divisor))
    below = g.node("Less", [rest, np.array(0, dtype=np.int64)], "bool")
    return g.binary("Sub", quotient, g.cast(below, "int64"))


def table(
    g: GraphBuilder,
    step: ins.Table,
    types: Types,
    result: TensorType,
    x: Value,
    dtype: str | None = None,
) -> Value:
    """``table[x - lo]``, or one table for each channel; entries in `dtype` if it is given."""
    lo, hi = types[0].interval
    start = np.array(-lo)
    if step.table.ndim == 2:
        start = np.arange(step.table.shape[0]) * step.table.shape[1] - lo
    fits = max(-lo, hi, int(np.abs(start).max()) + step.table.size) < 2**31
    index = g.cast(x, "int32" if fits else "int64")
    if np.any(start != 0):
        index = g.binary("Add", index, start)
    entries = g.constant(step.table.ravel(), dtype or storage_dtype(result))
    return g.node("Gather", [entries, index], entries.dtype, axis=0)
