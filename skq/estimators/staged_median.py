"""The first stages of AdaBoost whose prediction is a weighted median of trees.

A stage has the weights of its trees, zeros for those of later ones, and half of their sum as the
threshold. The trees themselves stay.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import numpy as np

from skq.frontend.equivalents.weight_boosting import median_weights
from skq.program import IntegerProgram, WeightedMedian
from skq.quantization.quantized_module import QuantizedModule


def has_median(module: QuantizedModule) -> bool:
    """Whether the predictions of a module are weighted medians."""
    return any(isinstance(step, WeightedMedian) for step in module.program.instructions)


def median_modules(module: QuantizedModule, estimator: Any) -> Iterator[QuantizedModule]:
    """The module after each stage; the last is the module itself.

    Parameters
    ----------
    module : QuantizedModule
        One of those that `has_median` tells.
    estimator : estimator
        With `estimator_weights_`.
    """
    program = module.program
    n_estimators = len(estimator.estimators_)
    for stage in range(1, n_estimators):
        first, threshold = median_weights(estimator.estimator_weights_[:stage])
        weights = np.zeros(n_estimators, dtype=np.int64)
        weights[:stage] = first
        instructions = tuple(
            replace(step, weights=weights, threshold=threshold)
            if isinstance(step, WeightedMedian)
            else step
            for step in program.instructions
        )
        staged = IntegerProgram(program.inputs, instructions, program.outputs)
        yield replace(module, program=staged)
    yield module
