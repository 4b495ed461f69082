"""Predictions on the engines of large data: Dask, Spark, Ray and Arrow.

`predict` hands a model to an engine that is there already. Each engine is imported when it is
used; a loaded model needs NumPy alone, so workers need no training stack.
"""

from typing import TYPE_CHECKING

from skq._lazy import lazily as _lazily

if TYPE_CHECKING:  # type checkers read these; `__getattr__` imports them when first asked for
    from skq.distributed.dispatch import (
        predict,
    )

#: Public functions by the module that defines them; imported at the first access.
_NAMES = {"predict": "skq.distributed.dispatch"}

__all__ = [
    "predict",
]


if not TYPE_CHECKING:  # else every name would be there for a type checker
    __getattr__ = _lazily(__name__, _NAMES)


def __dir__() -> list[str]:
    return sorted(__all__)
