"""Test score at low widths, beside scikit-learn's floats, on raw (unscaled) columns.

The mean over `train_test_split(test_size=0.3, random_state=s)` for s = 0, 1, 2 on six data sets;
forests have `random_state=s` too. Splits are stratified by class, which is what the reference
numbers (float 0.902 and 0.948) were measured with; `--splits plain` leaves `stratify` out, and then
scikit-learn's floats themselves reach only 0.895 and 0.940.

"strict" sets all four widths to n; "n_bits=n" is the plain integer, which keeps at least 5 bits for
the codes of X. A comparison with other libraries at n bits is fair only with the strict rows.

A last table has forests of 100 trees on lognormal features, all four widths n: bins chosen after
training, training on bins (``fit_on_bins=True``), and the float forest on X rounded to ``2**n``
equal steps.

Run it with ``python benchmarks/low_bits.py [--splits plain] [--quick]``.
"""

from __future__ import annotations

import argparse
import warnings
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import sklearn.ensemble
import sklearn.linear_model
from sklearn.base import ClassifierMixin
from sklearn.datasets import (
    load_breast_cancer,
    load_digits,
    load_iris,
    load_wine,
    make_classification,
)
from sklearn.exceptions import ConvergenceWarning
from sklearn.model_selection import train_test_split
from tables import line, print_header

import skq.ensemble
import skq.linear_model
from skq.exceptions import PrecisionWarning
from skq.quantization.n_bits import KEYS

N_BITS = (8, 4, 2)
#: Lowest acceptable mean of the strict columns, by model and width, on stratified splits.
TARGETS = {
    "LogisticRegression": {8: 0.900, 4: 0.86, 2: 0.69},
    "RandomForestClassifier": {8: 0.946, 4: 0.943, 2: 0.92},
}
COLUMN_WIDTHS = (14, 9, 9, 9, 9, 12, 9, 9)

Data = tuple[np.ndarray, np.ndarray]
Factory = Callable[..., ClassifierMixin]


def synthetic(*, stretched: bool) -> Data:
    """2000 rows, 20 columns; `stretched` puts the columns up to six decades apart."""
    X, y = make_classification(2000, 20, n_informative=10, random_state=0)
    if stretched:
        X = X * 10 ** np.random.RandomState(0).uniform(-3, 3, 20)
    return X, y


def data_sets() -> dict[str, Data]:
    """The six data sets, by name."""
    return {
        "iris": load_iris(return_X_y=True),
        "wine": load_wine(return_X_y=True),
        "breast_cancer": load_breast_cancer(return_X_y=True),
        "digits": load_digits(return_X_y=True),
        "synthetic": synthetic(stretched=False),
        "stretched": synthetic(stretched=True),
    }


def models(*, quick: bool) -> dict[str, tuple[Factory, Factory, dict[str, Any]]]:
    """Float class, quantized class and parameters, by name."""
    n_estimators = 5 if quick else 50
    return {
        "LogisticRegression": (
            sklearn.linear_model.LogisticRegression,
            skq.linear_model.LogisticRegression,
            {"max_iter": 1000},
        ),
        "RandomForestClassifier": (
            sklearn.ensemble.RandomForestClassifier,
            skq.ensemble.RandomForestClassifier,
            {"n_estimators": n_estimators},
        ),
    }


def variants(float_class: Factory, quantized: Factory, params: dict[str, Any]) -> Iterator[Any]:
    """The unfitted models of one row: float, strict at each width, n_bits=n at each width."""
    yield float_class(**params)
    for n in N_BITS:
        yield quantized(**params, n_bits=dict.fromkeys(KEYS, n))
    for n in N_BITS:
        yield quantized(**params, n_bits=n)


