"""Layers on features with several columns: one column for each digit of a code.

The code of a feature has ``n_columns * n_bits`` bits. It is split into digits of n bits, most
significant first, and each column of digits is multiplied by the integer weights on its own. The
sums are joined as ``(high << n_bits) + low``, so the scale of the weights of a column is
``2**n_bits`` times that of the next column. The result is that of the undivided codes, but all
factors have n bits.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from skq.bitpacking import Ints
from skq.program import (
    Add,
    Gather,
    IntegerProgram,
    MatMul,
    Maximum,
    Quantize,
    Requantize,
    Reshape,
    Sub,
)
from skq.quantization.lower.calibrated_program import CalibratedProgram
from skq.quantization.lower.context import Settings
from skq.quantization.lower.operands import Features, constant_integer
from skq.quantization.n_bits import MAX_N_BITS


def code_bits(settings: Settings, features: Features) -> int:
    """Width of the codes of features that a layer reads, over all their columns.

    It is at most 16. Features of more than one axis (images) have one column.
    """
    n_bits = features.n_bits or settings.n_bits["model_inputs"]
    if settings.discrete or features.n_bits or features.raw.ndim != 2:
        return n_bits
    return min(n_bits * (settings.columns or 1), max(n_bits, MAX_N_BITS))


def product(program: CalibratedProgram, settings: Settings, codes: int, weights: Ints) -> int:
    """``codes @ weights``, digit by digit where codes of features are wider than a column.

    Parameters
    ----------
    program : CalibratedProgram
    settings : Settings
    codes : int
        A value of the program.
    weights : ndarray of shape (n_in, n_out), integers

    Returns
    -------
    int
        The value of the sums.
    """
    n_bits = settings.n_bits["model_inputs"]
    if program.type(codes).bits <= n_bits or not _are_of_features(program, codes):
        return program.add(MatMul((codes,), weights))
    total: int | None = None
    for digit in _digits(program, codes, n_bits):
        part = program.add(MatMul((digit,), weights))
        if total is not None:
            part = program.add(Add((_shifted(program, total, n_bits), part)))
        total = part
    assert total is not None
    return total


def joined_sums(program: IntegerProgram) -> dict[int, int]:
    """For the product of each column of digits of a layer, the value of the layer's sums.

    Products that are layers by themselves are left out.
    """
    steps: dict[int, Any] = {number: step for number, step, _ in program.steps()}
    end: dict[int, int] = {}
    for number, step in steps.items():
        if not isinstance(step, Add):
            continue
        shifted, low = (steps.get(operand) for operand in step.inputs)
        if not (isinstance(shifted, Requantize) and isinstance(low, MatMul) and not shifted.shift):
            continue
        before = shifted.inputs[0]
        high = steps.get(before)
        if isinstance(high, MatMul) and np.array_equal(high.weights, low.weights):
            end[before] = end[step.inputs[1]] = number
        elif before in end.values():
            end = {product: number if at == before else at for product, at in end.items()}
            end[step.inputs[1]] = number
    return end


def _digits(program: CalibratedProgram, codes: int, n_bits: int) -> list[int]:
    """Digits of n bits, most significant first."""
    n_digits = -(-program.type(codes).bits // n_bits)
    digits, rest = [], codes
    one, zero = constant_integer(1), constant_integer(0)
    for position in range((n_digits - 1) * n_bits, 0, -n_bits):
        top = 2**n_bits - 1
        digit = program.add(Requantize((rest,), one, zero, position, 0, top))
        difference = program.add(Sub((rest, _shifted(program, digit, position))))
        rest = program.add(Requantize((difference,), one, zero, 0, 0, 2**position - 1))
        digits.append(digit)
    return [*digits, rest]


def _shifted(program: CalibratedProgram, value: int, n_bits: int) -> int:
    """``value << n_bits``."""
    lo, hi = program.type(value).interval
    factor, zero = constant_integer(2**n_bits), constant_integer(0)
    return program.add(Requantize((value,), factor, zero, 0, lo << n_bits, hi << n_bits))


def _are_of_features(program: CalibratedProgram, value: int) -> bool:
    """Whether a value holds codes of the float input, in any arrangement."""
    step: Any = program.step(value)
    if isinstance(step, Gather | Reshape | Maximum):
        return any(_are_of_features(program, operand) for operand in step.inputs)
    return isinstance(step, Quantize)
