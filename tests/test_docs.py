"""Every Python block of the README and of docs/ runs, and prints what the page says it prints.

The blocks of a page share one namespace, in order. A block of `>>>` lines is a doctest. After any
other Python block, a `text` block right below is what it prints; `...` stands for anything, as in
doctest, and white space counts once.
"""

from itertools import zip_longest
from pathlib import Path

import pytest

from tests.markdown_blocks import fenced_blocks, run_block, run_session, same_output

ROOT = Path(__file__).resolve().parent.parent
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]
EXPECTED_LANGUAGES = {"c", "json", "make", "python", "sh", "text", "toml"}


def pages_with_code() -> list[Path]:
    return [page for page in PAGES if any(b.language == "python" for b in fenced_blocks(page))]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_blocks_name_a_known_language(page: Path) -> None:
    unknown = {
        block.line: block.language
        for block in fenced_blocks(page)
        if block.language not in EXPECTED_LANGUAGES
    }
    assert not unknown, f"{page}: a misspelt language would not run: {unknown}"


@pytest.mark.parametrize("page", pages_with_code(), ids=lambda page: str(page.relative_to(ROOT)))
def test_python_blocks_run(page: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("MPLBACKEND", "Agg")
    namespace: dict[str, object] = {"__name__": "__main__"}
    blocks = fenced_blocks(page)
    for block, below in zip_longest(blocks, blocks[1:]):
        if block.language != "python":
            continue
        if block.code.startswith(">>>"):
            assert run_session(block, page, namespace) == ""
            continue
        printed = run_block(block, page, namespace)
        if below is not None and below.language == "text":
            assert same_output(below.code, printed), (
                f"{page}, line {below.line}: the page says\n{below.code}\nbut this is printed\n"
                f"{printed}"
            )


def test_user_guide_has_runnable_pages() -> None:
    guide = [page for page in pages_with_code() if page.parent.name == "user-guide"]
    assert len(guide) >= 4


def test_a_wrong_page_is_noticed(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text("```python\n>>> x = 2\n>>> x + 1\n4\n```\n\n```python\nprint(x)\n```\n")
    session, plain = fenced_blocks(page)
    namespace: dict[str, object] = {}
    assert "Expected:\n    4" in run_session(session, page, namespace)
    assert run_block(plain, page, namespace) == "2\n"
    assert same_output("2\n", "2\n")
    assert not same_output("3\n", "2\n")
