"""Accuracy that quantization costs, over 30 data sets, by width and family of models.

Each cell is a mean of ``100 * (score in integers - score in floats)`` on test rows: points of
accuracy for classifiers, of R² for regressors (a score below 0 counts as 0). Columns are raw; only
MLPs stand behind a StandardScaler. "strict n" sets all four widths to n, "n_bits=n" is the plain
integer, which keeps at least 5 bits for the codes of X.

The float model is trained once for a data set and split, and quantized at each width.

    python benchmarks/accuracy.py [--quick] [--family linear ...] [--data iris ...] [--bits 4 2 ...]
                                  [--splits 3] [--calibration minmax] [--details]
                                  [--concrete /path/to/venv/bin/python]

``--concrete`` runs Concrete ML's classes of the same names on the same splits, in the Python that
is given (a virtual environment with ``pip install concrete-ml==1.9.0``), by this very script.
Tables come from the packages in requirements.txt; those that are not installed are left out.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import warnings
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from sklearn import ensemble, linear_model, neural_network, svm, tree
from sklearn.metrics import accuracy_score, r2_score
from sklearn.model_selection import train_test_split
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

N_BITS = (8, 6, 4, 3, 2)
WIDTH_NAMES = ("op_inputs", "op_weights", "model_inputs", "model_outputs")

#: Largest mean loss in points that is asked for, by family and width.
TARGETS = {
    "linear": {8: 0.1, 6: 0.2, 4: 1.0, 3: 2.0, 2: 6.0},
    "trees": {8: 0.1, 6: 0.1, 4: 0.4, 3: 1.0, 2: 3.0},
    "boosting": {8: 0.2, 6: 0.5, 4: 2.0, 3: 4.0},
    "mlp": {8: 0.2, 6: 0.5, 4: 2.0, 3: 5.0},
}

#: Larger tables are cut to this many rows, drawn at random.
MAX_ROWS = 5000
#: Boosting grows a tree a class and stage: on wide tables with many classes fewer rows do.
MAX_CELLS_BOOSTING = 1_000_000

Split = dict[str, np.ndarray]


def models(family: str, is_classification: bool) -> Iterator[tuple[str, type, dict[str, Any]]]:
    """Name, scikit-learn class and parameters of a family's models."""
    if family == "linear":
        if is_classification:
            yield "LogisticRegression", linear_model.LogisticRegression, {"max_iter": 200}
            yield "LinearSVC", svm.LinearSVC, {}
        else:
            yield "Ridge", linear_model.Ridge, {}
        return
    kind = "Classifier" if is_classification else "Regressor"
    if family == "trees":
        yield f"DecisionTree{kind}", getattr(tree, f"DecisionTree{kind}"), {}
        parameters = {"n_estimators": 50} | ({} if is_classification else {"max_features": 0.5})
        yield f"RandomForest{kind}", getattr(ensemble, f"RandomForest{kind}"), parameters
    elif family == "boosting":
        parameters = {"n_estimators": 50, "max_features": "sqrt"}
        yield f"GradientBoosting{kind}", getattr(ensemble, f"GradientBoosting{kind}"), parameters
        name = f"HistGradientBoosting{kind}"
        yield name, getattr(ensemble, name), {"max_iter": 30}
    else:
        parameters = {"hidden_layer_sizes": (50,), "max_iter": 100, "learning_rate_init": 0.005}
        yield f"MLP{kind}", getattr(neural_network, f"MLP{kind}"), parameters


def make_model(cls: type, parameters: dict[str, Any], seed: int) -> Any:
    """An unfitted scikit-learn model, MLPs behind a scaler."""
    if cls is not linear_model.Ridge:
        parameters = {**parameters, "random_state": seed}
    model = cls(**parameters)
    return make_pipeline(StandardScaler(), model) if "MLP" in cls.__name__ else model


def split_rows(X: np.ndarray, y: np.ndarray, is_classification: bool, seed: int) -> Split:
    """Train and test rows."""
    parts = train_test_split(
        X, y, test_size=0.3, random_state=seed, stratify=y if is_classification else None
    )
    return dict(zip(("X_train", "X_test", "y_train", "y_test"), parts, strict=True))


