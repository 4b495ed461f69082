"""How a range of values becomes a scale."""

from __future__ import annotations

from enum import Enum


class QuantizationScheme(Enum):
    """How a range of values becomes a scale.

    ========================= ================================= ======================
    member                    scale (integer dtypes)            zero point
    ========================= ================================= ======================
    SYMMETRIC                 max_abs / ((qmax - qmin) / 2)     the middle of the codes
    ASYMMETRIC                (max - min) / (qmax - qmin)       from the range
    SYMMETRIC_WITH_CLIPPING   as SYMMETRIC, without the least   the middle of the codes
                              code of a signed dtype
    ========================= ================================= ======================

    Examples
    --------
    >>> QuantizationScheme("asymmetric")
    <QuantizationScheme.ASYMMETRIC: 'asymmetric'>
    """

    SYMMETRIC = "symmetric"
    ASYMMETRIC = "asymmetric"
    SYMMETRIC_WITH_CLIPPING = "symmetric_with_clipping"
