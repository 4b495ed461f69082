"""Scalers as `Affine` steps."""

from __future__ import annotations

from typing import Any

from skq.exceptions import UnsupportedModelError
from skq.frontend.equivalents.writers import equivalent
from skq.frontend.predictors import Affine


@equivalent("StandardScaler")
def _standard_scaler(scaler: Any) -> Affine:
    return Affine(
        subtract=scaler.mean_ if scaler.with_mean else None,
        divide=scaler.scale_ if scaler.with_std else None,
    )


@equivalent("RobustScaler")
def _robust_scaler(scaler: Any) -> Affine:
    return Affine(
        subtract=scaler.center_ if scaler.with_centering else None,
        divide=scaler.scale_ if scaler.with_scaling else None,
    )


@equivalent("MaxAbsScaler")
def _max_abs_scaler(scaler: Any) -> Affine:
    _refuse_clip(scaler)
    return Affine(divide=scaler.scale_)


@equivalent("MinMaxScaler")
def _min_max_scaler(scaler: Any) -> Affine:
    _refuse_clip(scaler)
    return Affine(multiply=scaler.scale_, add=scaler.min_)


def _refuse_clip(scaler: Any) -> None:
    if getattr(scaler, "clip", False):
        raise UnsupportedModelError(
            f"{type(scaler).__name__}(clip=True) has no integer representation; use clip=False. "
            "The input quantizer saturates at the range of the calibration data anyway."
        )
