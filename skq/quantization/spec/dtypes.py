"""Dtypes of codes: their names, widths, storage and ranges.

================ ====== ==================== ====================== =======================
dtype            bits   storage              range                  with clipping
================ ====== ==================== ====================== =======================
intN             N      int8 up to 8 bits    -2**(N-1) … 2**(N-1)-1 1-2**(N-1) … 2**(N-1)-1
uintN            N      uint8 up to 8 bits   0 … 2**N - 1           0 … 2**N - 1
float8_e4m3fn    8      the same             ±448                   not allowed
float8_e5m2      8      the same             ±57344                 not allowed
float4_e2m1fn_x2 4      float8_e4m3fn        ±6                     not allowed
================ ====== ==================== ====================== =======================
"""

from __future__ import annotations

import re
from typing import Any

import torch

from skq.quantization.spec.errors import ValidationError
from skq.quantization.spec.qscheme import QuantizationScheme

#: Other names of dtypes.
ALIASES = {
    "float4_e2m1fn": "float4_e2m1fn_x2",
    "float8_e4m3": "float8_e4m3fn",
    "float8_e8m0": "float8_e8m0fnu",
}

#: Dtypes that a spec accepts, where the installed torch has them.
SUPPORTED_NAMES = (
    "int2",
    "int4",
    "int8",
    "uint2",
    "uint4",
    "uint8",
    "float8_e4m3fn",
    "float8_e5m2",
    "float4_e2m1fn_x2",
)

FLOAT4 = getattr(torch, "float4_e2m1fn_x2", None)
E8M0 = getattr(torch, "float8_e8m0fnu", None)
#: Largest magnitude of float4_e2m1fn.
FLOAT4_MAX = 6.0


def supported_dtypes() -> set[Any]:
    """Return the dtypes of `SUPPORTED_NAMES` that the installed torch has."""
    return {getattr(torch, name) for name in SUPPORTED_NAMES if hasattr(torch, name)}


def parse_dtype(value: Any) -> Any:
    """Return the torch dtype of a name or a dtype.

    Raises
    ------
    ValidationError
        If torch has no such dtype.

    Examples
    --------
    >>> parse_dtype("uint4"), parse_dtype("float8_e4m3")
    (torch.uint4, torch.float8_e4m3fn)
    """
    if isinstance(value, torch.dtype):
        return value
    if isinstance(value, str):
        found = getattr(torch, ALIASES.get(value, value), None)
        if isinstance(found, torch.dtype):
            return found
    raise ValidationError(
        f"Unsupported dtype {value!r}: expected a torch dtype or its name, such as 'int4'."
    )


def dtype_name(dtype: Any) -> str:
    """Return the name of a dtype, which `parse_dtype` reads.

    Examples
    --------
    >>> dtype_name(torch.int4)
    'int4'
    """
    return str(dtype).removeprefix("torch.")


def is_float(dtype: Any) -> bool:
    """Whether codes are floating-point numbers: they have a scale and no zero point."""
    return bool(dtype.is_floating_point)


def n_bits_of(dtype: Any) -> int:
    """Return the bits of a code.

    Examples
    --------
    >>> n_bits_of(torch.int2), n_bits_of(torch.float4_e2m1fn_x2), n_bits_of(torch.bfloat16)
    (2, 4, 16)
    """
    dtype = parse_dtype(dtype)
    integer = re.fullmatch(r"u?int(\d+)", dtype_name(dtype))
    if integer:
        return int(integer[1])
    if not is_float(dtype):
        raise ValidationError(f"Unsupported dtype {dtype}: it is neither an integer nor a float.")
    return 4 if dtype == FLOAT4 else 8 * dtype.itemsize


def storage_of(dtype: Any) -> Any:
    """Return the dtype that stores codes: one byte for codes of at most 8 bits.

    Examples
    --------
    >>> storage_of(torch.int4), storage_of(torch.uint2), storage_of(torch.float4_e2m1fn_x2)
    (torch.int8, torch.uint8, torch.float8_e4m3fn)
    """
    dtype = parse_dtype(dtype)
    if dtype == FLOAT4:
        return torch.float8_e4m3fn
    name = dtype_name(dtype)
    if re.fullmatch(r"u?int[1-8]", name):
        return torch.uint8 if name.startswith("u") else torch.int8
    return dtype


def code_range_of(
    dtype: Any, qscheme: QuantizationScheme, n_bits: int | None = None
) -> tuple[int, int] | tuple[float, float]:
    """Return the least and the greatest code.

    Examples
    --------
    >>> code_range_of(torch.int4, QuantizationScheme.SYMMETRIC)
    (-8, 7)
    >>> code_range_of(torch.int4, QuantizationScheme.SYMMETRIC_WITH_CLIPPING)
    (-7, 7)
    >>> code_range_of(torch.float8_e5m2, QuantizationScheme.SYMMETRIC)
    (-57344.0, 57344.0)
    """
    dtype = parse_dtype(dtype)
    n_bits = n_bits_of(dtype) if n_bits is None else n_bits
    if is_float(dtype):
        greatest = FLOAT4_MAX if dtype == FLOAT4 else float(torch.finfo(dtype).max)
        return -greatest, greatest
    if dtype_name(dtype).startswith("u"):
        return 0, 2**n_bits - 1
    greatest_code = 2 ** (n_bits - 1) - 1
    if qscheme is QuantizationScheme.SYMMETRIC_WITH_CLIPPING:
        return -greatest_code, greatest_code
    return -greatest_code - 1, greatest_code
