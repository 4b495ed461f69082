"""Offset of the codes: the code of zero, or the value of the least code."""

from __future__ import annotations

from enum import StrEnum


class QuantizationFormulation(StrEnum):
    """Offset of the codes: the code of zero, or the value of the least code.

    ======= =================================== ==============================
    member  code, before the clamp              value
    ======= =================================== ==============================
    ZP      ``rint(x / scale) + zero_point``    ``(q - zero_point) * scale``
    MINVAL  ``rint((x - minval) / scale) +      ``(q - quant_min) * scale +
            quant_min``                         minval``
    ======= =================================== ==============================

    Zero is always on the grid under ZP, and in general not under MINVAL.

    Examples
    --------
    >>> str(QuantizationFormulation.ZP), QuantizationFormulation("minval") == "minval"
    ('zp', True)
    """

    MINVAL = "minval"
    ZP = "zp"
