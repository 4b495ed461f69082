"""`CalibratedProgram`: a program under construction, run on the calibration rows."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields
from typing import Any

import numpy as np

from skq.engines.numpy_engine import execute
from skq.exceptions import AccumulatorOverflowError
from skq.numerics import fixed_point
from skq.program import (
    Dequantize,
    Gather,
    Instruction,
    ProgramBuilder,
    Requantize,
    TensorType,
)
from skq.quantization.lower.operands import Array, Features, QuantizedTensor


class CalibratedProgram:
    """A program under construction.

    Attributes
    ----------
    builder : ProgramBuilder
    node_name : str
        Name of the graph's node that is lowered.
    """

    def __init__(self) -> None:
        self.builder = ProgramBuilder()
        self.node_name = ""
        self._node_names: dict[int, str] = {}
        self._samples: dict[int, Array] = {}
        self._steps: dict[int, Instruction] = {}
        self._numbers: dict[tuple[Any, ...], int] = {}

    def input(
        self,
        raw: Array,
        lo: Array,
        hi: Array,
        *,
        has_missing: bool = False,
        is_whole: bool = False,
        n_bits: int | None = None,
    ) -> Features:
        """Declare a float input; see `Features`."""
        value = self.builder.input(TensorType(raw.shape[1:]))
        self._samples[value] = raw
        return Features(value, raw, lo, hi, has_missing, is_whole=is_whole, n_bits=n_bits)

    def codes_input(
        self, codes: Array, lo: int, hi: int, scale: Array, zero_point: Array
    ) -> QuantizedTensor:
        """Declare an input of integers in [lo, hi], with what they are on the calibration rows."""
        value = self.builder.input(TensorType(codes.shape[1:], lo, hi))
        self._samples[value] = np.asarray(codes, dtype=np.int64)
        return QuantizedTensor(value, scale, zero_point)

    def add(self, instruction: Instruction) -> int:
        """Append an instruction, unless it is there already; return the number of its value."""
        key = _contents(instruction)
        if key not in self._numbers:
            self._numbers[key] = self.builder.add(instruction)
            self._steps[self._numbers[key]] = instruction
            self._node_names[self._numbers[key]] = self.node_name
        return self._numbers[key]

    def node_names(self, outputs: Mapping[str, int]) -> tuple[str, ...]:
        """Name of the node of each instruction of the program that `outputs` need."""
        return tuple(self._node_names[number] for number in self.builder.needed(outputs))

    def type(self, value: int) -> TensorType:
        """Type of a value."""
        return self.builder.types[value]

    def step(self, value: int) -> Instruction | None:
        """The instruction of a value; None for inputs."""
        return self._steps.get(value)

    def sample(self, value: int) -> Array:
        """Integers of a value on the calibration rows; computed at the first access."""
        if value not in self._samples:
            step = self._steps[value]
            operands = [self.sample(operand) for operand in step.inputs]
            types = [self.type(operand) for operand in step.inputs]
            sample = execute(step, types, self.builder.types[value], operands)
            if isinstance(step, Gather):  # cheap to do again, and large for a convolution
                return sample
            self._samples[value] = sample
        return self._samples[value]

    def requantize(
        self, x: QuantizedTensor, scale: Array, zero_point: Array, lo: int, hi: int
    ) -> int:
        """Append a `Requantize` of a plain tensor to ``(q - zero_point) * scale`` in [lo, hi].

        Raises
        ------
        AccumulatorOverflowError
            If no multiplier and offset fit into 63 bits.
        """
        ratio = x.scale / scale
        addend = zero_point - x.zero_point * ratio
        try:
            multiplier, offset, shift = fixed_point(ratio, addend, *self.type(x.value).interval)
        except OverflowError as error:
            remedy = (
                "use fewer bits (n_bits)"
                if np.isfinite(addend).all()
                else "the features are too small or too large for float64 scales: standardize them"
            )
            raise AccumulatorOverflowError(f"requantization: {error}; {remedy}") from None
        return self.add(Requantize((x.value,), multiplier, offset, shift, lo, hi))

    def dequantize(self, x: QuantizedTensor) -> int:
        """The float value of a plain tensor without a view."""
        shape = np.broadcast_shapes(np.shape(x.scale), np.shape(x.zero_point))
        scale = np.broadcast_to(np.asarray(x.scale, np.float64), shape).copy()
        zero_point = np.broadcast_to(np.asarray(x.zero_point, np.float64), shape).copy()
        return self.add(Dequantize((x.value,), scale, zero_point))


def _contents(instruction: Instruction) -> tuple[Any, ...]:
    """Key that identifies an instruction."""
    contents = (
        (v.shape, v.dtype.str, v.tobytes()) if isinstance(v, np.ndarray) else v
        for v in (getattr(instruction, field.name) for field in fields(instruction))
    )
    return (type(instruction), *contents)
