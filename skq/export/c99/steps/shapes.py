"""The same elements elsewhere: gathers, as strides where there are any, and concatenations."""

from __future__ import annotations

from typing import Any

import numpy as np

from skq.export.c99.ctypes import literal, unsigned
from skq.export.c99.steps.strides import strided


def gather(body: Any, value: int) -> None:
    """Elements at static indices: nested loops where the indices are strides, else a table."""
    unit, step = body.unit, body.unit.step(value)
    x, target = body.place(step.inputs[0]), body.place(value)
    indices = np.asarray(step.indices, dtype=np.int64).ravel()
    form = strided(indices)
    if form is not None:
        start, sizes, strides = form
        names = "ijklmnpq"
        own = [int(np.prod(sizes[d + 1 :])) for d in range(len(sizes))]
        terms = [
            f"{names[d]} * {unsigned(s)}" if s != 1 else names[d]
            for d, s in enumerate(strides)
            if s
        ]
        source = " + ".join([unsigned(start), *terms] if start or not terms else terms)
        place = " + ".join(
            f"{names[d]} * {unsigned(s)}" if s != 1 else names[d] for d, s in enumerate(own)
        )
        lines = [f"{target.at(place)} = ({target.ctype}){x.at(source)};"]
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
    places = np.where(indices < 0, source_size, indices)
    kind = "uint8_t" if places.max(initial=0) <= 255 else "uint16_t"
    kind = kind if places.max(initial=0) <= 65535 else "int32_t"
    table = unit.tables.integers(places, f"which elements value {value} has", kind)
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
    target, start = body.place(value), 0
    for operand in step.inputs:
        size = unit.type(operand).size
        index = f"{unsigned(start)} + i" if start else "i"
        line = f"{target.at(index)} = ({target.ctype}){body.place(operand).at('i')};"
        body.write(*body.loop("i", size, [line]))
        start += size
