"""Compiled inner loops of conversion, where the package was installed with a compiler.

Each function of `loops` computes to the bit what a NumPy function of the same name computes, which
is the definition and the fallback.
"""

from __future__ import annotations

from typing import Any

import numpy as np

__all__ = ["call", "loops"]

#: The extension module, or None.
loops: Any
try:
    from skq.compiled import _loops as loops  # type: ignore[attr-defined, no-redef, unused-ignore]
except ImportError:
    loops = None


def call(name: str, *arguments: Any) -> None:
    """Call a function of the extension, which reads and writes contiguous arrays.

    Parameters
    ----------
    name : str
    *arguments : int, float or ndarray
        Arrays of the data types that the function expects. One that is not C-contiguous is copied,
        and its copy written back if it is writable.
    """
    read = [np.ascontiguousarray(a) if isinstance(a, np.ndarray) else a for a in arguments]
    getattr(loops, name)(*read)
    for given, used in zip(arguments, read, strict=True):
        if used is not given and given.flags.writeable:
            given[...] = used
