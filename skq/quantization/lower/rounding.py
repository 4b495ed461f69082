"""The parameter `rounding_threshold_bits`: the precision to which accumulators are rounded."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from skq.quantization.n_bits import check_width

#: Index width of a function table by default.
DEFAULT_TABLE_BITS = 10

#: Greatest index width of a table, unless `rounding_threshold_bits` is greater.
WIDEST_TABLE_BITS = 14

METHODS = ("exact", "approximate")


@dataclass(frozen=True)
class Rounding:
    """Precision to which an accumulator is rounded before a function or another layer reads it.

    Parameters
    ----------
    n_bits : int or None
        Widest index of a table, and widest code that an accumulator is requantized to. None: tables
        of 10 bits (two more than their codes, up to 14, if that is more), and codes of `n_bits`.
    method : {"exact", "approximate"}
        Here both round to nearest. "approximate" matters to engines with a cheaper, inexact
        rounding (FHE); it is stored for them.
    """

    n_bits: int | None = None
    method: str = "exact"

    def table_bits(self, result_bits: int) -> int:
        """Index width of a table whose entries have `result_bits`: two more, unless given."""
        if self.n_bits is not None:
            return self.n_bits
        return min(max(DEFAULT_TABLE_BITS, result_bits + 2), WIDEST_TABLE_BITS)

    def limit(self, n_bits: int) -> int:
        """Width of the codes that an accumulator is requantized to."""
        return n_bits if self.n_bits is None else min(n_bits, self.n_bits)


def get_rounding(rounding_threshold_bits: Any) -> Rounding:
    """Read a `rounding_threshold_bits` argument.

    Parameters
    ----------
    rounding_threshold_bits : None, int or dict
        An int in [1, 16], or a dict with ``"n_bits"`` (an int or ``"auto"``) and, optionally,
        ``"method"`` ("exact" or "approximate").

    Raises
    ------
    ValueError
        For anything else.
    """
    if rounding_threshold_bits is None:
        return Rounding()
    if not isinstance(rounding_threshold_bits, Mapping):
        return Rounding(
            check_width(
                rounding_threshold_bits,
                "rounding_threshold_bits",
                ", None, or a dict with the key 'n_bits' (an int, or 'auto') and optionally "
                f"'method' (one of {', '.join(METHODS)})",
            )
        )
    unknown = set(rounding_threshold_bits) - {"n_bits", "method"}
    if unknown or "n_bits" not in rounding_threshold_bits:
        raise ValueError(
            "A rounding_threshold_bits dict must have the key 'n_bits' and may have 'method'. "
            f"Got {dict(rounding_threshold_bits)!r}."
        )
    method = getattr(rounding_threshold_bits.get("method", "exact"), "name", None)
    method = str(method or rounding_threshold_bits.get("method", "exact")).lower()
    if method not in METHODS:
        raise ValueError(
            f"rounding_threshold_bits['method'] must be one of {', '.join(METHODS)}. "
            f"Got {rounding_threshold_bits['method']!r} instead."
        )
    width = rounding_threshold_bits["n_bits"]
    if width == "auto":
        return Rounding(None, method)
    return Rounding(check_width(width, "rounding_threshold_bits['n_bits']"), method)
