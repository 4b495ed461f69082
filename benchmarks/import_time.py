"""Seconds of `import skq`, beside `import sklearn.ensemble`, each in fresh processes.

Run it with ``python benchmarks/import_time.py [--quick]``.
"""

from __future__ import annotations

import argparse
import subprocess
import sys

import numpy as np
from tables import line, print_header

TARGET_RATIO = 1.2
STATEMENTS = ("import sklearn.ensemble", "import skq", "import skq.ensemble")
COLUMN_WIDTHS = (28, 10, 10, 10)
TIMED = "import time; t = time.perf_counter(); {statement}; print(time.perf_counter() - t)"


def import_seconds(statement: str) -> float:
    """Seconds that one fresh interpreter spends on a statement."""
    code = TIMED.format(statement=statement)
    return float(subprocess.check_output([sys.executable, "-c", code], text=True))


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="two repeats")
    repeats = 2 if parser.parse_args().quick else 9

    for statement in STATEMENTS:  # warm the file cache and the byte code
        import_seconds(statement)
    # Taking turns spreads the machine's noise evenly.
    rounds = [[import_seconds(statement) for statement in STATEMENTS] for _ in range(repeats)]
    medians = np.median(rounds, axis=0)
    print(f"\nSeconds of an import, {repeats} fresh processes each")
    print_header(("statement", "min", "median", "ratio"), COLUMN_WIDTHS)
    for name, least, median in zip(STATEMENTS, np.min(rounds, axis=0), medians, strict=True):
        print(line((name, float(least), float(median), float(median / medians[0])), COLUMN_WIDTHS))
    print(line(("at most", "", "", TARGET_RATIO), COLUMN_WIDTHS))


if __name__ == "__main__":
    main()
