"""What quantization costs on data sets that nothing was tuned on, beside what input codes forbid.

Points of accuracy (classifiers) or R² (regressors) that are lost on test rows, with all four widths
n ("strict"). After each stands, in brackets, what the float model itself loses when every column of
its X is rounded to the uniform grid of n bits with the least squared error on the training rows.
Integers of n bits hold no more of X, so a linear regressor cannot lose less without new weights;
trees, which place their thresholds first, and classifiers, which need the order of scores alone,
can. A Gaussian column loses .119, .0374, .0115, .0035 and .0010 of its variance at 2 to 6 bits.

    python benchmarks/untuned.py [--family linear ...] [--data vehicle ...] [--bits 6 4 3 2]
                                 [--splits 3] [--calibration minmax] [--quick]

The sets are those of untuned_sets.py; see there what they are and where they come from.
"""

from __future__ import annotations

import argparse
import warnings
from collections import defaultdict
from collections.abc import Iterator
from typing import Any

import numpy as np
from accuracy import skq_scores
from accuracy_data import DataSet
from accuracy_models import Split, cut_rows, make_model, models, score, split_rows
from sklearn import linear_model
from untuned_sets import untuned_sets

N_BITS = (6, 4, 3, 2)

#: Greatest mean loss of linear models and loss of the worst set that are asked for, by width.
TARGETS = {4: (0.2, 1.0), 3: (0.7, 3.0), 2: (2.5, 8.0)}


def rounded(X: np.ndarray, like: np.ndarray, n_bits: int) -> np.ndarray:
    """X on the uniform grid of each column with the least squared error on the rows of `like`.

    From grids that cover several shares of the range, centers of the cells are fitted to their
    values by a straight line over the codes, in turn with the codes (Lloyd's algorithm).
    """
    top = 2**n_bits - 1
    low, high = like.min(axis=0), like.max(axis=0)
    middle = np.median(like, axis=0)
    best, least = (low, np.ones(X.shape[1])), np.full(X.shape[1], np.inf)
    for share in np.linspace(0.1, 1.0, 19):
        first = middle + share * (low - middle)
        step = (middle + share * (high - middle) - first) / top
        for _ in range(20):
            step = np.where(step > 0, step, 1.0)
            codes = np.clip(np.rint((like - first) / step), 0, top)
            error = ((first + codes * step - like) ** 2).sum(axis=0)
            better = error < least
            least = np.where(better, error, least)
            best = tuple(np.where(better, n, o) for n, o in zip((first, step), best, strict=True))
            centered = codes - codes.mean(axis=0)
            spread = (centered**2).sum(axis=0)
            step = (centered * like).sum(axis=0) / np.where(spread > 0, spread, 1.0)
            first = like.mean(axis=0) - step * codes.mean(axis=0)
    first, step = best
    return np.asarray(first + step * np.clip(np.rint((X - first) / step), 0, top))


def family_models(family: str, is_classification: bool) -> Iterator[tuple[str, type, Any]]:
    """The models of `accuracy_models.py`, and more linear ones."""
    yield from models(family, is_classification)
    if family == "linear" and is_classification:
        yield "RidgeClassifier", linear_model.RidgeClassifier, {}
        yield "SGDClassifier", linear_model.SGDClassifier, {"loss": "log_loss", "alpha": 1e-3}
    elif family == "linear":
        yield "SGDRegressor", linear_model.SGDRegressor, {}


def losses(
    data: DataSet, cls: type, parameters: dict[str, Any], split: Split, seed: int, options: Any
) -> dict[str, float]:
    """Loss of one fitted model at each width, and what rounded inputs lose."""
    model = make_model(cls, parameters, seed)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of lbfgs that stops on raw columns, as in floats
        model.fit(split["X_train"], split["y_train"])
    kind = data.is_classification
    exact = score(split["y_test"], model.predict(split["X_test"]), kind)
    scores = skq_scores(model, split, kind, options.bits, options.calibration, plain=False)
    found = {"float": exact}
    for n in options.bits:
        X = rounded(split["X_test"], split["X_train"], n)
        found[f"input {n}"] = exact - score(split["y_test"], model.predict(X), kind)
        found[f"strict {n}"] = exact - scores[f"strict {n}"]
    return found


def main() -> None:
    """Print a table a family."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--family", nargs="+", default=["linear", "mlp", "trees"])
    parser.add_argument("--data", nargs="+")
    parser.add_argument("--models", nargs="+")
    parser.add_argument("--bits", nargs="+", type=int, default=list(N_BITS))
    parser.add_argument("--splits", type=int, default=3)
    parser.add_argument("--calibration", default="auto")
    parser.add_argument("--quick", action="store_true", help="one split, two data sets")
    options = parser.parse_args()
    chosen = [d for d in untuned_sets() if not options.data or d.name in options.data]
    if options.quick:
        chosen, options.splits = chosen[:2], 1
    for family in options.family:
        print(f"\n{family}: points lost (lost by rounded inputs), {options.splits} splits")
        print(_row("", ["float", *(f"{n} bits" for n in options.bits)]))
        table: dict[str, dict[str, float]] = {}
        for data in chosen:
            X, y = cut_rows(*data.read(), family)
            for name, cls, parameters in family_models(family, data.is_classification):
                if options.models and name not in options.models:
                    continue
                cells: dict[str, list[float]] = defaultdict(list)
                for seed in range(options.splits):
                    split = split_rows(X, y, data.is_classification, seed)
                    found = losses(data, cls, parameters, split, seed, options)
                    for column, value in found.items():
                        cells[column].append(value)
                row = {column: float(np.mean(values)) for column, values in cells.items()}
                table[f"{data.name} {name}"] = row
                print(_row(f"{data.name} {name}", _cells(row, options.bits)), flush=True)
        print_summary(family, table, options.bits)


def print_summary(family: str, table: dict[str, dict[str, float]], bits: list[int]) -> None:
    """Mean and worst row, and what is asked for."""
    if not table:
        return
    columns = list(next(iter(table.values())))
    for title, reduce in (("mean", np.mean), ("worst", np.max)):
        row = {column: float(reduce([row[column] for row in table.values()])) for column in columns}
        print(_row(title, _cells(row, bits)))
        if family == "linear":
            asked = [TARGETS.get(n, (float("nan"),) * 2)[title == "worst"] for n in bits]
            print(_row("  at most", ["", *(f"{value:.1f}" for value in asked)]))


def _cells(row: dict[str, float], bits: list[int]) -> list[str]:
    pairs = [f"{row[f'strict {n}']:.2f} ({row[f'input {n}']:.2f})" for n in bits]
    return [f"{row['float']:.1f}", *pairs]


def _row(title: str, cells: list[str]) -> str:
    return f"{title:36s}" + "".join(f"{cell:>16s}" for cell in cells)


if __name__ == "__main__":
    main()
