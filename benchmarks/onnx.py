"""Exported models next to the float models of skl2onnx; see `onnx_side_by_side`.

This file has the name of a package that scripts in its folder import: imported by them, it puts
that package in its place.
"""

import importlib
import sys
from pathlib import Path
from types import ModuleType


def package_of_this_name() -> ModuleType:
    """Import the package onnx, which this file hides."""
    folder, path = Path(__file__).resolve().parent, list(sys.path)
    sys.path[:] = [entry for entry in path if Path(entry or ".").resolve() != folder]
    sys.modules.pop("onnx", None)
    try:
        return importlib.import_module("onnx")
    finally:
        sys.path[:] = path


package_of_this_name()

if __name__ == "__main__":
    from onnx_side_by_side import main

    main()
