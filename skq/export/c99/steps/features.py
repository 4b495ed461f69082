"""From real features to codes, as `skq.numerics` defines it."""

from __future__ import annotations

from typing import Any

import numpy as np

from skq.exceptions import UnsupportedModelError
from skq.export.c99.ctypes import INT32, literal, real

_QUANTIZE = """\
static int32_t {name}(double value, int32_t lo, int32_t hi)
{{
    int32_t code;
    double rest;
    if (!(value > (double)lo)) {{
        return lo; /* NaN as well */
    }}
    if (value >= (double)hi) {{
        return hi;
    }}
    code = (int32_t)value;
    if ((double)code > value) {{
        code--;
    }}
    rest = value - (double)code;
    if (rest > 0.5 || (rest == 0.5 && code % 2 != 0)) {{
        code++; /* ties to even */
    }}
    return code;
}}"""


def quantized(body: Any, value: int) -> None:
    """``clip(rint(x / scale + zero_point), lo, hi)`` in double, ties to even."""
    unit, step = body.unit, body.unit.step(value)
    if not (INT32[0] <= step.lo and step.hi <= INT32[1]):
        raise UnsupportedModelError("Quantize to codes of more than 32 bits is not supported in C.")
    x, target = body.buffer(step.inputs[0]), body.buffer(value)
    size = unit.type(value).size
    name = f"{unit.name}_code"
    unit.helper(name, _QUANTIZE.format(name=name).splitlines())
    scale, zero = np.ravel(step.scale), np.ravel(step.zero_point)
    channels = len(scale) if len(set(zip(scale.tolist(), zero.tolist(), strict=True))) > 1 else 1
    rows = size // channels
    at = "i" if channels == 1 else "c" if rows == 1 else f"r * {channels}u + c"
    if channels == 1:
        divisor, offset = real(scale[0]), real(float(zero[0]))
    else:
        divisor = unit.tables.reals(scale, "scales of the features").at("c")
        offset = "0.0"
        if np.any(zero):
            zeros = unit.tables.integers(zero, "zero points of the features")
            offset = f"(double){zeros.at('c')}"
    term = f"(double){x.at(at)} / {divisor} + {offset}"
    line = (
        f"{target.at(at)} = ({target.ctype}){name}({term}, {literal(step.lo)}, {literal(step.hi)});"
    )
    if channels == 1:
        body.write(*body.loop("i", rows, [line]))
        return
    lines = body.loop("c", channels, [line])
    body.write(*(lines if rows == 1 else body.loop("r", rows, lines)))


def floats_at_most(edges: Any) -> Any:
    """Largest float32 that is at most each edge: the same comparisons for every float32.

    Edges below all floats stay -inf; those above are the greatest float.
    """
    with np.errstate(over="ignore"):
        near = np.asarray(edges, np.float64).astype(np.float32)
    above = near.astype(np.float64) > np.asarray(edges, np.float64)
    near = np.where(above, np.nextafter(near, np.float32(-np.inf)), near)
    return np.minimum(near, np.finfo(np.float32).max)


def binned(body: Any, value: int) -> None:
    """``base + #{edges < x}``, by binary search in the edges of the column."""
    unit, step = body.unit, body.unit.step(value)
    x, target = body.buffer(step.inputs[0]), body.buffer(value)
    n_columns = len(step.feature)
    edges = floats_at_most(step.edges)
    below = np.isneginf(edges)
    counts = np.array(
        [np.sum(below[a:b]) for a, b in zip(step.offsets[:-1], step.offsets[1:], strict=True)],
        dtype=np.int64,
    )
    n_before = np.concatenate([[0], np.cumsum(~below)])
    offsets = n_before[step.offsets.astype(np.int64)]
    base = step.base.astype(np.int64) + counts
    tables = unit.tables
    edge = tables.reals(edges[~below].astype(np.float64), "edges between codes", "float")
    start = tables.integers(offsets, "where a column's edges begin")
    index = "uint_fast16_t" if len(edges) <= 65535 else "uint32_t"
    if np.array_equal(step.feature, np.arange(n_columns)):
        feature = "c"
    else:
        feature = tables.integers(step.feature, "features of the columns").at("c")
    bases = _of_columns(tables, base, "codes of the columns' least values")
    missing = _of_columns(tables, step.nan_code, "codes of missing values")
    lines = [
        f"const float v = {x.at(feature)};",
        f"{index} low = {start.at('c')};",
        f"{index} high = {start.at('c + 1u')};",
        "while (low < high) {",
        f"    const {index} middle = low + (high - low) / 2u;",
        f"    if ({edge.at('middle')} < v) {{",
        "        low = middle + 1u;",
        "    } else {",
        "        high = middle;",
        "    }",
        "}",
        f"{target.at('c')} = ({target.ctype})(v == v ? "
        f"{bases} + (int32_t)(low - {start.at('c')}) : {missing});",
    ]
    body.write(*body.loop("c", n_columns, lines))


def _of_columns(tables: Any, values: Any, comment: str) -> str:
    if len(set(np.ravel(values).tolist())) == 1:
        return literal(int(np.ravel(values)[0]))
    return f"(int32_t){tables.integers(values, comment).at('c')}"
