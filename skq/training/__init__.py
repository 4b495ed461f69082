"""Training for few bits: quantization-aware training of torch modules.

torch is imported at the first access of a name, not with this package.

================= ==========================================================
name              what it does
================= ==========================================================
`prepare_qat`     inserts fake quantizers into a torch module
`convert_qat`     converts the trained module to a `QuantizedModule`
`QATSchedule`     turns observers and fake quantization on and off by step
`calibrating`     context in which a module only observes
================= ==========================================================
"""

from typing import TYPE_CHECKING

from skq._lazy import lazily as _lazily

if TYPE_CHECKING:  # type checkers read these; `__getattr__` imports them at the first access
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
    __getattr__ = _lazily(__name__, _NAMES)


def __dir__() -> list[str]:
    return sorted(_NAMES)
