"""Views: the arrangement of a tensor's elements, and the instructions that apply it.

A tensor's row may have another shape than its integer value. Its `view` is the index of each
element in the flattened integer value. A convolution, for example, computes rows of shape
(positions, filters) with one scale per filter on the last axis, and the tensor of shape (filters,
height, width) is a view of them. Operators that move elements only change the view. The next
operator that needs a certain arrangement applies the view with one Gather.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from skq.program import Gather, Reshape
from skq.quantization.lower.lowering import Lowering
from skq.quantization.lower.operands import Array, QuantizedTensor

Indices = NDArray[np.int64]


def row_shape(low: Lowering, x: QuantizedTensor) -> tuple[int, ...]:
    """Shape of a row of the tensor."""
    return low.type(x.value).shape if x.view is None else x.view.shape


def elements(low: Lowering, x: QuantizedTensor) -> Indices:
    """Index of each element of the tensor's row in the flattened integer value."""
    if x.view is not None:
        return x.view
    type_ = low.type(x.value)
    return np.arange(type_.size, dtype=np.int64).reshape(type_.shape)


def moved(low: Lowering, x: QuantizedTensor, view: Indices) -> QuantizedTensor:
    """The tensor seen through another view; None if that is the order of the integer value."""
    type_ = low.type(x.value)
    natural = view.shape == type_.shape and np.array_equal(view.ravel(), np.arange(type_.size))
    return replace(x, view=None if natural else view)


def at(low: Lowering, x: QuantizedTensor, parameter: Array, indices: Indices) -> Array:
    """A scale or zero point at indices into the flattened integer value; a scalar stays one."""
    if np.ndim(parameter) == 0:
        return parameter
    return np.asarray(parameter)[indices % low.type(x.value).shape[-1]]


def gather(low: Lowering, x: QuantizedTensor, indices: Indices) -> QuantizedTensor:
    """A plain tensor with the elements at indices into the flattened integer value.

    Returns
    -------
    QuantizedTensor
        Plain, of the shape of `indices`; parameters differ along the last axis of its integer value
        only.
    """
    return lay_out(low, x.value, indices, [at(low, x, p, indices) for p in (x.scale, x.zero_point)])


def lay_out(
    low: Lowering,
    value: int,
    indices: Indices,
    parameters: Sequence[Array],
    *,
    fill: int = 0,
    reduced: bool = False,
) -> QuantizedTensor:
    """Elements of an integer value, laid out so that parameters differ along the last axis only.

    Parameters
    ----------
    value : int
    indices : ndarray of int64 of shape (*row_shape,), or (*row_shape, n_reduced) with `reduced`
        Indices into the flattened integer value; -1 means `fill`.
    parameters : (scale, zero_point)
        Each of shape () or `row_shape`.
    reduced : bool
        The integer value has the last axis of `indices` too, for a reduction over it.

    Returns
    -------
    QuantizedTensor
        Plain, of the shape `row_shape`.
    """
    shape = indices.shape[:-1] if reduced else indices.shape
    order, view, channel = channels_last(shape, parameters)
    flat = indices.reshape(int(np.prod(shape)), *indices.shape[len(shape) :])[order]
    return QuantizedTensor(select(low, value, flat, fill), channel[0], channel[1], view=view)


def select(low: Lowering, value: int, indices: Indices, fill: int) -> int:
    """Number of the value with elements at these indices, by the cheapest instruction."""
    type_ = low.type(value)
    if indices.size == type_.size and np.array_equal(indices.ravel(), np.arange(type_.size)):
        if indices.shape == type_.shape:
            return value
        return low.add(Reshape((value,), indices.shape))
    return low.add(Gather((value,), indices, fill))


