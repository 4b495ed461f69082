"""Saved models load and predict where NumPy is the only other package."""

import json
import os
import subprocess
import sys
import warnings
from pathlib import Path

import numpy as np
import pytest
from sklearn.datasets import load_breast_cancer, load_diabetes
from sklearn.linear_model import LogisticRegression

import skq
from skq import ensemble, linear_model, neural_network
from skq.cli import main

ROOT = Path(__file__).resolve().parent.parent.parent

#: Refuses every package that is neither NumPy nor skq nor Python's own.
BLOCKED = """
import sys
from importlib.abc import MetaPathFinder

class OnlyNumPy(MetaPathFinder):
    def find_spec(self, name, path=None, target=None):
        first = name.split(".")[0]
        if first in ("numpy", "skq") or first in sys.stdlib_module_names:
            return None
        raise ModuleNotFoundError(f"{name} is not installed here")

sys.meta_path.insert(0, OnlyNumPy())
"""

PREDICT = """
import json, sys
import numpy as np
import skq

folder = sys.argv[1]
X = np.load(f"{folder}/X.npy")
for name in sys.argv[2:]:
    model = skq.load(f"{folder}/{name}.skq")
    for method in ("predict", "predict_proba", "decision_function"):
        if f"{name}.{method}.npy" in __import__("os").listdir(folder):
            np.save(f"{folder}/found.{name}.{method}.npy", getattr(model, method)(X))
print(json.dumps(sorted(name for name in sys.modules if name.startswith("skq"))))
"""

CLASSIFIERS = {
    "logistic": linear_model.LogisticRegression(max_iter=3000),
    "wrapped": skq.QuantizedClassifier(LogisticRegression(max_iter=3000)),
    "forest": ensemble.RandomForestClassifier(5, random_state=0),
    "boosting": ensemble.HistGradientBoostingClassifier(max_iter=5),
    "network": neural_network.MLPClassifier((8,), max_iter=30, random_state=0),
}


def run(code, *arguments):
    done = subprocess.run(
        [sys.executable, "-c", BLOCKED + code, *map(str, arguments)],
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def save_expected(folder, name, model, X):
    skq.save(model, folder / f"{name}.skq")
    for method in ("predict", "predict_proba", "decision_function"):
        if hasattr(model, method):
            np.save(folder / f"{name}.{method}.npy", getattr(model, method)(X))


def test_the_block_works():
    with pytest.raises(AssertionError, match="sklearn is not installed here"):
        run("import sklearn")


def test_predictions_with_numpy_alone(tmp_path):
    X, y = load_breast_cancer(return_X_y=True)
    np.save(tmp_path / "X.npy", X)
    for name, estimator in CLASSIFIERS.items():
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            save_expected(tmp_path, name, estimator.fit(X, y), X)
    modules = json.loads(run(PREDICT, tmp_path, *CLASSIFIERS))
    expected = sorted(tmp_path.glob("*.predict*.npy")) + sorted(tmp_path.glob("*.decision*.npy"))
    compared = [path for path in expected if not path.name.startswith("found.")]
    assert len(compared) > 2 * len(CLASSIFIERS)
    for path in compared:
        found = np.load(tmp_path / f"found.{path.name}")
        np.testing.assert_array_equal(found, np.load(path), err_msg=path.name)
    assert not [name for name in modules if name.startswith(("skq.estimators", "skq.frontend"))]


def test_links_of_regressors_with_numpy_alone(tmp_path):
    X, y = load_diabetes(return_X_y=True)
    np.save(tmp_path / "X.npy", X)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        model = linear_model.PoissonRegressor().fit(X, y)
    save_expected(tmp_path, "poisson", model, X)
    run(PREDICT, tmp_path, "poisson")
    found = np.load(tmp_path / "found.poisson.predict.npy")
    np.testing.assert_array_equal(found, np.load(tmp_path / "poisson.predict.npy"))


def test_the_command_line_with_numpy_alone(tmp_path):
    X, y = load_diabetes(return_X_y=True)
    skq.save(linear_model.Ridge().fit(X, y), tmp_path / "ridge.skq")
    np.savetxt(tmp_path / "X.csv", X, delimiter=",", fmt="%.17g")
    arguments = ["predict", *(str(tmp_path / name) for name in ("ridge.skq", "X.csv")), "-o"]
    run(f"from skq.cli import main; sys.exit(main({[*arguments, str(tmp_path / 'a.csv')]}))")
    assert main([*arguments, str(tmp_path / "b.csv")]) == 0
    assert (tmp_path / "a.csv").read_bytes() == (tmp_path / "b.csv").read_bytes()


def test_loading_plans_nothing():
    """What a load does not need is imported by the first prediction."""
    modules = json.loads(
        run(
            "import json\nimport skq.serving.saved_model\n"
            "print(json.dumps([name for name in sys.modules if name.startswith('skq')]))"
        )
    )
    assert not {"skq.kernels.plan", "skq.graph.ops.tree_ensemble", "skq.export"} & set(modules)
