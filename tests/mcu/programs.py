"""Test programs: exported models, rows, and what the reference engine gives for them."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from tests.export.host import DTYPES, Function

_MAIN = """\
#include <stdint.h>
#include <string.h>
{includes}
#ifdef __AVR__
#include <avr/pgmspace.h>
#define ROM PROGMEM
#define FETCH(to, from, size) memcpy_P(to, from, size)
#else
#define ROM
#define FETCH(to, from, size) memcpy(to, from, size)
#endif

void put(const char *text);
void quit(int status);

{definitions}

int main(void)
{{
    int status = 0;
{calls}
    quit(status);
    return status;
}}
"""

_CHECK = """\
static int check_{name}(void)
{{
    int failures = 0;
    for (int r = 0; r < {rows}; r++) {{
        {type} x[{features}];
        FETCH(x, {name}_rows[r], sizeof x);
{checks}
    }}
    return failures;
}}
"""


@dataclass(frozen=True)
class Case:
    """An exported model with rows and expected results.

    Parameters
    ----------
    files : CSource
    rows : ndarray of shape (n_rows, n_features)
    results : dict of str to ndarray of shape (n_rows, size)
        By function, without the prefix.
    """

    files: Any
    rows: Any
    results: dict[str, Any]

    def texts(self) -> tuple[str, str]:
        """Definitions of the check, and its call."""
        name = self.files.name
        kind = "float" if self.files.report().features == "float" else (
            f"{self.files.report().features}_t"
        )  # fmt: skip
        lines = [_array(f"{name}_rows", kind, self.rows)]
        checks = []
        for declaration in self.files.report().functions:
            function = Function.of(declaration)
            wanted = self.results.get(function.name.removeprefix(f"{name}_"))
            if wanted is None:
                continue
            wanted = np.asarray(wanted).reshape(len(self.rows), function.size)
            lines.append(_array(f"{function.name}_wanted", function.kind, wanted))
            call = (
                f"y[0] = {function.name}(x);" if function.out is None else f"{function.name}(x, y);"
            )
            checks += [
                "        {",
                f"            {function.kind} y[{function.size}];",
                f"            {function.kind} wanted[{function.size}];",
                f"            FETCH(wanted, {function.name}_wanted[r], sizeof wanted);",
                f"            {call}",
                "            failures += memcmp(y, wanted, sizeof y) != 0;",
                "        }",
            ]
        lines.append(
            _CHECK.format(
                name=name, rows=len(self.rows), type=kind, features=self.rows.shape[1],
                checks="\n".join(checks),
            )
        )  # fmt: skip
        call = f'    if (check_{name}() != 0) {{ status = 1; put("{name} differs\\n"); }}'
        return "\n".join(lines), call


def _array(name: str, kind: str, values: Any) -> str:
    dtype = DTYPES[kind]
    rows = np.asarray(values).astype(dtype)
    if kind == "float":
        texts = [", ".join(f"{float(v)!r}F" for v in row) for row in rows]
    else:
        macro = {"int64_t": "INT64_C", "uint32_t": "UINT32_C"}.get(kind, "INT32_C")
        texts = [", ".join(_integer(int(v), macro) for v in row) for row in rows]
    body = ",\n".join(f"    {{ {text} }}" for text in texts)
    return f"static const {kind} {name}[{len(rows)}][{rows.shape[1]}] ROM = {{\n{body}\n}};"


def _integer(value: int, macro: str) -> str:
    if value in (-(2**31), -(2**63)):
        return f"(-{macro}({-value - 1}) - 1)"
    return f"-{macro}({-value})" if value < 0 else f"{macro}({value})"


def write(cases: list[Case], folder: Path) -> list[Path]:
    """Sources of a program that checks all cases; ``main.c`` comes first."""
    sources = [folder / "main.c"]
    definitions, calls = [], []
    for case in cases:
        sources.append(case.files.write(folder)[1])
        definition, call = case.texts()
        definitions.append(definition)
        calls.append(call)
    includes = "\n".join(f'#include "{case.files.name}.h"' for case in cases)
    sources[0].write_text(
        _MAIN.format(includes=includes, definitions="\n".join(definitions), calls="\n".join(calls))
    )
    return sources
