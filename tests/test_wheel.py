"""The source distribution builds wheels by itself; a wheel works in an environment of its own."""

import os
import re
import subprocess
import sys
import sysconfig
import tarfile
import venv
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
PIP = [sys.executable, "-m", "pip", "-q", "--disable-pip-version-check"]

#: Compilers may be slow on a loaded machine: these tests have no limit of time.
pytestmark = pytest.mark.timeout(0)

PREDICTS = """
import pickle, sys
import numpy as np
import skq
from skq.linear_model import Ridge

assert skq.__file__.startswith(sys.prefix), skq.__file__
X = np.arange(40.0).reshape(20, 2) % 7
model = Ridge().fit(X, X[:, 0] - X[:, 1])
expected = model.predict(X)
np.testing.assert_allclose(expected, X[:, 0] - X[:, 1], atol=0.3)
skq.save(model, "model.skq")
np.testing.assert_array_equal(skq.load("model.skq").predict(X), expected)
print(skq.show_versions() or "predicted")
"""


def run(command, cwd, **environment):
    """Result of a command that must succeed."""
    clean = {k: v for k, v in os.environ.items() if k not in ("PYTHONPATH", "SKQ_NO_EXTENSIONS")}
    result = subprocess.run(
        command, cwd=cwd, env={**clean, **environment}, capture_output=True, text=True, check=False
    )
    assert result.returncode == 0, result.stdout + result.stderr
    return result


@pytest.fixture(scope="module")
def source(tmp_path_factory):
    """The unpacked source distribution."""
    folder = tmp_path_factory.mktemp("sdist")
    setup = [sys.executable, "setup.py", "-q", "egg_info", "--egg-base", folder]
    run([*setup, "sdist", "--dist-dir", folder], ROOT)
    (archive,) = folder.glob("*.tar.gz")
    with tarfile.open(archive) as file:
        file.extractall(folder / "unpacked", filter="data")
    (unpacked,) = (folder / "unpacked").iterdir()
    return unpacked


def wheel_of(source, folder, **environment):
    """The wheel that pip builds of a folder, and what pip prints."""
    command = [*PIP, "-vv", "wheel", "--no-build-isolation", "--no-deps", "--no-index"]
    result = run([*command, "--wheel-dir", folder, source], folder, **environment)
    (wheel,) = folder.glob("*.whl")
    return wheel, result.stdout + result.stderr


def predict_with(wheel, folder):
    """Install a wheel into a new environment with the packages of this one, and predict there."""
    venv.create(folder / "env", with_pip=False)
    binaries = "Scripts" if os.name == "nt" else "bin"
    python = folder / "env" / binaries / "python"
    packages = run(
        [python, "-c", "import sysconfig; print(sysconfig.get_path('purelib'))"], folder
    ).stdout.strip()
    others = [path for path in sys.path if path.endswith("site-packages")]
    others.append(sysconfig.get_path("purelib"))
    Path(packages, "others.pth").write_text("\n".join(others) + "\n", encoding="utf-8")
    install = [*PIP, "--python", python, "install", "--no-deps", "--no-index", "--force-reinstall"]
    run([*install, "--target", packages, wheel], folder)
    return run([python, "-c", PREDICTS], folder).stdout


def contents_are_checked(wheel):
    """Names in the wheel: the package with its stubs and its license, and nothing else."""
    with zipfile.ZipFile(wheel) as file:
        names = set(file.namelist())
        metadata = file.read(next(n for n in names if n.endswith("METADATA"))).decode()
    tops = {name.split("/")[0] for name in names}
    assert {re.sub(r"-\d.*\.dist-info", ".dist-info", top) for top in tops} == {
        "skq", "skq.dist-info",
    }  # fmt: skip
    assert {"skq/py.typed", "skq/linear_model.pyi", "skq/kernels/csrc/skq_kernels.c"} <= names
    assert any(name.endswith("licenses/LICENSE") for name in names)
    assert "License-Expression: BSD-3-Clause" in metadata
    for folder in (ROOT / "skq").rglob("*"):
        if folder.suffix in (".py", ".pyi", ".c", ".h", ".inc"):
            assert folder.relative_to(ROOT).as_posix() in names
    return names


def has_compiler():
    import skq.engines.native

    return skq.engines.native.UNAVAILABLE is None


@pytest.mark.skipif(not has_compiler(), reason="skq is installed without its compiled kernels")
def test_the_compiled_wheel(source, tmp_path):
    wheel, _ = wheel_of(source, tmp_path)
    assert re.fullmatch(r"skq-[\d.]+-cp311-abi3-\w+\.whl", wheel.name)
    names = contents_are_checked(wheel)
    compiled = sorted(name for name in names if name.endswith((".so", ".pyd")))
    assert [name.split(".")[0] for name in compiled] == [
        "skq/compiled/_loops",
        "skq/engines/_native",
    ]
    if sys.platform.startswith("linux"):
        with zipfile.ZipFile(wheel) as file:
            for name in compiled:
                assert ".abi3." in name
                assert b".symtab" not in file.read(name)  # stripped
    assert "predicted" in predict_with(wheel, tmp_path)


def test_the_pure_wheel(source, tmp_path):
    wheel, printed = wheel_of(source, tmp_path, SKQ_NO_EXTENSIONS="1")
    assert wheel.name.endswith("-py3-none-any.whl")
    assert "skq is built without its compiled kernels: SKQ_NO_EXTENSIONS is set." in printed
    assert not any(name.endswith((".so", ".pyd")) for name in contents_are_checked(wheel))
    assert "predicted" in predict_with(wheel, tmp_path)
