"""The main job, on real data: train, see what each bit width costs, choose one.

Three data sets that come with scikit-learn, a linear model, a random forest and an MLP on each.
Prints a table, searches `n_bits` inside a Pipeline, and draws score against bits.

Run it with ``python examples/demo.py [--output score-against-bits.png]``.
"""

from __future__ import annotations

import argparse
import pickle
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import matplotlib
import numpy as np
from sklearn.base import clone
from sklearn.datasets import load_breast_cancer, load_diabetes, load_digits
from sklearn.ensemble import RandomForestClassifier, RandomForestRegressor
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.model_selection import GridSearchCV, train_test_split
from sklearn.neural_network import MLPClassifier, MLPRegressor
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import StandardScaler

import skq
import skq.linear_model

matplotlib.use("Agg")

WIDTHS = (8, 6, 4, 3, 2)
COLUMNS = "{:<24}{:<17}{:>8}" + "{:>8}" * len(WIDTHS)
INTRODUCTION = f"""\
skq {skq.__version__}: train in floats, predict in integers

scikit-learn trains each model once; skq turns it into an integer program at five widths. n_bits
is the width of weights, leaf values and inner inputs (the codes of X keep at least 5 bits).
"float" is scikit-learn's own prediction, the other columns are the integers at n_bits:

  score         accuracy, or R² for diabetes, on the 30% of the rows that were held out
  accumulator   bits of the widest sum that any input can produce (proven, not observed)
  bytes         size of the integer model; under "float", of the pickled scikit-learn model
"""


@dataclass(frozen=True)
class Task:
    """A data set, scikit-learn's models to compare on it, and skq's model to search with."""

    name: str
    load: Any
    metric: str
    models: tuple[Any, ...]
    searched: Any


@dataclass(frozen=True)
class Curve:
    """What one model scores in floats and at each width, and what it needs there."""

    name: str
    float_score: float
    float_bytes: int
    scores: tuple[float, ...]
    accumulator_bits: tuple[int, ...]
    bytes: tuple[int, ...]


def tasks(n_trees: int) -> tuple[Task, ...]:
    """Breast cancer, digits and diabetes with a linear model, a forest and an MLP each."""
    perceptron = {"solver": "lbfgs", "tol": 1e-3, "max_iter": 1000, "random_state": 0}
    classifiers = (
        LogisticRegression(C=0.1),
        RandomForestClassifier(n_trees, random_state=0),
        MLPClassifier((32,), alpha=1.0, **perceptron),
    )
    regressors = (
        Ridge(),
        RandomForestRegressor(n_trees, min_samples_leaf=5, random_state=0),
        MLPRegressor(hidden_layer_sizes=(16,), alpha=1000.0, **perceptron),
    )
    linear, ridge = skq.linear_model.LogisticRegression(C=0.1), skq.linear_model.Ridge()
    return (
        Task("breast cancer", load_breast_cancer, "accuracy", classifiers, linear),
        Task("digits", load_digits, "accuracy", classifiers, linear),
        Task("diabetes", load_diabetes, "R²", regressors, ridge),
    )


@contextmanager
def status(text: str) -> Iterator[None]:
    """Show on a terminal what is running, and wipe it when it is done."""
    shown = sys.stderr.isatty()
    if shown:
        print(f"  {text} ...", end="\r", file=sys.stderr, flush=True)
    yield
    if shown:
        print("\033[2K", end="\r", file=sys.stderr, flush=True)


def split(task: Task) -> list[Any]:
    """Training and test part of the data, as of `train_test_split`."""
    X, y = task.load(return_X_y=True)
    return train_test_split(X, y, test_size=0.3, random_state=0)


def measure(float_model: Any, task: Task) -> Curve:
    """Train a model once, then turn it into an integer program at each width."""
    X_train, X_test, y_train, y_test = split(task)
    scaler = StandardScaler().fit(X_train)
    X_train, X_test = scaler.transform(X_train), scaler.transform(X_test)
    name = type(float_model).__name__
    with status(f"{task.name}: training {name}"):
        fitted = clone(float_model).fit(X_train, y_train)
    scores, accumulators, sizes = [], [], []
    for n_bits in WIDTHS:
        with status(f"{task.name}: {name} at {n_bits} bits"):
            quantized = skq.quantize(fitted, X_train, n_bits=n_bits)
            scores.append(quantized.score(X_test, y_test))
        accumulators.append(quantized.quantized_module_.max_accumulator_bits)
        sizes.append(quantized.quantized_module_.nbytes)
    return Curve(
        name=name,
        float_score=fitted.score(X_test, y_test),
        float_bytes=len(pickle.dumps(fitted)),
        scores=tuple(scores),
        accumulator_bits=tuple(accumulators),
        bytes=tuple(sizes),
    )


