"""Scale, zero point and minval of a range; codes and values. The arithmetic, written once.

Integer dtypes, in the dtype of the range; ``[qmin, qmax]`` are the codes, ``mn <= 0 <= mx``:

========== ==================================== ============================== ================
scheme     scale, at least 2**-23               zero point                     minval
========== ==================================== ============================== ================
symmetric  max(-mn, mx) / ((qmax - qmin) / 2)   trunc((qmax + qmin + 1) / 2)   -max(|mn|, |mx|)
asymmetric (mx - mn) / (qmax - qmin)            clip(qmin - rint(mn / scale),  mn
                                                qmin, qmax)
========== ==================================== ============================== ================

Float dtypes have a scale only: ``max_abs / largest``, at least 2**-23, or with a scale of
float8_e8m0fnu ``2**(e - t)``, where e is the exponent of max_abs and t that of the largest code.

Quantizing divides, rounds half to even, adds the integer offset, then clamps.
"""

from __future__ import annotations

import math
from typing import Any, TypeAlias

import torch

from skq.quantization.spec import dtypes
from skq.quantization.spec.errors import RangeError
from skq.quantization.spec.qscheme import QuantizationScheme

#: Least scale for every dtype of the values: the epsilon of float32.
LEAST_SCALE = 2.0**-23
#: Exponents of the least and the greatest scale of float8_e8m0fnu, and its least value in float32.
E8M0_EXPONENTS = (-127, 128)
LEAST_E8M0 = 2.0**-126

MaybeTensor: TypeAlias = torch.Tensor | None


def integer_qparams(
    min_val: torch.Tensor,
    max_val: torch.Tensor,
    qscheme: QuantizationScheme,
    quant_min: int,
    quant_max: int,
) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """Scale, zero point (int32) and minval of a range.

    Parameters
    ----------
    min_val, max_val : Tensor
        ``min_val <= 0 <= max_val``.
    qscheme : QuantizationScheme
    quant_min, quant_max : int

    Examples
    --------
    >>> ends = torch.tensor(-1.5), torch.tensor(2.0)
    >>> integer_qparams(*ends, QuantizationScheme.ASYMMETRIC, -8, 7)
    (tensor(0.2333), tensor(-2, dtype=torch.int32), tensor(-1.5000))
    """
    if qscheme is QuantizationScheme.ASYMMETRIC:
        scale = ((max_val - min_val) / float(quant_max - quant_min)).clamp(min=LEAST_SCALE)
        zero_point = (quant_min - torch.round(min_val / scale)).clamp(quant_min, quant_max)
        return scale, zero_point.detach().to(torch.int32), min_val
    widest = torch.maximum(-min_val, max_val)
    scale = (widest / (float(quant_max - quant_min) / 2)).clamp(min=LEAST_SCALE)
    middle = math.trunc((quant_max + quant_min + 1) / 2)
    zero_point = torch.full_like(scale, middle, dtype=torch.int32)
    return scale, zero_point, -torch.maximum(min_val.abs(), max_val.abs())


def float_scale(
    min_val: torch.Tensor, max_val: torch.Tensor, dtype: Any, scale_dtype: Any
) -> torch.Tensor:
    """Scale of a range for codes of a float dtype.

    Examples
    --------
    >>> float_scale(torch.tensor(-3.9), torch.tensor(1.0), torch.float8_e5m2, None)
    tensor(6.8011e-05)
    """
    widest = torch.maximum(-min_val, max_val)
    largest = dtypes.code_range_of(dtype, QuantizationScheme.SYMMETRIC)[1]
    if scale_dtype is None:
        return (widest / largest).clamp(min=LEAST_SCALE)
    bits = widest.detach().to(torch.float32).view(torch.int32)
    exponent = ((bits >> 23) & 0xFF) - 127
    top = math.floor(math.log2(largest))
    exponent = (exponent - top).clamp(*E8M0_EXPONENTS)
    scale = torch.ldexp(torch.ones_like(exponent, dtype=torch.float32), exponent)
    return scale.clamp(min=LEAST_E8M0)


def check_range(min_val: torch.Tensor, max_val: torch.Tensor) -> None:
    """Refuse a range with ends that are NaN or infinite.

    Raises
    ------
    RangeError
    """
    if not bool(torch.isfinite(min_val).all() & torch.isfinite(max_val).all()):
        raise RangeError(
            "The observed range is not finite: the tensor has NaN or infinite values. "
            f"Range: {_between(min_val, max_val)}."
        )


def check_scale(scale: torch.Tensor, min_val: torch.Tensor, max_val: torch.Tensor) -> None:
    """Refuse a range whose ends are so far apart that the scale is infinite.

    Raises
    ------
    RangeError
    """
    if not bool(torch.isfinite(scale).all()):
        raise RangeError(
            f"The range {_between(min_val, max_val)} is too wide for "
            f"{dtypes.dtype_name(min_val.dtype)}: its scale is not finite."
        )


def _between(min_val: torch.Tensor, max_val: torch.Tensor) -> str:
    return f"[{min_val.min().item()}, {max_val.max().item()}]"


def unclamped_codes(
    values: torch.Tensor, scale: torch.Tensor, shift: MaybeTensor, offset: torch.Tensor | int
) -> torch.Tensor:
    """Whole numbers before the clamp: ``rint((values - shift) / scale) + offset``.

    Parameters
    ----------
    values : Tensor
        In float32 (or what scale and values promote to).
    scale : Tensor
    shift : Tensor or None
        The value at `offset`: minval, or None for 0.
    offset : Tensor of int or int
        Zero point, or the least code.
    """
    moved = values if shift is None else values - shift
    return torch.round(moved / scale) + offset


def values_of(
    codes: torch.Tensor, scale: torch.Tensor, shift: MaybeTensor, offset: torch.Tensor | int
) -> torch.Tensor:
    """Values that codes stand for: ``(codes - offset) * scale + shift``."""
    steps = (codes - offset) * scale
    return steps if shift is None else steps + shift


def round_to_float4(values: torch.Tensor) -> torch.Tensor:
    """Nearest values of float4_e2m1fn, ties to the even mantissa.

    Parameters
    ----------
    values : Tensor
        In [-6, 6].

    Examples
    --------
    >>> round_to_float4(torch.tensor([0.25, 0.75, 1.75, 2.5, 3.5, 5.0, -6.0]))
    tensor([ 0.,  1.,  2.,  2.,  4.,  4., -6.])
    """
    size = values.abs()
    step = torch.where(size < 2, 0.5, torch.where(size < 4, 1.0, 2.0)).to(values.dtype)
    return torch.round(values / step) * step
