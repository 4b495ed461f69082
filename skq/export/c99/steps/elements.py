"""Arithmetic of two operands, and reductions over the last axis."""

from __future__ import annotations

import math
from typing import Any

from skq.export.c99.ctypes import unsigned, working_type
from skq.program import instructions as ins

_OPERATORS = {ins.Add: "+", ins.Sub: "-", ins.Mul: "*"}
_COMPARISONS = {ins.Maximum: ">", ins.Minimum: "<", ins.Max: ">", ins.Min: "<"}


def elementwise(body: Any, value: int) -> None:
    """``a op b`` with shapes that broadcast."""
    unit, step = body.unit, body.unit.step(value)
    type_ = unit.type(value)
    target = body.buffer(value)
    ends = [*type_.interval, *(end for o in step.inputs for end in unit.type(o).interval)]
    kind = working_type(*ends)
    shapes = [unit.type(o).shape for o in step.inputs]
    sizes, strides = _merged(type_.shape, shapes)
    index = [_index("ijklmnpq", s) for s in strides]
    a, b = (f"({kind}){body.buffer(o).at(index[k])}" for k, o in enumerate(step.inputs))
    position = _index("ijklmnpq", _row_major(sizes))
    if type(step) in _OPERATORS:
        result = f"{target.at(position)} = ({target.ctype})({a} {_OPERATORS[type(step)]} {b});"
        lines = [result]
    else:
        sign = _COMPARISONS[type(step)]
        lines = [
            f"const {kind} a = {a};",
            f"const {kind} b = {b};",
            f"{target.at(position)} = ({target.ctype})(a {sign} b ? a : b);",
        ]
    for depth in reversed(range(len(sizes))):
        lines = body.loop("ijklmnpq"[depth], sizes[depth], lines)
    body.write(*lines)


def _row_major(sizes: list[int]) -> list[int]:
    return [math.prod(sizes[d + 1 :]) for d in range(len(sizes))]


def _merged(
    shape: tuple[int, ...], shapes: list[tuple[int, ...]]
) -> tuple[list[int], list[list[int]]]:
    """Axes of a result as few loops, and strides of each operand along them."""
    strides = []
    for operand in shapes:
        padded = (1,) * (len(shape) - len(operand)) + operand
        dense = _row_major(list(padded))
        strides.append([0 if d == 1 else s for d, s in zip(padded, dense, strict=True)])
    sizes: list[int] = []
    merged: list[list[int]] = [[] for _ in shapes]
    for axis, size in enumerate(shape):
        if size == 1:
            continue
        joins = bool(sizes) and all(
            m[-1] == s[axis] * size for m, s in zip(merged, strides, strict=True)
        )
        if joins:
            sizes[-1] *= size
            for m, s in zip(merged, strides, strict=True):
                m[-1] = s[axis]
        else:
            sizes.append(size)
            for m, s in zip(merged, strides, strict=True):
                m.append(s[axis])
    if not sizes:
        return [1], [[0] for _ in shapes]
    return sizes, merged


def _index(names: str, strides: list[int]) -> str:
    terms = [
        names[d] if stride == 1 else f"{names[d]} * {unsigned(stride)}"
        for d, stride in enumerate(strides)
        if stride
    ]
    return " + ".join(terms) if terms else "0u"


def runs(body: Any, value: int) -> tuple[int, int]:
    """Number of runs along the last axis of the operand, and their length."""
    shape = body.unit.type(body.unit.step(value).inputs[0]).shape
    return math.prod(shape[:-1]), shape[-1]


def at(rows: int, length: int, inner: str) -> str:
    """Index of an element of run ``r``."""
    return inner if rows == 1 else f"r * {unsigned(length)} + {inner}"


def reduction(body: Any, value: int) -> None:
    """Sum, Max or Min over the last axis."""
    unit, step = body.unit, body.unit.step(value)
    rows, length = runs(body, value)
    x, target = body.buffer(step.inputs[0]), body.buffer(value)
    lo, hi = unit.type(step.inputs[0]).interval
    ends = (lo * length, hi * length) if isinstance(step, ins.Sum) else (lo, hi)
    kind = working_type(lo, hi, *ends)
    element = f"({kind}){x.at(at(rows, length, 'i'))}"
    if isinstance(step, ins.Sum):
        start, each = "0", [f"total += {element};"]
    else:
        start = f"({kind}){x.at(at(rows, length, '0u') if rows > 1 else '0u')}"
        sign = _COMPARISONS[type(step)]
        each = [f"const {kind} e = {element};", f"if (e {sign} total) {{ total = e; }}"]
    lines = [
        f"{kind} total = {start};",
        *body.loop("i", length, each),
        f"{target.at('r' if rows > 1 else '0u')} = ({target.ctype})total;",
    ]
    body.write(*(body.loop("r", rows, lines) if rows > 1 else block(lines)))


def argmax(body: Any, value: int) -> None:
    """Index of the first largest element of the last axis."""
    step = body.unit.step(value)
    rows, length = runs(body, value)
    x, target = body.buffer(step.inputs[0]), body.buffer(value)
    kind = "uint_fast16_t" if length <= 65535 else "uint32_t"
    lines = [
        f"{kind} best = 0u;",
        f"for ({kind} i = 1u; i < {unsigned(length)}; i++) {{",
        f"    if ({x.at(at(rows, length, 'i'))} > {x.at(at(rows, length, 'best'))}) {{",
        "        best = i;",
        "    }",
        "}",
        f"{target.at('r' if rows > 1 else '0u')} = ({target.ctype})best;",
    ]
    body.write(*(body.loop("r", rows, lines) if rows > 1 else block(lines)))


def block(lines: list[str]) -> list[str]:
    """Statements with a scope of their own."""
    return ["{", *(f"    {line}" for line in lines), "}"]
