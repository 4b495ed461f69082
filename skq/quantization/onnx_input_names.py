"""ONNX's own names of inputs, where those of the NumPy implementations differ."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

#: Names of the inputs from the second on, where lower case does not make them ours.
_NAMES: dict[str, tuple[str, ...]] = {
    "BatchNormalization": ("scale", "B", "input_mean", "input_var"),
    "Clip": ("min", "max"),
    "Conv": ("W", "B"),
    "ConvTranspose": ("W", "B"),
    "DequantizeLinear": ("x_scale", "x_zero_point"),
    "InstanceNormalization": ("scale", "B"),
    "LayerNormalization": ("Scale", "B"),
    "Pow": ("Y",),
    "QuantizeLinear": ("y_scale", "y_zero_point"),
    "Split": ("split",),
}

#: Names that ONNX gives to first inputs.
_FIRST = frozenset({"X", "input", "data", "data_0"})


def position_by_onnx_name(op_type: str, name: Any, ours: Sequence[str]) -> int | None:
    """Position of an input that ONNX's specification calls `name`; None where there is none.

    Parameters
    ----------
    op_type : str
        ONNX's operator.
    name : object
    ours : sequence of str
        Names of the NumPy implementation, inputs first.

    Examples
    --------
    >>> ours = ["x", "scale", "bias", "mean", "variance"]
    >>> position_by_onnx_name("BatchNormalization", "input_mean", ours)
    3
    """
    if not isinstance(name, str):
        return None
    names = _NAMES.get(op_type, ())
    if name in names:
        return names.index(name) + 1
    if len(name) == 1 and name.lower() in ours:
        return ours.index(name.lower())
    return 0 if name in _FIRST else None
