"""Gather, as nested loops where the indices are strides, and Concat."""

from __future__ import annotations

from typing import Any

import numpy as np

from skq.export.c99.ctypes import literal, unsigned
from skq.export.c99.steps.strides import strided


def gather(body: Any, value: int) -> None:
    """Elements at static indices: nested loops where the indices are strides, else a table."""
    unit, step = body.unit, body.unit.step(value)
    x, target = body.buffer(step.inputs[0]), body.buffer(value)
    indices = np.asarray(step.indices, dtype=np.int64).ravel()
    strides_of = strided(indices)
    if strides_of is not None:
        start, sizes, strides = strides_of
        names = "ijklmnpq"
        dense = [int(np.prod(sizes[d + 1 :])) for d in range(len(sizes))]
        terms = [
            f"{names[d]} * {unsigned(s)}" if s != 1 else names[d]
            for d, s in enumerate(strides)
            if s
        ]
        source = " + ".join([unsigned(start), *terms] if start or not terms else terms)
        at = " + ".join(
            f"{names[d]} * {unsigned(s)}" if s != 1 else names[d] for d, s in enumerate(dense)
        )
        lines = [f"{target.at(at)} = ({target.ctype}){x.at(source)};"]
        for depth in reversed(range(len(sizes))):
            lines = body.loop(names[depth], sizes[depth], lines)
        body.write(*lines)
        return
    has_fill = bool(np.any(indices < 0))
    source_size = unit.type(step.inputs[0]).size
    if not np.any(indices >= 0):
        line = f"{target.at('i')} = ({target.ctype}){literal(step.fill)};"
        body.write(*body.loop("i", len(indices), [line]))
        return
    sources = np.where(indices < 0, source_size, indices)
    kind = "uint8_t" if sources.max(initial=0) <= 255 else "uint16_t"
    kind = kind if sources.max(initial=0) <= 65535 else "int32_t"
    table = unit.tables.integers(sources, f"which elements value {value} has", kind)
    wide = "uint_fast16_t" if kind != "int32_t" else "uint32_t"
    lines = [f"const {wide} from = ({wide}){table.at('i')};"]
    if has_fill:
        lines += [
            f"{target.at('i')} = from < {unsigned(source_size)} ? "
            f"({target.ctype}){x.at('from')} : ({target.ctype}){literal(step.fill)};"
        ]
    else:
        lines += [f"{target.at('i')} = ({target.ctype}){x.at('from')};"]
    body.write(*body.loop("i", len(indices), lines))


def concat(body: Any, value: int) -> None:
    """Operands one after another."""
    unit, step = body.unit, body.unit.step(value)
    target, start = body.buffer(value), 0
    for operand in step.inputs:
        size = unit.type(operand).size
        index = f"{unsigned(start)} + i" if start else "i"
        line = f"{target.at(index)} = ({target.ctype}){body.buffer(operand).at('i')};"
        body.write(*body.loop("i", size, [line]))
        start += size
