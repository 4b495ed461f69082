"""`show_versions`: the versions that a bug report needs."""

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

    result = {"python": sys.version.replace("\n", " "), "machine": platform.platform()}
    for package in _PACKAGES:
        try:
            result[package] = metadata.version(package)
        except metadata.PackageNotFoundError:
            result[package] = "not installed"
    name, reason = engine_in_use()
    result["engine"] = f"{name} ({reason})"
    return result


def show_versions() -> None:
    """Print the versions of Python, skq and its dependencies, and the engine in use.

    None of the packages is imported.

    Examples
    --------
    >>> import skq
    >>> skq.show_versions()  # doctest: +ELLIPSIS
    <BLANKLINE>
    ...
    """
    result = versions()
    width = max(map(len, result))
    for name, version in result.items():
        print(f"{name:>{width}}: {version}")
