"""All rounding, saturation and requantization of skq, defined once.

Every engine and every export repeats exactly these functions: dtype, tie rule and order of
operations are part of the definition.

========== ================================================================= =====================
function   formula                                                           ties
========== ================================================================= =====================
quantize   ``clip(rint(x / scale + zero_point), lo, hi)`` in float64         half to even
dequantize ``(q - zero_point) * scale`` in float64                           (one rounding each)
requantize ``clip((q * multiplier + offset) >> shift, lo, hi)`` in int64     half up (via offset)
bin        ``base + #{edges < x}`` in float64                                ``x == edge`` is below
========== ================================================================= =====================

``>>`` is the arithmetic shift (floor division by a power of two).
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

IntArray = NDArray[np.int64]
FloatArray = NDArray[np.float64]

INT64_MAX = 2**63 - 1
#: Integers up to this magnitude are exact in float64, so dequantizing does not change their order.
EXACT_FLOAT64 = 2**53


def quantize(
    x: ArrayLike, scale: ArrayLike, zero_point: ArrayLike, lo: ArrayLike, hi: ArrayLike
) -> IntArray:
    """Map real values to integer codes.

    ``q = clip(rint(x / scale + zero_point), lo, hi)``, computed in float64 in this order, ties to
    even. Values outside of the range saturate; NaN gives `lo` (estimators refuse NaN before).

    Parameters
    ----------
    x : array-like of float
        Values, of any shape that broadcasts with the parameters.
    scale, zero_point : array-like
        Distance of neighbouring values of the grid (> 0), and the code of real zero.
    lo, hi : array-like of int
        Smallest and largest code, at most 2**53 in magnitude.

    Returns
    -------
    ndarray of int64, values in [lo, hi]

    Examples
    --------
    >>> quantize([0.0, 0.25, 0.75, 9.0], scale=0.5, zero_point=1, lo=0, hi=3)
    array([1, 2, 2, 3])
    """
    step, zero = np.asarray(scale, dtype=np.float64), np.asarray(zero_point, dtype=np.float64)
    with np.errstate(over="ignore", invalid="ignore"):
        codes = np.rint(np.asarray(x, dtype=np.float64) / step + zero)
        codes = np.where(np.isnan(codes), lo, np.clip(codes, lo, hi))
    return codes.astype(np.int64)


def dequantize(q: ArrayLike, scale: ArrayLike, zero_point: ArrayLike) -> FloatArray:
    """Map integer codes back to real values: ``(q - zero_point) * scale`` in float64.

    Examples
    --------
    >>> dequantize([0, 1, 3], scale=0.5, zero_point=1)
    array([-0.5,  0. ,  1. ])
    """
    codes = np.asarray(q).astype(np.float64)
    zero = np.asarray(zero_point, dtype=np.float64)
    return np.asarray((codes - zero) * np.asarray(scale, dtype=np.float64))


def requantize(
    q: ArrayLike,
    multiplier: ArrayLike,
    offset: ArrayLike,
    shift: int,
    lo: int,
    hi: int,
) -> IntArray:
    """Rescale integers by a fixed-point factor and saturate.

    ``clip((q * multiplier + offset) >> shift, lo, hi)`` in int64. `offset` carries the zero point,
    the bias and the rounding constant ``2**(shift - 1)`` (round half up). Source: arXiv:1712.05877,
    section 2.2, here with a multiplier as wide as 63 bits allow for the proven interval of ``q``.

    Examples
    --------
    >>> requantize([-3, 0, 5, 100], multiplier=3, offset=2, shift=2, lo=0, hi=15)
    array([ 0,  0,  4, 15])
    """
    wide = np.asarray(q, dtype=np.int64) * np.asarray(multiplier, dtype=np.int64)
    wide = wide + np.asarray(offset, dtype=np.int64)
    return np.clip(wide >> np.int64(shift), lo, hi)


def bin_codes(x: NDArray[Any], edges: FloatArray, base: int, nan_code: int) -> IntArray:
    """Code of each value among sorted edges: ``base + #{edges < x}``; NaN gives `nan_code`.

    Examples
    --------
    >>> bin_codes(np.array([0.0, 1.0, 1.5, np.nan]), np.array([1.0, 2.0]), base=0, nan_code=3)
    array([0, 0, 1, 3])
    """
    values = np.asarray(x, dtype=np.float64)
    codes = base + np.searchsorted(edges, values, side="left").astype(np.int64)
    return np.where(np.isnan(values), np.int64(nan_code), codes)


def bit_width(lo: int, hi: int) -> int:
    """Bits that hold every integer in [lo, hi]: unsigned when `lo` >= 0, else two's complement.

    Examples
    --------
    >>> bit_width(0, 255), bit_width(-128, 127), bit_width(0, 0)
    (8, 8, 1)
    """
    if lo >= 0:
        return max(1, int(hi).bit_length())
    return max(int(-lo - 1).bit_length(), int(hi).bit_length() if hi > 0 else 0) + 1


def integer_dtype(lo: int, hi: int) -> str:
    """Name of the smallest NumPy integer dtype that holds every integer in [lo, hi]."""
    bits = bit_width(lo, hi)
    width = next((w for w in (8, 16, 32, 64) if bits <= w), None)
    if width is None or (lo >= 0 and bits > 63):
        raise OverflowError(f"[{lo}, {hi}] needs {bits} bits; at most 63 and a sign are available")
    return f"{'uint' if lo >= 0 and width < 64 else 'int'}{width}"


#: Most bits of the multiplier of a requantization: finer than any code, and it fits an int32.
MULTIPLIER_BITS = 31


def fixed_point(
    ratio: ArrayLike, offset: ArrayLike, lo: int, hi: int
) -> tuple[IntArray, IntArray, int]:
    """Integers for `requantize`: ``(q * m + o) >> s`` is ``q * ratio + offset``, rounded half up.

    All channels share the shift. The multiplier is as wide as 63 bits allow for the proven interval
    of the operand, at most 31 bits.

    Parameters
    ----------
    ratio, offset : array-like of float
        Real factor and real offset: scalars, or one number for each channel.
    lo, hi : int
        Proven interval of the operand ``q``.

    Returns
    -------
    multiplier, offset : ndarray of int64, of the broadcast shape
        The offset includes the rounding constant ``2**(shift - 1)``.
    shift : int
        In [0, 62].

    Examples
    --------
    >>> m, o, s = fixed_point(0.75, 1.0, lo=0, hi=255)
    >>> int(m) / 2**s, int(requantize(10, m, o, s, 0, 255))
    (0.75, 9)
    """
    ratios, offsets = np.broadcast_arrays(
        np.asarray(ratio, dtype=np.float64), np.asarray(offset, dtype=np.float64)
    )
    largest = float(np.max(np.abs(ratios), initial=0.0))
    reach = largest * max(-lo, hi, 1) + float(np.max(np.abs(offsets), initial=0.0)) + 1.0
    if not reach < 2.0**62:
        raise OverflowError(
            f"[{lo}, {hi}] times {largest:g} plus {np.max(np.abs(offsets)):g} needs more "
            "than 63 bits"
        )
    shift = min(62, 61 - int(np.ceil(np.log2(reach))))
    if largest > 0:
        shift = min(shift, MULTIPLIER_BITS - 1 - int(np.ceil(np.log2(largest))))
    shift = max(shift, 0)
    half = 2 ** (shift - 1) if shift else 0
    multiplier = np.rint(np.ldexp(ratios, shift)).astype(np.int64)
    return multiplier, np.rint(np.ldexp(offsets, shift)).astype(np.int64) + half, shift
