"""CPU seconds of quantizing fitted models: 10 000 rows, 20 columns, one thread.

The least of a few runs of `skq.quantize`, without the fit of the model, at 8, 4 and 2 bits, beside
the seconds to reach.

Run it with ``OMP_NUM_THREADS=1 python benchmarks/conversion_cost.py [--quick] [--only NAME]``.
"""

from __future__ import annotations

import argparse
import time
import warnings
from collections.abc import Callable
from typing import Any

from sklearn.datasets import make_classification
from sklearn.ensemble import HistGradientBoostingClassifier, RandomForestClassifier
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.neural_network import MLPClassifier
from sklearn.svm import LinearSVC
from tables import line, print_header

import skq

N_BITS = (8, 4, 2)
COLUMN_WIDTHS = (34, 10, 10, 10, 10, 10, 10, 10)

#: Name, model, seconds to reach at 8, 4 and 2 bits.
MODELS: tuple[tuple[str, Any, tuple[float, float, float]], ...] = (
    ("Ridge", Ridge(), (0.02, 0.05, 0.06)),
    ("LogisticRegression, 3 classes", LogisticRegression(), (0.03, 0.08, 0.10)),
    ("LinearSVC, 3 classes", LinearSVC(), (0.03, 0.08, 0.10)),
    (
        "RandomForestClassifier(100)",
        RandomForestClassifier(100, random_state=0),
        (0.25, 0.35, 0.35),
    ),
    (
        "HistGradientBoostingClassifier",
        HistGradientBoostingClassifier(random_state=0),
        (0.15, 0.25, 0.30),
    ),
    ("MLPClassifier((100,))", MLPClassifier((100,), max_iter=20, random_state=0), (0.12, 0.4, 0.6)),
)


def cpu_seconds(function: Callable[[], Any], repeats: int) -> float:
    """Least CPU seconds of a call."""
    durations = []
    for _ in range(repeats):
        started = time.process_time()
        function()
        durations.append(time.process_time() - started)
    return min(durations)


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="500 rows, one run each")
    parser.add_argument("--only", default="", help="models whose name contains this")
    parser.add_argument("--repeats", type=int, default=3)
    arguments = parser.parse_args()
    warnings.simplefilter("ignore")
    n_rows, repeats = (500, 1) if arguments.quick else (10_000, arguments.repeats)
    X, y = make_classification(n_rows, 20, n_informative=10, n_classes=3, random_state=0)
    skq.quantize(Ridge().fit(X, y), X)  # imports torch and Hummingbird
    names = [text for n_bits in N_BITS for text in (f"{n_bits} bits", "to reach")]
    print_header(("CPU seconds", "training", *names), COLUMN_WIDTHS)
    for name, model, goals in MODELS:
        if arguments.only not in name:
            continue
        training = cpu_seconds(lambda model=model: model.fit(X, y), 1)
        cells: list[object] = []
        for n_bits, goal in zip(N_BITS, goals, strict=True):
            convert = lambda model=model, n_bits=n_bits: skq.quantize(model, X, n_bits=n_bits)  # noqa: E731
            cells += [cpu_seconds(convert, repeats), goal]
        print(line((name, training, *cells), COLUMN_WIDTHS), flush=True)


if __name__ == "__main__":
    main()
