"""Steps of the NumPy engine: functions of arrays that compute one instruction.

A value is an array of any dtype that holds its proven interval exactly: a float32 or float64 array
holds integers below 2**24 or 2**53 in magnitude.
"""

from __future__ import annotations

import copy
import math
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from skq import numerics
from skq.engines import reference
from skq.program import instructions as ins
from skq.program.types import TensorType

Array = NDArray[Any]
DType = np.dtype[Any]

#: Integers up to these magnitudes, and their sums, are exact in these dtypes.
EXACT: tuple[tuple[DType, float], ...] = (
    (np.dtype(np.float32), 2.0**24),
    (np.dtype(np.float64), 2.0**53),
)


class Types(NamedTuple):
    """What a step is made for, in addition to its instruction."""

    operands: Sequence[TensorType]
    result: TensorType
    dtype: DType | None = None  # in which the result is read, if one is preferred


class Step:
    """Base of all steps, which are made from an instruction and `Types` and never change."""

    def __call__(self, *operands: Array) -> Array:
        """Compute the value for some rows."""
        raise TypeError(f"{type(self).__name__} computes nothing")

    def without_missing(self) -> Step:
        """The same for real operands without NaN, which may be faster."""
        return self

    def arrays(self) -> list[Array]:
        """The arrays that it holds."""
        found: list[Array] = []
        for item in vars(self).values():
            for each in item if isinstance(item, list | tuple) else (item,):
                if isinstance(each, np.ndarray):
                    found.append(each)
                elif isinstance(each, Step):
                    found += each.arrays()
        return found


def operand_dtype(step: ins.Instruction, types: Types) -> DType | None:
    """The dtype in which a step reads its operands, if it prefers one."""
    if isinstance(step, ins.MatMul):
        return product_dtype(step, types.operands[0])
    return types.dtype if isinstance(step, ins.Gather | ins.Reshape) else None


def largest(type_: TensorType) -> int:
    """Greatest magnitude of a value."""
    lo, hi = type_.interval
    return max(-lo, hi)


def product_dtype(step: ins.MatMul, operand: TensorType) -> DType | None:
    """The float dtype in which every partial sum of a product is exact, whatever the order."""
    weights = step.weights.astype(np.float64)
    most = float(np.abs(weights).sum(axis=0).max(initial=0.0)) * largest(operand)
    most = max(most, largest(operand), float(np.abs(weights).max(initial=0.0)))
    # to convert codes to float32 takes longer than to multiply them by one column
    dtypes = EXACT[1:] if step.weights.shape[1] == 1 else EXACT
    return next((dtype for dtype, limit in dtypes if most < limit), None)


class General(Step):
    """Any instruction without a faster step: by the reference engine."""

    def __init__(self, step: ins.Instruction, types: Types) -> None:
        self.step, self.types = step, types.operands

    def __call__(self, *operands: Array) -> Array:
        whole = [
            x.astype(np.int64, copy=False) if type_.is_integer else x
            for x, type_ in zip(operands, self.types, strict=True)
        ]
        return reference.execute(self.step, self.types, whole)

    def arrays(self) -> list[Array]:
        return []  # those of the program


class Quantize(Step):
    """`skq.numerics.quantize`, in one array."""

    def __init__(self, step: ins.Quantize, types: Types) -> None:
        self.scale, self.zero = step.scale, step.zero_point.astype(np.float64)
        self.lo, self.hi = float(step.lo), float(step.hi)
        self.is_finite = False
        self.dtype = types.dtype or np.dtype(np.float64)

    def __call__(self, *operands: Array) -> Array:
        codes = np.asarray(np.divide(operands[0], self.scale, dtype=np.float64))
        codes += self.zero
        np.rint(codes, out=codes)
        return self._saturated(codes).astype(self.dtype, copy=False)

    def _saturated(self, codes: Array) -> Array:
        if self.is_finite:
            return np.clip(codes, self.lo, self.hi, out=codes)
        np.fmax(codes, self.lo, out=codes)  # NaN gives lo
        return np.minimum(codes, self.hi, out=codes)

    def without_missing(self) -> Step:
        finite = copy.copy(self)
        finite.is_finite = True
        return finite


