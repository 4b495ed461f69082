"""The weighted median: bisection over the values, so nothing is sorted and no memory is used."""

from __future__ import annotations

from typing import Any

from skq.export.c99.ctypes import literal, working_type
from skq.export.c99.steps.elements import at, block, runs


def weighted_median(body: Any, value: int) -> None:
    """Least number up to which the weights add up to the threshold.

    Each step of the bisection adds up weights. The proven interval bounds the number of steps.
    """
    unit, step = body.unit, body.unit.step(value)
    n_runs, length = runs(body, value)
    x, target = body.buffer(step.inputs[0]), body.buffer(value)
    lo, hi = unit.type(step.inputs[0]).interval
    kind = working_type(lo, hi)
    total = working_type(sum(int(weight) for weight in step.weights))
    weights = unit.tables.integers(step.weights, "weights of a median")
    element = f"({kind}){x.at(at(n_runs, length, 'i'))}"
    half = f"({kind})(((u{kind})high - (u{kind})low) / 2u)"
    lines = [
        f"{kind} low = {literal(lo, kind)};",
        f"{kind} high = {literal(hi, kind)};",
        "while (low < high) {",
        f"    const {kind} middle = ({kind})(low + {half});",
        f"    {total} sum = 0;",
        *(
            f"    {line}"
            for line in body.loop(
                "i",
                length,
                [f"if ({element} <= middle) {{ sum += ({total}){weights.at('i')}; }}"],
            )
        ),
        f"    if (sum < {literal(step.threshold, total)}) {{",
        "        low = middle + 1;",
        "    } else {",
        "        high = middle;",
        "    }",
        "}",
        f"{target.at('r' if n_runs > 1 else '0u')} = ({target.ctype})low;",
    ]
    body.write(*(body.loop("r", n_runs, lines) if n_runs > 1 else block(lines)))
