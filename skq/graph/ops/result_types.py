"""The dtype of a result: that of ONNX, unless it would truncate fractions."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]


def with_type_of(x: Array, result: Any) -> Array:
    """A result in the dtype of an input, as ONNX defines it for tensors of floats.

    Parameters
    ----------
    x : ndarray
    result : array-like
        What was computed from `x`.

    Returns
    -------
    ndarray
        Unchanged where `x` has integers and the result has floats: an operator that ONNX defines
        only for floats is then computed in floats, and no fraction is truncated.

    Examples
    --------
    >>> with_type_of(np.array([1, 2]), np.array([0.5, 1.5]))
    array([0.5, 1.5])
    >>> with_type_of(np.array([1, 2], np.float32), np.array([0.5, 1.5])).dtype
    dtype('float32')
    """
    array = np.asarray(result)
    if array.dtype.kind == "f" and np.asarray(x).dtype.kind in "biu":
        return array
    return array.astype(np.asarray(x).dtype, copy=False)
