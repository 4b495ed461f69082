"""The integer program in other languages: C99 source for microcontrollers, ONNX models."""

from __future__ import annotations

from importlib import import_module
from typing import Any

_HOMES = {"to_c": "skq.export.c99", "to_onnx": "skq.export.onnx"}

__all__ = ["to_c", "to_onnx"]


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(_HOMES[name]), name)


def __dir__() -> list[str]:
    return sorted(__all__)