def mean_score(
    model: Any, X: np.ndarray, y: np.ndarray, seeds: range, *, stratified: bool
) -> float:
    """Mean accuracy over the splits."""
    scores = []
    for seed in seeds:
        X_train, X_test, y_train, y_test = train_test_split(
            X, y, test_size=0.3, random_state=seed, stratify=y if stratified else None
        )
        model.set_params(random_state=seed)
        with warnings.catch_warnings():
            # Raw columns: lbfgs stops at max_iter, in scikit-learn's floats just as here.
            warnings.simplefilter("ignore", ConvergenceWarning)
            scores.append(model.fit(X_train, y_train).score(X_test, y_test))
    return float(np.mean(scores))


def skewed(seed: int) -> Data:
    """6000 rows, 10 lognormal columns, six classes in two clusters each."""
    X, y = make_classification(
        6000,
        10,
        n_informative=8,
        n_redundant=0,
        n_classes=6,
        n_clusters_per_class=2,
        class_sep=1.5,
        random_state=seed,
    )
    return np.exp(X), y


def in_equal_steps(X: np.ndarray, like: np.ndarray, n_bits: int) -> np.ndarray:
    """X rounded to ``2**n_bits`` values from the least to the greatest of each column of `like`."""
    low, high = like.min(axis=0), like.max(axis=0)
    step = (high - low) / (2**n_bits - 1)
    return low + step * np.clip(np.rint((X - low) / step), 0, 2**n_bits - 1)


def print_skewed(*, quick: bool) -> None:
    """Forests on lognormal features."""
    n_estimators, n_splits = (5, 1) if quick else (100, 3)
    print(f"\nRandomForestClassifier({n_estimators}) on lognormal features, strict widths")
    columns = ("n_bits", "float", "bins after", "on bins", "equal steps")
    print_header(columns, (8, 12, 12, 12, 12))
    for n in (2, 3, 4):
        rows = []
        for seed in range(n_splits):
            X, y = skewed(seed)
            train, test, y_train, y_test = train_test_split(X, y, random_state=seed, stratify=y)
            params: dict[str, Any] = {"n_estimators": n_estimators, "random_state": seed}
            model = sklearn.ensemble.RandomForestClassifier(**params).fit(train, y_train)
            with warnings.catch_warnings():
                warnings.simplefilter("ignore", PrecisionWarning)  # its cause is what is measured
                after, on_bins = (
                    skq.ensemble.RandomForestClassifier(
                        **params, n_bits=dict.fromkeys(KEYS, n), fit_on_bins=fit_on_bins
                    ).fit(train, y_train)
                    for fit_on_bins in (False, True)
                )
            scores = [m.score(test, y_test) for m in (model, after, on_bins)]
            rows.append([*scores, model.score(in_equal_steps(test, train, n), y_test)])
        print(line((str(n), *np.mean(rows, axis=0).tolist()), (8, 12, 12, 12, 12)), flush=True)


def main() -> None:
    """Print one table a model."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="one split, two data sets, 5 trees")
    parser.add_argument("--splits", choices=["stratified", "plain"], default="stratified")
    options = parser.parse_args()
    quick, stratified = options.quick, options.splits == "stratified"
    n_splits = 1 if quick else 3
    chosen = dict(list(data_sets().items())[: 2 if quick else 6])
    for name, (float_class, quantized, params) in models(quick=quick).items():
        print(f"\n{name}, mean accuracy over {n_splits} {options.splits} splits")
        strict, plain = ([f"{kind}{n}" for n in N_BITS] for kind in ("strict ", "n_bits="))
        print_header(("data", "float", *strict, *plain), COLUMN_WIDTHS)
        rows = []
        for data_name, (X, y) in chosen.items():
            row = [
                mean_score(model, X, y, range(n_splits), stratified=stratified)
                for model in variants(float_class, quantized, params)
            ]
            rows.append(row)
            print(line((data_name, *row), COLUMN_WIDTHS), flush=True)
        means = np.mean(rows, axis=0).tolist()
        print(line(("mean", *means), COLUMN_WIDTHS))
        if stratified and not quick:
            print(line(("at least", "", *TARGETS[name].values(), "", "", ""), COLUMN_WIDTHS))
    print_skewed(quick=quick)


if __name__ == "__main__":
    main()
