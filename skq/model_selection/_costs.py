"""Costs of a quantized module."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from types import MappingProxyType

from skq.program.prune import pruned
from skq.quantization.quantized_module import QuantizedModule

Cost = Callable[[QuantizedModule], float]


def bits_moved(module: QuantizedModule) -> float:
    """Bits that one prediction moves: every integer that it computes, and every constant once."""
    program = module.program
    values = sum(type_.size * type_.bits for type_ in program.types if type_.is_integer)
    return float(values + 8 * program.nbytes)


def accumulator_bits(module: QuantizedModule) -> float:
    """Width of the widest exact sum."""
    return float(module.max_accumulator_bits)


def model_bytes(module: QuantizedModule) -> float:
    """Bytes of the packed constants, without the splits that `skq.save` omits."""
    return float(replace(module, program=pruned(module.program)).nbytes)


#: Costs by name.
COSTS: Mapping[str, Cost] = MappingProxyType(
    {"bits": bits_moved, "accumulator": accumulator_bits, "bytes": model_bytes}
)


def get_cost(cost: str | Cost) -> Cost:
    """The function for a ``cost`` parameter.

    Raises
    ------
    ValueError
        If it is neither a known name nor callable.
    """
    if callable(cost):
        return cost
    if cost in COSTS:
        return COSTS[cost]
    raise ValueError(
        f"cost must be one of {', '.join(map(repr, COSTS))}, or a function of a QuantizedModule. "
        f"Got {cost!r} instead."
    )
