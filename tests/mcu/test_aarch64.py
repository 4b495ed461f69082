"""The kernels on 64-bit ARM with NEON, cross-compiled and emulated: the reference, bit for bit."""

import os
import re
import shutil
import subprocess
from pathlib import Path

import numpy as np
import pytest

from skq.engines import reference
from skq.engines.native import NativePlan
from skq.ensemble import HistGradientBoostingRegressor, RandomForestClassifier
from skq.kernels import layout
from skq.linear_model import LogisticRegression
from skq.neural_network import MLPClassifier
from skq.program import INSTRUCTIONS
from tests.program.random_programs import random_inputs, random_program

HERE = Path(__file__).parent
KERNELS = HERE.parent.parent / "skq" / "kernels" / "csrc"
COMPILER, EMULATOR, DISASSEMBLER = (
    "aarch64-linux-gnu-gcc",
    "qemu-aarch64",
    "aarch64-linux-gnu-objdump",
)
#: Debian package of each program.
PACKAGES = {
    COMPILER: "gcc-aarch64-linux-gnu libc6-dev-arm64-cross",
    EMULATOR: "qemu-user",
    DISASSEMBLER: "binutils-aarch64-linux-gnu",
}
N_PROGRAMS = 60
#: Numbers of dtypes in `skq_kernels.h`.
DTYPES = {"int64": 5, "float64": 6, "float32": 7}

MISSING = [package for program, package in PACKAGES.items() if not shutil.which(program)]
pytestmark = [
    pytest.mark.skipif(
        not os.environ.get("SKQ_TEST_MCU"), reason="slow: run it with `make test-mcu`"
    ),
    pytest.mark.skipif(bool(MISSING), reason=f"needs {' '.join(MISSING)} (Debian packages)"),
    pytest.mark.filterwarnings("ignore"),
]

MODELS = {
    "MLP (256, 256)": MLPClassifier((256, 256), max_iter=2, random_state=0),
    "MLP (256, 256), 4 bits": MLPClassifier((256, 256), max_iter=2, random_state=0, n_bits=4),
    "LogisticRegression": LogisticRegression(),
    "RandomForestClassifier": RandomForestClassifier(20, random_state=0),
    "HistGradientBoostingRegressor": HistGradientBoostingRegressor(max_iter=20),
}


@pytest.fixture(scope="module")
def built(tmp_path_factory):
    """The program that runs plans, built as `setup.py` builds the extension."""
    program = tmp_path_factory.mktemp("aarch64") / "run_plan"
    subprocess.run(
        [
            COMPILER, "-std=c99", "-O3", "-ffp-contract=off", "-Wall", "-Wextra", "-Werror",
            "-static", f"-I{KERNELS}", HERE / "support" / "run_plan.c",
            KERNELS / "skq_kernels.c", "-lm", "-o", program,
        ],
        check=True,
    )  # fmt: skip
    return program


def write(path, program, inputs, targets):
    """A plan for the portable kernels, with its inputs and the results of the reference."""
    plan = NativePlan(program, tuple(inputs), targets, isa=layout.PORTABLE)
    n_rows = len(next(iter(inputs.values())))
    parts = [np.array([n_rows, len(inputs), len(targets)], dtype=np.int64)]
    for array in (plan.descriptors, plan.constants):
        parts += [np.array([array.nbytes]), array]
    for value, rows in inputs.items():
        size = program.types[value].size
        parts += [np.array([DTYPES[rows.dtype.name], size, rows.itemsize]), rows]
    for result in reference.evaluate(program, inputs, targets):
        assert result.itemsize == 8
        parts += [np.array([result[0].size]), result]
    path.write_bytes(b"".join(np.ascontiguousarray(part).tobytes() for part in parts))
    return path


def assert_equal_on_arm(built, paths):
    done = subprocess.run([EMULATOR, built, *paths], capture_output=True, text=True)
    assert done.returncode == 0, done.stdout[-2000:]
    assert f"{len(paths)} plans ran" in done.stdout


def test_the_compiler_uses_neon(built):
    """Integer products are computed in vectors, though the portable kernels name no instruction."""
    text = subprocess.run([DISASSEMBLER, "-d", built], capture_output=True, text=True).stdout
    assert re.search(r"\t[su]?ml[as]l?2?\s+v\d+\.", text)


def test_models_on_arm(built, tmp_path):
    rng = np.random.default_rng(0)
    X = rng.normal(size=(400, 30))
    y = np.digitize(X[:, 0] + X[:, 1] * X[:, 2], [-0.5, 0.5])
    paths = []
    for number, model in enumerate(MODELS.values()):
        program = model.fit(X, y).quantized_module_.program
        targets = list(dict.fromkeys(program.outputs.values()))
        for rows in (3 * X[:100], X[:100].astype(np.float32)):
            path = tmp_path / f"model_{number}_{rows.dtype}"
            paths.append(write(path, program, {0: rows}, targets))
    assert_equal_on_arm(built, paths)


def test_random_programs_on_arm(built, tmp_path):
    kinds, paths = list(INSTRUCTIONS), []
    for seed in range(N_PROGRAMS):
        rng = np.random.default_rng(seed)
        chosen = [kinds[i] for i in rng.integers(0, len(kinds), size=8)]
        program = random_program(chosen, seed)
        inputs = random_inputs(program, int(rng.choice([1, 16, 65])), rng)
        targets = [v for v in range(len(program.types)) if v not in inputs][:64]
        paths.append(write(tmp_path / f"program_{seed}", program, inputs, targets))
    assert_equal_on_arm(built, paths)
