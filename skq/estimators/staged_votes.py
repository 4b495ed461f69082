"""The first stages of AdaBoost whose base estimators vote, from the program of all of them.

The decision of the first base estimators is the weighted sum of their votes over the sum of their
weights. Votes are bits, of which a MatMul makes the sum, so a stage has zeros for the weights of
later base estimators. What the sum starts from is the decision of all weights for the first
class, and shrinks with the share of the weight so far; the decisions grow by its inverse.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import numpy as np

from skq.frontend.equivalents.weight_boosting import is_tree
from skq.program import Dequantize, IntegerProgram, MatMul, Requantize, Reshape
from skq.program.instructions import Instruction
from skq.quantization.quantized_module import QuantizedModule


def has_votes(estimator: Any) -> bool:
    """Whether an estimator is AdaBoost of base estimators that are not all trees."""
    if not hasattr(estimator, "estimator_weights_"):
        return False
    return not all(is_tree(base_estimator) for base_estimator in estimator.estimators_)


def vote_modules(module: QuantizedModule, estimator: Any) -> Iterator[QuantizedModule]:
    """The module after each stage; the last is the module itself.

    Parameters
    ----------
    module : QuantizedModule
    estimator : estimator
        An estimator for which `has_votes` is True.
    """
    matmuls = [n for n, step, _ in module.program.steps() if isinstance(step, MatMul)]
    n_estimators = len(estimator.estimators_)
    weight = estimator.estimator_weights_
    for stage in range(1, n_estimators):
        share = float(weight[:stage].sum() / weight.sum())
        program = _first_votes(module.program, matmuls[-1], stage / n_estimators, share)
        yield replace(module, program=program)
    yield module


def _first_votes(program: IntegerProgram, number: int, part: float, share: float) -> IntegerProgram:
    """The program with the first part of the rows of a MatMul, and this share of the weight."""
    sums = {number}  # the MatMul, and other shapes of it
    steps: list[Instruction] = []
    for n, step, _ in program.steps():
        if n == number:
            assert isinstance(step, MatMul)
            weights = step.weights.astype(np.int64)
            weights[round(part * len(weights)) :] = 0
            step = replace(step, weights=weights)
        elif isinstance(step, Reshape) and step.inputs[0] in sums:
            sums.add(n)
        elif isinstance(step, Requantize) and step.inputs[0] in sums:
            offset = np.rint(np.asarray(step.offset) * share).astype(np.int64)
            step = replace(step, offset=offset)
        elif isinstance(step, Dequantize):
            step = replace(step, scale=step.scale / share, zero_point=step.zero_point * share)
        steps.append(step)
    return IntegerProgram(program.inputs, tuple(steps), program.outputs)
