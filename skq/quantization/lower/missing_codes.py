"""Missing values that are imputed before a quantizer: NaN gets the code of the fill value.

``Quantize`` gives NaN the code 0. A ``Bin`` without edges gives 1 where a value is missing and else
0. The result is the maximum of the codes and this bit times the code of the fill value.
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
    """Result of ``IsNaN`` of the float input: where features are missing, for ``Where``.

    Parameters
    ----------
    features : Features
    """

    features: Features


def with_fill(features: Features, raw: Array, lo: Array, hi: Array) -> tuple[Array, Array, Array]:
    """Calibration rows with missing values filled, and their range with the fill values."""
    fill = features.fill
    if fill is None:
        return raw, lo, hi
    raw = np.where(np.isnan(raw), fill, raw)
    return raw, np.fmin(lo, fill), np.fmax(hi, fill)


def unseen_fill(features: Features) -> Array:
    """Fill values of features without missing values in the calibration rows; NaN for the others.

    Ranges must include them, although no calibration row does.
    """
    if features.fill is None:
        return np.full(features.raw.shape[1:], np.nan)
    return np.where(np.isnan(features.raw).any(axis=0), np.nan, features.fill)


def far_fills(features: Features) -> NDArray[np.int64]:
    """Features whose fill value is far from all their values, as -999 often is.

    Its distance to them exceeds their range, so a grid that includes it would leave few codes for
    the values. It is then added as a separate term.
    """
    fill = features.fill
    if fill is None or features.raw.ndim != 2:
        return np.zeros(0, dtype=np.int64)
    lo, hi = np.asarray(features.lo, np.float64), np.asarray(features.hi, np.float64)
    distance = np.maximum(lo - fill, fill - hi)
    return np.flatnonzero((hi > lo) & (distance > hi - lo))


def with_near_fills(features: Features, column: NDArray[np.int64]) -> Features:
    """The same features, some filled with the nearest value in their range."""
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
    """The codes, with the code of the fill value where a feature is missing.

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
        position = np.full(len(fill), -1, dtype=np.int64)
        position[column] = np.arange(len(column))
        raised = add(Gather((raised,), position, 0))
    return add(Maximum((codes, raised)))
