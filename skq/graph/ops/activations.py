"""Activation functions. Each result has the dtype of its input."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any

import numpy as np
from numpy.typing import NDArray

from skq.graph.ops.binding import Implementation, numpy_op
from skq.graph.ops.result_types import with_type_of

Array = NDArray[Any]

#: Constants of "Self-Normalizing Neural Networks" (arXiv:1706.02515), as ONNX rounds them.
SELU_ALPHA = 1.67326319217681884765625
SELU_GAMMA = 1.05070102214813232421875


def activation(name: str) -> Callable[[Implementation], Implementation]:
    """Register an operator whose result takes the dtype of its first input."""

    def register(function: Implementation) -> Implementation:
        @wraps(function)
        def with_dtype_of_input(x: Array, *inputs: Array | None, **attributes: Any) -> Array:
            return with_type_of(x, function(x, *inputs, **attributes))

        return numpy_op(name)(with_dtype_of_input)

    return register


@activation("Relu")
def relu(x: Array) -> Array:
    """``max(x, 0)``."""
    return np.maximum(x, 0)


@activation("LeakyRelu")
def leaky_relu(x: Array, alpha: float = 0.01) -> Array:
    """``x`` where it is not negative, else ``alpha * x``."""
    return np.where(x < 0, alpha * x, x)


@activation("ThresholdedRelu")
def thresholded_relu(x: Array, alpha: float = 1.0) -> Array:
    """``x`` where it is above ``alpha``, else 0."""
    return np.where(x > alpha, x, 0)


@activation("PRelu")
def prelu(x: Array, slope: Array) -> Array:
    """``x`` where it is not negative, else ``slope * x``."""
    return np.where(x < 0, slope * x, x)


@activation("Elu")
def elu(x: Array, alpha: float = 1.0) -> Array:
    """``x`` where it is positive, else ``alpha * (exp(x) - 1)``."""
    return np.where(x > 0, x, alpha * np.expm1(np.minimum(x, 0)))


@activation("Selu")
def selu(x: Array, alpha: float = SELU_ALPHA, gamma: float = SELU_GAMMA) -> Array:
    """``gamma * elu(x, alpha)``."""
    return gamma * np.where(x > 0, x, alpha * np.expm1(np.minimum(x, 0)))


@activation("Celu")
def celu(x: Array, alpha: float = 1.0) -> Array:
    """``max(x, 0) + min(alpha * (exp(x / alpha) - 1), 0)``."""
    return np.maximum(x, 0) + np.minimum(alpha * np.expm1(x / alpha), 0)


@activation("Sigmoid")
def sigmoid(x: Array) -> Array:
    """``1 / (1 + exp(-x))``, by NumPy, so that saved models need no SciPy."""
    with np.errstate(over="ignore"):  # 1 / inf is 0, as it should be
        return 1 / (1 + np.exp(-x))


@activation("HardSigmoid")
def hard_sigmoid(x: Array, alpha: float = 0.2, beta: float = 0.5) -> Array:
    """``alpha * x + beta``, clipped to [0, 1]."""
    return np.clip(alpha * x + beta, 0, 1)


@activation("HardSwish")
def hard_swish(x: Array) -> Array:
    """``x * hard_sigmoid(x, 1 / 6, 0.5)``."""
    return x * np.clip(x / 6 + 0.5, 0, 1)


@activation("Softplus")
def softplus(x: Array) -> Array:
    """``log(1 + exp(x))``, computed so that it never overflows."""
    return np.logaddexp(x, 0)


@activation("Softmax")
def softmax(x: Array, axis: int = -1) -> Array:
    """``exp(x) / sum(exp(x))`` along an axis."""
    exponentials = np.exp(x - np.max(x, axis=axis, keepdims=True))
    return exponentials / np.sum(exponentials, axis=axis, keepdims=True)


@activation("LogSoftmax")
def log_softmax(x: Array, axis: int = -1) -> Array:
    """``x - log(sum(exp(x)))`` along an axis."""
    shifted = x - np.max(x, axis=axis, keepdims=True)
    return shifted - np.log(np.sum(np.exp(shifted), axis=axis, keepdims=True))


@activation("Clip")
def clip(x: Array, minimum: Array | None = None, maximum: Array | None = None) -> Array:
    """``min(max(x, minimum), maximum)``; so ``maximum`` wins where the two are crossed."""
    if minimum is not None:
        x = np.maximum(x, minimum)
    if maximum is not None:
        x = np.minimum(x, maximum)
    return x
