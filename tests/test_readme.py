"""The quickstart of the README is short, is the first thing there, and runs as it stands."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.markdown_blocks import fenced_blocks

ROOT = Path(__file__).resolve().parent.parent
README = ROOT / "README.md"


@pytest.fixture(scope="module")
def quickstart() -> str:
    blocks = [block for block in fenced_blocks(README) if block.language == "python"]
    assert blocks, "README.md has no Python block"
    return blocks[0].code


def test_quickstart_has_at_most_15_lines(quickstart: str) -> None:
    assert len(quickstart.splitlines()) <= 15


def test_quickstart_runs_alone_without_warnings(quickstart: str, tmp_path: Path) -> None:
    script = tmp_path / "quickstart.py"
    script.write_text(quickstart, encoding="utf-8")
    done = subprocess.run(
        [sys.executable, str(script)],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""
    scores = [float(number) for number in re.findall(r"\d+\.\d+", done.stdout)]
    assert scores, f"the quickstart prints no score: {done.stdout!r}"
    assert scores[0] > 0.9


def test_the_two_commands_are_shown() -> None:
    text = README.read_text(encoding="utf-8")
    assert "make demo" in text
    assert "make test" in text
