"""Rescalings in the fewest bits that give the same codes.

A program rescales by multipliers as wide as 63 bits leave room for. Where a rescaling ends in few
codes, much narrower integers give the same code for every integer of the operand's proven interval
(`skq.export.c99.fixed_point`): smaller tables, and often 32-bit arithmetic.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from skq.export.c99.fixed_point import SHIFTS, chosen_offsets, fixed_point_of
from skq.program import Dequantize, IntegerProgram, ProgramBuilder, Requantize, TensorType

#: A rescaling with more codes is left unchanged.
MAX_CODES = 1024


def narrowed(program: IntegerProgram) -> IntegerProgram:
    """The same program with narrower rescalings where possible.

    Real outputs are replaced by the integers that are dequantized.
    """
    builder = ProgramBuilder()
    moved = {number: builder.input(type_) for number, type_ in enumerate(program.inputs)}
    for number, step, type_ in program.steps():
        if isinstance(step, Dequantize):
            moved[number] = moved[step.inputs[0]]
            continue
        if isinstance(step, Requantize):
            step = narrow(step, program.types[step.inputs[0]], type_)
        moved[number] = builder.add(replace(step, inputs=tuple(moved[v] for v in step.inputs)))
    return builder.build({name: moved[value] for name, value in program.outputs.items()})


def narrow(step: Requantize, operand: TensorType, result: TensorType) -> Requantize:
    """A rescaling with the least shift that gives the same codes; itself where there is none."""
    lo, hi = result.interval
    pairs = np.broadcast_arrays(np.asarray(step.multiplier), np.asarray(step.offset))
    multipliers, offsets = ([int(v) for v in pair.ravel()] for pair in pairs)
    if not step.shift or hi - lo >= MAX_CODES or min(multipliers, default=-1) < 0:
        return step
    first, last = operand.interval
    ends = lo, hi
    levels = [
        _steps(m, o, step.shift, *ends, first, last)
        for m, o in zip(multipliers, offsets, strict=True)
    ]
    for shift in SHIFTS:
        if shift >= step.shift:
            break
        forms = []
        for level, m in zip(levels, multipliers, strict=True):
            scale = 2.0**step.shift / m if m else 1.0
            form = fixed_point_of(level, scale, step.lo, step.hi, first, last, shift)
            if form is None:
                break
            forms.append(form)
        else:
            chosen = chosen_offsets([(least, greatest) for _, least, greatest in forms])
            shape = pairs[0].shape
            return Requantize(
                step.inputs,
                np.array([m for m, _, _ in forms], dtype=np.int64).reshape(shape),
                np.array(chosen, dtype=np.int64).reshape(shape),
                shift,
                step.lo,
                step.hi,
            )
    return step


def _steps(m: int, o: int, shift: int, lo: int, hi: int, first: int, last: int) -> NDArray[Any]:
    """Code and least integer of each code that integers in [first, last] reach."""

    def code(x: int) -> int:
        return min(max((x * m + o) >> shift, lo), hi)

    steps = [(code(first), first)]
    for c in range(steps[0][0] + 1, code(last) + 1):
        steps.append((c, -((o - (c << shift)) // m)))  # least x with x * m + o >= c << shift
    levels = np.array(steps, dtype=np.int64)
    return levels[np.append(np.diff(levels[:, 1]) > 0, True)]
