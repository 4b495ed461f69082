"""Models on a microcontroller: flash, RAM, stack, instructions and accuracy.

Runs on an emulated Cortex-M3 (``make test-mcu`` installs it): ``python benchmarks/mcu.py``.
With ``--peers DIR``, emlearn and m2cgen are measured too, in the environment DIR, which is made if
it is missing.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))
sys.path.insert(0, str(Path(__file__).parents[1]))

from mcu_data import quantized, test_rows
from mcu_measure import measure
from mcu_peers import peers, rows_for

from skq.export import to_c
from tests.mcu.targets import TARGETS

#: Model, bits, goal and compiler's optimization.
EXPORTS = [
    ("forest", 3, "size", "-Os"),
    ("forest", 4, "size", "-Os"),
    ("forest", 3, "speed", "-O2"),
    ("logistic", 8, "size", "-Os"),
    ("logistic", 4, "size", "-Os"),
    ("logistic", 8, "speed", "-O2"),
    ("mlp", 8, "size", "-Os"),
    ("mlp", 4, "size", "-Os"),
    ("mlp", 8, "speed", "-O2"),
]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--peers", type=Path, help="environment of emlearn and m2cgen")
    options = parser.parse_args()
    missing = TARGETS["cortex-m3"].missing
    if missing:
        print(f"missing: {', '.join(missing)}; run tests/mcu/install.sh as root")
        return
    rows, labels = test_rows()
    print(
        f"{'export':<34} {'flash':>6} {'RAM':>5} {'stack':>6} {'instructions':>13} {'accuracy':>9}"
    )
    models = {}
    with tempfile.TemporaryDirectory() as folder:
        for name, n_bits, goal, optimize in EXPORTS:
            if (name, n_bits) not in models:
                models[name, n_bits] = quantized(name, n_bits)
            files = to_c(
                models[name, n_bits], name="m", features="uint8", optimize=goal,
                functions=["predict"],
            )  # fmt: skip
            place = Path(folder) / f"{name}{n_bits}{goal}"
            _, source = files.write(place)
            found = measure(
                place, "cortex-m3", '#include "m.h"', "m_predict(x)", [source], rows, labels,
                optimize=optimize,
            )  # fmt: skip
            show(f"skq {name}, {n_bits} bits, {goal}", found)
        for peer in peers(options.peers, Path(folder) / "peers") if options.peers else []:
            found = measure(
                Path(peer["folder"]), "cortex-m3", peer["prelude"], peer["call"], [],
                rows_for(peer, rows), labels, optimize="-Os", extra=tuple(peer["flags"]),
            )  # fmt: skip
            show(peer["title"], found)


def show(title: str, found) -> None:
    """One line of the table."""
    print(
        f"{title:<34} {found.flash:>6} {found.ram:>5} {found.stack:>6} "
        f"{found.instructions:>13.0f} {found.accuracy:>9.4f}",
        flush=True,
    )


if __name__ == "__main__":
    main()
