"""Tensors as integers of one scale: to compare scores, to add and to take extremes."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from skq.exceptions import UnsupportedModelError
from skq.numerics import EXACT_FLOAT64
from skq.program import Requantize
from skq.quantization.lower.calibrated_program import CalibratedProgram
from skq.quantization.lower.operands import Array, QuantizedTensor, scalar
from skq.quantization.lower.settings import LOWERING


def aligned(program: CalibratedProgram, x: QuantizedTensor) -> QuantizedTensor:
    """The same reals as integers of one scale with zero point 0, so that order is comparable.

    Nothing is rounded: channels are multiplied up to a common, finer scale, within the
    53 bits that float64 holds exactly.
    """
    if not x.is_plain:
        raise UnsupportedModelError("scores can be compared only if a layer computes them")
    if x.has_one_scale and x.zero_point == 0 and x.scale > 0:
        return x
    lo, hi = program.type(x.value).interval
    largest = float(np.max(np.abs(x.scale))) or 1.0
    offset = -np.asarray(x.zero_point * x.scale)
    reach = largest * max(-lo, hi, 1) + float(np.max(np.abs(offset)))
    room = int(np.floor(np.log2(EXACT_FLOAT64 / 2 / (reach / largest))))
    common = largest / 2.0 ** min(LOWERING.align_bits, room)
    multiplier = np.rint(x.scale / common).astype(np.int64)
    whole = np.rint(x.zero_point) == x.zero_point  # 0 stays 0
    steps = np.where(whole, -x.zero_point * multiplier, offset / common)
    shape = np.broadcast_shapes(np.shape(x.scale), np.shape(x.zero_point))
    value = program.add(
        Requantize(
            (x.value,),
            np.broadcast_to(multiplier, shape).copy(),
            np.broadcast_to(np.rint(steps).astype(np.int64), shape).copy(),
            shift=0,
            lo=-EXACT_FLOAT64,
            hi=EXACT_FLOAT64,
        )
    )
    return QuantizedTensor(value, scalar(common), scalar(0.0), view=x.view)


def is_above(
    program: CalibratedProgram, x: QuantizedTensor, threshold: Array, *, or_equal: bool
) -> QuantizedTensor:
    """1 where the reals exceed a constant (or equal it), else 0; exact on integers.

    `x` is `aligned`. The constant is one number, or one per channel of the integer value.
    """
    steps = np.asarray(threshold, dtype=np.float64) / x.scale
    least = np.ceil(steps) if or_equal else np.floor(steps) + 1
    offset = np.clip(1 - least, -EXACT_FLOAT64, EXACT_FLOAT64).astype(np.int64)
    one = np.ones_like(offset)
    return QuantizedTensor(
        program.add(Requantize((x.value,), one, offset, shift=0, lo=0, hi=1)),
        scalar(1.0),
        scalar(0.0),
        view=x.view,
    )


def on_common_scale(
    program: CalibratedProgram, tensors: Sequence[QuantizedTensor], width: int
) -> list[QuantizedTensor]:
    """Plain tensors as integers of one positive scale with zero point 0.

    Where all scales are multiples of the least of them nothing is rounded; else the grid
    has `width` bits over everything that the tensors can reach.
    """
    tensors = tuple(tensor.of_what_is_read() for tensor in tensors)
    scales = [np.abs(np.ravel(t.scale)) for t in tensors]
    reach = max(
        float(np.max(np.abs((end - t.zero_point) * t.scale)))
        for t in tensors
        for end in program.type(t.value).interval
    )
    least = min(float(s[s > 0].min(initial=np.inf)) for s in scales)
    exact = np.isfinite(least) and reach / least < 2.0**LOWERING.common_bits
    exact = exact and all(
        np.all(np.rint(part) == part)
        for t in tensors
        for part in (t.scale / least, t.zero_point * t.scale / least)
    )
    step = scalar(least if exact else reach / 2.0**width or 1.0)
    limit = int(np.ceil(reach / step)) + 1
    return [_on_scale(program, t, step, limit, exact=exact) for t in tensors]


def _on_scale(
    program: CalibratedProgram, x: QuantizedTensor, step: Array, limit: int, *, exact: bool
) -> QuantizedTensor:
    if x.has_one_scale and x.scale == step and x.zero_point == 0:
        return x
    zero = scalar(0.0)
    if exact:
        shape = np.broadcast_shapes(np.shape(x.scale), np.shape(x.zero_point))
        ratio = np.broadcast_to(np.rint(x.scale / step), shape).astype(np.int64)
        offset = np.rint(-x.zero_point * ratio).astype(np.int64)
        value = program.add(Requantize((x.value,), ratio, offset, 0, -limit, limit))
    else:
        value = program.requantize(x, step, zero, -limit, limit)
    return QuantizedTensor(value, step, zero, view=x.view)
