"""Roles and labels that docstrings of scikit-learn use."""

from __future__ import annotations

import re
from typing import Any

from sphinx.application import Sphinx

#: ``[1]_`` where the docstring has no list of references under that number.
_CITED = re.compile(r" ?\[(\d+)\]_")

_VERSION = re.compile(r"(\.\. (?:versionadded|versionchanged|deprecated)::) (\d+\.\d+)")


def drop_lost_citations(
    app: Sphinx, what: str, name: str, obj: Any, options: Any, lines: list[str]
) -> None:
    """Remove citations of an entry that the docstring does not have."""
    text = "\n".join(lines)
    lost = {number for number in _CITED.findall(text) if f".. [{number}]" not in text}
    if lost:
        lines[:] = [
            _CITED.sub(lambda cited: "" if cited[1] in lost else cited[0], line) for line in lines
        ]


def name_the_version(
    app: Sphinx, what: str, name: str, obj: Any, options: Any, lines: list[str]
) -> None:
    """Say of which project a version is: in parents' docstrings, of scikit-learn."""
    lines[:] = [_VERSION.sub(r"\1 scikit-learn-\2", line) for line in lines]


def setup(app: Sphinx) -> dict[str, Any]:
    """Register with Sphinx. numpydoc renumbers citations at priority 500, so this runs before."""
    app.connect("autodoc-process-docstring", drop_lost_citations, priority=400)
    app.connect("autodoc-process-docstring", name_the_version, priority=400)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
