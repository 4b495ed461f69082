"""Rounding after training beside training with the integers (``qat_epochs``), at few bits.

Losses are points below the float model on test rows, as in accuracy.py: of accuracy, or of R². All
four widths are n ("strict"). The splits, the models and their parameters are those of accuracy.py;
``--sets untuned`` takes the data sets of untuned_sets.py, on which nothing was tuned. ``--digits``
measures an MLP of 100 hidden units on digits over five seeds instead.

    python benchmarks/train_for_few_bits.py [--digits] [--sets benchmark untuned]
        [--family linear mlp] [--data iris ...] [--bits 4 3 2] [--splits 3] [--epochs 100]

The float model is fitted once for a data set and split. It is quantized at each width, and then
trained on from there.
"""

from __future__ import annotations

import argparse
import copy
import warnings
from collections import defaultdict
from collections.abc import Iterator
from typing import Any

import numpy as np
from accuracy_data import DataSet, all_data_sets
from accuracy_models import Split, cut_rows, make_model, models, score, split_rows
from sklearn.datasets import load_digits
from sklearn.preprocessing import StandardScaler
from tables import line, print_header

import skq.linear_model
import skq.neural_network
import skq.svm
from skq.estimators.calibration import CalibrationData
from skq.estimators.diagnostics import Progress
from skq.estimators.qat import Trainer
from skq.quantization.n_bits import KEYS
from skq.serving.outputs import predict_with

#: Largest mean loss in points that is asked for, and largest loss of a data set.
TARGETS = {"linear": {4: 0.2, 3: 0.7, 2: 2.5}, "mlp": {4: 0.4, 3: 1.0, 2: 3.0}}
WORST = {"linear": {4: 1.0, 3: 3.0, 2: 8.0}}
DIGITS = {4: 0.968, 3: 0.966, 2: 0.957}

Pair = tuple[float, float]


def quantized_class(name: str) -> type:
    """The class of skq of this name."""
    modules = (skq.linear_model, skq.svm, skq.neural_network)
    return next(getattr(m, name) for m in modules if hasattr(m, name))


def both_ways(
    fitted: Any, split: Split, *, n_bits: int, epochs: int, is_classification: bool
) -> Pair:
    """Test scores at a width: rounded after training, and trained with the integers."""
    estimator = copy.copy(fitted)
    estimator.set_params(n_bits=dict.fromkeys(KEYS, n_bits), qat_epochs=epochs)
    X = split["X_train"]
    data = CalibrationData.of(X)
    rounded = estimator._build(estimator._as_parent(), data)
    trainer = Trainer(estimator, X, split["y_train"], None)
    trained = trainer.train(estimator._as_parent(), rounded, data, Progress("", False))
    classes = fitted.classes_ if is_classification else None
    first, second = (
        score(
            split["y_test"],
            predict_with(module, "predict", split["X_test"], classes),
            is_classification,
        )
        for module in (rounded, trained)
    )
    return first, second


def fit_float(cls: type, parameters: dict[str, Any], seed: int, split: Split) -> Any:
    """A fitted estimator whose float model is trained; it is quantized with 8 bits."""
    return make_model(cls, parameters, seed).fit(split["X_train"], split["y_train"])


def scaled(split: Split) -> Split:
    """The split behind a StandardScaler."""
    scaler = StandardScaler().fit(split["X_train"])
    parts = {name: scaler.transform(split[name]) for name in ("X_train", "X_test")}
    return {**split, **parts}


