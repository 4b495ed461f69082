"""The compiled inner loops of the search, where the package was installed with a compiler."""

from __future__ import annotations

from typing import Any

#: The extension module; None without one: then NumPy computes the same, more slowly.
native: Any
try:
    from skq.quantization.search import _native as native  # type: ignore[attr-defined, no-redef, unused-ignore]
except ImportError:
    native = None
