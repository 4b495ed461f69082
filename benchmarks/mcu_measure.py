"""Flash, RAM, stack and instructions of a C model on an emulated Cortex-M3.

Flash is text, rodata and data of the linked program, less those of the program without a model.
Instructions are counted by a timer of the board: with ``-icount shift=10`` an instruction lasts
1024 ns of emulated time, which is 25.6 ticks of its 25 MHz, so counts are the same on every machine.
The stack is filled with a pattern below the stack pointer before a call, and looked at afterwards.
"""

from __future__ import annotations

import re
import subprocess
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from tests.mcu.targets import SUPPORT, TARGETS

#: Rows over which instructions are averaged, calls of each, and bytes of stack that are looked at.
COUNTED_ROWS, CALLS, STACK = 60, 20, 4096

_MAIN = """\
#include <stdint.h>
#include <string.h>
{prelude}
#define ROWS {rows}
#define FEATURES {features}
void put(const char *text);
static const {kind} rows[ROWS][FEATURES] = {{
{values}
}};
static volatile int32_t sink;
#ifdef MEASURE
#define TIMER ((volatile uint32_t *)0x40000000u) /* CTRL, VALUE, RELOAD */
static void number(const char *name, uint32_t value)
{{
    char text[12];
    int i = 11;
    text[i] = '\\0';
    do {{
        text[--i] = (char)('0' + value % 10u);
        value /= 10u;
    }} while (value != 0u);
    put(name);
    put(" ");
    put(text + i);
    put("\\n");
}}
static uint32_t timed(int32_t (*f)(const {kind} *))
{{
    uint32_t start = TIMER[1];
    for (int k = 0; k < {calls}; k++) {{
        for (int r = 0; r < {counted}; r++) {{
            sink = f(rows[r]);
        }}
    }}
    return start - TIMER[1];
}}
static int32_t empty(const {kind} *x)
{{
    (void)x;
    return 0;
}}
static int32_t model(const {kind} *x)
{{
    return {call};
}}
static uint32_t painted(int32_t (*f)(const {kind} *))
{{
    register uint8_t *top;
    uint32_t most = 0;
    for (int r = 0; r < {counted}; r++) {{
        __asm__ volatile("mov %0, sp" : "=r"(top));
        for (uint32_t i = 1; i <= {stack}u; i++) {{
            *(volatile uint8_t *)(top - i) = 0xA5u;
        }}
        sink = f(rows[r]);
        for (uint32_t i = {stack}u; i > most; i--) {{
            if (*(volatile uint8_t *)(top - i) != 0xA5u) {{
                most = i;
            }}
        }}
    }}
    return most;
}}
int main(void)
{{
    TIMER[2] = 0xFFFFFFFFu;
    TIMER[1] = 0xFFFFFFFFu;
    TIMER[0] = 1u;
    number("empty", timed(empty));
    number("model", timed(model));
    number("empty_stack", painted(empty));
    number("model_stack", painted(model));
    put("labels ");
    for (int r = 0; r < ROWS; r++) {{
        char text[2] = {{ (char)('0' + model(rows[r])), '\\0' }};
        put(text);
    }}
    put("\\n");
    return 0;
}}
#else
int main(void)
{{
    const {kind} *volatile from = rows[0]; /* keeps the rows in any program */
    const {kind} *x = from;
    sink = {call};
    return 0;
}}
#endif
"""


@dataclass(frozen=True)
class Measured:
    """What a model takes on the target."""

    flash: int
    ram: int
    stack: int
    instructions: float
    accuracy: float


def measure(folder: Path, name, prelude, call, sources, rows, labels, *, optimize, extra=()):
    """Build a model with its driver, run it, and read what it takes.

    Parameters
    ----------
    folder : Path
    name : str
        Target.
    prelude : str
        Lines before the driver: what declares the model.
    call : str
        Expression of the label of ``x``.
    sources : list of Path
    rows : ndarray of shape (n_rows, n_features), float32 or of integers
    labels : ndarray of shape (n_rows,)
    optimize : str
    extra : tuple of str
        Flags.
    """
    target = TARGETS[name]
    folder.mkdir(parents=True, exist_ok=True)
    kind = "float" if rows.dtype.kind == "f" else f"{rows.dtype}_t"
    values = ",\n".join("    { " + ", ".join(map(_text, row)) + " }" for row in rows.tolist())

    def program(label, prelude, call, sources, *flags):
        main = folder / f"{label}.c"
        main.write_text(
            _MAIN.format(
                prelude=prelude, rows=len(rows), features=rows.shape[1], kind=kind, values=values,
                call=call, calls=CALLS, counted=min(COUNTED_ROWS, len(rows)), stack=STACK,
            )
        )  # fmt: skip
        elf = folder / f"{label}.elf"
        command = [
            target.compiler, *target.flags, "-std=gnu99", "-ffunction-sections", "-fdata-sections",
            optimize, *extra, *flags, str(main), *map(str, sources),
            str(SUPPORT / target.support), "-Wl,--gc-sections", *target.link, "-o", str(elf),
        ]  # fmt: skip
        run = subprocess.run(command, capture_output=True, text=True, check=False)
        if run.returncode:
            raise RuntimeError(run.stderr[:3000])
        return elf

    full = _size(program("full", prelude, call, sources))
    stub = _size(program("stub", "", "(int32_t)x[0]", []))
    text = target.run(program("run", prelude, call, sources, "-DMEASURE"), timeout=300)
    found = {k: int(v) for k, v in re.findall(r"^(\w+) (\d+)$", text, re.M) if k != "labels"}
    answered = np.array([int(c) for c in re.search(r"labels (\d+)", text)[1]])
    runs = CALLS * min(COUNTED_ROWS, len(rows))
    return Measured(
        flash=full[0] - stub[0],
        ram=full[1] - stub[1],
        stack=found["model_stack"] - found["empty_stack"],
        instructions=(found["model"] - found["empty"]) / 25.6 / runs,
        accuracy=float(np.mean(answered == labels)),
    )


def _text(value):
    return f"{value!r}F" if isinstance(value, float) else str(value)


def _size(elf: Path):
    run = subprocess.run(["arm-none-eabi-size", elf], capture_output=True, text=True, check=True)
    text, data, bss = map(int, run.stdout.splitlines()[1].split()[:3])
    return text + data, data + bss