def print_curve(curve: Curve, metric: str) -> None:
    """Three lines of the table."""
    scores = (f"{score:.3f}" for score in (curve.float_score, *curve.scores))
    print(COLUMNS.format(curve.name, metric, *scores))
    print(COLUMNS.format("", "accumulator bits", "", *curve.accumulator_bits))
    print(COLUMNS.format("", "bytes", *map(readable, (curve.float_bytes, *curve.bytes))))
    sys.stdout.flush()


def readable(n_bytes: int) -> str:
    """A size with its unit: 944 B, 145 kB."""
    if n_bytes < 1000:
        return f"{n_bytes} B"
    if n_bytes < 10_000:
        return f"{n_bytes / 1000:.1f} kB"
    return f"{n_bytes / 1000:.0f} kB" if n_bytes < 1_000_000 else f"{n_bytes / 1e6:.1f} MB"


def narrowest_within_one_standard_error(cv_results: dict[str, Any]) -> int:
    """Index of the smallest n_bits whose mean score is within one standard error of the best."""
    means = np.asarray(cv_results["mean_test_score"])
    n_folds = sum(key.startswith("split") for key in cv_results)
    best = int(np.argmax(means))
    tolerated = means[best] - cv_results["std_test_score"][best] / np.sqrt(n_folds)
    widths = np.asarray(next(v for k, v in cv_results.items() if k.endswith("n_bits")), dtype=int)
    good = np.flatnonzero(means >= tolerated)
    return int(good[np.argmin(widths[good])])


def search(task: Task, widths: tuple[int, ...]) -> None:
    """Choose n_bits as any other hyperparameter, and print how it went."""
    X_train, X_test, y_train, y_test = split(task)
    pipeline = Pipeline([("scale", StandardScaler()), ("model", task.searched)])
    grid = GridSearchCV(
        pipeline,
        {"model__n_bits": list(widths)},
        cv=5,
        n_jobs=2,
        refit=narrowest_within_one_standard_error,
    )
    with status(f"{task.name}: {len(widths)} widths, 5 folds each"):
        grid.fit(X_train, y_train)
    chosen = grid.best_params_["model__n_bits"]
    print(f"\n{task.name}, {type(task.searched).__name__}, {task.metric} over 5 folds:")
    print("".join(f"{width:>8}" for width in widths))
    print("".join(f"{mean:>8.3f}" for mean in grid.cv_results_["mean_test_score"]))
    print(f"  chosen: n_bits={chosen}; on the held-out rows {grid.score(X_test, y_test):.3f}")


def draw(curves: dict[Task, list[Curve]], path: Path) -> None:
    """Score against bits, one panel a data set; the floats are the dashed lines."""
    import matplotlib.pyplot as plt

    figure, axes = plt.subplots(1, len(curves), figsize=(4.2 * len(curves), 4.0), squeeze=False)
    for axis, (task, of_task) in zip(axes[0], curves.items(), strict=True):
        for curve in of_task:
            (line,) = axis.plot(WIDTHS, curve.scores, marker="o", label=curve.name)
            axis.axhline(curve.float_score, color=line.get_color(), linestyle="--", linewidth=1)
        axis.set(title=task.name, xlabel="n_bits", ylabel=task.metric, xticks=WIDTHS)
        axis.grid(alpha=0.3)
        axis.legend(fontsize="small", framealpha=0.6)
        axis.margins(y=0.25)
    figure.suptitle("Test score against bits (dashed: scikit-learn's floats)")
    figure.tight_layout()
    path.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(path, dpi=120)
    plt.close(figure)


def main() -> None:
    """Run the demo."""
    parser = argparse.ArgumentParser(description="scikit-learn in integers, on real data")
    parser.add_argument("--output", type=Path, default=Path("build/score-against-bits.png"))
    parser.add_argument("--quick", action="store_true", help="small forests, fewer widths")
    options = parser.parse_args()
    started = time.perf_counter()

    print(INTRODUCTION)
    curves: dict[Task, list[Curve]] = {}
    for task in tasks(n_trees=5 if options.quick else 50):
        n_rows, n_columns = task.load(return_X_y=True)[0].shape
        print(f"{task.name}: {n_rows} rows, {n_columns} columns")
        print(COLUMNS.format("", "", "float", *(f"{n} bits" for n in WIDTHS)))
        print("-" * len(COLUMNS.format("", "", "", *WIDTHS)))
        curves[task] = []
        for float_model in task.models:
            curves[task].append(measure(float_model, task))
            print_curve(curves[task][-1], task.metric)
        print()

    print("GridSearchCV over n_bits inside a Pipeline; it takes the narrowest width whose mean")
    print("score is within one standard error of the best:")
    for task in curves:
        search(task, (8, 2) if options.quick else (8, 7, 6, 5, 4, 3, 2))

    draw(curves, options.output)
    print(f"\nScore against bits: {options.output}")
    print(f"Done in {time.perf_counter() - started:.0f} s.")


if __name__ == "__main__":
    main()
