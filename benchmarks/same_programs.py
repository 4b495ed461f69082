"""Whether two versions of skq choose the same programs, bit for bit.

``python benchmarks/same_programs.py write FILE`` quantizes one estimator of each family, at 2, 4
and 8 bits, on several data sets, and writes a checksum of each program with all of its arrays.
``... compare FILE OTHER`` prints the cases that differ, and fails if there are any. ``--root``
names the work tree of the version to run.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import re
import sys
import time
import warnings
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from sklearn.datasets import (
    load_breast_cancer,
    load_diabetes,
    load_digits,
    load_iris,
    load_wine,
    make_classification,
    make_regression,
)

N_BITS = (2, 4, 8)


def classification() -> dict[str, Any]:
    """Tables with labels, by name."""
    X, y = make_classification(
        3000, 20, n_informative=10, n_classes=3, weights=[0.6, 0.3], random_state=0
    )
    scales = np.logspace(-4, 4, 20)
    return {
        "iris": load_iris(return_X_y=True),
        "wine": load_wine(return_X_y=True),
        "cancer": load_breast_cancer(return_X_y=True),
        "digits": load_digits(return_X_y=True),
        "made": (X * scales, y),
        "counts": (np.rint(X * 3), y),
        "float32": (X[:1000].astype(np.float32), y[:1000]),
    }


def regression() -> dict[str, Any]:
    """Tables with targets, by name."""
    X, y = make_regression(3000, 20, n_informative=10, noise=5.0, random_state=0)
    return {
        "diabetes": load_diabetes(return_X_y=True),
        "made": (X, y),
        "two targets": (X[:500], np.stack([y[:500], X[:500, 0]], axis=1)),
    }


def estimators() -> Iterator[tuple[str, Any]]:
    """One estimator or more of each family, by name; each yields a fresh one."""
    from sklearn.decomposition import PCA
    from sklearn.linear_model import LogisticRegression, Ridge
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler
    from sklearn.tree import DecisionTreeClassifier

    import skq
    from skq import ensemble, linear_model, neural_network, svm, tree

    for cls, parameters in (
        (linear_model.LogisticRegression, {"max_iter": 300}),
        (svm.LinearSVC, {}),
        (tree.DecisionTreeClassifier, {}),
        (tree.DecisionTreeClassifier, {"max_depth": 3}),
        (ensemble.RandomForestClassifier, {"n_estimators": 10}),
        (ensemble.ExtraTreesClassifier, {"n_estimators": 10}),
        (ensemble.GradientBoostingClassifier, {"n_estimators": 10}),
        (ensemble.HistGradientBoostingClassifier, {"max_iter": 10}),
        (ensemble.AdaBoostClassifier, {"n_estimators": 5}),
        (ensemble.BaggingClassifier, {"n_estimators": 3}),
        (ensemble.IsolationForest, {"n_estimators": 10}),
        (neural_network.MLPClassifier, {"hidden_layer_sizes": (15,), "max_iter": 20}),
        (neural_network.MLPClassifier, {"hidden_layer_sizes": (12, 8), "max_iter": 20}),
        (linear_model.LinearRegression, {}),
        (linear_model.Ridge, {}),
        (linear_model.Lasso, {"alpha": 0.1}),
        (svm.LinearSVR, {}),
        (tree.DecisionTreeRegressor, {}),
        (ensemble.RandomForestRegressor, {"n_estimators": 10}),
        (ensemble.GradientBoostingRegressor, {"n_estimators": 10}),
        (ensemble.HistGradientBoostingRegressor, {"max_iter": 10}),
        (
            ensemble.HistGradientBoostingRegressor,
            {"max_iter": 10, "monotonic_cst": [1, -1]},
        ),
        (neural_network.MLPRegressor, {"hidden_layer_sizes": (15,), "max_iter": 20}),
    ):
        estimator = cls(**parameters)
        if "random_state" in estimator.get_params():
            estimator.set_params(random_state=0)
        yield f"{cls.__name__}{parameters or ''}", estimator
    yield (
        "Pipeline of layers",
        skq.QuantizedClassifier(
            make_pipeline(StandardScaler(), PCA(4), LogisticRegression(max_iter=300))
        ),
    )
    yield (
        "Pipeline of trees",
        skq.QuantizedClassifier(
            make_pipeline(PCA(4), DecisionTreeClassifier(max_depth=6, random_state=0))
        ),
    )
    yield "Pipeline of Ridge", skq.QuantizedRegressor(make_pipeline(StandardScaler(), Ridge()))


def checksums(only: str) -> dict[str, str]:
    """Case → checksum of its module, or the error of its fit; of names that match a pattern."""
    from sklearn.base import is_regressor

    from skq.serialization import dumps

    found: dict[str, str] = {}
    for name, estimator in estimators():
        if not re.search(only, name):
            continue
        tables = regression() if is_regressor(estimator) else classification()
        for data, (X, y) in tables.items():
            if "monotonic_cst" in name:
                signs = np.zeros(X.shape[1], dtype=int)
                signs[:2] = 1, -1
                estimator.set_params(monotonic_cst=signs)
            for n_bits in N_BITS:
                for calibration in ("auto", "mse") if data == "made" else ("auto",):
                    case = f"{name}, {data}, {n_bits} bits, {calibration}"
                    model = estimator.set_params(n_bits=n_bits)
                    if hasattr(model, "calibration"):
                        model.set_params(calibration=calibration)
                    with warnings.catch_warnings():
                        warnings.simplefilter("ignore")
                        try:
                            module = model.fit(X, y).quantized_module_
                            text = dumps(replace(module, graph=None, node_names=()))
                        except ValueError as error:
                            text = str(error)
                    raw = text if isinstance(text, bytes) else text.encode()
                    found[case] = hashlib.sha256(raw).hexdigest()
    return found


def main() -> None:
    """Write or compare checksums."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("action", choices=("write", "compare"))
    parser.add_argument("files", nargs="+", type=Path)
    parser.add_argument("--root", type=Path, help="work tree of the version to run")
    parser.add_argument("--only", default="", help="pattern of the names of the estimators")
    arguments = parser.parse_args()
    if arguments.action == "write":
        if arguments.root:
            sys.path.insert(0, str(arguments.root))
        started = time.process_time()
        found = checksums(arguments.only)
        arguments.files[0].write_text(json.dumps(found, indent=1))
        print(f"{len(found)} programs, {time.process_time() - started:.0f} s CPU")
        return
    one, other = (json.loads(path.read_text()) for path in arguments.files)
    cases = {case for case in one.keys() & other.keys() if re.search(arguments.only, case)}
    differ = sorted(case for case in cases if one[case] != other[case])
    print("\n".join(differ) or f"all {len(cases)} programs are equal")
    sys.exit(bool(differ))


if __name__ == "__main__":
    main()
