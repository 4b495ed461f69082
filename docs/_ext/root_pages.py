"""Pages whose text is a file in the root of the repository."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from sphinx.application import Sphinx

ROOT = Path(__file__).resolve().parents[2]

#: Page -> file, and the links that differ there.
PAGES: dict[str, tuple[str, dict[str, str]]] = {
    "whats-new": ("CHANGELOG.md", {"# Changelog": "# What's new"}),
    "developer/contributing": (
        "CONTRIBUTING.md",
        {
            "[docs/developer/": "[",
            "(docs/developer/": "(",
            "[CHANGELOG.md](CHANGELOG.md)": "[CHANGELOG.md](../whats-new.md)",
        },
    ),
}


def read_from_root(app: Sphinx, docname: str, source: list[str]) -> None:
    """Replace the text of such a page."""
    if docname in PAGES:
        file_name, changes = PAGES[docname]
        app.env.note_dependency(str(ROOT / file_name))
        text = (ROOT / file_name).read_text(encoding="utf-8")
        for before, after in changes.items():
            text = text.replace(before, after)
        source[0] = text


def setup(app: Sphinx) -> dict[str, Any]:
    """Register with Sphinx."""
    app.connect("source-read", read_from_root)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