def cut_rows(X: np.ndarray, y: np.ndarray, family: str) -> tuple[np.ndarray, np.ndarray]:
    """At most `MAX_ROWS` rows."""
    most = MAX_ROWS
    if family == "boosting":
        most = min(most, max(1500, MAX_CELLS_BOOSTING // X.shape[1]))
    rows = np.random.RandomState(0).permutation(len(X))[:most]
    return X[np.sort(rows)], y[np.sort(rows)]


def score(y: np.ndarray, predicted: np.ndarray, is_classification: bool) -> float:
    """Accuracy, or R² but at least 0, in points."""
    if is_classification:
        return 100 * float(accuracy_score(y, predicted))
    return 100 * max(0.0, float(r2_score(y, predicted)))


def skq_scores(
    model: Any, split: Split, is_classification: bool, bits: list[int], calibration: str
) -> dict[str, float]:
    """Score of a fitted float model at each width, strict and plain."""
    from skq.frontend.convert import float_graph
    from skq.frontend.numpy_module import NumpyModule
    from skq.outputs import predict_with
    from skq.quantization.post_training import PostTrainingAffineQuantization

    graph = NumpyModule(float_graph(model, split["X_train"]))
    found = {}
    for n in bits:
        for name, widths in (("strict", dict.fromkeys(WIDTH_NAMES, n)), ("n_bits", n)):
            converter = PostTrainingAffineQuantization(widths, graph, calibration=calibration)
            module = converter.quantize_module(split["X_train"])
            classes = model.classes_ if is_classification else None
            predicted = predict_with(module, "predict", split["X_test"], classes)
            found[f"{name} {n}"] = score(split["y_test"], predicted, is_classification)
    return found


# ------------------------------------------------------------------ Concrete ML, in its own Python


def concrete_main(folder: str) -> None:
    """Score Concrete ML on the splits in a folder; runs in Concrete ML's Python."""
    import concrete.ml.sklearn as concrete

    for path in sorted(Path(folder).glob("*.json")):
        job = json.loads(path.read_text())
        split = np.load(path.with_suffix(".npz"))
        cls = getattr(concrete, job["model"])
        for n in job["bits"]:
            parameters = dict(job["parameters"])
            if "Ridge" not in job["model"]:
                parameters["random_state"] = job["seed"]
            try:
                with warnings.catch_warnings():
                    warnings.simplefilter("ignore")
                    model = cls(n_bits=n, **parameters).fit(split["X_train"], split["y_train"])
                    predicted = model.predict(split["X_test"])
                points = score(split["y_test"], predicted.ravel(), job["is_classification"])
            except Exception as error:
                print(f"{path.stem} at {n} bits: {type(error).__name__}: {error}", file=sys.stderr)
                continue
            result = {"model": job["model"], "data": job["data"], "bits": n, "points": points}
            print(json.dumps(result | {"seed": job["seed"]}), flush=True)


def concrete_scores(python: str, folder: str) -> dict[tuple[str, str, int, int], float]:
    """Points by model, data set, seed and width."""
    environment = {k: v for k, v in os.environ.items() if k != "PYTHONPATH"}
    output = subprocess.run(
        [python, __file__, "--concrete-jobs", folder],
        stdout=subprocess.PIPE,
        check=True,
        text=True,
        env=environment,
    ).stdout
    results = [json.loads(line) for line in output.splitlines() if line.startswith("{")]
    return {(r["model"], r["data"], r["seed"], r["bits"]): r["points"] for r in results}


#: Classes that Concrete ML has too, with the same training.
SHARED = frozenset(
    {
        "LogisticRegression",
        "LinearSVC",
        "Ridge",
        "DecisionTreeClassifier",
        "DecisionTreeRegressor",
        "RandomForestClassifier",
        "RandomForestRegressor",
    }
)


# ------------------------------------------------------------------ tables


class Results:
    """Losses by family, model, data set and column; a cell holds one value a split."""

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
        columns = [f"{kind} {n}" for kind in ("strict", "n_bits") for n in bits]
        print(_row("mean over data sets", columns))
        for family in families:
            print(_row(family, [self.mean(family, c) for c in columns]))
            targets = [-TARGETS[family].get(n, float("nan")) for n in bits]
            print(_row("  at worst", [*targets, *[""] * len(bits)]))
            for model in sorted({m for f, m, _ in self.losses if f == family}):
                print(_row(f"  {model}", [self.mean(family, c, model) for c in columns]))

    def print_concrete(self, bits: list[int]) -> None:
        """Ours and Concrete ML's mean loss on the cells that both have, and how often ours wins."""
        print(_row("\nbeside Concrete ML, strict", [f"{w} {n}" for n in bits for w in _SIDES]))
        by_model = defaultdict(list)
        for (_, model, _), cells in self.losses.items():
            by_model[model].append(cells)
        for model, rows in sorted(by_model.items()):
            line: list[Any] = []
            for n in bits:
                pairs = [
                    (np.mean(cells[f"strict {n}"]), np.mean(cells[f"concrete {n}"]))
                    for cells in rows
                    if f"concrete {n}" in cells
                ]
                ours, theirs = np.array(pairs).reshape(-1, 2).T
                share = f"{100 * np.mean(ours >= theirs - 1e-9):.0f}%" if pairs else ""
                line += [ours.mean(), theirs.mean(), share] if pairs else ["", "", ""]
            if any(cell != "" for cell in line):
                print(_row(f"  {model}", line))


_SIDES = ("skq", "CML", "wins")


def _row(name: str, cells: list[Any]) -> str:
    texts = [f"{c:.2f}" if isinstance(c, float) else str(c) for c in cells]
    return name.ljust(42) + "".join(text.rjust(10) for text in texts)


# ------------------------------------------------------------------ the run


def run(options: argparse.Namespace) -> None:
    """Fit, quantize and score everything that is asked for."""
    from accuracy_data import all_data_sets

    results = Results()
    floats: dict[tuple[str, str, int], float] = {}
    with tempfile.TemporaryDirectory() as folder:
        for data in all_data_sets():
            if options.data and data.name not in options.data:
                continue
            X_all, y_all = data.read()
            for family in options.family:
                X, y = cut_rows(X_all, y_all, family)
                for name, cls, parameters in models(family, data.is_classification):
                    for seed in range(options.splits):
                        split = split_rows(X, y, data.is_classification, seed)
                        model = make_model(cls, parameters, seed)
                        with warnings.catch_warnings():
                            # raw columns: solvers stop at max_iter, in floats just as here
                            warnings.simplefilter("ignore")
                            model.fit(split["X_train"], split["y_train"])
                        base = score(
                            split["y_test"], model.predict(split["X_test"]), data.is_classification
                        )
                        floats[name, data.name, seed] = base
                        found = skq_scores(
                            model, split, data.is_classification, options.bits, options.calibration
                        )
                        for column, points in found.items():
                            results.add(family, name, data.name, column, points - base)
                        if options.concrete and name in SHARED:
                            job = {
                                "model": name,
                                "data": data.name,
                                "seed": seed,
                                "bits": options.bits,
                                "parameters": parameters,
                                "is_classification": data.is_classification,
                            }
                            path = Path(folder, f"{data.name}-{name}-{seed}.json")
                            path.write_text(json.dumps(job))
                            np.savez(path.with_suffix(".npz"), **split)
            print(f"… {data.name}", file=sys.stderr, flush=True)
        if options.concrete:
            families = {m: f for f, m, _ in results.losses}
            for (name, data_name, seed, n), points in concrete_scores(
                options.concrete, folder
            ).items():
                loss = points - floats[name, data_name, seed]
                results.add(families[name], name, data_name, f"concrete {n}", loss)
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
    parser.add_argument("--concrete", metavar="PYTHON", help="Python with concrete-ml installed")
    parser.add_argument("--concrete-jobs", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.concrete_jobs:
        concrete_main(options.concrete_jobs)
        return
    if options.quick:
        options.data = options.data or ["iris", "breast_cancer", "diabetes"]
        options.splits = 1
    run(options)


if __name__ == "__main__":
    main()
