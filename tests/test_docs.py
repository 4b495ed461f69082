"""Every Python block of the README and of docs/ runs, and prints what the page says it prints.

The blocks of a page share one namespace, in order. A block of `>>>` lines is a doctest. After any
other Python block, a `text` block right below is what it prints; `...` stands for anything, as in
doctest, and white space counts once.

Every public name stands in the API reference and has an example; every example is in the gallery.
"""

import re
from importlib import import_module
from itertools import zip_longest
from pathlib import Path
from types import ModuleType

import pytest

import skq
from docs._ext.gallery_order import EXAMPLES_NOT_RUN, ORDER
from tests.markdown_blocks import fenced_blocks, run_block, run_session, same_output

ROOT = Path(__file__).resolve().parent.parent
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]
EXPECTED_LANGUAGES = {"c", "json", "make", "python", "sh", "text", "toml"}

#: The page of each public module in the API reference.
API_PAGES = {page.stem: page for page in sorted((ROOT / "docs" / "api").glob("skq*.rst"))}
#: Lines of `autosummary`, and constants.
_DOCUMENTED = re.compile(r"^(?:   |\.\. data:: )(\w+)$", flags=re.MULTILINE)


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


def test_every_public_module_has_a_page_in_the_api_reference() -> None:
    names = {name for name in skq.__all__ if isinstance(getattr(skq, name), ModuleType)}
    modules = {"skq", "skq.quantization.spec", *(f"skq.{name}" for name in names)}
    assert set(API_PAGES) == modules
    index = (ROOT / "docs" / "api" / "index.md").read_text(encoding="utf-8").splitlines()
    assert modules <= set(index), "each page stands in the table of contents"


@pytest.mark.parametrize("module", sorted(API_PAGES))
def test_every_public_name_is_in_the_api_reference(module: str) -> None:
    documented = _DOCUMENTED.findall(API_PAGES[module].read_text(encoding="utf-8"))
    public = {
        name
        for name in import_module(module).__all__
        if name != "__version__" and f"{module}.{name}" not in API_PAGES
    }
    assert sorted(documented) == sorted(public)


@pytest.mark.parametrize("module", sorted(API_PAGES))
def test_every_public_class_and_function_has_an_example(module: str) -> None:
    """An example in the docstring; the doctests of the package run it."""
    public = import_module(module)
    members = {name: getattr(public, name) for name in public.__all__}
    without = [
        n for n, member in members.items() if callable(member) and ">>>" not in member.__doc__
    ]
    assert not without


def test_every_example_is_in_the_gallery() -> None:
    examples = {path.stem: path for path in (ROOT / "examples").glob("*.py")}
    assert set(examples) == {*ORDER, *EXAMPLES_NOT_RUN}
    for name in ORDER:
        _, title, underline, *_ = examples[name].read_text(encoding="utf-8").splitlines()
        assert underline == "=" * len(title), f"{name}: a page of the gallery begins with a title"
