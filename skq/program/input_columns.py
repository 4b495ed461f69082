"""Programs that read more or fewer columns of their input, with the same results."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from skq.program.instructions import Bin, Gather, Instruction, Quantize
from skq.program.program import IntegerProgram
from skq.program.types import TensorType

Indices = NDArray[np.int64]


def widened(
    program: IntegerProgram, columns: Indices, n_features: int, unread_scale: float
) -> IntegerProgram:
    """The program for a wider input of which it reads some columns.

    Parameters
    ----------
    program : IntegerProgram
        Reads one row of floats, by Quantize and Bin.
    columns : ndarray of shape (n_columns,)
        Columns of the wider input that are those of the program's.
    n_features : int
        Columns of the wider input.
    unread_scale : float
        Scale of the columns that no later instruction reads. A Quantize covers them too; a Gather
        after it selects the others.
    """
    renumbered = [0]
    steps: list[Instruction] = []
    for _, step, _ in program.steps():
        reads_input = 0 in step.inputs
        step = replace(step, inputs=tuple(renumbered[i] for i in step.inputs))
        if reads_input:
            step = _wide_step(step, columns, n_features, unread_scale)
        steps.append(step)
        if reads_input and isinstance(step, Quantize):
            steps.append(Gather((len(steps),), columns))
        renumbered.append(len(steps))
    outputs = {name: renumbered[value] for name, value in program.outputs.items()}
    return IntegerProgram((TensorType((n_features,)),), tuple(steps), outputs)


def _wide_step(step: Any, columns: Indices, n_features: int, unread_scale: float) -> Instruction:
    if isinstance(step, Bin):
        return replace(step, feature=columns[step.feature.astype(np.int64)])
    assert isinstance(step, Quantize)  # no other instruction takes floats
    if step.scale.ndim == 0:
        return step
    scale = np.full(n_features, unread_scale)
    scale[columns] = step.scale
    zero_point = np.zeros(n_features, dtype=np.int64)
    zero_point[columns] = step.zero_point
    return replace(step, scale=scale, zero_point=zero_point)


def columns_read(program: IntegerProgram) -> Indices | None:
    """Columns of the one input of a program that its outputs depend on, rising.

    Returns
    -------
    ndarray of int64 or None
        None if it reads all of them, or reads anything but one row of floats.
    """
    if len(program.inputs) != 1 or len(program.inputs[0].shape) != 1:
        return None
    used: list[Indices] = []
    for number, step, _ in program.steps():
        if 0 not in step.inputs:
            continue
        if isinstance(step, Bin):
            used.append(step.feature.astype(np.int64))
            continue
        readers = _readers(program, number)
        gathers = [reader for reader in readers if isinstance(reader, Gather)]
        if len(gathers) < len(readers) or number in program.outputs.values():
            return None
        used += [gather.indices[gather.indices >= 0].astype(np.int64) for gather in gathers]
    columns = np.unique(np.concatenate([[], *used])).astype(np.int64)
    return columns if len(columns) < program.inputs[0].shape[0] else None


def narrowed(program: IntegerProgram, columns: Indices) -> IntegerProgram:
    """The program for the columns that `columns_read` gives, in their order."""
    steps: list[Instruction] = []
    codes: set[int] = set()
    for number, step, _ in program.steps():
        if 0 in step.inputs and isinstance(step, Bin):
            step = replace(step, feature=np.searchsorted(columns, step.feature))
        elif 0 in step.inputs and isinstance(step, Quantize):
            codes.add(number)
            if step.scale.ndim:
                scale, zero_point = step.scale[columns], step.zero_point[columns]
                step = replace(step, scale=scale, zero_point=zero_point)
        elif isinstance(step, Gather) and step.inputs[0] in codes:
            position = np.searchsorted(columns, step.indices)
            step = replace(step, indices=np.where(step.indices < 0, -1, position))
        steps.append(step)
    types = (TensorType((len(columns),)),)
    return IntegerProgram(types, tuple(steps), program.outputs)


def _readers(program: IntegerProgram, number: int) -> list[Instruction]:
    return [step for _, step, _ in program.steps() if number in step.inputs]
