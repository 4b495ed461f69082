"""The fenced code blocks of a Markdown page, and what running them prints."""

from __future__ import annotations

import contextlib
import doctest
import io
import re
from dataclasses import dataclass
from pathlib import Path

SAME = doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE
_FENCED = re.compile(
    r"^```(?P<language>[^\n`]*)\n(?P<code>.*?)^```[ ]*$",
    flags=re.MULTILINE | re.DOTALL,
)


@dataclass(frozen=True)
class Block:
    """A fenced block: its language, its text and the line of the page where the text starts."""

    language: str
    code: str
    line: int


def fenced_blocks(page: Path) -> list[Block]:
    """All fenced blocks of a page, in order."""
    text = page.read_text(encoding="utf-8")
    return [
        Block(
            language=match["language"].strip(),
            code=match["code"],
            line=text.count("\n", 0, match.start("code")) + 1,
        )
        for match in _FENCED.finditer(text)
    ]


def run_block(block: Block, page: Path, namespace: dict[str, object]) -> str:
    """Run a Python block in `namespace` and return what it prints; tracebacks name the page."""
    padded = "\n" * (block.line - 1) + block.code
    printed = io.StringIO()
    with contextlib.redirect_stdout(printed):
        exec(compile(padded, str(page), "exec"), namespace)
    return printed.getvalue()


def run_session(block: Block, page: Path, namespace: dict[str, object]) -> str:
    """Run a block of ``>>>`` lines in `namespace`; the report of what differs, empty if nothing."""
    session = doctest.DocTestParser().get_doctest(
        block.code, namespace, page.name, str(page), block.line - 1
    )
    report = io.StringIO()
    doctest.DocTestRunner(optionflags=SAME).run(session, out=report.write, clear_globs=False)
    namespace.update(session.globs)
    return report.getvalue()


def same_output(expected: str, printed: str) -> bool:
    """Whether a block printed what the page says; ``...`` stands for anything."""
    return doctest.OutputChecker().check_output(expected, printed, SAME)
