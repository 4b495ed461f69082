"""The C source: strict C99 without a warning, and nothing for the sanitizers to find."""

import os
import re
import shutil
import subprocess
import sys
import sysconfig
from pathlib import Path

import pytest

from skq.kernels import layout

HERE = Path(__file__).parent
KERNELS = HERE.parent.parent / "skq" / "kernels" / "csrc"
#: All compilers that are here; the first builds what is run.
COMPILERS = [c for c in ("gcc", "clang", "cc") if shutil.which(c)]
COMPILER = next(iter(COMPILERS), None)
FLAGS = ["-std=c99", "-ffp-contract=off"]
STRICT = ["-Wall", "-Wextra", "-Wconversion", "-Werror"]

pytestmark = [
    pytest.mark.skipif(COMPILER is None, reason="no C compiler"),
    pytest.mark.skipif(os.name != "posix", reason="POSIX compilers"),
]


def compile_c(*arguments, compiler=COMPILER):
    done = subprocess.run([compiler, *FLAGS, *map(str, arguments)], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("compiler", COMPILERS)
@pytest.mark.parametrize("more", [[], ["-DSKQ_ONE_ISA", "-Wpedantic"]])
def test_kernels_are_strict_c99(tmp_path, more, compiler):
    source, product = KERNELS / "skq_kernels.c", tmp_path / "k.o"
    compile_c(*STRICT, *more, "-O1", "-c", source, "-o", product, compiler=compiler)


@pytest.mark.parametrize("compiler", COMPILERS)
def test_the_extension_is_strict_c99(tmp_path, compiler):
    include = f"-I{sysconfig.get_path('include')}"
    source, product = KERNELS / "native_module.c", tmp_path / "m.o"
    limited = "-DPy_LIMITED_API=0x030B0000"
    compile_c(*STRICT, limited, include, "-c", source, "-o", product, compiler=compiler)


@pytest.mark.parametrize(
    "name",
    ["PERIOD", "FEW_PRODUCTS", "GROUP_OUTPUTS", "LEAF_WORDS", "ROWS", "TINY_LEAF", "LEAF",
     "BIG_LEAF", "TINY_NAN_RIGHT", "BIG_NAN_RIGHT"],
)  # fmt: skip
def test_numbers_are_those_of_the_header(name):
    header = (KERNELS / "skq_kernels.h").read_text()
    (number,) = re.findall(rf"^#define SKQ_{name} (\w+)$", header, re.MULTILINE)
    assert int(number.rstrip("u"), 0) == getattr(layout, name)


def test_kernels_need_libm_alone(tmp_path):
    compile_c("-O1", "-c", KERNELS / "skq_kernels.c", "-o", tmp_path / "k.o")
    names = subprocess.run(["nm", "-u", tmp_path / "k.o"], capture_output=True, text=True).stdout
    needed = {line.split()[-1].split("@")[0] for line in names.splitlines() if line.strip()}
    of_the_compiler = {name for name in needed if name.startswith("_")}
    assert needed - of_the_compiler <= {"memcpy", "memset", "memmove", "rint", "fabs", "fabsf"}


def test_sanitizers_find_nothing(tmp_path):
    """Build the extension anew with ASan and UBSan and run random programs on it."""
    runtime = subprocess.run(
        [COMPILER, "-print-file-name=libasan.so"], capture_output=True, text=True
    ).stdout.strip()
    if not Path(runtime).is_file():
        pytest.skip("the compiler has no shared AddressSanitizer runtime")
    compile_c(
        "-O1", "-g", "-fPIC", "-shared", "-pthread", "-DPy_LIMITED_API=0x030B0000",
        "-fsanitize=address,undefined", "-fno-sanitize-recover=all", "-fno-omit-frame-pointer",
        f"-I{sysconfig.get_path('include')}",
        KERNELS / "native_module.c", KERNELS / "skq_kernels.c", "-o", tmp_path / "_native.abi3.so",
    )  # fmt: skip
    environment = {
        **os.environ,
        "LD_PRELOAD": runtime,
        "ASAN_OPTIONS": "detect_leaks=0",
        "PYTHONPATH": str(KERNELS.parent.parent.parent),
    }
    done = subprocess.run(
        [sys.executable, HERE / "sanitized_run.py", tmp_path],
        capture_output=True, text=True, env=environment,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-4000:]
    assert "programs agreed" in done.stdout
