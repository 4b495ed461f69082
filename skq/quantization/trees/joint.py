"""The float input with further columns of integers behind it: what trees with categories read."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from skq.quantization.operands import Features, QuantizedTensor


@dataclass(frozen=True, eq=False)
class JointFeatures:
    """Features and, as further columns behind them, an integer tensor.

    Parameters
    ----------
    features : Features
    further : QuantizedTensor
        Plain, of shape (n_further,).
    """

    features: Features
    further: QuantizedTensor


def split_features(operand: Any) -> tuple[Features | None, QuantizedTensor | None]:
    """The features of an operand and its further columns; None for what it has not."""
    if isinstance(operand, JointFeatures):
        return operand.features, operand.further
    return (operand, None) if isinstance(operand, Features) else (None, None)
