"""Choosing a grid: the scale and zero point with which n-bit codes cover a range of real values.

A code q represents ``(q - zero_point) * scale``.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from skq.numerics import FloatArray

#: A range of values smaller than this is a constant, whose range gives no scale.
STABILITY_CONST = 10**-6

#: Relative error that float32 arithmetic may have left in values on a grid.
_NOISE = 8 * float(np.finfo(np.float32).eps)
#: A value is on the grid when it is at most this fraction of a step away from it.
_LARGEST_RESIDUAL = 0.1
_SMALLEST_RESIDUAL = 1e-6


def code_offset(n_bits: int, is_signed: bool) -> int:
    """Return the offset: the smallest code that n bits have is ``-offset``."""
    return 2 ** (n_bits - 1) if is_signed else 0


def code_range(
    n_bits: int, is_signed: bool, is_symmetric: bool, offset: int | None = None
) -> tuple[int, int]:
    """Smallest and largest code.

    Signed symmetric codes leave out the smallest, so that the negative of a code is a code. With
    one bit it is used, because 0 would be the only code.

    Examples
    --------
    >>> code_range(3, False, False), code_range(3, True, False), code_range(3, True, True)
    ((0, 7), (-4, 3), (-3, 3))
    """
    if offset is None:
        offset = code_offset(n_bits, is_signed)
    is_narrow = is_symmetric and is_signed and n_bits > 1
    return int(is_narrow) - offset, 2**n_bits - 1 - offset


def range_grid(
    rmin: ArrayLike, rmax: ArrayLike, n_bits: int, *, is_signed: bool, is_symmetric: bool
) -> tuple[FloatArray, FloatArray]:
    """Scale and zero point that cover [rmin, rmax].

    ========== ======================================= ========================================
    range      scale                                   zero point
    ========== ======================================= ========================================
    affine     ``(rmax - rmin) / (2**n_bits - 1)``     ``rint(-rmin / scale) - offset``
    symmetric  ``max|r| / (2**n_bits - 1 - offset)``   0
    constant   1 where that is exact, else the         0 where a code has the constant's sign,
               constant's magnitude                    else 1 towards it (but 0 if symmetric)
    ========== ======================================= ========================================

    A range below `STABILITY_CONST` is a constant, in the middle of it. The affine step is never
    finer than ``spacing(max|r|)``: float64 has no values in between.

    Parameters
    ----------
    rmin, rmax : array-like of float
        Finite, ``rmin <= rmax``, broadcast against each other.
    n_bits : int
        Bits of a code.
    is_signed, is_symmetric : bool
        The method; see `QuantizationOptions`.

    Returns
    -------
    scale : ndarray of float64, > 0
    zero_point : ndarray of float64, integers

    Raises
    ------
    ValueError
        If values below 0 meet symmetric unsigned codes, or the range is wider than float64.

    Examples
    --------
    >>> scale, zero_point = range_grid(-1, 2, 2, is_signed=False, is_symmetric=False)
    >>> float(scale), float(zero_point)
    (1.0, 1.0)
    """
    lowest, highest = np.broadcast_arrays(
        np.asarray(rmin, dtype=np.float64), np.asarray(rmax, dtype=np.float64)
    )
    with np.errstate(over="ignore"):
        width = highest - lowest
    if not np.isfinite(width).all():
        raise ValueError(f"the range [{lowest.min()}, {highest.max()}] is too wide for float64.")
    if is_symmetric and not is_signed and np.any(lowest < 0):
        raise ValueError(
            f"symmetric unsigned codes cannot hold values below 0, got rmin={lowest.min()}. "
            "Use is_signed=True, or is_symmetric=False."
        )
    magnitude = np.maximum(np.abs(lowest), np.abs(highest))
    offset = code_offset(n_bits, is_signed)
    levels = 2**n_bits - 1
    is_constant = width < STABILITY_CONST
    if is_symmetric:
        scale = np.where(is_constant, 1.0, magnitude / max(levels - offset, 1))
        zero_point = np.zeros_like(scale)
    else:
        step = np.maximum(width / levels, np.spacing(magnitude))
        scale = np.where(is_constant, 1.0, step)
        zero_point = np.rint(-lowest / scale) - offset
    lo, hi = code_range(n_bits, is_signed, is_symmetric)
    constant_scale, constant_zero = _constant_grid(lowest + width / 2, lo, hi, is_symmetric)
    return (
        np.where(is_constant, constant_scale, scale),
        np.where(is_constant, constant_zero, zero_point),
    )


def discrete_grid(
    uvalues: ArrayLike, n_bits: int, *, is_signed: bool, is_symmetric: bool
) -> tuple[float, int] | None:
    """Scale and zero point that hold discrete values without loss.

    The scale is the smallest gap between the sorted distinct values and zero; all values have to
    be integer multiples of it, because real zero needs an integer code. The zero point is 0 where
    the codes fit without one, else (unless symmetric) the nearest to 0 with which they fit.

    Parameters
    ----------
    uvalues : array-like of float
        Distinct values, in any order. Values that differ only by float32 rounding count once.
    n_bits : int
        Bits of a code.
    is_signed, is_symmetric : bool
        The method; see `QuantizationOptions`.

    Returns
    -------
    (scale, zero_point) : (float, int), or None if there is no such grid

    Examples
    --------
    >>> discrete_grid([-0.5, 0.25, 0.5], 3, is_signed=True, is_symmetric=False)
    (0.25, 0)
    >>> discrete_grid([-0.5, 0.25, 0.5], 3, is_signed=False, is_symmetric=False)
    (0.25, 2)
    >>> discrete_grid([0.1, 0.25, 0.5], 3, is_signed=False, is_symmetric=False) is None
    True
    """
    lo, hi = code_range(n_bits, is_signed, is_symmetric)
    values = np.unique(np.asarray(uvalues, dtype=np.float64))
    points = np.union1d(values, [0.0])
    noise = _NOISE * float(np.abs(points).max())
    gaps = np.diff(points)
    gaps = gaps[gaps > noise]
    if gaps.size == 0:
        return 1.0, 0
    smallest = float(gaps.min())
    if (values[-1] - values[0]) / smallest > hi - lo + 0.5:
        return None
    scale = float((points[-1] - points[0]) / np.rint(gaps / smallest).sum())
    steps = values / scale
    residual = float(np.abs(steps - np.rint(steps)).max())
    if residual > min(_LARGEST_RESIDUAL, _SMALLEST_RESIDUAL + noise / scale):
        return None
    first, last = int(np.rint(steps[0])), int(np.rint(steps[-1]))
    zero_point = max(lo - first, 0) + min(hi - last, 0)
    if last - first > hi - lo or (is_symmetric and zero_point != 0):
        return None
    return scale, zero_point


def _constant_grid(
    constant: FloatArray, lo: int, hi: int, is_symmetric: bool
) -> tuple[FloatArray, FloatArray]:
    is_code = (np.rint(constant) == constant) & (constant >= lo) & (constant <= hi)
    is_plain = is_code | (np.abs(constant) < STABILITY_CONST)
    sign = np.sign(constant)
    has_sign = (sign >= lo) & (sign <= hi)
    zero_point = np.where(is_plain | has_sign | is_symmetric, 0.0, -sign)
    return np.where(is_plain, 1.0, np.abs(constant)), zero_point
