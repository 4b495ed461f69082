"""Features and derived columns: the input of some tree ensembles."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from skq.quantization.lower.operands import Features, QuantizedTensor


@dataclass(frozen=True, eq=False)
class JointFeatures:
    """Features, and integer tensors as derived columns after them.

    Parameters
    ----------
    features : Features
    derived : tuple of QuantizedTensor
        Plain, of shape (n_columns,) each, in order.
    """

    features: Features
    derived: tuple[QuantizedTensor, ...]


def split_features(operand: Any) -> tuple[Features | None, tuple[QuantizedTensor, ...]]:
    """The features of an operand, None if it has none, and its derived columns."""
    if isinstance(operand, JointFeatures):
        return operand.features, operand.derived
    return (operand if isinstance(operand, Features) else None), ()
