"""The float input with further columns of integers behind it: what some tree ensembles read."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from skq.quantization.lower.operands import Features, QuantizedTensor


@dataclass(frozen=True, eq=False)
class JointFeatures:
    """Features and, as further columns behind them, integer tensors.

    Parameters
    ----------
    features : Features
    further : tuple of QuantizedTensor
        Plain, of shape (n_columns,) each, in order.
    """

    features: Features
    derived: tuple[QuantizedTensor, ...]


def split_features(operand: Any) -> tuple[Features | None, tuple[QuantizedTensor, ...]]:
    """The features of an operand, None if it has none, and its further columns."""
    if isinstance(operand, JointFeatures):
        return operand.features, operand.derived
    return (operand if isinstance(operand, Features) else None), ()
