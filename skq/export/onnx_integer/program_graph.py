"""An integer program as ONNX nodes, by one rule for each instruction."""

from __future__ import annotations

from collections.abc import Mapping

from skq.export.onnx_integer.builder import GraphBuilder, Value
from skq.export.onnx_integer.quantizers import storage_dtype
from skq.export.onnx_integer.rules import Rule
from skq.program import IntegerProgram
from skq.program import instructions as ins


def add_program(
    g: GraphBuilder,
    program: IntegerProgram,
    inputs: list[Value],
    rules: Mapping[type[ins.Instruction], Rule],
) -> dict[str, Value]:
    """Append the nodes of a program and return its outputs by name.

    A value without elements, or whose proven interval is one number, needs no operands: it becomes
    rows of that number.
    """
    first = len(program.inputs)
    values: dict[int, Value] = dict(enumerate(inputs))
    for number in _needed(program):
        step, type_ = program.instructions[number - first], program.types[number]
        if _is_constant(program, number):
            lo = type_.lo if type_.lo is not None else 0
            dtype = storage_dtype(type_) if type_.is_integer else "float64"
            values[number] = g.full(type_.shape, lo, dtype)
            continue
        types = [program.types[operand] for operand in step.inputs]
        operands = [values[operand] for operand in step.inputs]
        values[number] = rules[type(step)](g, step, types, type_, *operands)
    return {name: values[number] for name, number in program.outputs.items()}


def _needed(program: IntegerProgram) -> list[int]:
    """Numbers of the values to compute, in order."""
    first = len(program.inputs)
    needed = set(program.outputs.values())
    for number in range(len(program.types) - 1, first - 1, -1):
        if number in needed and not _is_constant(program, number):
            needed.update(program.instructions[number - first].inputs)
    return sorted(number for number in needed if number >= first)


def _is_constant(program: IntegerProgram, number: int) -> bool:
    type_ = program.types[number]
    return type_.size == 0 or (type_.is_integer and type_.lo == type_.hi)
