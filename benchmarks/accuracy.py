"""Accuracy that quantization costs, over 30 data sets, by width and family of models.

Each cell is a mean of ``100 * (score in integers - score in floats)`` on test rows: points of
accuracy for classifiers, of R² for regressors (a score below 0 counts as 0). Columns are raw; only
MLPs stand behind a StandardScaler. "strict n" sets all four widths to n, "n_bits=n" is the plain
integer, which keeps at least 5 bits for the codes of X.

The float model is trained once for a data set and split, and quantized at each width. With
``--on-bins`` trees and boosting are also trained anew at each width on the strict codes of X
(``fit_on_bins=True``), which is how Concrete ML trains its trees.

    python benchmarks/accuracy.py [--quick] [--family linear ...] [--data iris ...] [--bits 4 2 ...]
                                  [--splits 3] [--calibration minmax] [--details] [--on-bins]
                                  [--concrete /path/to/venv/bin/python [--results FILE]]

``--concrete`` runs Concrete ML's classes of the same names on the same splits, in the Python that
is given (a virtual environment with ``pip install concrete-ml==1.9.0``); see accuracy_concrete.py.
Tables come from the packages in requirements.txt; those that are not installed are left out.
"""

from __future__ import annotations

import argparse
import sys
import warnings
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from accuracy_concrete import SHARED, ConcreteScores, Job
from accuracy_data import DataSet, all_data_sets
from accuracy_models import Split, cut_rows, make_model, models, score, split_rows

N_BITS = (8, 6, 4, 3, 2)
WIDTH_NAMES = ("op_inputs", "op_weights", "model_inputs", "model_outputs")

#: Name of the columns of ``--on-bins``, and the families that have them.
ON_BINS, ON_BINS_FAMILIES = "on bins", ("trees", "boosting")

#: Largest mean loss in points that is asked for, by family and width.
TARGETS = {
    "linear": {8: 0.1, 6: 0.2, 4: 1.0, 3: 2.0, 2: 6.0},
    "trees": {8: 0.1, 6: 0.1, 4: 0.4, 3: 1.0, 2: 3.0},
    "boosting": {8: 0.2, 6: 0.5, 4: 2.0, 3: 4.0},
    "mlp": {8: 0.2, 6: 0.5, 4: 2.0, 3: 5.0},
}


def skq_scores(
    model: Any,
    split: Split,
    is_classification: bool,
    bits: list[int],
    calibration: str,
    *,
    plain: bool = True,
) -> dict[str, float]:
    """Score of a fitted float model at each width: strict and, unless left out, plain."""
    from skq.frontend.convert import float_graph
    from skq.frontend.numpy_module import NumpyModule
    from skq.quantization.post_training import PostTrainingAffineQuantization
    from skq.serving.outputs import predict_with

    graph = NumpyModule(float_graph(model, split["X_train"]))
    found = {}
    for n in bits:
        kinds = (("strict", dict.fromkeys(WIDTH_NAMES, n)), ("n_bits", n))
        for name, widths in kinds if plain else kinds[:1]:
            converter = PostTrainingAffineQuantization(widths, graph, calibration=calibration)
            module = converter.quantize_module(split["X_train"])
            classes = model.classes_ if is_classification else None
            predicted = predict_with(module, "predict", split["X_test"], classes)
            found[f"{name} {n}"] = score(split["y_test"], predicted, is_classification)
    return found


def on_bins_scores(job: Job, split: Split, bits: list[int]) -> dict[str, float]:
    """Score of trees that are trained on the codes of X, at each strict width."""
    import skq.ensemble
    import skq.tree

    cls = getattr(skq.tree, job.model, None) or getattr(skq.ensemble, job.model)
    found = {}
    for n in bits:
        parameters = {"fit_on_bins": True, "n_bits": dict.fromkeys(WIDTH_NAMES, n)}
        model = make_model(cls, {**job.parameters, **parameters}, job.seed)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of the precision lost, which is what is measured
            model.fit(split["X_train"], split["y_train"])
        predicted = model.predict(split["X_test"])
        found[f"{ON_BINS} {n}"] = score(split["y_test"], predicted, job.is_classification)
    return found


