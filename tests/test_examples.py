"""Every example and every benchmark runs to its end, silently on stderr, with small settings."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
EXAMPLES = sorted((ROOT / "examples").glob("*.py"))
SHORT_EXAMPLES = [p for p in EXAMPLES if p.stem != "demo"]
#: The benchmarks that need nothing but skq's own dependencies.
BENCHMARKS = [
    ROOT / "benchmarks" / f"{name}.py" for name in ("conversion", "import_time", "low_bits")
]


def run_script(script: Path, cwd: Path) -> str:
    done = subprocess.run(
        [sys.executable, str(script), "--quick"],
        cwd=cwd,
        env={**os.environ, "PYTHONPATH": str(ROOT), "MPLBACKEND": "Agg"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert "Warning" not in done.stderr, done.stderr
    return done.stdout


@pytest.mark.parametrize("script", SHORT_EXAMPLES, ids=lambda path: path.stem)
def test_example_runs(script: Path, tmp_path: Path) -> None:
    assert run_script(script, tmp_path).strip()


@pytest.mark.parametrize("script", BENCHMARKS, ids=lambda path: path.stem)
def test_benchmark_prints_a_table(script: Path, tmp_path: Path) -> None:
    lines = run_script(script, tmp_path).splitlines()
    assert any(set(line.strip()) <= {"-", " "} and line.strip() for line in lines), lines


def test_demo_runs_and_writes_its_plot(tmp_path: Path) -> None:
    printed = run_script(ROOT / "examples" / "demo.py", tmp_path)
    (plot,) = tmp_path.rglob("*.png")
    assert plot.read_bytes().startswith(b"\x89PNG")
    assert str(plot.relative_to(tmp_path)) in printed
