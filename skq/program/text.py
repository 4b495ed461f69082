"""Readable text of a program: a line for each instruction, with type, interval and bit width."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import fields
from typing import Any

import numpy as np

from skq.numerics import integer_dtype
from skq.program.instructions import Instruction, Trees
from skq.program.types import TensorType


def program_lines(
    inputs: Iterable[TensorType],
    steps: Iterable[tuple[int, Instruction, TensorType]],
    outputs: Mapping[str, int],
) -> list[str]:
    """Lines of a program, as ``print(program)`` shows them after its first line.

    A line looks like ``%3 = MatMul(%2, weights=int8[30, 1])   int32[1] in [-9, 9] (5 bits)``.

    Parameters
    ----------
    inputs : iterable of TensorType
    steps : iterable of (int, Instruction, TensorType)
        Value number, instruction and type of its result, in order.
    outputs : mapping of str to int
        Value number by output name.
    """
    rows = [(f"%{i} = input", str(type_)) for i, type_ in enumerate(inputs)]
    for number, instruction, type_ in steps:
        operands = [f"%{operand}" for operand in instruction.inputs]
        rows.append(
            (
                f"%{number} = {type(instruction).__name__}"
                f"({', '.join(operands + _details(instruction))})",
                str(type_),
            )
        )
    width = max((len(left) for left, _ in rows), default=0)
    lines = [f"{left:<{width}}  : {right}" for left, right in rows]
    return lines + [f"output {name} = %{value}" for name, value in outputs.items()]


def _details(instruction: Instruction) -> list[str]:
    if isinstance(instruction, Trees):
        leaves = len(instruction.leaf_values)
        return [
            f"trees={len(instruction.roots)}",
            f"nodes={len(instruction.feature)}",
            f"leaves={leaves}x{instruction.width}",
        ]
    names = [field.name for field in fields(instruction) if field.name != "inputs"]
    return [f"{name}={_value(getattr(instruction, name))}" for name in names]


def _value(value: Any) -> str:
    if not isinstance(value, np.ndarray):
        return str(value)
    if value.ndim == 0:
        return f"{value.item():.6g}" if value.dtype.kind == "f" else str(value.item())
    dtype = value.dtype.name
    if value.dtype.kind in "iu" and value.size:
        dtype = integer_dtype(int(value.min()), int(value.max()))
    return f"{dtype}{list(value.shape)}"
