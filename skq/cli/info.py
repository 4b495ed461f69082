"""``skq info`` and ``skq versions``."""

from __future__ import annotations

import os
from argparse import Namespace
from typing import Any

import numpy as np

from skq.cli.models import load_model
from skq.quantization.layer_bits import described


def add_info(commands: Any) -> None:
    """Declare the command ``info``."""
    parser = commands.add_parser(
        "info",
        help="describe a saved model",
        description="Print a model's classes, features, widths and bytes, and its program.",
    )
    parser.add_argument("model", metavar="MODEL", help="file that skq.save wrote")
    parser.set_defaults(run=_info)


def _info(options: Namespace) -> None:
    model = load_model(options.model)
    module = getattr(model, "quantized_module_", model)
    facts = {
        "model": getattr(model, "estimator", type(model).__name__),
        "n_bits": described(module.n_bits),
        "outputs": ", ".join(module.output_names),
        "classes": _listed(getattr(model, "classes_", None)),
        "features": _features(model),
        "missing values in": _missing(model),
        "widest accumulator": f"{module.max_accumulator_bits} bits",
        "constants": f"{module.nbytes} bytes",
        "file": f"{os.path.getsize(options.model)} bytes",
    }
    width = max(map(len, facts)) + 1
    for name, text in facts.items():
        if text:
            print(f"{name + ':':<{width}} {text}")
    print()
    print(module.program)


def _listed(values: Any) -> str:
    if values is None:
        return ""
    if isinstance(values, list):
        return "; ".join(map(_listed, values))
    return ", ".join(map(str, np.asarray(values).tolist()))


def _features(model: Any) -> str:
    n_features = getattr(model, "n_features_in_", None)
    if n_features is None:
        return ""
    names = getattr(model, "feature_names_in_", None)
    return str(n_features) if names is None else f"{n_features} ({_listed(names)})"


def _missing(model: Any) -> str:
    """Columns that take missing values: all, or their names or numbers; empty if there are none."""
    takes = getattr(model, "takes_missing", np.zeros(0, dtype=bool))
    if takes.all() and takes.size:
        return "all columns"
    columns = np.flatnonzero(takes)
    names = getattr(model, "feature_names_in_", None)
    return _listed(columns if names is None else np.asarray(names)[columns])


def add_versions(commands: Any) -> None:
    """Declare the command ``versions``."""
    parser = commands.add_parser(
        "versions",
        help="print the versions of skq and its dependencies",
        description="Print versions of Python, skq and its dependencies, and the engine in use.",
    )
    parser.set_defaults(run=_versions)


def _versions(options: Namespace) -> None:
    from skq._show_versions import show_versions

    show_versions()
