"""How the CPU seconds of quantizing grow with rows, features, trees and classes.

The rate of a row is the exponent from the row before: 1 is proportional, and n log n is about 1.1.
Seconds are those of `skq.quantize` alone, at 8 bits, the least of two runs.

Run it with ``OMP_NUM_THREADS=1 python benchmarks/growth.py [--quick] [--only NAME]``.
"""

from __future__ import annotations

import argparse
import time
import warnings
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from scipy import sparse
from sklearn.ensemble import HistGradientBoostingClassifier, RandomForestClassifier
from sklearn.linear_model import LogisticRegression, Ridge
from tables import line, print_header

import skq

COLUMN_WIDTHS = (46, 12, 12, 12)
MAKERS = dict[str, tuple[Sequence[int], Callable[[int], tuple[Any, Any]]]]


def table(n_rows: int, n_features: int, n_classes: int = 3) -> tuple[Any, Any]:
    """Random rows, and classes that depend on the first two features."""
    rng = np.random.default_rng(0)
    X = rng.normal(size=(n_rows, n_features))
    score = X[:, 0] + 0.5 * X[:, 1]
    return X, np.searchsorted(np.quantile(score, np.arange(1, n_classes) / n_classes), score)


def _ridge(X: Any, y: Any) -> Any:
    return Ridge(solver="sparse_cg" if sparse.issparse(X) else "auto").fit(X, y), X


def _sparse(n_features: int) -> Any:
    X, y = table(500, n_features)
    return _ridge(sparse.csr_array(np.where(np.abs(X) > 2, X, 0.0)), y)


def _logistic(n_classes: int) -> Any:
    X, y = table(2000, 20, n_classes)
    return LogisticRegression(max_iter=30).fit(X, y), X


def _forest(n_trees: int, n_classes: int = 3) -> Any:
    X, y = table(1000, 20, n_classes)
    return RandomForestClassifier(n_trees, max_depth=8, random_state=0).fit(X, y), X


def _boosting(n_trees: int) -> Any:
    X, y = table(1000, 20, 2)
    return HistGradientBoostingClassifier(max_iter=n_trees, max_leaf_nodes=8).fit(X, y), X


CASES: MAKERS = {
    "rows, Ridge": ((1000, 10_000, 100_000, 1_000_000), lambda n: _ridge(*table(n, 20))),
    "features, Ridge, dense": ((10, 100, 1000, 5000), lambda n: _ridge(*table(500, n))),
    "features, Ridge, sparse": ((10, 100, 1000, 5000), _sparse),
    "trees, RandomForestClassifier": ((10, 100, 1000), _forest),
    "trees, HistGradientBoostingClassifier": ((10, 100, 1000), _boosting),
    "classes, LogisticRegression": ((2, 10, 100), _logistic),
    "classes, RandomForestClassifier(20)": ((2, 10, 100), lambda n: _forest(20, n)),
}


def seconds(model: Any, X: Any) -> float:
    """CPU seconds of one conversion."""
    started = time.process_time()
    skq.quantize(model, X)
    return time.process_time() - started


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="without the last size of each case")
    parser.add_argument("--only", default="", help="cases whose name contains this")
    arguments = parser.parse_args()
    warnings.simplefilter("ignore")
    skq.quantize(*_ridge(*table(100, 5)))  # imports torch and Hummingbird
    print_header(("", "size", "seconds", "rate"), COLUMN_WIDTHS)
    for name, (sizes, make) in CASES.items():
        if arguments.only not in name:
            continue
        before: tuple[int, float] | None = None
        for size in sizes[:-1] if arguments.quick else sizes:
            made = make(size)
            spent = min(seconds(*made) for _ in range(2))
            rate: object = ""
            if before is not None:
                rate = float(np.log(spent / before[1]) / np.log(size / before[0]))
            print(line((name, size, spent, rate), COLUMN_WIDTHS), flush=True)
            before = size, spent


if __name__ == "__main__":
    main()
