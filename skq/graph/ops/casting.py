"""Cast and the constants: operators whose attributes decide the dtype of the result."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from skq.exceptions import ConversionError, UnsupportedModelError
from skq.graph.ops.binding import Implementation, numpy_op
from skq.graph.ops.element_types import element_dtype

Array = NDArray[Any]

#: Attribute of Constant -> dtype of the array that it makes (None: that of the tensor).
CONSTANT_DTYPES: dict[str, Any] = {
    "value": None,
    "value_float": np.float32,
    "value_floats": np.float32,
    "value_int": np.int64,
    "value_ints": np.int64,
    "value_string": object,
    "value_strings": object,
}


def _bind_cast(attributes: Mapping[str, Any], _n_outputs: int) -> Implementation:
    element_dtype(attributes["to"])
    return partial(cast, **attributes)


@numpy_op("Cast", bind=_bind_cast)
def cast(x: Array, *, to: int, saturate: int = 1) -> Array:
    """Convert to the ONNX element type ``to``; floats are truncated towards zero for integers.

    ``saturate`` concerns 8-bit floats only, which are not supported, and changes nothing here.
    """
    dtype = element_dtype(to)
    if dtype.hasobject:
        return x.astype(str).astype(object)
    return x.astype(dtype)


def _bind_constant(attributes: Mapping[str, Any], _n_outputs: int) -> Implementation:
    array = constant(**attributes)
    return lambda: array


@numpy_op("Constant", bind=_bind_constant)
def constant(**attributes: Any) -> Array:
    """Make an array of the one attribute given, which is one of `CONSTANT_DTYPES`."""
    if len(attributes) != 1:
        raise ConversionError(
            f"Constant takes exactly one of {', '.join(CONSTANT_DTYPES)}. "
            f"Got {sorted(attributes)} instead."
        )
    ((name, value),) = attributes.items()
    if name not in CONSTANT_DTYPES:
        raise UnsupportedModelError(
            f"Constant's attribute must be one of {', '.join(CONSTANT_DTYPES)}. Got {name!r}; "
            f"store the constant as a dense tensor."
        )
    return np.asarray(value, dtype=CONSTANT_DTYPES[name])


@numpy_op("ConstantOfShape")
def constant_of_shape(shape: Array, value: Array | None = None) -> Array:
    """Fill a shape with the single element of ``value``, by default the float32 0."""
    fill = np.zeros(1, np.float32) if value is None else np.asarray(value)
    return np.full(tuple(shape), fill.reshape(()), dtype=fill.dtype)
