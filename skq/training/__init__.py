"""Training for few bits: quantization-aware training of torch modules.

torch is imported at the first access of a name, not with this package.

================= ==========================================================
name              what it does
================= ==========================================================
`prepare_qat`     puts fake quantizers into a torch module
`convert_qat`     makes a `QuantizedModule` of the trained module
`QATSchedule`     turns observers and fake quantization on and off by step
`calibrating`     context in which a module only observes
================= ==========================================================
"""

from importlib import import_module as _import_module
from typing import TYPE_CHECKING
from typing import Any as _Any

if TYPE_CHECKING:  # type checkers read these; `__getattr__` imports them when first asked for
    from skq.training.convert import (
        convert_qat,
    )
    from skq.training.prepare import (
        prepare_qat,
    )
    from skq.training.schedule import (
        QATSchedule,
        calibrating,
    )

_NAMES = {
    "QATSchedule": "skq.training.schedule",
    "calibrating": "skq.training.schedule",
    "convert_qat": "skq.training.convert",
    "prepare_qat": "skq.training.prepare",
}

__all__ = [
    "QATSchedule",
    "calibrating",
    "convert_qat",
    "prepare_qat",
]


if not TYPE_CHECKING:  # else every name would be there for a type checker

    def __getattr__(name: str) -> _Any:
        if name in _NAMES:
            return getattr(_import_module(_NAMES[name]), name)
        raise AttributeError(f"module 'skq.training' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted(_NAMES)
