"""`import skq` is lean: heavy modules wait until something needs them."""

import json
import os
import pkgutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
#: Loaded on demand only: by the frontend, by the ONNX export, by the displays.
HEAVY = (
    "hummingbird",
    "lightgbm",
    "matplotlib",
    "onnx",
    "onnxruntime",
    "pandas",
    "polars",
    "pytest",
    "torch",
    "xgboost",
)
#: scikit-learn itself may load pandas or others in some versions: only what skq adds counts.
REPORT = """
import json, sys
import sklearn.ensemble, sklearn.linear_model, sklearn.neural_network, sklearn.svm, sklearn.tree
before = set(sys.modules)
{statement}
print(json.dumps(sorted(set(sys.modules) - before)))
"""


def modules_added_by(statement: str) -> set[str]:
    done = subprocess.run(
        [sys.executable, "-c", REPORT.format(statement=statement)],
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
    "module", ["linear_model", "svm", "tree", "ensemble", "neural_network", "quantization"]
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