class MatMul(Step):
    """By BLAS in floats; where no mantissa is proven to hold the sums, in int64."""

    def __init__(self, step: ins.MatMul, types: Types) -> None:
        self.weights = step.weights.astype(product_dtype(step, types.operands[0]) or np.int64)
        self.shape = types.result.shape
        self.vectors = math.prod(self.shape[:-1])  # of a row

    def __call__(self, *operands: Array) -> Array:
        (x,) = operands
        flat = x.astype(self.weights.dtype, copy=False)
        flat = flat.reshape(len(x) * self.vectors, len(self.weights))
        return np.asarray(flat @ self.weights).reshape(len(x), *self.shape)


class Requantize(Step):
    """`skq.numerics.requantize`: in float64 where the numbers before the shift are below 2**53.

    Multiplier and offset are divided by the power of two of the shift, which rounds nothing.
    """

    def __init__(self, step: ins.Requantize, types: Types) -> None:
        factor = step.multiplier.astype(np.float64) * 2.0**-step.shift
        self.factor, self.offset = factor, step.offset.astype(np.float64) * 2.0**-step.shift
        lo, hi = types.result.interval
        self.ends = (float(lo), float(hi))
        self.saturates = lo == step.lo or hi == step.hi
        self.dtype = types.dtype or np.dtype(np.float64)

    def __call__(self, *operands: Array) -> Array:
        codes = np.asarray(np.multiply(operands[0], self.factor, dtype=np.float64))
        codes += self.offset
        np.floor(codes, out=codes)
        if self.saturates:
            np.clip(codes, *self.ends, out=codes)
        return codes.astype(self.dtype, copy=False)


def requantize(step: ins.Requantize, types: Types) -> Step:
    """The step of a Requantize: in float64 if that is exact."""
    factor = step.multiplier.astype(np.float64)
    widest = float(np.max(np.abs(factor), initial=0.0)) * largest(types.operands[0])
    widest += float(np.max(np.abs(step.offset.astype(np.float64)), initial=0.0))
    exact = max(widest, float(largest(types.operands[0]))) < numerics.EXACT_FLOAT64 / 2
    return (Requantize if exact else General)(step, types)


class Table(Step):
    """Entries by index; tables of channels follow each other."""

    def __init__(self, step: ins.Table, types: Types) -> None:
        self.table = step.table.astype(types.dtype or np.dtype(types.result.dtype)).ravel()
        first = np.zeros((), np.intp)
        if step.table.ndim == 2:
            first = np.arange(len(step.table), dtype=np.intp) * step.table.shape[1]
        self.first = first - types.operands[0].interval[0]

    def __call__(self, *operands: Array) -> Array:
        index = operands[0].astype(np.intp)
        index += self.first
        return self.table.take(index)


class Gather(Step):
    """Elements of the row, of which none is the fill value."""

    def __init__(self, step: ins.Gather, types: Types) -> None:
        self.indices = step.indices.astype(np.intp)

    def __call__(self, *operands: Array) -> Array:
        (x,) = operands
        return x.reshape(len(x), -1).take(self.indices, axis=1)


def gather(step: ins.Gather, types: Types) -> Step:
    """The step of a Gather."""
    fills = bool((step.indices < 0).any())
    return (General if fills else Gather)(step, types)


class Reshape(Step):
    """The same elements in another shape."""

    def __init__(self, step: ins.Reshape, types: Types) -> None:
        self.shape = step.shape

    def __call__(self, *operands: Array) -> Array:
        return operands[0].reshape(len(operands[0]), *self.shape)


class ArgMax(Step):
    """First index of the largest."""

    def __init__(self, step: ins.ArgMax, types: Types) -> None:
        pass

    def __call__(self, *operands: Array) -> Array:
        return np.asarray(operands[0].argmax(axis=-1))


class Dequantize(Step):
    """`skq.numerics.dequantize`."""

    def __init__(self, step: ins.Dequantize, types: Types) -> None:
        self.scale, self.zero = step.scale, step.zero_point

    def __call__(self, *operands: Array) -> Array:
        # adding 0.0 makes the negative zero of a float array that of an integer
        codes = np.asarray(np.add(operands[0], 0.0, dtype=np.float64))
        codes -= self.zero
        codes *= self.scale
        return codes
