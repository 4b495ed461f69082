"""Prediction time of the NumPy engine, which runs where no compiler was, beside scikit-learn.

Run it with ``python benchmarks/numpy_engine.py [--models NAME ...] [--n-bits 8 4]``.

The models are those of `benchmarks/predict.py`. A time is the least of several calls of `predict`,
validation included, in processor time on one thread, so that other processes disturb it little; the
engines and scikit-learn take turns in one run. The ratio is that of the two least times: it should
be at most 3 for many rows and at most 2 for one.
"""

from __future__ import annotations

import argparse
import math
import time
import warnings
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

import numpy as np
from predict import MODELS, N_FEATURES, N_ROWS, fitted_pair
from sklearn.datasets import make_classification
from sklearn.exceptions import ConvergenceWarning
from tables import line, print_header
from threadpoolctl import threadpool_limits

import skq
from skq.estimators.requantize import requantized

#: The most that a time may be, in those of scikit-learn, for many rows and for one.
AT_MOST_MANY, AT_MOST_ONE = 3.0, 2.0
WIDTHS = (22, 8, 8, 12, 12, 12, 8, 10)
HEADER = ("model", "n_bits", "rows", "engine", "sklearn us", "skq us", "ratio", "at most")


def on_engine(predict: Callable[[Any], Any], engine: str, X: Any) -> Any:
    """Predictions of one engine."""
    with skq.config_context(engine=engine):
        return predict(X)


def least_seconds(calls: dict[str, Callable[[], Any]], budget: float) -> dict[str, float]:
    """Least processor time of each call, taken in turns for about `budget` seconds."""

    def seconds(call: Callable[[], Any], repeats: int) -> float:
        start = time.process_time()
        for _ in range(repeats):
            call()
        return (time.process_time() - start) / repeats

    least = {name: seconds(call, 1) for name, call in calls.items()}
    repeats = {name: max(1, math.ceil(0.005 / t)) for name, t in least.items()}
    stop = time.process_time() + budget
    for turn in range(1000):
        for name, call in calls.items():
            least[name] = min(least[name], seconds(call, repeats[name]))
        if turn >= 2 and time.process_time() > stop:
            break
    return least


def measure(
    pair: tuple[Any, Any], n_bits: int, X: Any, big: Any, engines: list[str], budget: float
) -> Iterator[tuple[object, ...]]:
    """Rows of the table for one model: widths, rows, engine, times and ratio."""
    model, parent = pair
    if n_bits != 8:
        model = requantized(model, X, n_bits)
    for estimator in (model, parent):
        if "n_jobs" in estimator.get_params():
            estimator.set_params(n_jobs=1)
    for table, at_most in ((big, AT_MOST_MANY), (big[:1].copy(), AT_MOST_ONE)):
        calls = {"sklearn": partial(parent.predict, table)}
        calls |= {engine: partial(on_engine, model.predict, engine, table) for engine in engines}
        with threadpool_limits(1):
            times = least_seconds(calls, budget)
        for engine in engines:
            yield (
                n_bits, len(table), engine, f"{times['sklearn'] * 1e6:.1f}",
                f"{times[engine] * 1e6:.1f}", times[engine] / times["sklearn"], at_most,
            )  # fmt: skip


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--models", nargs="*", choices=MODELS, default=list(MODELS))
    parser.add_argument("--n-bits", nargs="*", type=int, default=[8, 4])
    parser.add_argument("--engines", nargs="*", default=["numpy"])
    parser.add_argument("--budget", type=float, default=5.0, help="seconds of a comparison")
    options = parser.parse_args()
    X, y = make_classification(
        5000, N_FEATURES, n_informative=20, n_classes=4, flip_y=0.05, random_state=0
    )
    rng = np.random.default_rng(1)
    big = rng.normal(size=(N_ROWS, N_FEATURES)) * X.std(axis=0) + X.mean(axis=0)
    print_header(HEADER, WIDTHS)
    for name in options.models:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", ConvergenceWarning)
            pair = fitted_pair(MODELS[name][0], X, y)
        for n_bits in options.n_bits:
            for row in measure(pair, n_bits, X, big, options.engines, options.budget):
                print(line((name, *row), WIDTHS), flush=True)


if __name__ == "__main__":
    main()
