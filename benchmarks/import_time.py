"""Seconds of `import skq` and of loading a model, each in fresh processes.

`import skq` stands beside `import sklearn.ensemble`, loading a saved model beside `import numpy`.

Run it with ``python benchmarks/import_time.py [--quick]``.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from sklearn.datasets import load_iris
from tables import line, print_header

import skq
from skq.linear_model import LogisticRegression

TARGET_RATIO = 1.2
STATEMENTS = ("import sklearn.ensemble", "import skq", "import skq.ensemble")
#: A loaded model may take so many seconds, or so many times NumPy's import where that is more.
LOAD_SECONDS, LOAD_RATIO = 0.15, 2.0
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

    print(f"\nSeconds of an import, {repeats} fresh processes each")
    _print_seconds(STATEMENTS, repeats)
    print(line(("at most", "", "", TARGET_RATIO), COLUMN_WIDTHS))
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "iris.skq"
        skq.save(LogisticRegression(max_iter=500).fit(*load_iris(return_X_y=True)), path)
        print("\nSeconds until a saved model is loaded, NumPy's import included")
        _print_seconds(("import numpy", f"import skq; skq.load({str(path)!r})"), repeats)
    print(line(("at most", "", LOAD_SECONDS, f"or {LOAD_RATIO}"), COLUMN_WIDTHS))


def _print_seconds(statements: Sequence[str], repeats: int) -> None:
    """Print a table of statements, with ratios to the first."""
    for statement in statements:  # warm the file cache and the byte code
        import_seconds(statement)
    # Taking turns spreads the machine's noise evenly.
    rounds = [[import_seconds(statement) for statement in statements] for _ in range(repeats)]
    medians = np.median(rounds, axis=0)
    print_header(("statement", "min", "median", "ratio"), COLUMN_WIDTHS)
    for name, least, median in zip(statements, np.min(rounds, axis=0), medians, strict=True):
        shown = name.split("(")[0]
        print(line((shown, float(least), float(median), float(median / medians[0])), COLUMN_WIDTHS))


if __name__ == "__main__":
    main()