# ------------------------------------------------------------------ tables


class Results:
    """Losses by family, model, data set and column; a cell holds one value per split."""

    def __init__(self) -> None:
        self.losses: dict[tuple[str, str, str], dict[str, list[float]]] = {}

    def add(self, family: str, model: str, data: str, column: str, loss: float) -> None:
        """Add the loss of one split."""
        cell = self.losses.setdefault((family, model, data), defaultdict(list))
        cell[column].append(loss)

    def mean(self, family: str, column: str, model: str | None = None) -> float:
        """Mean over the data sets of a family, or of one of its models."""
        values = [
            float(np.mean(cells[column]))
            for (f, m, _), cells in self.losses.items()
            if f == family and model in (None, m) and column in cells
        ]
        return float(np.mean(values)) if values else float("nan")

    def print_details(self, columns: list[str]) -> None:
        """A row a model and data set."""
        for (_, model, data), cells in sorted(self.losses.items(), key=lambda item: item[0]):
            print(_row(f"{model[:30]} {data}", [np.mean(cells[c]) for c in columns]))

    def print_summary(self, families: list[str], bits: list[int]) -> None:
        """A row a family and a row a model: mean loss at each width, with what is asked for."""
        kinds = ["strict", "n_bits", *self.kinds_on_bins()]
        columns = [f"{kind} {n}" for kind in kinds for n in bits]
        print(_row("mean over data sets", columns))
        for family in families:
            print(_row(family, [self.mean(family, c) for c in columns]))
            targets = [-TARGETS[family].get(n, float("nan")) for n in bits]
            print(_row("  at worst", targets))
            for model in sorted({m for f, m, _ in self.losses if f == family}):
                print(_row(f"  {model}", [self.mean(family, c, model) for c in columns]))

    def kinds_on_bins(self) -> list[str]:
        """The kind of column of ``--on-bins``, if it was asked for."""
        columns = {column for cells in self.losses.values() for column in cells}
        return [ON_BINS] if any(column.startswith(ON_BINS) for column in columns) else []

    def print_concrete(self, bits: list[int]) -> None:
        """Ours and Concrete ML's mean loss on the cells that both have, and how often ours wins."""
        for kind in ["strict", *self.kinds_on_bins()]:
            print(_row(f"\nbeside Concrete ML, {kind}", [f"{w} {n}" for n in bits for w in _SIDES]))
            shared = [self._beside_concrete(kind, n) for n in bits]
            for model in sorted({model for pairs in shared for model, _ in pairs}):
                own = [[p for (m, _), p in pairs.items() if m == model] for pairs in shared]
                print(_row(f"  {model}", [cell for pairs in own for cell in _compared(pairs)]))
            print(
                _row("  all models, a data set", [c for s in shared for c in _compared(_means(s))])
            )

    def _beside_concrete(self, kind: str, n: int) -> dict[tuple[str, str], Pair]:
        """Ours and Concrete ML's loss by model and data set."""
        return {
            (model, data): (
                float(np.mean(cells[f"{kind} {n}"])),
                float(np.mean(cells[f"concrete {n}"])),
            )
            for (_, model, data), cells in self.losses.items()
            if f"concrete {n}" in cells and f"{kind} {n}" in cells
        }


Pair = tuple[float, float]


def _means(shared: dict[tuple[str, str], Pair]) -> list[Pair]:
    """Means over the models, one pair a data set."""
    by_data = defaultdict(list)
    for (_, data), pair in shared.items():
        by_data[data].append(pair)
    return [(float(a), float(b)) for a, b in (np.mean(pairs, axis=0) for pairs in by_data.values())]


