"""The kernels with AddressSanitizer and UndefinedBehaviorSanitizer; a run of the fuzzer on them."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import sysconfig
from pathlib import Path

ROOT = Path(__file__).parent.parent.parent
KERNELS = ROOT / "skq" / "kernels" / "csrc"
COMPILER = next((c for c in ("gcc", "clang", "cc") if shutil.which(c)), None)


def runtime() -> str | None:
    """Path of the shared AddressSanitizer runtime; None where there is none."""
    if COMPILER is None or os.name != "posix":
        return None
    command = [COMPILER, "-print-file-name=libasan.so"]
    path = subprocess.run(command, capture_output=True, text=True).stdout.strip()
    return path if Path(path).is_file() else None


def run_sanitized(folder: Path, arguments: list[str]) -> int:
    """Build the extension in `folder` and run the fuzzer on it; its exit status."""
    library = runtime()
    if library is None:
        print("no compiler with a shared AddressSanitizer runtime")
        return 2
    subprocess.run(
        [COMPILER, "-std=c99", "-ffp-contract=off", "-O1", "-g", "-fPIC", "-shared", "-pthread",
         "-DPy_LIMITED_API=0x030B0000", "-fsanitize=address,undefined",
         "-fno-sanitize-recover=all", "-fno-omit-frame-pointer",
         f"-I{sysconfig.get_path('include')}", KERNELS / "native_module.c",
         KERNELS / "skq_kernels.c", "-o", folder / "_native.abi3.so"],
        check=True,
    )  # fmt: skip
    environment = {
        **os.environ,
        "LD_PRELOAD": library,
        "ASAN_OPTIONS": "detect_leaks=0:allocator_may_return_null=1",
    }
    command = [sys.executable, "-m", "tests.fuzz", "--extension", str(folder), *arguments]
    return subprocess.run(command, cwd=ROOT, env=environment).returncode
