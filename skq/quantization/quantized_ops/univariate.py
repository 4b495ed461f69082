"""Functions of single elements, defined by one table: each becomes a table of integers.

A class for each: ``QuantizedTanh`` is the quantized operator of ONNX's ``Tanh``, and so on.
"""

from __future__ import annotations

from skq.quantization.base_quantized_op import QuantizedOpUnivariateOfEncrypted, quantizes

#: ONNX operator -> description of its result.
UNIVARIATE = {
    "Abs": "``|x|``",
    "Acos": "``arccos(x)``",
    "Acosh": "``arcosh(x)``",
    "Asin": "``arcsin(x)``",
    "Asinh": "``arsinh(x)``",
    "Atan": "``arctan(x)``",
    "Atanh": "``artanh(x)``",
    "Celu": "``max(x, 0) + min(alpha * (exp(x / alpha) - 1), 0)``",
    "Cos": "``cos(x)``",
    "Cosh": "``cosh(x)``",
    "Elu": "``x`` where it is positive, else ``alpha * (exp(x) - 1)``",
    "Erf": "the error function",
    "Exp": "``exp(x)``",
    "HardSwish": "``x * clip(x / 6 + 1 / 2, 0, 1)``",
    "LeakyRelu": "``x`` where it is not negative, else ``alpha * x``",
    "Log": "``log(x)``",
    "PRelu": "``x`` where it is not negative, else ``slope * x``",
    "Mod": "the remainder of ``x / y``, one of them constant",
    "Pow": "``x ** y``, one of them constant",
    "Reciprocal": "``1 / x``",
    "Selu": "``gamma * elu(x, alpha)``",
    "Sigmoid": "``1 / (1 + exp(-x))``",
    "Sin": "``sin(x)``",
    "Sinh": "``sinh(x)``",
    "Softplus": "``log(1 + exp(x))``",
    "Sqrt": "``sqrt(x)``",
    "Tan": "``tan(x)``",
    "Tanh": "``tanh(x)``",
    "ThresholdedRelu": "``x`` where it is above ``alpha``, else 0",
}

#: Functions that are applied to dequantized scores where they end a model.
_LINKS = ("Exp", "Log", "Sigmoid")

for _op_type, _meaning in UNIVARIATE.items():
    _name = f"Quantized{_op_type}"
    _members = {
        "__doc__": f"{_meaning}, as a table.",
        "__module__": __name__,
        "is_link": _op_type in _LINKS,
        "follows_link": _op_type == "Abs",
        "jumps": _op_type == "Mod",
        "tells_integers_apart": _op_type == "Mod",
    }
    _class = type(_name, (QuantizedOpUnivariateOfEncrypted,), _members)
    globals()[_name] = quantizes(_op_type)(_class)
