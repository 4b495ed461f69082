"""Seconds that conversion and calibration add to the fit of a large forest.

`RandomForestClassifier(100, random_state=0)` on 5000 rows, 30 columns, 3 classes: 150 000 nodes.
The first fit of a process also imports torch and Hummingbird; it is shown by itself.

Run it with ``python benchmarks/conversion.py [--quick]``.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable
from typing import Any

import numpy as np
import sklearn.ensemble
from sklearn.datasets import make_classification
from tables import line, print_header

import skq.ensemble

TARGET_SECONDS = 0.5
COLUMN_WIDTHS = (44, 10, 10, 10)


def seconds(function: Callable[[], Any], repeats: int) -> list[float]:
    """Wall-clock seconds of each call."""
    durations = []
    for _ in range(repeats):
        started = time.perf_counter()
        function()
        durations.append(time.perf_counter() - started)
    return durations


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="5 trees, 500 rows, one repeat")
    quick = parser.parse_args().quick
    n_trees, n_rows, repeats = (5, 500, 1) if quick else (100, 5000, 5)
    X, y = make_classification(n_rows, 30, n_informative=20, n_classes=3, random_state=0)
    plain = sklearn.ensemble.RandomForestClassifier(n_trees, random_state=0)
    quantized = skq.ensemble.RandomForestClassifier(n_trees, random_state=0)

    first = seconds(lambda: quantized.fit(X, y), 1)
    of_plain = seconds(lambda: plain.fit(X, y), repeats)
    of_quantized = seconds(lambda: quantized.fit(X, y), repeats)
    n_nodes = sum(tree.tree_.node_count for tree in plain.estimators_)

    print(f"\nRandomForestClassifier({n_trees}), {n_rows} rows, {n_nodes} nodes: seconds of fit")
    print_header(("", "min", "median", "max"), COLUMN_WIDTHS)
    for name, durations in (
        ("skq, the first in the process", first),
        ("skq", of_quantized),
        ("scikit-learn", of_plain),
    ):
        row = [float(f(durations)) for f in (np.min, np.median, np.max)]
        print(line((name, *row), COLUMN_WIDTHS))
    added = float(np.median(of_quantized) - np.median(of_plain))
    print(line(("conversion and calibration add", "", added, ""), COLUMN_WIDTHS))
    if not quick:
        print(line(("at most", "", TARGET_SECONDS, ""), COLUMN_WIDTHS))


if __name__ == "__main__":
    main()
