"""Grids that represent whole numbers exactly.

A comparison, a rounding or an integer division of whole numbers is right only if each whole number
is a code. The step of such a grid is a power of two, so that its arithmetic is exact in floats.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from skq.exceptions import UnsupportedModelError
from skq.graph.graph import FloatGraph, Node
from skq.quantization.lower.operands import Array, scalar
from skq.quantization.operator_facts import has_fact

#: Widest code of an inner tensor of integers.
WIDEST_INTEGER = 16


def reaching(graph: FloatGraph, fact: str) -> frozenset[str]:
    """Tensors that reach an operator with a fact, with no layer in between.

    Results of layers are not expected to be whole numbers.

    Parameters
    ----------
    graph : FloatGraph
    fact : {"jumps", "tells_integers_apart"}
        A cast to integers or booleans jumps too.
    """
    wanted: set[str] = set()
    for node in reversed(graph.nodes):
        reaches = wanted.intersection(node.outputs) and not has_fact(node.op_type, "is_layer")
        if reaches or has_fact(node.op_type, fact) or (fact == "jumps" and casts_to_integers(node)):
            wanted.update(name for name in node.inputs if name)
    return frozenset(wanted)


def casts_to_integers(node: Node) -> bool:
    """Whether a node casts to integers or booleans."""
    return node.op_type == "Cast" and node.attributes.get("to") not in (1, 10, 11, 16)


def are_whole(values: Array) -> NDArray[np.bool_]:
    """Whether all values of a column (axis 0 has the rows) are whole numbers; NaN counts as one."""
    values = np.asarray(values, np.float64)
    with np.errstate(invalid="ignore"):
        return np.asarray(np.all(np.isnan(values) | (values == np.rint(values)), axis=0))


def whole_step(lo: Array, hi: Array, top: int) -> NDArray[np.float64]:
    """Greatest number of steps a unit, a power of two, with which codes up to `top` hold [lo, hi].

    Parameters
    ----------
    lo, hi : ndarray of float
        Whole numbers.
    top : int
        Greatest code.

    Returns
    -------
    ndarray of float
        The step: ``2**-j``, or NaN where there are more whole numbers than codes.

    Examples
    --------
    >>> import numpy as np
    >>> whole_step(np.array([0.0, -3.0, 0.0]), np.array([4.0, 252.0, 300.0]), 255)
    array([0.03125, 1.     ,     nan])
    """
    with np.errstate(divide="ignore", over="ignore", invalid="ignore"):
        room = np.floor(np.log2(top / np.maximum(np.asarray(hi - lo, np.float64), 1.0)))
        return np.where(room >= 0, np.exp2(-room), np.nan)


def check_holds_integers(
    name: str, raw: Array, lo: Array, hi: Array, n_bits: Mapping[str, int]
) -> None:
    """Raise an error if whole numbers that are compared for equality would share codes.

    Parameters
    ----------
    name : str
        Of the graph's input.
    raw : ndarray of shape (n_rows, ...)
        Calibration rows.
    lo, hi : ndarray of a row's shape
        Least and greatest values.
    n_bits : mapping of str to int
        The width of ``"model_inputs"`` counts.
    """
    least, greatest = np.asarray(lo, np.float64), np.asarray(hi, np.float64)
    whole = are_whole(raw) & are_whole(least[None]) & are_whole(greatest[None])
    reach = np.where(whole, greatest - least, 0.0)
    if np.ndim(raw) > 2 and np.all(whole):
        reach = np.asarray(max(greatest.max(), 0.0) - min(least.min(), 0.0))
    needed = int(np.max(reach, initial=0.0)).bit_length()
    if needed > n_bits["model_inputs"]:
        raise UnsupportedModelError(
            f"Input {name!r} holds whole numbers that the model matches with others, and their "
            f"range needs codes of {needed} bits. Got n_bits of {n_bits['model_inputs']} for "
            f"'model_inputs'; pass a dict of n_bits with at least {needed} there."
        )


def integer_grid(reals: Array, n_bits: int, hold: float | None) -> tuple[Any, Any, int]:
    """Scale, zero point and greatest code of a grid for an inner tensor of integers.

    It is wider than `n_bits` where that many bits do not hold the integers.

    Raises
    ------
    UnsupportedModelError
        If `WIDEST_INTEGER` bits do not hold them either.
    """
    lo, hi = float(np.min(reals)), float(np.max(reals))
    if hold is not None:
        lo, hi = min(lo, np.floor(hold)), max(hi, np.ceil(hold))
    width = max(n_bits, int(hi - lo).bit_length())
    if width > WIDEST_INTEGER:
        raise UnsupportedModelError(
            f"its integers in [{lo:.0f}, {hi:.0f}] need {width} bits, more than {WIDEST_INTEGER}"
        )
    step = whole_step(scalar(lo), scalar(hi), 2**width - 1)
    return scalar(step), scalar(-lo / step), 2**width - 1
