"""The main job, on real data: train, see what each bit width costs, choose one.

Three data sets that come with scikit-learn, a linear model, a random forest and an MLP on each.
Every score is a mean over repeated cross-validation, with its spread. Prints a table, searches
`n_bits` inside a Pipeline, and draws score against bits.

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
from sklearn.model_selection import GridSearchCV, RepeatedKFold, RepeatedStratifiedKFold
from sklearn.neural_network import MLPClassifier, MLPRegressor
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import StandardScaler

import skq
import skq.linear_model
from skq.inspection import BitWidthDisplay

matplotlib.use("Agg")

WIDTHS = (8, 6, 4, 3, 2)
COLUMNS = "{:<24}{:<17}{:>12}" + "{:>12}" * len(WIDTHS)
N_FOLDS, N_REPEATS = 3, 3
INTRODUCTION = f"""\
skq {skq.__version__}: train in floats, predict in integers

scikit-learn trains each model once per fold; skq turns it into an integer program at five widths.
n_bits is the width of weights, leaf values and inner inputs (the codes of X keep at least 5 bits).
"float" is scikit-learn's own prediction, the other columns are the integers at n_bits:

  score         accuracy, or R² for diabetes: mean and standard deviation over the test folds of
                cross-validation with {N_FOLDS} folds, repeated
  points lost   float minus integers on the same folds, times 100. ± is twice the standard error;
                what is smaller than it is chance, and only what is marked * is not
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

    @property
    def is_regression(self) -> bool:
        """Whether the target is a number."""
        return self.metric == "R²"

    def splitter(self, n_repeats: int) -> Any:
        """Repeated cross-validation, the same for all models."""
        kind = RepeatedKFold if self.is_regression else RepeatedStratifiedKFold
        return kind(n_splits=N_FOLDS, n_repeats=n_repeats, random_state=0)


@dataclass(frozen=True)
class Curve:
    """What one model scores in floats and at each width, and what it needs there."""

    name: str
    display: BitWidthDisplay
    float_bytes: int
    accumulator_bits: tuple[int, ...]
    bytes: tuple[int, ...]


def tasks(n_trees: int) -> tuple[Task, ...]:
    """Breast cancer, digits and diabetes with a linear model, a forest and an MLP each."""
    perceptron = {"solver": "lbfgs", "tol": 1e-3, "max_iter": 5000, "random_state": 0}
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
    """Show what is running: on a terminal until it is done, else as a line."""
    if not sys.stderr.isatty():
        print(f"  {text} ...", file=sys.stderr, flush=True)
        yield
        return
    print(f"  {text} ...", end="\r", file=sys.stderr, flush=True)
    yield
    print("\033[2K", end="\r", file=sys.stderr, flush=True)


def measure(float_model: Any, task: Task, n_repeats: int, n_jobs: int) -> Curve:
    """Cross-validate a model in floats and at each width, and see what the integers need."""
    X, y = task.load(return_X_y=True)
    pipeline = make_pipeline(StandardScaler(), float_model)
    wrapper = skq.QuantizedRegressor if task.is_regression else skq.QuantizedClassifier
    name = type(float_model).__name__
    n_fits = N_FOLDS * n_repeats
    with status(f"{task.name}: {name}, {n_fits} folds, {len(WIDTHS)} widths on each"):
        display = BitWidthDisplay.from_estimator(
            wrapper(pipeline),
            *(X, y),
            n_bits=WIDTHS,
            cv=task.splitter(n_repeats),
            n_jobs=n_jobs,
            name=name,
            plot=False,
        )
    accumulators, sizes = [], []
    with status(f"{task.name}: {name} on all rows, for its size"):
        fitted = clone(pipeline).fit(X, y)
        for n_bits in WIDTHS:
            module = skq.quantize(fitted, X, n_bits=n_bits).quantized_module_
            accumulators.append(module.max_accumulator_bits)
            sizes.append(module.nbytes)
    return Curve(
        name=name,
        display=display,
        float_bytes=len(pickle.dumps(fitted)),
        accumulator_bits=tuple(accumulators),
        bytes=tuple(sizes),
    )


def print_curve(curve: Curve, metric: str) -> None:
    """Four lines of the table."""
    everything = [curve.display.float_scores, *curve.display.scores]
    scores = (mean_and_spread(of_folds.mean(), of_folds.std()) for of_folds in everything)
    losses = (loss(of_folds, curve.display.float_scores) for of_folds in curve.display.scores)
    print(COLUMNS.format(curve.name, metric, *scores))
    print(COLUMNS.format("", "points lost", "", *losses))
    print(COLUMNS.format("", "accumulator bits", "", *curve.accumulator_bits))
    print(COLUMNS.format("", "bytes", *map(readable, (curve.float_bytes, *curve.bytes))))
    sys.stdout.flush()


