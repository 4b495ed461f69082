"""A layer whose input grids and weights are fitted together, as instructions."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from skq.frontend.graph import FloatGraph
from skq.program import MatMul, Quantize
from skq.quantization.fit_layer import decision_weight, fit_layer
from skq.quantization.operands import Array, Features, QuantizedTensor

if TYPE_CHECKING:
    from skq.quantization.lowering import Lowering

#: Widths above this are left to min-max grids, wider layers to one grid for all.
MAX_FITTED_BITS = 8
MAX_FITTED_INPUTS = 1500

#: Operators that decide on scores, and those that may stand between a layer and them.
_DECISIONS = frozenset({"ArgMax", "Greater", "GreaterOrEqual", "Less", "LessOrEqual"})
_BETWEEN = frozenset(
    {"Gather", "Reshape", "Identity", "Squeeze", "Flatten", "Add", "Concat", "Slice"}
)


def score_names(graph: FloatGraph) -> frozenset[str]:
    """Values of a graph that labels are decided on, and nothing but links and outputs read else."""
    decided: set[str] = set()
    for node in reversed(graph.nodes):
        if node.op_type in _DECISIONS or (
            node.op_type in _BETWEEN and decided.intersection(node.outputs)
        ):
            decided.update(node.inputs)
    return frozenset(decided - set(graph.initializers))


def fitted_layer(
    low: Lowering, x: Features | QuantizedTensor, weights: Array, target: Array, *, decides: bool
) -> QuantizedTensor | None:
    """Write the layer's instructions; None where its grids cannot be fitted feature by feature.

    Parameters
    ----------
    low : Lowering
    x : Features or QuantizedTensor
    weights : ndarray of shape (n_in, n_out)
    target : ndarray of shape (n_rows, n_out)
        What the float layer gives for the calibration rows, bias included.
    decides : bool
        Whether labels are decided on the outputs.
    """
    settings = low.settings
    is_input = isinstance(x, Features)
    input_bits = settings.n_bits["model_inputs" if is_input else "op_inputs"]
    if not is_input:
        input_bits = settings.rounding.limit(input_bits)
    weight_bits = settings.n_bits["op_weights"]
    if (
        settings.calibration == "minmax"
        or settings.discrete
        or not settings.signed_weights
        or max(input_bits, weight_bits) > MAX_FITTED_BITS
        or len(weights) > MAX_FITTED_INPUTS
        or target.ndim != 2
    ):
        return None
    values = _reals(low, x, input_bits)
    if values is None or not np.all(np.isfinite(values)):
        return None
    lo, hi = _range(x, values)
    raw_weights = weights
    if isinstance(x, Features):
        raw_weights = weights * x.affine()[0][:, None]
        if not np.all(np.isfinite(raw_weights)):
            return None
    target = np.asarray(target, dtype=np.float64)
    fitted = fit_layer(
        values,
        np.asarray(raw_weights, dtype=np.float64),
        target,
        low.row_weight,
        lo=lo,
        hi=hi,
        input_bits=input_bits,
        weight_bits=weight_bits,
        decides=decides,
        starts_at_zero=isinstance(x, QuantizedTensor) and x.clip is not None,
    )
    top = 2**input_bits - 1
    frozen = fitted.input_scale == 0
    if isinstance(x, Features):
        codes = low.add(
            Quantize(
                (x.value,),
                np.where(frozen, FROZEN_SCALE, fitted.input_scale),
                fitted.zero_point.astype(np.int64),
                lo=0,
                hi=top,
            )
        )
    else:
        scale = np.where(frozen, np.maximum(np.abs(hi), 1.0) * 2.0, fitted.input_scale)
        # code 0 is real 0: saturating there is the ReLU
        codes = low.on_grid(replace(x, clip=None), scale, fitted.zero_point, 0, top).value
    value = low.add(MatMul((codes,), fitted.integers))
    share = decision_weight(target) if decides else np.ones_like(target)
    share = share * low.row_weight[:, None]
    share = share / share.sum(axis=0)
    sums = low.sample(value)
    mean_error = (share * (sums - target / fitted.scale)).sum(axis=0)
    return QuantizedTensor(value, fitted.scale, mean_error)


#: Step of a feature that does not matter: every value gets the same code.
FROZEN_SCALE = float(np.finfo(np.float64).max / 4)


def _reals(low: Lowering, x: Features | QuantizedTensor, input_bits: int) -> Array | None:
    """What the calibration rows give there, as (n_rows, n_in); None if the form does not fit."""
    if isinstance(x, Features):
        if x.raw.ndim != 2 or x.has_missing:
            return None
        return x.raw.astype(np.float64)
    if x.function is not None or x.view is not None or len(low.type(x.value).shape) != 1:
        return None
    if x.is_plain and low.type(x.value).bits <= input_bits:
        return None  # narrow codes already: nothing is to be chosen
    if x.clip is not None and x.clip != (0.0, float(np.inf)):
        return None
    return x.reals(low.sample(x.value))


def _range(x: Features | QuantizedTensor, values: Array) -> tuple[Array, Array]:
    if isinstance(x, Features):
        return np.asarray(x.lo, np.float64), np.asarray(x.hi, np.float64)
    return values.min(axis=0), values.max(axis=0)
