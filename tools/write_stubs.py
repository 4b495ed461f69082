"""Write the type stubs of the estimator modules: ``python tools/write_stubs.py [--check]``.

The estimators get their ``__init__`` and their methods from scikit-learn when they are imported, so
type checkers see none of them. This script reads the classes and writes ``skq/<module>.pyi`` with
the real signatures. Types of parameters come from scikit-learn's own parameter constraints; what
these do not say is ``Any``. With ``--check`` nothing is written, and the exit status is 1 where a
stub is not current. The stubs describe the scikit-learn version of constraints.txt.
"""

from __future__ import annotations

import argparse
import importlib
import inspect
import subprocess
import sys
from collections.abc import Iterable, Iterator
from numbers import Integral, Real
from pathlib import Path
from typing import Any

from sklearn.utils import _param_validation as constraints

from skq.estimators.base import INTEGER_METHODS, LEAF_METHODS, STAGED_METHODS

ROOT = Path(__file__).resolve().parent.parent
MODULES = ("ensemble", "linear_model", "neural_network", "svm", "tree")

#: Types of the parameters that skq adds.
ADDED_TYPES = {
    "calibration": "_Calibration",
    "columns_per_feature": "int | Literal['lossless']",
    "fit_on_bins": "bool",
    "n_bits": "int | Literal['lossless'] | Sequence[int] | Mapping[str, Any]",
    "qat_epochs": "int",
    "rounding_threshold_bits": "int | Mapping[str, int | str] | None",
}

#: Types that scikit-learn's constraints name by a word.
NAMED_TYPES = {
    "boolean": ("bool",),
    "random_state": ("int", "np.random.RandomState", "None"),
    "verbose": ("int",),
}

#: Types of results by method; others return an array.
RESULT_TYPES = {
    "fit": "Self",
    "partial_fit": "Self",
    "score": "float",
    "decision_path": "Any",
    **{name: "Iterator[NDArray[Any]]" for name in STAGED_METHODS},
}

HEADER = '''"""Stubs, written by tools/write_stubs.py from scikit-learn {version}; do not edit."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Literal, Self

import numpy as np
from numpy.typing import NDArray
from sklearn import {module} as _parents

{mixins}

_Calibration = Literal["auto", "minmax", "percentile", "mse"]
'''


def stub(module_name: str) -> str:
    """Text of the stub of one estimator module."""
    import sklearn

    module = importlib.import_module(f"skq.{module_name}")
    mixins = {mixin(getattr(module, name)) for name in module.__all__}
    imports = "\n".join(
        sorted(f"from {m.__module__} import {m.__name__} as _{m.__name__}" for m in mixins)
    )
    parts = [HEADER.format(module=module_name, version=sklearn.__version__, mixins=imports)]
    names = ", ".join(f'"{name}"' for name in module.__all__)
    parts.append(f"__all__ = [{names}]\n")
    for name in module.__all__:
        parts.append(class_stub(getattr(module, name)))
    return formatted("\n".join(parts), f"{module_name}.pyi")


def formatted(text: str, file_name: str) -> str:
    """The text in the project's format."""
    command = [sys.executable, "-m", "ruff", "format", "--stdin-filename", file_name, "-"]
    result = subprocess.run(
        command, input=text, capture_output=True, text=True, check=True, cwd=ROOT
    )
    return result.stdout


def class_stub(cls: Any) -> str:
    """Text of the stub of one estimator class."""
    lines = [f"class {cls.__name__}(_{mixin(cls).__name__}, _parents.{cls.__name__}):"]
    allowed = getattr(cls._parent, "_parameter_constraints", {})
    types = {name: union(rule) for name, rule in allowed.items()} | ADDED_TYPES
    lines += method_stub(cls, "__init__", types, "None")
    for name in ("fit", "partial_fit", "score", *INTEGER_METHODS, *STAGED_METHODS, *LEAF_METHODS):
        if inspect.getattr_static(cls, name, None) is not None:
            lines += method_stub(cls, name, {}, RESULT_TYPES.get(name, "NDArray[Any]"))
    return "\n".join(lines) + "\n"


def mixin(cls: Any) -> type:
    """The class of skq that makes a class of scikit-learn a quantized one."""
    return cls.__bases__[0]


def method_stub(cls: Any, name: str, types: dict[str, str], result: str) -> list[str]:
    """Lines of one method."""
    function = inspect.getattr_static(cls, name)
    signature = inspect.signature(getattr(function, "fn", function))
    parameters = ", ".join(written(signature.parameters.values(), types))
    return [f"    def {name}({parameters}) -> {result}: ..."]


def written(parameters: Iterable[inspect.Parameter], types: dict[str, str]) -> Iterator[str]:
    """Parameters as they stand in a stub, with markers of positional and keyword-only ones."""
    starred = False
    for parameter in parameters:
        if parameter.name == "self":
            yield "self"
            continue
        if parameter.kind is parameter.VAR_POSITIONAL:
            starred = True
            yield f"*{parameter.name}: Any"
            continue
        if parameter.kind is parameter.VAR_KEYWORD:
            yield f"**{parameter.name}: Any"
            continue
        if parameter.kind is parameter.KEYWORD_ONLY and not starred:
            starred = True
            yield "*"
        default = parameter.default
        value = "" if default is parameter.empty else f" = {default_text(default)}"
        yield f"{parameter.name}: {types.get(parameter.name, 'Any')}{value}"


def default_text(value: Any) -> str:
    """A default as it is, where a literal says it."""
    is_literal = value is None or isinstance(value, bool | int | str)
    finite_float = isinstance(value, float) and value == value and abs(value) != float("inf")
    return repr(value) if is_literal or finite_float else "..."


def union(rules: Any) -> str:
    """Type of a parameter from scikit-learn's constraints; ``Any`` where they do not say it."""
    if not isinstance(rules, list):
        return "Any"
    kinds: list[str] = []
    for rule in rules:
        found = kinds_of(rule)
        if found is None:
            return "Any"
        kinds += [kind for kind in found if kind not in kinds]
    if "float" in kinds:  # an int is a float to type checkers
        kinds = [kind for kind in kinds if kind != "int"]
    return " | ".join(sorted(kinds, key=lambda kind: kind == "None"))


def kinds_of(rule: Any) -> tuple[str, ...] | None:
    """Types that one constraint allows; None where it cannot be said."""
    if isinstance(rule, constraints.Hidden):
        return kinds_of(rule.constraint)
    if isinstance(rule, constraints.StrOptions):
        return (f"Literal[{', '.join(sorted(map(repr, rule.options)))}]",)
    if isinstance(rule, constraints.Interval):
        return ("int",) if issubclass(rule.type, Integral) else ("float",)
    if rule is None:
        return ("None",)
    if isinstance(rule, str):
        return NAMED_TYPES.get(rule)
    return {Integral: ("int",), Real: ("float",), str: ("str",), callable: None}.get(rule)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--check", action="store_true", help="write nothing; 1 if not current")
    check = parser.parse_args().check
    stale = []
    for name in MODULES:
        path, text = ROOT / "skq" / f"{name}.pyi", stub(name)
        if not path.exists() or path.read_text(encoding="utf-8") != text:
            stale.append(path.name)
            if not check:
                path.write_text(text, encoding="utf-8")
    if stale and check:
        print(f"not current: {', '.join(stale)}; run python tools/write_stubs.py")
    return int(bool(stale) and check)


if __name__ == "__main__":
    sys.exit(main())
