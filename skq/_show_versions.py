"""`show_versions`: what a bug report needs to know."""

from __future__ import annotations

import platform
import sys
from importlib import metadata

_PACKAGES = (
    "skq", "scikit-learn", "numpy", "scipy", "joblib", "threadpoolctl",
    "hummingbird-ml", "torch", "onnx", "onnxruntime",
)  # fmt: skip


def versions() -> dict[str, str]:
    """Versions of Python, the system, skq and the packages that it may use; the engine and why."""
    from skq.engines.dispatch import engine_in_use

    found = {"python": sys.version.replace("\n", " "), "machine": platform.platform()}
    for package in _PACKAGES:
        try:
            found[package] = metadata.version(package)
        except metadata.PackageNotFoundError:
            found[package] = "not installed"
    name, reason = engine_in_use()
    found["engine"] = f"{name} ({reason})"
    return found


def show_versions() -> None:
    """Print versions of Python, skq and its dependencies, and which engine is used and why.

    None of the packages is imported for it.
    """
    found = versions()
    width = max(map(len, found))
    for name, version in found.items():
        print(f"{name:>{width}}: {version}")
