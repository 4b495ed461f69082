"""Reductions over axes."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from skq.graph.ops.binding import Implementation, numpy_op

Array = NDArray[Any]


def _reduce(
    function: Implementation,
    x: Array,
    axes: Sequence[int] | Array | None,
    keepdims: int,
    noop_with_empty_axes: int,
) -> Array:
    chosen = () if axes is None else tuple(int(axis) for axis in np.ravel(axes))
    if not chosen and noop_with_empty_axes:
        return x
    reduced = function(x, axis=chosen or None, keepdims=bool(keepdims))
    return np.asarray(reduced).astype(x.dtype, copy=False)


@numpy_op("ReduceSum")
def reduce_sum(
    x: Array,
    axes: Sequence[int] | Array | None = None,
    *,
    keepdims: int = 1,
    noop_with_empty_axes: int = 0,
) -> Array:
    """Sum over axes, by default over all of them."""
    return _reduce(np.sum, x, axes, keepdims, noop_with_empty_axes)


@numpy_op("ReduceMean")
def reduce_mean(
    x: Array,
    axes: Sequence[int] | Array | None = None,
    *,
    keepdims: int = 1,
    noop_with_empty_axes: int = 0,
) -> Array:
    """Mean over axes, by default over all of them. ``axes`` is an attribute before opset 18."""
    return _reduce(np.mean, x, axes, keepdims, noop_with_empty_axes)


@numpy_op("ReduceProd")
def reduce_prod(
    x: Array,
    axes: Sequence[int] | Array | None = None,
    *,
    keepdims: int = 1,
    noop_with_empty_axes: int = 0,
) -> Array:
    """Product over axes, by default over all of them. ``axes`` is an attribute before opset 18."""
    return _reduce(np.prod, x, axes, keepdims, noop_with_empty_axes)


@numpy_op("ReduceMax")
def reduce_max(
    x: Array,
    axes: Sequence[int] | Array | None = None,
    *,
    keepdims: int = 1,
    noop_with_empty_axes: int = 0,
) -> Array:
    """Greatest element over axes; the least number there is, where there are no elements."""
    function = partial(np.max, initial=_ends(x.dtype)[0])
    return _reduce(function, x, axes, keepdims, noop_with_empty_axes)


@numpy_op("ReduceMin")
def reduce_min(
    x: Array,
    axes: Sequence[int] | Array | None = None,
    *,
    keepdims: int = 1,
    noop_with_empty_axes: int = 0,
) -> Array:
    """Least element over axes; the greatest number there is, where there are no elements."""
    function = partial(np.min, initial=_ends(x.dtype)[1])
    return _reduce(function, x, axes, keepdims, noop_with_empty_axes)


def _ends(dtype: np.dtype[Any]) -> tuple[Any, Any]:
    """Least and greatest number of a dtype."""
    if dtype.kind == "f":
        return -np.inf, np.inf
    if dtype.kind == "b":
        return False, True
    return np.iinfo(dtype).min, np.iinfo(dtype).max


@numpy_op("ArgMax")
def arg_max(
    x: Array, *, axis: int = 0, keepdims: int = 1, select_last_index: int = 0
) -> NDArray[np.int64]:
    """Index of the first (or last) maximum along an axis."""
    if select_last_index:
        from_the_end = np.argmax(np.flip(x, axis), axis=axis, keepdims=bool(keepdims))
        return np.asarray(x.shape[axis] - 1 - from_the_end, dtype=np.int64)
    return np.asarray(np.argmax(x, axis=axis, keepdims=bool(keepdims)), dtype=np.int64)
