"""Arithmetic and mathematical functions, element by element, with NumPy's broadcasting."""

from __future__ import annotations

from functools import reduce
from typing import Any

import numpy as np
from numpy.typing import NDArray

from skq.graph.ops.binding import Implementation, numpy_op
from skq.graph.ops.result_types import with_type_of

Array = NDArray[Any]


def erf(x: Array) -> Array:
    """The error function; SciPy is imported where a graph computes it."""
    from scipy import special

    return np.asarray(special.erf(x))


#: Functions that NumPy or SciPy has under another name; the result has the dtype of a float input.
UNARY_FUNCTIONS: dict[str, Implementation] = {
    "Abs": np.abs,
    "Acos": np.arccos,
    "Acosh": np.arccosh,
    "Asin": np.arcsin,
    "Asinh": np.arcsinh,
    "Atan": np.arctan,
    "Atanh": np.arctanh,
    "Ceil": np.ceil,
    "Cos": np.cos,
    "Cosh": np.cosh,
    "Erf": erf,
    "Exp": np.exp,
    "Floor": np.floor,
    "Log": np.log,
    "Neg": np.negative,
    "Reciprocal": lambda x: 1 / x,
    "Round": np.rint,
    "Sign": np.sign,
    "Sin": np.sin,
    "Sinh": np.sinh,
    "Sqrt": np.sqrt,
    "Tan": np.tan,
    "Tanh": np.tanh,
}

#: Functions of two arrays of one dtype.
BINARY_FUNCTIONS: dict[str, Implementation] = {
    "Add": np.add,
    "Mul": np.multiply,
    "Sub": np.subtract,
}

#: Functions of one or more arrays of one dtype, taken from left to right.
VARIADIC_FUNCTIONS: dict[str, Implementation] = {
    "Max": np.maximum,
    "Min": np.minimum,
    "Sum": np.add,
}


def _register_unary(name: str, function: Implementation) -> None:
    @numpy_op(name)
    def unary(x: Array) -> Array:
        return with_type_of(x, function(x))

    unary.__qualname__ = unary.__name__ = name.lower()


def _register_binary(name: str, function: Implementation) -> None:
    @numpy_op(name)
    def binary(a: Array, b: Array) -> Array:
        return np.asarray(function(a, b))

    binary.__qualname__ = binary.__name__ = name.lower()


def _register_variadic(name: str, function: Implementation) -> None:
    @numpy_op(name)
    def variadic(first: Array, *others: Array) -> Array:
        return reduce(function, others, first)

    variadic.__qualname__ = variadic.__name__ = name.lower()


for _name, _function in UNARY_FUNCTIONS.items():
    _register_unary(_name, _function)
for _name, _function in BINARY_FUNCTIONS.items():
    _register_binary(_name, _function)
for _name, _function in VARIADIC_FUNCTIONS.items():
    _register_variadic(_name, _function)


@numpy_op("Identity")
def identity(x: Array) -> Array:
    """Return the input."""
    return x


@numpy_op("Mean")
def mean(first: Array, *others: Array) -> Array:
    """Mean of the inputs, element by element."""
    total = np.asarray(reduce(np.add, others, first))
    return with_type_of(total, total / (1 + len(others)))


@numpy_op("Div")
def div(a: Array, b: Array) -> Array:
    """Divide; integers by integers towards zero, as in C."""
    if not np.issubdtype(np.result_type(a, b), np.integer):
        return np.divide(a, b)
    quotient, remainder = np.divmod(a, b)
    rounded_down = (remainder != 0) & ((a < 0) != (b < 0))
    return (quotient + rounded_down).astype(a.dtype, copy=False)


@numpy_op("Mod")
def mod(a: Array, b: Array, *, fmod: int = 0) -> Array:
    """Remainder with the sign of the divisor, or with ``fmod`` with that of the dividend."""
    return np.asarray((np.fmod if fmod else np.mod)(a, b))


@numpy_op("Pow")
def power(x: Array, exponent: Array) -> Array:
    """Raise ``x`` to a power; the result has the dtype of ``x``."""
    if np.issubdtype(exponent.dtype, np.signedinteger) and np.any(exponent < 0):
        exponent = exponent.astype(np.float64)
    return np.asarray(np.power(x, exponent)).astype(x.dtype, copy=False)
