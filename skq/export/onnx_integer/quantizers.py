"""Quantize, Bin and Dequantize in float64, as `skq.numerics` defines them.

::

    Quantize    Cast(float64) Div Add Round Clip, Where(IsNaN) -> lo, Cast; no Div by 1, no Add of 0
    Bin         Gather of columns, then a binary search: Add Gather Less Add Where for each bit of
                the number of edges; Where(IsNaN) -> nan_code
    Dequantize  Cast(float64) Sub Mul
"""

from __future__ import annotations

import numpy as np

from skq.export.onnx_integer.builder import GraphBuilder, Value
from skq.program import TensorType
from skq.program import instructions as ins

Types = list[TensorType]


def storage_dtype(type_: TensorType) -> str:
    """Dtype of an integer tensor: 8 bits where the proven interval fits, else 32 or 64."""
    lo, hi = type_.interval
    if -128 <= lo and hi <= 255 and (lo >= 0 or hi <= 127):
        return "uint8" if lo >= 0 else "int8"
    return "int32" if _fits_int32(type_) else "int64"


def quantized_reals(g: GraphBuilder, step: ins.Quantize, x: Value) -> Value:
    """Codes of a Quantize, held in float64."""
    x = g.cast(x, "float64")
    codes = x
    if np.any(step.scale != 1):
        codes = g.binary("Div", codes, step.scale)
    if np.any(step.zero_point != 0):
        codes = g.binary("Add", codes, step.zero_point)
    codes = g.node("Round", [codes], "float64")
    lo, hi = (g.constant(float(end)) for end in (step.lo, step.hi))
    codes = g.node("Clip", [codes, lo, hi], "float64")
    if not g.takes_missing:
        return codes
    missing = g.node("IsNaN", [x], "bool")
    return g.node("Where", [missing, lo, codes], "float64")


def quantize(
    g: GraphBuilder, step: ins.Quantize, types: Types, result: TensorType, x: Value
) -> Value:
    """``clip(rint(x / scale + zero_point), lo, hi)``; NaN gives `lo`."""
    return g.cast(quantized_reals(g, step, x), storage_dtype(result))


def bin_codes(g: GraphBuilder, step: ins.Bin, types: Types, result: TensorType, x: Value) -> Value:
    """``base + #{edges < x}`` by binary search in columns of the same number of edges.

    All columns are padded with infinite edges to the same number of edges.
    """
    offsets = step.offsets.astype(np.int64)
    counts = np.diff(offsets)
    n_steps = int(counts.max(initial=0)).bit_length()
    stride = (1 << n_steps) - 1
    edges = np.full((len(counts), stride), np.inf)
    for column, count in enumerate(counts):
        edges[column, :count] = step.edges[offsets[column] : offsets[column] + count]
    start = np.arange(len(counts)) * stride
    columns = g.node("Gather", [x, step.feature.astype(np.int64)], x.dtype, axis=1)
    columns = g.cast(columns, "float64")
    table = g.constant(edges.ravel(), "float64")
    position = g.constant(start, "int32")  # index of the first edge not yet known to be below x
    for width in [1 << k for k in reversed(range(n_steps))]:
        edge = g.node("Gather", [table, g.binary("Add", position, width - 1)], "float64", axis=0)
        below = g.node("Less", [edge, columns], "bool")
        beyond = g.binary("Add", position, width)
        position = g.node("Where", [below, beyond, position], "int32")
    base, nan_code = step.base.astype(np.int64), step.nan_code.astype(np.int64)
    wide = "int32" if _fits_int32(result) else "int64"
    codes = g.binary("Add", g.cast(position, wide), base - start)
    if not g.takes_missing:
        return g.cast(codes, storage_dtype(result))
    missing = g.node("IsNaN", [columns], "bool")
    codes = g.node("Where", [missing, g.constant(nan_code, wide), codes], wide)
    return g.cast(codes, storage_dtype(result))


def _fits_int32(type_: TensorType) -> bool:
    lo, hi = type_.interval
    return -(2**31) <= lo and hi < 2**31


def dequantize(
    g: GraphBuilder, step: ins.Dequantize, types: Types, result: TensorType, q: Value
) -> Value:
    """``(q - zero_point) * scale`` in float64."""
    reals = g.cast(q, "float64")
    if np.any(step.zero_point != 0):
        reals = g.binary("Sub", reals, step.zero_point)
    return g.binary("Mul", reals, step.scale)
