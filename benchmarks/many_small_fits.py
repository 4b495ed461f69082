"""CPU seconds of loops over many small fits, beside those of the scikit-learn classes.

A loop that never predicts needs no integers: ``warm_start`` leaves quantizing to the first
prediction, and so does the setting ``lazy_fit``. A search predicts with every model.

Run it with ``OMP_NUM_THREADS=1 python benchmarks/many_small_fits.py [--quick]``.
"""

from __future__ import annotations

import argparse
import time
import warnings
from collections.abc import Callable
from contextlib import nullcontext
from typing import Any

import numpy as np
from sklearn import linear_model, tree
from sklearn.datasets import load_breast_cancer, load_digits
from sklearn.model_selection import GridSearchCV
from tables import line, print_header

import skq
import skq.linear_model
import skq.model_selection
import skq.tree

COLUMN_WIDTHS = (58, 12, 12, 12, 12)
MOST = 5.0


def path(cls: Any, n_fits: int) -> None:
    """A regularization path with ``warm_start``, of which the coefficients are read."""
    X, y = load_breast_cancer(return_X_y=True)
    X = (X - X.mean(axis=0)) / X.std(axis=0)
    model = cls(C=1.0, warm_start=True, max_iter=100)
    for C in np.logspace(-3, 1, n_fits):
        model.set_params(C=C).fit(X, y).coef_  # noqa: B018


def pixels(cls: Any, n_fits: int, *, predicts: bool = False) -> None:
    """One Lasso a pixel of the lower half of digits, from the upper half."""
    X, _ = load_digits(return_X_y=True)
    for pixel in range(n_fits):
        model = cls(alpha=0.1).fit(X[:400, :32], X[:400, 32 + pixel % 32])
        if predicts:
            model.predict(X[400:, :32])
        else:
            model.coef_  # noqa: B018


def search(cls: Any, n_fits: int) -> None:
    """A search over the depth of a tree: every model predicts."""
    X, y = load_breast_cancer(return_X_y=True)
    grid = {"max_depth": list(range(1, max(2, n_fits // 5) + 1))}
    GridSearchCV(cls(random_state=0), grid, cv=5).fit(X, y)


def seconds(function: Callable[..., None], *arguments: Any, **options: Any) -> float:
    """Least CPU seconds of two calls."""
    durations = []
    for _ in range(2):
        started = time.process_time()
        function(*arguments, **options)
        durations.append(time.process_time() - started)
    return min(durations)


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="5 fits a loop")
    arguments = parser.parse_args()
    n_fits = 5 if arguments.quick else 40
    warnings.simplefilter("ignore")
    X, y = load_breast_cancer(return_X_y=True)
    skq.linear_model.Ridge().fit(X, y)  # imports torch and Hummingbird
    logistic = linear_model.LogisticRegression, skq.linear_model.LogisticRegression
    lasso = linear_model.Lasso, skq.linear_model.Lasso
    trees = tree.DecisionTreeClassifier, skq.tree.DecisionTreeClassifier
    lazy = {"lazy_fit": True}
    loops: tuple[tuple[str, Any, tuple[Any, Any], dict[str, Any], dict[str, Any]], ...] = (
        ("path of LogisticRegression, warm_start, coefficients", path, logistic, {}, {}),
        ("path of LogisticRegression, the same, lazy_fit", path, logistic, {}, lazy),
        ("pixels by Lasso, coefficients", pixels, lasso, {}, {}),
        ("pixels by Lasso, coefficients, lazy_fit", pixels, lasso, {}, lazy),
        ("pixels by Lasso, predictions", pixels, lasso, {"predicts": True}, {}),
        ("GridSearchCV over small trees", search, trees, {}, {}),
    )
    print_header(("CPU seconds", "scikit-learn", "skq", "ratio", "at most"), COLUMN_WIDTHS)
    for name, loop, (parent, quantized), options, settings in loops:
        before = seconds(loop, parent, n_fits, **options)
        with skq.config_context(**settings) if settings else nullcontext():
            now = seconds(loop, quantized, n_fits, **options)
        print(line((name, before, now, now / before, MOST), COLUMN_WIDTHS), flush=True)


if __name__ == "__main__":
    main()
