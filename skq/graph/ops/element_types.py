"""ONNX's element types and the NumPy dtypes that hold them."""

from __future__ import annotations

from typing import Any

import numpy as np

from skq.exceptions import UnsupportedModelError

#: NumPy dtype by ``onnx.TensorProto.DataType``. Strings are object arrays, as in onnx itself.
#: The types that NumPy lacks (bfloat16, float8, 4-bit integers, complex) are not supported.
ELEMENT_TYPES: dict[int, np.dtype[Any]] = {
    code: np.dtype(name)
    for code, name in (
        (1, "float32"),
        (2, "uint8"),
        (3, "int8"),
        (4, "uint16"),
        (5, "int16"),
        (6, "int32"),
        (7, "int64"),
        (8, "object"),
        (9, "bool"),
        (10, "float16"),
        (11, "float64"),
        (12, "uint32"),
        (13, "uint64"),
    )
}

#: ``onnx.TensorProto.DataType`` by dtype name.
ELEMENT_TYPE_CODES: dict[str, int] = {dtype.name: code for code, dtype in ELEMENT_TYPES.items()}


def element_dtype(code: int) -> np.dtype[Any]:
    """Give the NumPy dtype of an ``onnx.TensorProto.DataType``.

    Raises
    ------
    UnsupportedModelError
        If NumPy has no such type.
    """
    if code not in ELEMENT_TYPES:
        names = ", ".join(sorted(ELEMENT_TYPE_CODES))
        raise UnsupportedModelError(
            f"ONNX element type {code} has no NumPy dtype. Supported: {names}."
        )
    return ELEMENT_TYPES[code]
