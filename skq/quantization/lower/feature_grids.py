"""Grids of the float input: how features become codes."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from skq.exceptions import UnsupportedModelError
from skq.program import Quantize
from skq.program.instructions.reals import FROZEN_SCALE
from skq.quantization.lower.calibrated_program import CalibratedProgram
from skq.quantization.lower.missing_codes import filled, unseen_fill, with_fill
from skq.quantization.lower.operands import Array, Features, QuantizedTensor, scalar
from skq.quantization.lower.whole_numbers import are_whole, whole_step
from skq.quantization.search.candidates import whole_columns, whole_zero_point
from skq.quantization.search.ranges import find_joint_range, find_range

#: Scale of the codes of such a column relative to its value: every code represents the value.
CONSTANT_STEP = 2.0**-40

#: A zero point is held as an integer; a column's offset may not exceed this many steps.
MAX_ZERO_POINT = 2.0**62


def quantize_features(
    program: CalibratedProgram,
    features: Features,
    n_bits: int,
    row_weight: NDArray[np.float64],
    *,
    per_feature: bool,
    method: str,
) -> QuantizedTensor:
    """Codes of the float input: a uniform grid for each feature, or one for all.

    Parameters
    ----------
    program : CalibratedProgram
    features : Features
    n_bits : int
        Width of the codes, which lie in [0, 2**n_bits - 1].
    row_weight : ndarray of shape (n_rows,)
        Weight of each calibration row; they sum to 1.
    per_feature : bool
        Whether each feature has a separate grid.
    method : {"minmax", "percentile", "mse", "whole"}
        How ranges are chosen; "whole": a scale of 1 for integer columns that the codes hold.

    Raises
    ------
    UnsupportedModelError
        If features were scaled differently before an operator that needs one grid for all.
    """
    top = 2**n_bits - 1
    lo, hi = np.asarray(features.lo, np.float64), np.asarray(features.hi, np.float64)
    raw = np.asarray(features.raw, np.float64)
    raw, lo, hi = with_fill(features, raw, lo, hi)
    whole = np.zeros(np.shape(lo), dtype=bool)
    if method == "whole":
        whole, method = integer_columns(features, n_bits), "minmax"
    if per_feature:
        lo, hi = find_range(raw, row_weight, lo, hi, n_bits, method)
        hold = unseen_fill(features)
        lo, hi = np.fmin(lo, hold), np.fmax(hi, hold)
        if features.holds_zero:
            lo, hi = np.minimum(lo, 0.0), np.maximum(hi, 0.0)
    else:
        lo, hi = scalar(lo.min()), scalar(hi.max())
        if method != "minmax":
            lo, hi = map(scalar, find_joint_range(raw, row_weight, n_bits, method))
        lo, hi = np.minimum(lo, 0.0), np.maximum(hi, 0.0)
    scale = hi / top - lo / top
    frozen = ~(scale > 0)
    if features.is_whole:
        lo, scale = _whole_grids(features, raw, lo, scale, top)
    scale = np.maximum(scale, np.abs(lo) / MAX_ZERO_POINT)
    scale = np.where(frozen, FROZEN_SCALE, scale)
    zero_point = np.where(frozen, 0.0, np.rint(-lo / scale))
    if np.any(whole):
        scale = np.where(whole, 1.0, scale)
        zero_point = np.where(whole, whole_zero_point(lo, hi, top), zero_point)
    value = program.add(
        Quantize((features.value,), scale, zero_point.astype(np.int64), lo=0, hi=top)
    )
    value = filled(program.add, features, value, scale, zero_point, top)
    if not features.steps:
        return QuantizedTensor(value, *_with_constants(frozen, lo, scale, zero_point))
    factor, offset = features.affine()
    if not per_feature and (np.ptp(factor) > 0 or np.ptp(offset) > 0):
        raise UnsupportedModelError(
            "functions of single features before an operator that needs one scale for all"
        )
    frozen = frozen | (factor == 0)
    step = np.where(frozen, 1.0, scale * factor)
    return QuantizedTensor(
        value, *_with_constants(frozen, lo * factor + offset, step, zero_point - offset / step)
    )


def integer_columns(features: Features, n_bits: int) -> NDArray[np.bool_]:
    """Integer columns, not constant, whose range fits codes of `n_bits` with a scale of 1."""
    raw, lo, hi = with_fill(
        features, np.asarray(features.raw, np.float64), features.lo, features.hi
    )
    hold = unseen_fill(features)
    lo, hi = np.fmin(lo, hold), np.fmax(hi, hold)
    return whole_columns(raw, lo, hi, n_bits) & (lo < hi)


def _whole_grids(
    features: Features, raw: Array, lo: Array, scale: Array, top: int
) -> tuple[Array, Array]:
    """Least values and scales, those of columns of whole numbers replaced where codes hold them."""
    least, greatest = np.asarray(features.lo, np.float64), np.asarray(features.hi, np.float64)
    whole: Array | np.bool_ = are_whole(raw) & are_whole(least[None]) & are_whole(greatest[None])
    if np.ndim(lo) == 0:
        whole, least, greatest = whole.all(keepdims=True), least.min(), greatest.max()
    step = whole_step(least, greatest, top)
    holds = whole & ~np.isnan(step) & (greatest > least)
    shape = np.shape(lo)
    return (
        np.where(holds, least, lo).reshape(shape),
        np.where(holds, step, scale).reshape(shape),
    )


def _with_constants(
    is_constant: NDArray[np.bool_], constant: Array, scale: Array, zero_point: Array
) -> tuple[Array, Array]:
    """Scales and zero points, by which all codes of some columns stand for a constant."""
    step = np.where(constant == 0, 1.0, np.abs(constant)) * CONSTANT_STEP
    return (
        np.where(is_constant, step, scale),
        np.where(is_constant, -constant / step, zero_point),
    )
