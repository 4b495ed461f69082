"""Imports run one way, and the page of the architecture names every folder."""

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
PACKAGE = ROOT / "skq"

#: From the shared ground up: a part imports itself and parts of lower rows, never of its own row.
LAYERS = [
    ["exceptions", "_config", "numerics", "compiled"],
    ["bitpacking"],
    ["serialization"],
    ["program", "graph"],
    ["kernels", "frontend"],
    ["engines"],
    ["quantization"],
    ["serving", "training"],
    ["export"],
    ["estimators"],
    ["linear_model", "svm", "tree", "ensemble", "neural_network"],
    ["model_selection"],
    ["inspection"],
    ["_show_versions", "distributed"],
    ["cli"],
    ["__main__"],
]
RANK = {part: rank for rank, row in enumerate(LAYERS) for part in row}
RANK["__init__"] = -1  # the version; it imports the public names when they are asked for
RANK["_lazy"] = -2  # which is how; it imports nothing of the package


def modules():
    """Module name → path, of every file of the package."""
    found = {}
    for path in sorted(PACKAGE.rglob("*.py")):
        parts = path.relative_to(ROOT).with_suffix("").parts
        found[".".join(parts[:-1] if parts[-1] == "__init__" else parts)] = path
    return found


MODULES = modules()


def imports_of(name):
    """Modules of the package that a module imports, also inside functions.

    A package imports its public names when they are asked for; the block that shows them to type
    checkers does not run.
    """
    path = MODULES[name]
    found = set()
    tree = ast.parse(path.read_text(encoding="utf-8"))
    if path.name == "__init__.py":
        tree.body = [node for node in tree.body if not is_for_type_checkers(node)]
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            found.update(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            for alias in node.names:
                inner = f"{node.module}.{alias.name}"
                found.add(inner if inner in MODULES else node.module)
    return {module for module in found if module in MODULES} - {name}


def is_for_type_checkers(node):
    """Whether a statement is ``if TYPE_CHECKING:``."""
    return isinstance(node, ast.If) and getattr(node.test, "id", None) == "TYPE_CHECKING"


GRAPH = {name: imports_of(name) for name in MODULES}


def part_of(name):
    return name.split(".")[1] if "." in name else "__init__"


@pytest.mark.parametrize("name", MODULES)
def test_imports_go_down(name):
    rank = RANK[part_of(name)]
    wrong = [
        other
        for other in GRAPH[name]
        if part_of(other) != part_of(name) and RANK[part_of(other)] >= rank
    ]
    assert not wrong, f"{name} imports {wrong}"


def test_no_circle_of_files():
    done, path = set(), []

    def visit(name):
        assert name not in path, " → ".join([*path[path.index(name) :], name])
        if name not in done:
            path.append(name)
            for other in sorted(GRAPH[name]):
                visit(other)
            path.pop()
            done.add(name)

    for name in MODULES:
        visit(name)


def test_every_folder_and_root_file_is_on_the_page():
    page = (ROOT / "docs" / "developer" / "architecture.md").read_text(encoding="utf-8")
    for path in sorted(PACKAGE.iterdir()):
        if path.name.startswith("__") or path.suffix not in ("", ".py"):
            continue
        if path.is_dir() and not any(path.glob("*.py")):
            continue
        assert f"`{path.name}{'/' if path.is_dir() else ''}`" in page, path.name