def measure(data: DataSet, family: str, options: argparse.Namespace) -> dict[str, Any]:
    """Losses by model and width, a list over the splits: rounded and trained."""
    X, y = cut_rows(*data.read(), family)
    found: dict[str, dict[int, list[Pair]]] = defaultdict(lambda: defaultdict(list))
    for name, _, parameters in models(family, data.is_classification):
        for seed in range(options.splits):
            split = split_rows(X, y, data.is_classification, seed)
            split = scaled(split) if family == "mlp" else split
            cls = quantized_class(name)
            if name != "Ridge":
                parameters = {**parameters, "random_state": seed}
            fitted = cls(**parameters).fit(split["X_train"], split["y_train"])
            with fitted._answering_in_float():
                predicted = fitted.predict(split["X_test"])
            base = score(split["y_test"], predicted, data.is_classification)
            for n in options.bits:
                pair = both_ways(
                    fitted,
                    split,
                    n_bits=n,
                    epochs=options.epochs,
                    is_classification=data.is_classification,
                )
                found[name][n].append((base - pair[0], base - pair[1]))
    return found


def data_sets(options: argparse.Namespace) -> Iterator[DataSet]:
    """The data sets that are asked for."""
    if "benchmark" in options.sets:
        yield from all_data_sets()
    if "untuned" in options.sets:
        from untuned_sets import untuned_sets

        yield from untuned_sets()


def print_losses(options: argparse.Namespace) -> None:
    """A row a data set and model, then the mean and the worst."""
    for family in options.family:
        titles = [f"{way} {n}" for n in options.bits for way in ("rounded", "trained")]
        widths = (34, *[11] * len(titles))
        print(f"\n{family}: points below the float model, {options.splits} splits")
        print_header(["data", *titles], widths)
        rows = []
        for data in data_sets(options):
            if options.data and data.name not in options.data:
                continue
            for name, by_width in measure(data, family, options).items():
                means = [np.mean(by_width[n], axis=0) for n in options.bits]
                rows.append(np.concatenate(means))
                print(line([f"{data.name} {name[:18]}", *rows[-1].tolist()], widths), flush=True)
        print(line(["mean", *np.mean(rows, axis=0).tolist()], widths))
        print(line(["worst", *np.max(rows, axis=0).tolist()], widths))
        for title, targets in (("mean at most", TARGETS), ("worst at most", WORST)):
            cells = [v for n in options.bits for v in ("", targets.get(family, {}).get(n, ""))]
            print(line([title, *cells], widths))


def print_digits(options: argparse.Namespace) -> None:
    """Accuracy of an MLP on digits over five seeds."""
    X, y = load_digits(return_X_y=True)
    found: dict[int, list[Pair]] = defaultdict(list)
    floats = []
    for seed in range(options.seeds):
        split = split_rows(X / 16, y, True, seed)
        estimator = skq.neural_network.MLPClassifier(random_state=seed, max_iter=400)
        fitted = estimator.fit(split["X_train"], split["y_train"])
        with fitted._answering_in_float():
            floats.append(fitted.score(split["X_test"], split["y_test"]))
        for n in options.bits:
            pair = both_ways(fitted, split, n_bits=n, epochs=options.epochs, is_classification=True)
            found[n].append(pair)
    widths = (12, 10, 10, 10, 10)
    print(f"\ndigits, MLPClassifier(100), mean accuracy over {options.seeds} seeds")
    print_header(["n_bits", "float", "rounded", "trained", "at least"], widths)
    for n in options.bits:
        rounded, trained = np.mean(found[n], axis=0) / 100
        cells = [float(np.mean(floats)), rounded, trained, DIGITS.get(n, float("nan"))]
        print(line([str(n), *(f"{cell:.4f}" for cell in cells)], widths))


def main() -> None:
    """Read the options and print the tables."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--digits", action="store_true")
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument(
        "--sets", nargs="+", choices=["benchmark", "untuned"], default=["benchmark"]
    )
    parser.add_argument("--family", nargs="+", choices=[*TARGETS], default=[*TARGETS])
    parser.add_argument("--data", nargs="+", help="names of data sets; all by default")
    parser.add_argument("--bits", nargs="+", type=int, default=[4, 3, 2])
    parser.add_argument("--splits", type=int, default=3)
    parser.add_argument("--epochs", type=int, default=100)
    options = parser.parse_args()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of the precision lost, and of solvers that stop
        print_digits(options) if options.digits else print_losses(options)


if __name__ == "__main__":
    main()
