"""`import skq` is lean: heavy modules wait until something needs them."""

import json
import os
import pkgutil
import subprocess
import sys
from pathlib import Path

import pytest
from sklearn.datasets import load_iris

import skq
from skq.ensemble import HistGradientBoostingClassifier, RandomForestClassifier
from skq.linear_model import LogisticRegression
from skq.neural_network import MLPClassifier

ROOT = Path(__file__).resolve().parent.parent
#: Loaded on demand only: by the frontend, by the ONNX export, by the displays.
HEAVY = (
    "dask",
    "distributed",
    "hummingbird",
    "lightgbm",
    "matplotlib",
    "onnx",
    "onnxruntime",
    "pandas",
    "polars",
    "pyarrow",
    "pyspark",
    "pytest",
    "ray",
    "torch",
    "xgboost",
)
#: scikit-learn itself may load pandas or others in some versions: only what skq adds counts.
SKLEARN = (
    "sklearn.ensemble, sklearn.linear_model, sklearn.neural_network, sklearn.svm, sklearn.tree"
)
REPORT = """
import json, sys
import {first}
before = set(sys.modules)
{statement}
print(json.dumps(sorted(set(sys.modules) - before)))
"""


def modules_added_by(statement: str, *, first: str = SKLEARN) -> set[str]:
    done = subprocess.run(
        [sys.executable, "-c", REPORT.format(statement=statement, first=first)],
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=True,
    )
    return set(json.loads(done.stdout))


def heavy(modules: set[str]) -> set[str]:
    return {name for name in modules if name.split(".")[0] in HEAVY}


def test_import_skq_leaves_heavy_modules_out() -> None:
    added = modules_added_by("import skq")
    assert "skq" in added
    assert heavy(added) == set()


@pytest.mark.parametrize(
    "module",
    ["linear_model", "svm", "tree", "ensemble", "neural_network", "quantization", "distributed"],
)
def test_public_modules_leave_heavy_modules_out(module: str) -> None:
    added = modules_added_by(f"import skq.{module}")
    assert f"skq.{module}" in added
    assert heavy(added) == set()


def test_the_report_sees_a_heavy_import() -> None:
    assert "torch" in heavy(modules_added_by("import torch"))


def test_only_frontend_export_and_training_need_heavy_modules() -> None:
    names = [info.name for info in pkgutil.walk_packages([str(ROOT / "skq")], prefix="skq.")]
    heavy_parts = ("skq.frontend.", "skq.export.", "skq.quantization.spec", "skq.training.")
    light = [name for name in names if not name.startswith(heavy_parts)]
    assert "skq.numerics" in light
    added = modules_added_by("\n".join(f"import {name}" for name in light))
    assert heavy(added) == set()


#: Modules besides NumPy's that loading and predicting may import; each costs a millisecond or two.
MOST_MODULES = 100


@pytest.mark.parametrize(
    "model",
    [
        LogisticRegression(),
        RandomForestClassifier(3, random_state=0),
        HistGradientBoostingClassifier(max_iter=3),
        MLPClassifier((5,), max_iter=20),
    ],
    ids=lambda model: type(model).__name__,
)
@pytest.mark.filterwarnings("ignore")
def test_a_loaded_model_predicts_with_numpy_alone(model, tmp_path) -> None:
    path = tmp_path / "model.skq"
    skq.save(model.fit(*load_iris(return_X_y=True)), path)
    added = modules_added_by(
        f"import skq; skq.load({str(path)!r}).predict(numpy.zeros((2, 4)))", first="numpy"
    )
    others = {name.split(".")[0] for name in added}
    assert others.isdisjoint({"sklearn", "scipy", "joblib", "threadpoolctl"}), others
    assert heavy(added) == set()
    assert len(added) <= MOST_MODULES
