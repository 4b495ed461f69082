"""Bytes of pickles, against those of the scikit-learn parents.

Run it with ``python benchmarks/pickle_sizes.py [--rows 3000] [--only PATTERN]``. It takes a few
minutes: every class is fitted on a table of 20 features, ensembles with 100 estimators. `more` is
what the pickle has beyond that of the parent, in KiB. `rows` are the calibration rows among them,
which estimators that can go on training (``partial_fit``, ``warm_start``) hold.
"""

from __future__ import annotations

import argparse
import inspect
import pickle
import re
import sys
import warnings
from pathlib import Path
from typing import Any

import numpy as np
from sklearn.datasets import make_classification, make_regression
from tables import line, print_header

sys.path.insert(0, str(Path(__file__).parents[1]))

from tests.estimators import cases

WIDTHS = (32, 12, 12, 8, 8, 8)
HEADER = ("class", "parent", "skq", "ratio", "more", "rows")


def data_for(cls: type, n_rows: int) -> tuple[Any, Any]:
    """X and y that suit a class."""
    if cases.answers_labels(cls):
        return make_classification(n_rows, 20, n_informative=10, n_classes=3, random_state=0)
    X, y = make_regression(n_rows, 20, n_informative=10, noise=5.0, random_state=0)
    y = y / y.std()
    if cls.__name__ in cases._POSITIVE:
        y = np.exp(y / 2)
    if cls.__name__.startswith("MultiTask"):
        y = np.stack([y, X[:, 0] - y], axis=1)
    return X, y


def estimator_of(cls: type) -> Any:
    """An instance with the parent's default parameters, of the size that it has in use."""
    known = inspect.signature(cls).parameters
    wanted = {"random_state": 0, "n_estimators": 100}
    if cls.__name__.startswith("Bagging"):
        wanted["n_estimators"] = 30
    return cls(**{name: value for name, value in wanted.items() if name in known})


def measure(cls: type, n_rows: int) -> tuple[object, ...]:
    """A row of the table."""
    X, y = data_for(cls, n_rows)
    model = estimator_of(cls)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        model.fit(X, y)
    pickled = pickle.dumps(model)
    again = pickle.loads(pickled)
    np.testing.assert_array_equal(again.predict(X), model.predict(X))
    parent = len(pickle.dumps(model._as_parent()))
    rows = vars(again).get("_pending")
    n_bytes = 0 if rows is None else rows.collected().rows.nbytes
    more = (len(pickled) - parent) / 1024
    ratio = f"{len(pickled) / parent:.2f}"
    return cls.__name__, parent, len(pickled), ratio, f"{more:.1f}", f"{n_bytes / 1024:.1f}"


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--rows", type=int, default=3000)
    parser.add_argument("--only", default="", help="pattern of the names of the classes")
    options = parser.parse_args()
    print_header(HEADER, WIDTHS)
    for cls in cases.classes():
        if re.search(options.only, cls.__name__):
            print(line(measure(cls, options.rows), WIDTHS), flush=True)


if __name__ == "__main__":
    main()
