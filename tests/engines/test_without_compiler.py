"""Where no compiler was there at install, skq installs and works; it says which engine runs."""

import importlib.util
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent.parent

# A model trained with the numpy engine alone, compared with the reference.
USE = """
import contextlib
import io

import numpy as np
import skq
from skq.engines import dispatch, native
from skq.ensemble import RandomForestClassifier

text = io.StringIO()
with contextlib.redirect_stdout(text):
    skq.show_versions()
engine = next(line for line in text.getvalue().splitlines() if "engine:" in line)
print(engine)
assert dispatch.engine_in_use()[0] == "numpy"
X = np.random.default_rng(0).normal(size=(200, 5))
model = RandomForestClassifier(5, random_state=0).fit(X, X[:, 0] > 0)
found = model.predict_proba(X)
with skq.config_context(engine="reference"):
    np.testing.assert_array_equal(model.predict_proba(X), found)
try:
    with skq.config_context(engine="native"):
        model.predict(X)
except ImportError as error:
    print(error)
"""

# Importing the extension fails, as where it was not built.
BLOCK = """
import sys

class Blocked:
    def find_spec(self, name, path=None, target=None):
        if name == "skq.engines._native":
            raise ImportError("blocked by the test")

sys.meta_path.insert(0, Blocked())
"""


def run(code, path, cwd):
    done = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True, text=True, cwd=cwd,
        env={**os.environ, "PYTHONPATH": str(path)},
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-3000:]
    return done.stdout


TWICE = """
import warnings
import numpy as np
import skq
from skq.linear_model import Ridge
X = np.random.default_rng(0).normal(size=(50, 3))
with warnings.catch_warnings(record=True) as caught:
    warnings.simplefilter("always")
    with skq.config_context(engine="numpy"):
        model = Ridge().fit(X, X[:, 0])
        model.predict(X)
    print(len(caught))
    model.predict(X)
    model.predict(X)
print([(w.category.__name__, str(w.message)[:34]) for w in caught])
"""


def test_the_first_slow_prediction_warns_once_unless_numpy_was_chosen(tmp_path):
    before, warned = run(BLOCK + TWICE, ROOT, tmp_path).splitlines()
    assert before == "0"
    assert warned == "[('SlowEngineWarning', 'Predictions use the slower NumPy e')]"


def test_an_extension_that_cannot_be_imported(tmp_path):
    engine, refusal = run(BLOCK + USE, ROOT, tmp_path).splitlines()
    reason = "the compiled extension cannot be used (blocked by the test)"
    assert engine.strip() == f"engine: numpy ({reason})"
    assert refusal.startswith(
        f"engine='native' is not available, because {reason}. Use engine='auto'"
    )


@pytest.mark.skipif(os.name != "posix", reason="sets CC")
@pytest.mark.skipif(
    any(importlib.util.find_spec(name) is None for name in ("pip", "setuptools")),
    reason="installs with pip and setuptools",
)
def test_install_without_a_compiler(tmp_path):
    source, target = tmp_path / "source", tmp_path / "target"
    ignore = shutil.ignore_patterns("*.so", "__pycache__")
    shutil.copytree(ROOT / "skq", source / "skq", ignore=ignore)
    for name in ("setup.py", "pyproject.toml", "README.md", "LICENSE", "MANIFEST.in"):
        shutil.copy(ROOT / name, source)
    done = subprocess.run(
        [sys.executable, "-m", "pip", "install", "--no-deps", "--no-build-isolation", "--no-index",
         "--target", target, source],
        capture_output=True, text=True, cwd=tmp_path,
        env={**os.environ, "CC": "/bin/false"},
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-3000:]
    assert not list(target.glob("skq/engines/_native*"))
    assert (target / "skq" / "engines" / "native.py").is_file()
    engine = run(USE, target, tmp_path).splitlines()[0]
    assert engine.strip().startswith("engine: numpy (the compiled extension cannot be used (")
