"""Compiled inner loops of conversion, where the package was installed with a compiler.

Each function of `loops` computes to the bit what a NumPy function of the same name computes, which
is the definition and the fallback.
"""

from __future__ import annotations

from typing import Any

__all__ = ["loops"]

#: The extension module, or None.
loops: Any
try:
    from skq.compiled import _loops as loops  # type: ignore[attr-defined, no-redef, unused-ignore]
except ImportError:
    loops = None
