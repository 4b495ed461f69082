"""Links into scikit-learn's and NumPy's documentation, made without a download.

Docstrings of quantized estimators are their parents', with references into scikit-learn's site. Its
addresses follow from the names, so that no inventory is needed and the build works offline.
"""

from __future__ import annotations

import inspect
import re
from importlib import import_module
from typing import Any

from docutils import nodes
from sphinx.application import Sphinx

SKLEARN = "https://scikit-learn.org/stable/"
NUMPY = "https://numpy.org/doc/stable/reference/generated/"

#: Label of a page of scikit-learn's gallery.
_EXAMPLE = re.compile(r"sphx_glr_auto_examples_(.+)_(plot_.+)\.py")


def address(target: str) -> str | None:
    """Where an object of scikit-learn or NumPy is documented; None for others."""
    if target.startswith("numpy."):
        return f"{NUMPY}{target}.html"
    if not target.startswith("sklearn."):
        return None
    page = target
    module, _, name = target.rpartition(".")
    outer, _, cls = module.rpartition(".")
    if cls[:1].isupper():  # a method or an attribute
        page = f"{outer}.{cls}"
        return f"{SKLEARN}modules/generated/{page}.html#{outer}.{cls}.{name}"
    try:
        named = getattr(import_module(module), name, None)
    except ImportError:
        return None
    if inspect.ismodule(named):
        return f"{SKLEARN}api/{target}.html"
    return f"{SKLEARN}modules/generated/{page}.html"


def link_outside(
    app: Sphinx, env: Any, node: Any, contnode: nodes.Element
) -> nodes.reference | nodes.Text | None:
    """Resolve a reference that no page of this site answers."""
    domain, kind, target = node.get("refdomain"), node.get("reftype"), node.get("reftarget", "")
    uri = None
    if domain == "py":
        uri = address(target)
    elif domain == "std" and kind == "term":
        uri = f"{SKLEARN}glossary.html#term-{target.replace(' ', '-')}"
    elif domain == "std" and kind == "ref" and _from_docstring(node):
        example = _EXAMPLE.fullmatch(target)
        uri = f"{SKLEARN}auto_examples/{example[1]}/{example[2]}.html" if example else None
        uri = uri or f"{SKLEARN}user_guide.html"
        if not node.get("refexplicit"):
            text = f"the example {example[2]}" if example else "the user guide"
            contnode = nodes.inline("", f"{text} of scikit-learn")
    if uri is None:
        return None
    return nodes.reference("", "", contnode, internal=False, refuri=uri)


def _from_docstring(node: nodes.Node) -> bool:
    while node is not None:
        if isinstance(node, nodes.Element) and ".. autoclass" in (node.rawsource or ""):
            return True
        if node.source and "docstring of" in node.source:
            return True
        node = node.parent
    return False


def setup(app: Sphinx) -> dict[str, Any]:
    """Register with Sphinx."""
    app.connect("missing-reference", link_outside)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
