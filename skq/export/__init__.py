"""Integer programs for other runtimes: `to_c` writes C99, `to_onnx` an ONNX model."""

from importlib import import_module as _import_module
from typing import Any as _Any

#: Public functions by the module that defines them; imported at the first access.
_NAMES = {"to_c": "skq.export.c99", "to_onnx": "skq.export.onnx_integer"}

__all__ = sorted(_NAMES)


def __getattr__(name: str) -> _Any:
    if name in _NAMES:
        return getattr(_import_module(_NAMES[name]), name)
    raise AttributeError(f"module 'skq.export' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted(__all__)
