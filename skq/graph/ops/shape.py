"""Operators that move elements and never change them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from skq.graph.ops.binding import Implementation, numpy_op

Array = NDArray[Any]
Axes = Sequence[int] | Array

#: ONNX's padding modes -> those of `numpy.pad`.
PAD_MODES = {"constant": "constant", "edge": "edge", "reflect": "reflect", "wrap": "wrap"}


def _ints(values: Axes) -> tuple[int, ...]:
    return tuple(int(value) for value in np.ravel(values))


@numpy_op("Reshape")
def reshape(x: Array, shape: Array, *, allowzero: int = 0) -> Array:
    """Reshape; a length 0 copies the input's, unless ``allowzero``, and one -1 is worked out."""
    lengths = _ints(shape)
    if not allowzero:
        lengths = tuple(
            x.shape[axis] if length == 0 else length for axis, length in enumerate(lengths)
        )
    return x.reshape(lengths)


@numpy_op("Flatten")
def flatten(x: Array, *, axis: int = 1) -> Array:
    """Reshape to 2-D: the axes before ``axis``, and the others."""
    axis = axis + x.ndim if axis < 0 else axis
    return x.reshape(int(np.prod(x.shape[:axis])), int(np.prod(x.shape[axis:])))


@numpy_op("Squeeze")
def squeeze(x: Array, axes: Axes | None = None) -> Array:
    """Drop axes of length 1, by default all of them."""
    return np.squeeze(x, axis=None if axes is None else _ints(axes))


@numpy_op("Unsqueeze")
def unsqueeze(x: Array, axes: Axes) -> Array:
    """Insert axes of length 1, at positions in the result."""
    return np.expand_dims(x, _ints(axes))


@numpy_op("Transpose")
def transpose(x: Array, *, perm: Sequence[int] | None = None) -> Array:
    """Permute the axes, by default reverse them."""
    return np.transpose(x, perm)


@numpy_op("Expand")
def expand(x: Array, shape: Array) -> Array:
    """Broadcast ``x`` and ``shape`` against each other."""
    return np.broadcast_to(x, np.broadcast_shapes(x.shape, _ints(shape)))


@numpy_op("Shape")
def shape_of(x: Array, *, start: int = 0, end: int | None = None) -> NDArray[np.int64]:
    """Lengths of the axes from ``start`` to ``end``."""
    return np.array(x.shape[start:end], dtype=np.int64)


@numpy_op("Concat")
def concat(*inputs: Array, axis: int) -> Array:
    """Join along an axis."""
    return np.concatenate(inputs, axis=axis)


def _bind_split(attributes: Mapping[str, Any], n_outputs: int) -> Implementation:
    return partial(split, **{**attributes, "num_outputs": n_outputs})


@numpy_op("Split", bind=_bind_split)
def split(
    x: Array, lengths: Array | None = None, *, axis: int = 0, num_outputs: int | None = None
) -> tuple[Array, ...]:
    """Cut along an axis into parts of the lengths given.

    Without lengths, into ``num_outputs`` equal parts, of which the last is shorter where the axis
    cannot be divided. (Before opset 18 the number of parts is the number of the node's outputs.)
    """
    if lengths is not None:
        bounds = np.cumsum(_ints(lengths))[:-1]
    elif num_outputs is not None:
        bounds = np.arange(1, num_outputs) * -(-x.shape[axis] // num_outputs)
    else:
        raise ValueError("Split needs the lengths of the parts or num_outputs. Got neither.")
    return tuple(np.split(x, bounds, axis=axis))


@numpy_op("Slice")
def slice_(
    x: Array, starts: Array, ends: Array, axes: Array | None = None, steps: Array | None = None
) -> Array:
    """Slice as ``x[start:end:step]`` on each of the axes, by default the first ones."""
    first, last = _ints(starts), _ints(ends)
    chosen = tuple(range(len(first))) if axes is None else _ints(axes)
    stride = (1,) * len(first) if steps is None else _ints(steps)
    slices = [slice(None)] * x.ndim
    for axis, start, end, step in zip(chosen, first, last, stride, strict=True):
        slices[axis] = slice(start, end, step)
    return x[tuple(slices)]


@numpy_op("Gather")
def gather(x: Array, indices: Array, *, axis: int = 0) -> Array:
    """Take elements along an axis; negative indices count from its end."""
    return np.take(x, indices, axis=axis)


@numpy_op("Pad")
def pad(
    x: Array,
    pads: Array,
    constant_value: Array | None = None,
    axes: Array | None = None,
    *,
    mode: str = "constant",
) -> Array:
    """Add cells before and after axes, by default all of them; a negative number removes cells."""
    if mode not in PAD_MODES:
        raise ValueError(f"Pad's mode must be one of {', '.join(PAD_MODES)}. Got {mode!r}.")
    amounts = _ints(pads)
    chosen = tuple(range(x.ndim)) if axes is None else _ints(axes)
    widths = [(0, 0)] * x.ndim
    for axis, before, after in zip(
        chosen, amounts[: len(chosen)], amounts[len(chosen) :], strict=True
    ):
        widths[axis] = (before, after)
    inner = tuple(
        slice(max(-before, 0), length - max(-after, 0))
        for length, (before, after) in zip(x.shape, widths, strict=True)
    )
    added = [(max(before, 0), max(after, 0)) for before, after in widths]
    options: dict[str, Any] = {}
    if mode == "constant":
        options["constant_values"] = 0 if constant_value is None else constant_value.reshape(())
    padded: Array = np.pad(x[inner], added, mode=PAD_MODES[mode], **options)  # type: ignore[call-overload]
    return padded


@numpy_op("DepthToSpace")
def depth_to_space(x: Array, *, blocksize: int, mode: str = "DCR") -> Array:
    """Move channels into blocks of `blocksize` by `blocksize` pixels.

    Parameters
    ----------
    x : ndarray of shape (n_samples, n_channels, height, width)
    mode : {"DCR", "CRD"}
        Whether the first part of the channel's index, or its last, gives the position in the block.
    """
    n, channels, height, width = x.shape
    depth = channels // blocksize**2
    if mode == "DCR":
        blocks = x.reshape(n, blocksize, blocksize, depth, height, width)
        moved = blocks.transpose(0, 3, 4, 1, 5, 2)
    elif mode == "CRD":
        blocks = x.reshape(n, depth, blocksize, blocksize, height, width)
        moved = blocks.transpose(0, 1, 4, 2, 5, 3)
    else:
        raise ValueError(f"DepthToSpace's mode must be DCR or CRD. Got {mode!r}.")
    return moved.reshape(n, depth, height * blocksize, width * blocksize)


@numpy_op("SpaceToDepth")
def space_to_depth(x: Array, *, blocksize: int) -> Array:
    """Move blocks of `blocksize` by `blocksize` pixels into channels."""
    n, channels, height, width = x.shape
    blocks = x.reshape(
        n, channels, height // blocksize, blocksize, width // blocksize, blocksize
    ).transpose(0, 3, 5, 1, 2, 4)
    return blocks.reshape(n, -1, height // blocksize, width // blocksize)
