"""Fixed-point rescaling and tables.

``clip((x * m + o) >> s, lo, hi)`` is written without a shift of negative numbers: ``lo << s`` is
subtracted from the offset, so numbers below 0 are those that are clipped to `lo`. A comparison with
an end is left out if no value of the proven interval exceeds it.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np

from skq.export.c99.ctypes import INT64, literal, working_type

#: Floor division by a power of two; C does not define ``>>`` of negative numbers.
_FLOOR_SHIFT = [
    "static int64_t {name}(int64_t value, uint8_t shift)",
    "{{",
    "    return value < 0 ? -1 - ((-1 - value) >> shift) : value >> shift;",
    "}}",
]


@dataclass(frozen=True, eq=False)
class Rescaling:
    """A rescaling as C writes it: ``base + min(max((x * m + o) >> shift, 0), top)``.

    Parameters
    ----------
    multipliers, offsets : list of int
        One, or one per channel.
    shift, base, top : int
    clips_below, clips_above : bool
        Whether any value of the operand's interval is beyond that end.
    floors : bool
        Whether the shifted number may be negative, because `base` was not subtracted.
    kind : str
        Type of the arithmetic.
    """

    multipliers: list[int]
    offsets: list[int]
    shift: int
    base: int
    top: int
    clips_below: bool
    clips_above: bool
    floors: bool
    kind: str

    @classmethod
    def of(cls, step: Any, operand: Any, result: Any) -> Rescaling:
        """The form for values of the operand's interval."""
        lo, hi = operand.interval
        pairs = np.broadcast_arrays(np.asarray(step.multiplier), np.asarray(step.offset))
        multipliers, offsets = ([int(v) for v in pair.ravel()] for pair in pairs)
        base, last = result.interval

        def ends(shifted: int) -> list[int]:
            return [
                m * x + o - shifted
                for m, o in zip(multipliers, offsets, strict=True)
                for x in (lo, hi)
            ]

        for taken in (base, 0) if step.shift else (0,):
            after = ends(taken << step.shift)
            moved = [o - (taken << step.shift) for o in offsets]
            if all(INT64[0] < v <= INT64[1] for v in (*after, *moved)):
                break
        low, high = min(after, default=0), max(after, default=0)
        products = [m * x for m in multipliers for x in (lo, hi)]
        floors = step.shift > 0 and taken != base and low < 0
        return cls(
            multipliers if len(set(multipliers)) > 1 else multipliers[:1],
            moved if len(set(moved)) > 1 else moved[:1],
            step.shift,
            taken,
            last - taken,
            (low >> step.shift) < base - taken,
            (high >> step.shift) > last - taken,
            floors,
            "int64_t"
            if step.shift > 30
            else working_type(*products, *after, *moved, lo, hi, base, last),
        )

    def lines(
        self, unit: Any, x: str, channel: str, target: str, ctype: str, base: int
    ) -> list[str]:
        """Statements that rescale `x` and store it.

        Parameters
        ----------
        unit : Unit
        x : str
            Expression of the operand.
        channel : str
            Expression of its channel.
        target, ctype : str
            Buffer of the result, and its type.
        base : int
            Least value of the result.
        """
        kind = self.kind
        term = f"({kind}){x}"
        if len(self.multipliers) > 1:
            table = unit.tables.integers(self.multipliers, "multipliers of a rescaling")
            term += f" * ({kind}){table.at(channel)}"
        elif self.multipliers != [1]:
            term += f" * {_typed(self.multipliers[0], kind)}"
        if len(self.offsets) > 1:
            table = unit.tables.integers(self.offsets, "offsets of a rescaling")
            term += f" + ({kind}){table.at(channel)}"
        elif self.offsets != [0]:
            term += f" + {_typed(self.offsets[0], kind)}"
        least, top = base - self.base, self.top
        if not (self.clips_below or self.clips_above or self.shift or self.base):
            return [f"{target} = ({ctype})({term});"]
        lines = [f"{kind} v = {term};"]
        below = f"if (v < {_typed(least, kind)}) {{ v = {_typed(least, kind)}; }}"
        if self.floors:
            name = f"{unit.name}_floor_shift"
            unit.helper(name, [line.format(name=name) for line in _FLOOR_SHIFT])
            lines.append(f"v = {name}(v, {self.shift});")
        if self.clips_below:
            lines.append(below)
        if self.shift and not self.floors:
            lines.append(f"v = v >> {self.shift};")
        if self.clips_above:
            lines.append(f"if (v > {_typed(top, kind)}) {{ v = {_typed(top, kind)}; }}")
        added = f"(v + {_typed(self.base, kind)})" if self.base else "v"
        lines.append(f"{target} = ({ctype}){added};")
        return ["{", *(f"    {line}" for line in lines), "}"]


def _typed(value: int, kind: str) -> str:
    text = literal(value)
    return text if kind != "int64_t" or "INT64" in text else f"(int64_t){text}"


def requantize(body: Any, value: int) -> None:
    """A rescaling by itself."""
    unit, step = body.unit, body.unit.step(value)
    operand, result = unit.type(step.inputs[0]), unit.type(value)
    x, target = body.buffer(step.inputs[0]), body.buffer(value)
    form = Rescaling.of(step, operand, result)
    channels = max(len(form.multipliers), len(form.offsets))
    rows = math.prod(operand.shape) // channels
    base = result.interval[0]
    if channels == 1:
        lines = form.lines(unit, x.at("i"), "0u", target.at("i"), target.ctype, base)
        body.write(*body.loop("i", rows, lines))
        return
    at = "c" if rows == 1 else f"r * {channels}u + c"
    lines = form.lines(unit, x.at(at), "c", target.at(at), target.ctype, base)
    lines = body.loop("c", channels, lines)
    body.write(*(lines if rows == 1 else body.loop("r", rows, lines)))


def table(body: Any, value: int) -> None:
    """``table[x - lo]``, one table for all or one per channel."""
    unit, step = body.unit, body.unit.step(value)
    operand = unit.type(step.inputs[0])
    lo, hi = operand.interval
    x, target = body.buffer(step.inputs[0]), body.buffer(value)
    entries = np.asarray(step.table)
    data = unit.tables.integers(entries, f"table of value {value}, from {lo} on")
    kind = working_type(lo, hi, hi - lo)
    channels = len(entries) if entries.ndim == 2 else 1
    rows = math.prod(operand.shape) // channels
    at = "i" if channels == 1 else "c" if rows == 1 else f"r * {channels}u + c"
    index = f"(uint32_t)(({kind}){x.at(at)} - {literal(lo)})" if lo else f"(uint32_t){x.at(at)}"
    if channels > 1:
        index = f"(uint32_t)c * {entries.shape[1]}u + {index}"
    lines = [f"{target.at(at)} = ({target.ctype}){data.at(index)};"]
    if channels == 1:
        body.write(*body.loop("i", rows, lines))
        return
    lines = body.loop("c", channels, lines)
    body.write(*(lines if rows == 1 else body.loop("r", rows, lines)))
