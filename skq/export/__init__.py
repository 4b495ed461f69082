"""Export integer programs: `to_c` writes C99, `to_onnx` an ONNX model."""

from typing import TYPE_CHECKING

from skq._lazy import lazily as _lazily

if TYPE_CHECKING:  # type checkers read these; `__getattr__` imports them at the first access
    from skq.export.c99.to_c import (
        to_c,
    )
    from skq.export.onnx_integer.to_onnx import (
        to_onnx,
    )

#: Public functions by the module that defines them; imported at the first access.
_NAMES = {"to_c": "skq.export.c99", "to_onnx": "skq.export.onnx_integer"}

__all__ = [
    "to_c",
    "to_onnx",
]


if not TYPE_CHECKING:  # else every name would be there for a type checker
    __getattr__ = _lazily(__name__, _NAMES)


def __dir__() -> list[str]:
    return sorted(__all__)
