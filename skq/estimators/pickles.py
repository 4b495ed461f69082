"""What the pickle of a fitted estimator holds: little more than that of its parent.

- The quantized module is packed (`skq.serialization.packed_pickle`). Arrays of the float graph
  that the parent has too, as the weights of layers, are not repeated.
- The calibration rows that a later ``partial_fit`` or ``warm_start`` would use are reduced to a
  few, as the module is built already; the ranges of all rows stay. Where it is not built yet, all
  rows are pickled.

Copies (``copy.deepcopy``) keep all rows, and share the module, which never changes.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from copy import deepcopy
from typing import Any

import numpy as np
from numpy.typing import NDArray

from skq.estimators.pending import PendingData
from skq.quantization.quantized_module import QuantizedModule

Array = NDArray[Any]

#: Most bytes of calibration rows in a pickle, or this share of the bytes of the parent's arrays.
ROWS_BYTES, ROWS_SHARE = 8192, 0.05

#: Objects inside of each other in which arrays of the parent are looked for.
_DEPTH = 8


class InPickle:
    """A value of an estimator's state that a pickle holds in another form, and a copy as it is.

    Parameters
    ----------
    value : object
    reduced : callable
        Gives what ``__reduce__`` returns for the value.
    """

    def __init__(self, value: Any, reduced: Callable[[Any], Any]) -> None:
        self.value, self._reduced = value, reduced

    def __reduce__(self) -> Any:
        return self._reduced(self.value)

    def __deepcopy__(self, memo: dict[int, Any]) -> Any:
        return deepcopy(self.value, memo)


def packed_state(state: dict[str, Any]) -> dict[str, Any]:
    """The state of an estimator for pickles and copies.

    Parameters
    ----------
    state : dict
        Its attributes.
    """
    module = state.get("quantized_module_")
    if not isinstance(module, QuantizedModule):
        return state
    others = {k: v for k, v in state.items() if k not in ("quantized_module_", "_pending")}
    held = list(_arrays(others, _DEPTH, set()))
    packed = {**state, "quantized_module_": InPickle(module, lambda m: m._reduced_with(held))}
    if isinstance(state.get("_pending"), PendingData):
        n_bytes = max(ROWS_BYTES, int(ROWS_SHARE * sum(array.nbytes for array in held)))
        packed["_pending"] = InPickle(state["_pending"], lambda p: p.reduced_to(n_bytes))
    return packed


def plain_state(state: dict[str, Any]) -> dict[str, Any]:
    """The attributes of an estimator from what `packed_state` returned."""
    return {k: v.value if isinstance(v, InPickle) else v for k, v in state.items()}


def _arrays(value: Any, depth: int, seen: set[int]) -> Iterator[Array]:
    """Arrays in a value: in lists, tuples, dicts and attributes."""
    if type(value) is np.ndarray and value.dtype != object:
        if id(value) not in seen:
            seen.add(id(value))
            yield value
        return
    if isinstance(value, str | bytes | int | float | np.ndarray | type | None) or depth == 0:
        return
    if id(value) in seen:
        return
    seen.add(id(value))
    if isinstance(value, dict):
        inner = list(value.values())
    elif isinstance(value, list | tuple):
        inner = list(value)
    else:
        inner = list(getattr(value, "__dict__", {}).values())
    for item in inner:
        yield from _arrays(item, depth - 1, seen)