def channels_last(
    shape: tuple[int, ...], parameters: Sequence[Array]
) -> tuple[Indices, Indices | None, list[Array]]:
    """An arrangement of rows in which parameters differ along the last axis only.

    Parameters
    ----------
    shape : tuple of int
        Of a row.
    parameters : sequence of ndarray of shape () or `shape`

    Returns
    -------
    order : ndarray of int64
        Flat index into the row, in the shape of the new arrangement.
    view : ndarray of int64 of shape `shape`, or None
        Index into the new arrangement, or None if that is the arrangement of the row.
    channel : list of ndarray of shape () or (n_channels,)
        The parameters, one per channel.

    Examples
    --------
    >>> order, view, (scale,) = channels_last((2, 3), [np.array([[1, 1, 1], [4, 4, 4]])])
    >>> order.tolist(), view.tolist(), scale.tolist()
    ([[0, 3], [1, 4], [2, 5]], [[0, 2, 4], [1, 3, 5]], [1, 4])
    """
    natural = np.arange(int(np.prod(shape)), dtype=np.int64).reshape(shape)
    varying = [
        axis
        for axis in range(len(shape))
        if any(np.ndim(p) and not np.all(p == p.take([0], axis=axis)) for p in parameters)
    ]
    still = [axis for axis in range(len(shape)) if axis not in varying]
    lead = tuple(shape[axis] for axis in still)
    if not varying:
        return natural, None, [p if np.ndim(p) == 0 else p.ravel()[0] for p in parameters]
    order = natural.transpose(*still, *varying).reshape(*lead, -1)
    channel = [
        p
        if np.ndim(p) == 0
        else np.ascontiguousarray(p.transpose(*still, *varying).reshape(-1, order.shape[-1])[0])
        for p in parameters
    ]
    if order.shape == shape and np.array_equal(order, natural):
        return natural, None, channel
    view = np.empty(natural.size, dtype=np.int64)
    view[order.ravel()] = natural.ravel()
    return order, view.reshape(shape), channel


def arranged(low: Lowering, x: QuantizedTensor) -> QuantizedTensor:
    """A plain tensor as an integer value that has the arrangement of the tensor's row.

    Where parameters differ along other axes than the last, the integers are brought to one scale
    first.
    """
    found = gather(low, x, elements(low, x))
    if found.view is None:
        return found
    return gather(low, low.align(x), elements(low, x))


def row_constant(constant: Array, shape: tuple[int, ...]) -> Array | None:
    """A constant broadcast to rows of `shape`, without batch axis; None if it differs by row."""
    if constant.size == 1:
        return constant.reshape(())
    if constant.ndim == len(shape) + 1:
        return constant[0] if constant.shape[0] == 1 else None
    return constant if constant.ndim <= len(shape) else None


def with_constants(
    low: Lowering, x: QuantizedTensor, constants: Sequence[Array], *, reals: Array
) -> tuple[QuantizedTensor, list[Array]]:
    """A tensor and constants, one per channel of its integer value.

    Parameters
    ----------
    constants : sequence of ndarray
        As returned by `row_constant`.
    reals : ndarray of shape (n_rows, ...)
        Real values of the tensor on the calibration rows, for its range.

    Returns
    -------
    x : QuantizedTensor
        Broadcast against the constants. Where a constant differs within a channel, the integers
        are rearranged; a function of them is materialized first.
    constants : list of ndarray of shape () or (n_channels,)
    """
    if all(np.ndim(constant) == 0 for constant in constants):
        return x, list(constants)
    shape = np.broadcast_shapes(row_shape(low, x), *(np.shape(c) for c in constants))
    view = np.broadcast_to(elements(low, x), shape).copy()
    full = [c if np.ndim(c) == 0 else np.broadcast_to(c, shape) for c in constants]
    channel = view % low.type(x.value).shape[-1] if low.type(x.value).shape else view
    by_channel = [_by_channel(c, channel, low.type(x.value).shape) for c in full]
    if all(c is not None for c in by_channel):
        return moved(low, x, view), [c for c in by_channel if c is not None]
    if not x.is_plain:
        x = low.codes(x, reals, n_bits=low.settings.n_bits["op_inputs"])
    parameters = [at(low, x, p, view) for p in (x.scale, x.zero_point)]
    order, new_view, found = channels_last(shape, [*parameters, *full])
    value = select(low, x.value, view.ravel()[order], 0)
    return QuantizedTensor(value, found[0], found[1], view=new_view), found[2:]


def _by_channel(constant: Array, channel: Indices, shape: tuple[int, ...]) -> Array | None:
    """A constant of a row's shape as one per channel; None where it differs within a channel."""
    if np.ndim(constant) == 0:
        return constant
    if not shape:
        return None
    found = np.full(shape[-1], constant.flat[0])
    found[channel] = constant
    return found if np.array_equal(found[channel], constant, equal_nan=True) else None