def mean_and_spread(mean: float, spread: float) -> str:
    """As in .975 ±.008, where both are below 1."""
    return f"{mean:.3f} ±{spread:.3f}".replace("0.", ".")


def loss(scores: np.ndarray, float_scores: np.ndarray) -> str:
    """Points lost, ± twice the standard error, and * where this is not chance.

    Folds share training rows, so the variance of their mean is more than 1/n of theirs: the
    correction of Nadeau and Bengio (2003).
    """
    difference = 100 * (float_scores - scores)
    variance = difference.var(ddof=1) * (1 / len(difference) + 1 / (N_FOLDS - 1))
    error = 2 * float(np.sqrt(variance))
    mean = float(difference.mean())
    return f"{mean:.1f} ±{error:.1f}{'*' if abs(mean) > error else ' '}".replace("-0.0 ", "0.0 ")


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


def search(task: Task, widths: tuple[int, ...], n_jobs: int) -> None:
    """Choose n_bits as any other hyperparameter, and print how it went."""
    X, y = task.load(return_X_y=True)
    pipeline = Pipeline([("scale", StandardScaler()), ("model", task.searched)])
    grid = GridSearchCV(
        pipeline,
        {"model__n_bits": list(widths)},
        cv=task.splitter(1),
        n_jobs=n_jobs,
        refit=narrowest_within_one_standard_error,
    )
    with status(f"{task.name}: GridSearchCV over {len(widths)} widths, {N_FOLDS} folds each"):
        grid.fit(X, y)
    results = grid.cv_results_
    errors = results["std_test_score"] / np.sqrt(N_FOLDS)
    print(f"\n{task.name}, {type(task.searched).__name__}, mean {task.metric} ± standard error:")
    print("".join(f"{f'{width} bits':>14}" for width in widths))
    cells = (f"{m:.3f} ±{e:.3f}" for m, e in zip(results["mean_test_score"], errors, strict=True))
    print("".join(f"{cell:>14}" for cell in cells))
    print(f"  chosen: n_bits={grid.best_params_['model__n_bits']}", flush=True)


def draw(curves: dict[Task, list[Curve]], path: Path) -> None:
    """Score against bits, one panel a data set, with a band of one standard deviation."""
    import matplotlib.pyplot as plt

    figure, axes = plt.subplots(
        1, len(curves), figsize=(4.2 * len(curves), 4.0), squeeze=False, layout="constrained"
    )
    for axis, (task, of_task) in zip(axes[0], curves.items(), strict=True):
        lines = [curve.display.plot(ax=axis).line_ for curve in of_task]
        axis.set(title=task.name, ylabel=task.metric)
        axis.grid(alpha=0.3)
        axis.legend(lines, [c.name for c in of_task], fontsize="small", loc="best")
    figure.suptitle(
        "Score against bits: mean ± standard deviation over folds (dashed: scikit-learn's floats)"
    )
    path.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(path, dpi=120)
    plt.close(figure)


def main() -> None:
    """Run the demo."""
    parser = argparse.ArgumentParser(description="scikit-learn in integers, on real data")
    parser.add_argument("--output", type=Path, default=Path("build/score-against-bits.png"))
    parser.add_argument("--quick", action="store_true", help="small forests, fewer folds")
    options = parser.parse_args()
    n_repeats, n_jobs = (1, 1) if options.quick else (N_REPEATS, 2)
    started = time.perf_counter()

    print(INTRODUCTION)
    curves: dict[Task, list[Curve]] = {}
    for task in tasks(n_trees=5 if options.quick else 50):
        n_rows, n_columns = task.load(return_X_y=True)[0].shape
        print(f"{task.name}: {n_rows} rows, {n_columns} columns, {N_FOLDS * n_repeats} folds")
        print(COLUMNS.format("", "", "float ", *(f"{n} bits " for n in WIDTHS)))
        print("-" * len(COLUMNS.format("", "", "", *WIDTHS)), flush=True)
        curves[task] = []
        for float_model in task.models:
            curves[task].append(measure(float_model, task, n_repeats, n_jobs))
            print_curve(curves[task][-1], task.metric)
        print()

    print("GridSearchCV over n_bits inside a Pipeline; it takes the narrowest width whose mean")
    print("score is within one standard error of the best:", flush=True)
    for task in curves:
        search(task, (8, 2) if options.quick else (8, 6, 4, 3, 2), n_jobs)

    with status("drawing"):
        draw(curves, options.output)
    print(f"\nScore against bits: {options.output}")
    print(f"Done in {time.perf_counter() - started:.0f} s.")


if __name__ == "__main__":
    main()
