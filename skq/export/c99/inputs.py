"""Programs whose features are integers; they need no float arithmetic.

- A tree compares the raw feature with an integer threshold: codes at most ``base + k`` are those of
  values at most the edge ``k``, and an integer is at most an edge if it is at most its floor.
- A uniform grid is a fixed-point rescaling, exact for every value of the type
  (`skq.export.c99.fixed_point`), or left out if its scale is 1.
- Other bins become sums of comparisons with integer edges.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from skq.exceptions import UnsupportedModelError
from skq.export.c99.fixed_point import SHIFTS, chosen_offsets, fixed_point_of, steps_of
from skq.program import (
    Add,
    Bin,
    Dequantize,
    Gather,
    IntegerProgram,
    MatMul,
    Mul,
    ProgramBuilder,
    Quantize,
    Requantize,
    Sub,
    TensorType,
    Trees,
)
from skq.program.prune import prune_trees

Ints = NDArray[np.int64]

#: Range of each type of integer features.
INTEGER_FEATURES = {
    "int8": (-(2**7), 2**7 - 1),
    "uint8": (0, 2**8 - 1),
    "int16": (-(2**15), 2**15 - 1),
    "uint16": (0, 2**16 - 1),
    "int32": (-(2**31), 2**31 - 1),
    "uint32": (0, 2**32 - 1),
}


def with_integer_inputs(program: IntegerProgram, features: str) -> IntegerProgram:
    """The program that takes integers; outputs are those of `program`, without dequantization.

    Parameters
    ----------
    program : IntegerProgram
    features : str
        One of `INTEGER_FEATURES`.

    Raises
    ------
    UnsupportedModelError
        If no fixed-point multiplier of a grid is exact for every value of the type.
    """
    lo, hi = INTEGER_FEATURES[features]
    builder = ProgramBuilder()
    moved: dict[int, int] = {
        number: builder.input(TensorType(type_.shape, lo, hi))
        for number, type_ in enumerate(program.inputs)
    }
    for number, step, _ in program.steps():
        if isinstance(step, Bin | Dequantize):
            continue  # a Bin is written where it is read; the caller dequantizes
        operands = tuple(moved.get(operand, -1) for operand in step.inputs)
        source = _bins_of(program, step)
        if isinstance(step, Trees) and source is not None:
            raw = on_raw_features(step, source, lo, hi)
            moved[number] = builder.add(replace(raw, inputs=(moved[source.inputs[0]],)))
        elif source is not None:
            counted = [
                _counted(builder, p, moved[p.inputs[0]], lo, hi) if isinstance(p, Bin) else moved[v]
                for v in step.inputs
                for p in [program.instructions[v - len(program.inputs)]]
            ]
            moved[number] = builder.add(replace(step, inputs=tuple(counted)))
        elif isinstance(step, Quantize):
            used = _columns_read(program, number, step.scale.size)
            moved[number] = _quantized(builder, operands[0], step, used, features)
        else:
            moved[number] = builder.add(replace(step, inputs=operands))
    outputs = {}
    for name, value in program.outputs.items():
        step_of = program.instructions[value - len(program.inputs)]
        origin = step_of.inputs[0] if isinstance(step_of, Dequantize) else value
        outputs[name] = moved[origin]
    return builder.build(outputs)


def _bins_of(program: IntegerProgram, step: Any) -> Bin | None:
    first = len(program.inputs)
    for operand in step.inputs:
        source = program.instructions[operand - first] if operand >= first else None
        if isinstance(source, Bin):
            return source
    return None


def on_raw_features(trees: Trees, bins: Bin, lo: int, hi: int) -> Trees:
    """Trees that compare raw integer features in [lo, hi] instead of their codes."""
    inner = np.flatnonzero(trees.feature >= 0)
    column = trees.feature[inner].astype(np.int64)
    start, end = bins.offsets[column].astype(np.int64), bins.offsets[column + 1].astype(np.int64)
    edge = trees.threshold[inner].astype(np.int64) - bins.base[column].astype(np.int64)
    bounds = np.full(len(inner), hi, dtype=np.int64)  # all codes are at most the threshold
    bounds[edge < 0] = lo - 1  # none is
    inside = (edge >= 0) & (start + edge < end)
    floors = np.floor(bins.edges[start[inside] + edge[inside]])
    bounds[inside] = np.clip(floors, lo - 1, hi).astype(np.int64)
    feature, threshold = trees.feature.astype(np.int64), trees.threshold.astype(np.int64)
    feature[inner], threshold[inner] = bins.feature[column], bounds
    return prune_trees(replace(trees, feature=feature, threshold=threshold), lo, hi)


def _counted(builder: ProgramBuilder, bins: Bin, x: int, lo: int, hi: int) -> int:
    """Codes of bins on integers: a sum of comparisons with the floors of edges."""
    value = builder.add(Gather((x,), bins.feature.astype(np.int64)))
    counts = np.diff(bins.offsets.astype(np.int64))
    none = np.zeros(len(counts), dtype=np.int64)
    base = bins.base.astype(np.int64)
    total = builder.add(
        Requantize((value,), none, base, 0, int(base.min(initial=0)), int(base.max(initial=0)))
    )
    for k in range(int(counts.max(initial=0))):
        has = counts > k
        bound = np.full(len(counts), hi, dtype=np.int64)
        edges = bins.edges[bins.offsets[:-1][has].astype(np.int64) + k]
        bound[has] = np.clip(np.floor(edges), lo - 1, hi).astype(np.int64)
        above = builder.add(Requantize((value,), none + 1, -bound, 0, 0, 1))
        total = builder.add(Add((total, above)))
    return total


def _quantized(
    builder: ProgramBuilder, x: int, step: Quantize, used: list[int], features: str
) -> int:
    """Codes of integer features: the features if they equal their codes, else rescaled."""
    plain = _fixed_point(step, used, features, "even")
    if plain is not None:
        multiplier, offset = plain.multiplier, plain.offset
        is_identity = multiplier.shape == () and int(multiplier) == 1 and int(offset) == 0
        lo, hi = builder.types[x].interval
        if is_identity and plain.shift == 0 and step.lo <= lo and hi <= step.hi:
            return x
        return builder.add(replace(plain, inputs=(x,)))
    down, up = (_fixed_point(step, used, features, ties) for ties in ("down", "up"))
    if down is None or up is None:
        j = next(j for j in used if _form(step, j, features, "down", SHIFTS[-1]) is None
                 or _form(step, j, features, "up", SHIFTS[-1]) is None)  # fmt: skip
        scale, zero_point = (np.ravel(v)[j] for v in (step.scale, step.zero_point))
        raise UnsupportedModelError(
            f"feature {j} is quantized with scale {scale:g} and zero point {zero_point:g}, for "
            f"which no fixed-point multiplier is exact for every {features}. Use features='float', "
            "or scale the feature to integers whose range fits the width of the codes."
        )
    low = builder.add(replace(down, inputs=(x,)))
    differs = builder.add(Sub((builder.add(replace(up, inputs=(x,))), low)))
    one, none = np.array(1), np.array(0)
    half = builder.add(Requantize((low,), one, none, 1, step.lo >> 1, step.hi >> 1))
    odd = builder.add(Sub((low, builder.add(Add((half, half))))))
    even = builder.add(Add((low, builder.add(Mul((differs, odd))))))
    return builder.add(Requantize((even,), one, none, 0, step.lo, step.hi))


def _form(step: Quantize, j: int, features: str, ties: str, shift: int) -> Any:
    """Fixed-point multiplier and offsets of one column; None if there are none."""
    lo, hi = INTEGER_FEATURES[features]
    scale, zero_point = float(np.ravel(step.scale)[j]), float(np.ravel(step.zero_point)[j])
    steps = steps_of(scale, zero_point, step.lo, step.hi, lo, hi, ties)
    return fixed_point_of(steps, scale, step.lo, step.hi, lo, hi, shift)


def _fixed_point(step: Quantize, used: list[int], features: str, ties: str) -> Requantize | None:
    """The rescaling with the least shift that is exact in all columns; None if there is none."""
    lo, hi = INTEGER_FEATURES[features]
    scale, zero_point = np.ravel(step.scale), np.ravel(step.zero_point)
    grids = {j: (float(scale[j]), float(zero_point[j])) for j in used}
    steps = {grid: steps_of(*grid, step.lo, step.hi, lo, hi, ties) for grid in set(grids.values())}
    for shift in SHIFTS:
        exact: dict[tuple[float, float], Any] = {}
        for grid, levels in steps.items():
            exact[grid] = fixed_point_of(levels, grid[0], step.lo, step.hi, lo, hi, shift)
            if exact[grid] is None:
                break
        else:
            break
    else:
        return None
    forms = [exact[grid] for grid in grids.values()] or [(0, 0, 0)]
    offsets = chosen_offsets([(least, greatest) for _, least, greatest in forms])
    chosen = {j: (form[0], o) for j, form, o in zip(grids, forms, offsets, strict=False)}
    filler = (forms[0][0], offsets[0])
    pairs = np.array([chosen.get(j, filler) for j in range(len(scale))], dtype=object)
    multiplier, offset = (pairs[:, k].astype(np.int64) for k in (0, 1))
    if np.all(multiplier == multiplier[:1]) and np.all(offset == offset[:1]):
        multiplier, offset = multiplier[0].reshape(()), offset[0].reshape(())
    return Requantize((0,), np.asarray(multiplier), np.asarray(offset), shift, step.lo, step.hi)


def _columns_read(program: IntegerProgram, number: int, n_columns: int) -> list[int]:
    """Columns whose codes matter: all but those with weights of 0 in every matrix product."""
    if n_columns == 1:
        return [0]
    read = np.zeros(n_columns, dtype=bool)
    for _, step, _ in program.steps():
        if number not in step.inputs:
            continue
        if not isinstance(step, MatMul):
            return list(range(n_columns))
        read |= np.any(step.weights != 0, axis=1)
    if number in program.outputs.values():
        read[:] = True
    return [int(j) for j in np.flatnonzero(read)]
