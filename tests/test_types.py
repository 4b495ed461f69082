"""What type checkers see: the stubs of the estimators, and the public names that load lazily."""

import ast
import importlib
import re
import subprocess
import sys
from pathlib import Path

import pytest
import sklearn

ROOT = Path(__file__).resolve().parent.parent

RIGHT = """
import numpy as np
import skq
from numpy.typing import NDArray
from skq.ensemble import RandomForestClassifier
from skq.linear_model import Ridge
from skq.quantization import QuantizedModule

X, y = np.ones((4, 2)), np.ones(4)
model: Ridge = Ridge(alpha=2.0, n_bits=4).fit(X, y)
values: NDArray[np.float64] = model.predict(X)
forest = RandomForestClassifier(10, max_depth=None, n_bits="lossless", fit_on_bins=True)
labels = forest.fit(X, y).predict_proba(X)
module: QuantizedModule = model.quantized_module_
widths: dict[str, int] = model.n_bits_
skq.save(model, "model.skq")
loaded = skq.load("model.skq").predict(X)
wrapped = skq.quantize(model, X, n_bits=6)
n_rows = skq.distributed.predict(model, "rows.parquet", output="predictions.parquet")
skq.QuantizedRegressor(model, n_bits=3).fit(X, y).predict(X)
"""

#: A wrong line, and what the message names.
WRONG = {
    "skq.linear_model.Ridge(n_bitz=4)": "n_bitz",
    "skq.ensemble.RandomForestClassifier(n_bits='eight')": "n_bits",
    "skq.linear_model.LogisticRegression(calibration='best')": "calibration",
    "skq.svm.LinearSVC(loss='square')": "loss",
    "skq.linear_model.Ridge().fit()": "fit",
    "skq.load('model.skq', maximum=3)": "maximum",
    "skq.save('model.skq')": "path",
    "skq.quantise": "quantise",
    "skq.QuantizedRegressor(skq.linear_model.Ridge(), n_bitz=3)": "n_bitz",
    "skq.export.to_cpp": "to_cpp",
    "skq.distributed.predict(1, 2, outputs='x')": "outputs",
}


def mypy(tmp_path: Path, text: str) -> subprocess.CompletedProcess[str]:
    """Result of ``mypy --strict`` on a user's script, in a directory of its own."""
    script = tmp_path / "script.py"
    script.write_text(text, encoding="utf-8")
    command = [sys.executable, "-m", "mypy", "--strict", "--config-file=", "script.py"]
    return subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)


def test_a_right_script_passes_mypy_strict(tmp_path: Path) -> None:
    result = mypy(tmp_path, RIGHT)
    assert result.returncode == 0, result.stdout + result.stderr


def test_mypy_finds_each_wrong_line(tmp_path: Path) -> None:
    result = mypy(tmp_path, "import skq\n" + "".join(f"{line}\n" for line in WRONG))
    messages: dict[int, str] = {}
    for number, text in re.findall(r"script\.py:(\d+): (.*)", result.stdout):
        messages[int(number)] = messages.get(int(number), "") + text
    for number, name in enumerate(WRONG.values(), start=2):
        assert name in messages.get(number, ""), (number, name, result.stdout)


def test_the_stubs_are_current() -> None:
    header = (ROOT / "skq" / "svm.pyi").read_text(encoding="utf-8").splitlines()[0]
    if f"scikit-learn {sklearn.__version__};" not in header:
        pytest.skip(f"the stubs describe another scikit-learn: {header}")
    result = subprocess.run(
        [sys.executable, "tools/write_stubs.py", "--check"],
        cwd=ROOT, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert result.returncode == 0, result.stdout + result.stderr


@pytest.mark.parametrize(
    "package", ["skq", "skq.distributed", "skq.export", "skq.quantization", "skq.training"]
)
def test_type_checkers_see_the_names_that_load_lazily(package: str) -> None:
    module = importlib.import_module(package)
    (block,) = (
        node
        for node in ast.parse(Path(str(module.__file__)).read_text(encoding="utf-8")).body
        if isinstance(node, ast.If) and isinstance(node.test, ast.Name)
    )
    seen = {
        alias.asname or alias.name
        for node in block.body
        if isinstance(node, ast.ImportFrom)
        for alias in node.names
    }
    assert set(module.__all__) - {"__version__"} <= seen
    for name in seen:
        assert getattr(module, name) is not None