def _compared(pairs: list[Pair]) -> list[Any]:
    """Mean of each side, and the share of pairs where ours is at least as good."""
    if not pairs:
        return ["", "", ""]
    ours, theirs = np.array(pairs).T
    return [ours.mean(), theirs.mean(), f"{100 * np.mean(ours >= theirs - 1e-9):.0f}%"]


_SIDES = ("skq", "CML", "wins")


def _row(name: str, cells: list[Any]) -> str:
    texts = [f"{c:.2f}" if isinstance(c, float) else str(c) for c in cells]
    return name.ljust(42) + "".join(text.rjust(10) for text in texts)


# ------------------------------------------------------------------ the run


@dataclass(frozen=True)
class Trial:
    """A model of a family on one split."""

    family: str
    cls: type
    job: Job
    split: Split


def trials(data: DataSet, families: list[str], splits: int) -> Iterator[Trial]:
    """Every model and split of a data set."""
    X_all, y_all = data.read()
    for family in families:
        X, y = cut_rows(X_all, y_all, family)
        for name, cls, parameters in models(family, data.is_classification):
            for seed in range(splits):
                job = Job(name, data.name, seed, parameters, data.is_classification)
                yield Trial(family, cls, job, split_rows(X, y, data.is_classification, seed))


def run(options: argparse.Namespace) -> None:
    """Fit, quantize and score everything that is asked for."""
    results = Results()
    concrete = ConcreteScores(options.concrete, options.results) if options.concrete else None
    for data in all_data_sets():
        if options.data and data.name not in options.data:
            continue
        shared: list[tuple[Trial, float]] = []
        for trial in trials(data, options.family, options.splits):
            job, split = trial.job, trial.split
            model = make_model(trial.cls, job.parameters, job.seed)
            with warnings.catch_warnings():
                # raw columns: solvers stop at max_iter, in floats just as here
                warnings.simplefilter("ignore")
                model.fit(split["X_train"], split["y_train"])
            base = score(split["y_test"], model.predict(split["X_test"]), job.is_classification)
            found = skq_scores(
                model, split, job.is_classification, options.bits, options.calibration
            )
            if options.on_bins and trial.family in ON_BINS_FAMILIES:
                found |= on_bins_scores(job, split, options.bits)
            for column, points in found.items():
                results.add(trial.family, job.model, job.data, column, points - base)
            if job.model in SHARED:
                shared.append((trial, base))
        if concrete is not None:
            concrete.run([(trial.job, trial.split) for trial, _ in shared], options.bits)
            for trial, base in shared:
                for n in options.bits:
                    theirs = concrete.get(trial.job, n)
                    if theirs is not None:
                        job = trial.job
                        results.add(
                            trial.family, job.model, job.data, f"concrete {n}", theirs - base
                        )
        print(f"… {data.name}", file=sys.stderr, flush=True)
    if options.details:
        results.print_details([f"strict {n}" for n in options.bits])
    results.print_summary(options.family, options.bits)
    if options.concrete:
        results.print_concrete(options.bits)


def main() -> None:
    """Read the options and print the tables."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="three small data sets, one split")
    parser.add_argument("--family", nargs="+", choices=[*TARGETS], default=[*TARGETS])
    parser.add_argument("--data", nargs="+", help="names of data sets; all by default")
    parser.add_argument("--bits", nargs="+", type=int, default=list(N_BITS))
    parser.add_argument("--splits", type=int, default=3)
    parser.add_argument("--calibration", default="auto")
    parser.add_argument("--details", action="store_true", help="a row a model and data set")
    parser.add_argument("--on-bins", action="store_true", help="also train trees on codes of X")
    parser.add_argument("--concrete", metavar="PYTHON", help="Python with concrete-ml installed")
    parser.add_argument(
        "--results",
        metavar="FILE",
        default="concrete-results.jsonl",
        help="what Concrete ML scored before is read from here and not run again",
    )
    options = parser.parse_args()
    if options.quick:
        options.data = options.data or ["iris", "breast_cancer", "diabetes"]
        options.splits = 1
    run(options)


if __name__ == "__main__":
    main()
