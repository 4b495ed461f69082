"""Sliding windows: the geometry that convolution and pooling share."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

Array = NDArray[Any]
Axes = tuple[int, ...]


@dataclass(frozen=True)
class Windows:
    """Where the windows of a kernel lie on the spatial axes of a tensor.

    Parameters
    ----------
    kernel, strides, dilations : tuple of int
        One value per spatial axis.
    pads : tuple of (int, int)
        Cells added before and after each spatial axis. With ``ceil_mode`` they include those that
        the last window needs beyond the given padding.
    output : tuple of int
        Number of windows per axis.
    overhang : tuple of int
        Number of the cells after each axis that only the last window needs.
    """

    kernel: Axes
    strides: Axes
    dilations: Axes
    pads: tuple[tuple[int, int], ...]
    output: Axes
    overhang: Axes

    @classmethod
    def of(
        cls,
        spatial: Sequence[int],
        kernel: Sequence[int],
        strides: Sequence[int] | None,
        dilations: Sequence[int] | None,
        pads: Sequence[int] | None,
        auto_pad: str,
        ceil_mode: int = 0,
    ) -> Windows:
        """Lay out windows from the attributes of Conv, AveragePool or MaxPool.

        Parameters
        ----------
        spatial : sequence of int
            Lengths of the spatial axes.
        """
        n_axes = len(spatial)
        strides = tuple(strides or (1,) * n_axes)
        dilations = tuple(dilations or (1,) * n_axes)
        extents = [(k - 1) * d + 1 for k, d in zip(kernel, dilations, strict=True)]
        padding = _padding(spatial, extents, strides, pads, auto_pad)
        output, reached, overhangs = [], [], []
        for length, extent, stride, (before, after) in zip(
            spatial, extents, strides, padding, strict=True
        ):
            room = length + before + after - extent
            count = room // stride + 1
            # a window that would start beyond the input and its leading padding is left out
            if ceil_mode and room % stride and count * stride < length + before:
                count += 1
            output.append(count)
            overhang = max((count - 1) * stride + extent - (length + before + after), 0)
            reached.append((before, after + overhang))
            overhangs.append(overhang)
        return cls(
            *(tuple(kernel), strides, dilations), tuple(reached), tuple(output), tuple(overhangs)
        )

    @property
    def has_padding(self) -> bool:
        """Whether windows contain cells of the padding."""
        return any(map(any, self.pads))

    def padded(self, spatial: Sequence[int]) -> tuple[int, ...]:
        """Lengths of the spatial axes after `pad`."""
        return tuple(n + sum(ends) for n, ends in zip(spatial, self.pads, strict=True))

    def pad(self, x: Array, value: Any) -> Array:
        """Pad the spatial axes of ``x`` of shape (n, channels, *spatial) with a value."""
        if not self.has_padding:
            return x
        return np.pad(x, ((0, 0), (0, 0), *self.pads), constant_values=value)

    def counts(self, spatial: Sequence[int], *, include_padding: bool) -> NDArray[np.int64]:
        """Cells of each window that a mean counts, of shape `output`.

        Cells of the input count, and those of the padding if requested; the overhang of
        ``ceil_mode`` never does, as in torch and ONNX Runtime.
        """
        inside = np.ones((1, 1, *spatial), dtype=np.int64)
        cells = self.pad(inside, int(include_padding))
        for axis, overhang in enumerate(self.overhang, start=2):
            end = cells.shape[axis] - overhang
            cells[(slice(None),) * axis + (slice(end, None),)] = 0
        kernel_axes = tuple(range(-len(self.kernel), 0))
        counts: NDArray[np.int64] = self.view(cells).sum(axis=kernel_axes)[0, 0]
        return counts

    def view(self, padded: Array) -> Array:
        """View of shape (n, channels, *output, *kernel) of what `pad` returned."""
        extents = tuple((k - 1) * d + 1 for k, d in zip(self.kernel, self.dilations, strict=True))
        spatial_axes = tuple(range(2, 2 + len(extents)))
        view = sliding_window_view(padded, extents, axis=spatial_axes)  # type: ignore[call-overload]
        steps: tuple[slice, ...] = (slice(None), slice(None))
        steps += tuple(
            slice(0, (count - 1) * stride + 1, stride)
            for count, stride in zip(self.output, self.strides, strict=True)
        )
        steps += tuple(slice(None, None, dilation) for dilation in self.dilations)
        return view[steps]


@dataclass(frozen=True)
class SpreadWindows(Windows):
    """Windows of a transposed convolution: cells of the input stand apart, with others between.

    A transposed convolution is a convolution of the input with ``stride - 1`` cells of 0 between
    its cells, by the filters turned around. The strides of these windows are 1.

    Parameters
    ----------
    spread : tuple of int
        Distance of the input's cells, one per axis; `pads` may be negative here: cells left out.
    """

    spread: Axes = ()

    @classmethod
    def of_transposed(
        cls,
        spatial: Sequence[int],
        kernel: Sequence[int],
        strides: Sequence[int] | None,
        dilations: Sequence[int] | None,
        pads: Sequence[int] | None,
        auto_pad: str,
        output_padding: Sequence[int] | None,
        output_shape: Sequence[int] | None,
    ) -> SpreadWindows:
        """Lay out windows from the attributes of ConvTranspose.

        Parameters
        ----------
        spatial : sequence of int
            Lengths of the spatial axes.
        """
        n_axes = len(spatial)
        strides = tuple(strides or (1,) * n_axes)
        dilations = tuple(dilations or (1,) * n_axes)
        more = tuple(output_padding or (0,) * n_axes)
        extents = [(k - 1) * d + 1 for k, d in zip(kernel, dilations, strict=True)]
        full = [
            (n - 1) * s + e + m for n, s, e, m in zip(spatial, strides, extents, more, strict=True)
        ]
        if not output_shape and auto_pad in ("SAME_UPPER", "SAME_LOWER"):
            output_shape = [n * s for n, s in zip(spatial, strides, strict=True)]
        if output_shape:
            total = [f - n for f, n in zip(full, output_shape[-n_axes:], strict=True)]
            cut = [(t // 2, t - t // 2) if auto_pad == "SAME_UPPER" else (t - t // 2, t // 2)
                   for t in total]  # fmt: skip
        else:
            cut = list(_padding(spatial, extents, strides, pads, auto_pad))
        output = tuple(f - sum(c) for f, c in zip(full, cut, strict=True))
        if min(output) < 1:
            raise ValueError(f"ConvTranspose's result would have the shape {output}.")
        reached = tuple(
            (e - 1 - before, e - 1 - after + m)
            for e, m, (before, after) in zip(extents, more, cut, strict=True)
        )
        ones, none = (1,) * n_axes, (0,) * n_axes
        return cls(tuple(kernel), ones, dilations, reached, output, none, strides)

    @property
    def has_padding(self) -> bool:
        """Whether windows contain cells of the padding."""
        return super().has_padding or any(step > 1 for step in self.spread)

    def padded(self, spatial: Sequence[int]) -> tuple[int, ...]:
        """Lengths of the spatial axes after `pad`."""
        return super().padded([(n - 1) * s + 1 for n, s in zip(spatial, self.spread, strict=True)])

    def pad(self, x: Array, value: Any) -> Array:
        """Spread the cells of ``x`` of shape (n, channels, *spatial), and pad, with a value."""
        lengths = self.padded(x.shape[2:])
        result = np.full((*x.shape[:2], *lengths), value, dtype=x.dtype)
        here: list[slice] = [slice(None), slice(None)]
        there = list(here)
        for length, n, step, (before, _) in zip(
            lengths, x.shape[2:], self.spread, self.pads, strict=True
        ):
            first = max(0, -(before // step))  # of the cells at before + step * i >= 0
            last = min(n, (length - 1 - before) // step + 1)
            last = max(last, first)
            there.append(slice(first, last))
            start = before + step * first
            here.append(slice(start, start + step * (last - first), step))
        result[tuple(here)] = x[tuple(there)]
        return result


def _padding(
    spatial: Sequence[int],
    extents: Sequence[int],
    strides: Sequence[int],
    pads: Sequence[int] | None,
    auto_pad: str,
) -> tuple[tuple[int, int], ...]:
    n_axes = len(spatial)
    if auto_pad == "NOTSET":
        flat = tuple(pads or (0,) * (2 * n_axes))
        return tuple(zip(flat[:n_axes], flat[n_axes:], strict=True))
    if auto_pad == "VALID":
        return ((0, 0),) * n_axes
    if auto_pad not in ("SAME_UPPER", "SAME_LOWER"):
        raise ValueError(
            f"auto_pad must be one of NOTSET, VALID, SAME_UPPER, SAME_LOWER. Got {auto_pad!r}."
        )
    padding = []
    for length, extent, stride in zip(spatial, extents, strides, strict=True):
        count = -(-length // stride)
        total = max((count - 1) * stride + extent - length, 0)
        small, large = total // 2, total - total // 2
        padding.append((small, large) if auto_pad == "SAME_UPPER" else (large, small))
    return tuple(padding)
