"""Missing values that are filled in front of a quantizer: the code of NaN becomes the filler's.

``Quantize`` gives NaN the code 0. A ``Bin`` without edges gives 1 where a value is missing and else
0; times the filler's code, that is what the codes are raised to.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from skq import numerics
from skq.program import Bin, Gather, Instruction, Maximum, Requantize
from skq.quantization.lower.operands import Array, Features

Floats = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class MissingMask:
    """Where the features are missing: what ``IsNaN`` of the float input is, for ``Where`` to read.

    Parameters
    ----------
    features : Features
    """

    features: Features


def with_fill(features: Features, raw: Array, lo: Array, hi: Array) -> tuple[Array, Array, Array]:
    """Calibration rows and their range, with what fills missing values."""
    fill = features.fill
    if fill is None:
        return raw, lo, hi
    raw = np.where(np.isnan(raw), fill, raw)
    return raw, np.fmin(lo, fill), np.fmax(hi, fill)


def unseen_fill(features: Features) -> Array:
    """What fills features that no calibration row misses; NaN for the others.

    Ranges have to hold it, though no calibration row shows that.
    """
    if features.fill is None:
        return np.full(features.raw.shape[1:], np.nan)
    return np.where(np.isnan(features.raw).any(axis=0), np.nan, features.fill)


def far_fills(features: Features) -> NDArray[np.int64]:
    """Features whose filler is far from all their values, as -999 often is.

    A grid that holds it would leave few codes to the values: further away than these are from each
    other, it takes a code of its own.
    """
    fill = features.fill
    if fill is None or features.raw.ndim != 2:
        return np.zeros(0, dtype=np.int64)
    lo, hi = np.asarray(features.lo, np.float64), np.asarray(features.hi, np.float64)
    distance = np.maximum(lo - fill, fill - hi)
    return np.flatnonzero((hi > lo) & (distance > hi - lo))


def with_near_fills(features: Features, column: NDArray[np.int64]) -> Features:
    """The same features, some with the nearest of their values for a filler."""
    fill = np.array(features.fill, dtype=np.float64)
    fill[column] = np.clip(fill[column], features.lo[column], features.hi[column])
    first = replace(features.steps[0], constant=fill)
    return replace(features, steps=(first, *features.steps[1:]))


def missing_bits(features: Features, column: NDArray[np.int64]) -> Bin:
    """1 where these features are missing, else 0."""
    none = np.zeros(len(column), dtype=np.int64)
    return Bin(
        (features.value,),
        feature=column,
        edges=np.zeros(0),
        offsets=np.zeros(len(column) + 1, dtype=np.int64),
        base=none,
        nan_code=none + 1,
    )


def filled(
    add: Callable[[Instruction], int],
    features: Features,
    codes: int,
    scale: Floats,
    zero_point: Floats,
    top: int,
) -> int:
    """The codes, with the filler's code where a feature is missing.

    `add` appends an instruction to the program and returns the number of its value.
    """
    fill = features.fill
    if fill is None:
        return codes
    column = np.flatnonzero(~np.isnan(fill))
    code = numerics.quantize(np.nan_to_num(fill), scale, zero_point.astype(np.int64), 0, top)
    if not np.any(code[column]):
        return codes
    none = np.zeros(len(column), dtype=np.int64)
    missing = add(missing_bits(features, column))
    raised = add(Requantize((missing,), code[column], none, shift=0, lo=0, hi=top))
    if len(column) < len(fill):
        place = np.full(len(fill), -1, dtype=np.int64)
        place[column] = np.arange(len(column))
        raised = add(Gather((raised,), place, 0))
    return add(Maximum((codes, raised)))
