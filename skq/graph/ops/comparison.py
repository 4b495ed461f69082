"""Comparisons, logic and selection."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from skq.graph.ops.binding import Implementation, numpy_op

Array = NDArray[Any]

#: Functions of two arrays that give booleans.
COMPARISONS: dict[str, Implementation] = {
    "And": np.logical_and,
    "Equal": np.equal,
    "Greater": np.greater,
    "GreaterOrEqual": np.greater_equal,
    "Less": np.less,
    "LessOrEqual": np.less_equal,
    "Or": np.logical_or,
}


def _register(name: str, function: Implementation) -> None:
    @numpy_op(name)
    def comparison(a: Array, b: Array) -> NDArray[np.bool_]:
        return np.asarray(function(a, b)).astype(bool, copy=False)

    comparison.__qualname__ = comparison.__name__ = name.lower()


for _name, _function in COMPARISONS.items():
    _register(_name, _function)


@numpy_op("Not")
def logical_not(x: Array) -> NDArray[np.bool_]:
    """Negate booleans."""
    return np.asarray(np.logical_not(x))


@numpy_op("IsNaN")
def is_nan(x: Array) -> NDArray[np.bool_]:
    """Whether elements are NaN."""
    return np.asarray(np.isnan(x))


@numpy_op("Where")
def where(condition: Array, x: Array, y: Array) -> Array:
    """Take ``x`` where the condition holds, else ``y``."""
    return np.where(condition, x, y)
