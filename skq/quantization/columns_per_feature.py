"""The parameter `columns_per_feature`: the maximum number of columns of codes of a feature."""

from __future__ import annotations

from numbers import Integral
from typing import Any

from skq.quantization.n_bits import LOSSLESS, is_lossless

#: Most columns that a feature may be given.
MAX_COLUMNS = 64


def check_columns(value: Any, n_bits: Any = None) -> int | None:
    """Return the greatest number of columns of a feature; None for "lossless".

    Parameters
    ----------
    value : int or "lossless"
        "lossless", for trees: as many columns as the splits need at the given width.
    n_bits : int, "lossless" or dict, default=None
        The widths, where they are known: only one of both parameters may be "lossless".

    Raises
    ------
    ValueError
        If it is neither an int in [1, 64] nor "lossless".

    Examples
    --------
    >>> check_columns(2)
    2
    >>> check_columns("lossless") is None
    True
    """
    if is_lossless(value):
        if is_lossless(n_bits):
            raise ValueError(
                f"columns_per_feature={LOSSLESS!r} needs a width: n_bits must be an int or a dict. "
                f"Got {LOSSLESS!r}."
            )
        return None
    is_integer = isinstance(value, Integral) and not isinstance(value, bool)
    if is_integer and 1 <= int(value) <= MAX_COLUMNS:
        return int(value)
    raise ValueError(
        f"columns_per_feature must be an int from 1 to {MAX_COLUMNS}, or {LOSSLESS!r} for trees. "
        f"Got {value!r} instead."
    )
