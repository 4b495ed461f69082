"""A single operator as an integer program, for `QuantizedOp.q_impl`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Protocol

import numpy as np

from skq.engines.reference import evaluate
from skq.quantization.lower.context import Settings
from skq.quantization.lower.lowering import Lowering
from skq.quantization.lower.operands import Array, QuantizedTensor
from skq.quantization.lower.rounding import Rounding
from skq.quantization.lower.views import arranged
from skq.quantization.quantizers import (
    QuantizationOptions,
    QuantizedArray,
    UniformQuantizationParameters,
    UniformQuantizer,
)
from skq.quantization.search.grids import code_range


class Lowerable(Protocol):
    """The part of a `QuantizedOp` that is used here: its widths and its lowering."""

    n_bits_output: int
    _weight_bits: int
    _output_quantizers: tuple[UniformQuantizer, ...]

    def _with_constants(self, variables: Sequence[Any]) -> list[Any]: ...

    def _outputs(self, inputs: Sequence[Array]) -> tuple[Array, ...]: ...

    def lower(
        self, low: Lowering, x: Sequence[Any], reals: Sequence[Any], outputs: Sequence[Array]
    ) -> Sequence[Any]: ...


def run_alone(
    op: Lowerable, samples: Sequence[Array], inputs: Sequence[QuantizedArray]
) -> tuple[QuantizedArray, ...]:
    """Lower an operator for inputs on given grids, and run it on their codes.

    Parameters
    ----------
    op : Lowerable
    samples : sequence of ndarray of shape (n_rows, ...)
        Calibration data of the inputs that are not constant.
    inputs : sequence of QuantizedArray
        The inputs that are not constant.

    Returns
    -------
    tuple of QuantizedArray
        One array per output.
    """
    width = max([op.n_bits_output, *(v.n_bits for v in inputs)])
    n_bits = {
        "model_inputs": width,
        "op_inputs": width,
        "op_weights": op._weight_bits,
        "model_outputs": op.n_bits_output,
    }
    rounding = getattr(op, "_rounding", Rounding())
    n_rows = len(samples[0])
    low = Lowering(Settings(n_bits, rounding), np.full(n_rows, 1.0 / n_rows))
    operands = [_input(low, array, sample) for array, sample in zip(inputs, samples, strict=True)]
    reals = op._with_constants(samples)
    outputs = op._outputs(samples)
    results = op.lower(low, op._with_constants(operands), reals, outputs)
    tensors = [
        _on_output_grid(low, result, quantizer, op.n_bits_output)
        for result, quantizer in zip(results, op._output_quantizers, strict=True)
    ]
    program = low.builder.build({str(i): tensor.value for i, tensor in enumerate(tensors)})
    codes = {i: np.asarray(array.qvalues) for i, array in enumerate(inputs)}
    values = evaluate(program, codes, program.outputs.values())
    return tuple(
        QuantizedArray(
            op.n_bits_output,
            value,
            value_is_float=False,
            options=QuantizationOptions(op.n_bits_output),
            params=UniformQuantizationParameters(
                scale=float(tensor.scale), zero_point=int(tensor.zero_point), offset=0
            ),
        )
        for value, tensor in zip(values, tensors, strict=True)
    )


def _input(low: Lowering, array: QuantizedArray, sample: Array) -> QuantizedTensor:
    quantizer = array.quantizer
    lo, hi = code_range(array.n_bits, quantizer.is_signed, quantizer.is_symmetric, quantizer.offset)
    if array.qvalues is not None and array.qvalues.size:
        lo, hi = min(lo, int(array.qvalues.min())), max(hi, int(array.qvalues.max()))
    scale, zero_point = (np.asarray(p, dtype=np.float64) for p in _parameters(quantizer))
    return low.codes_input(quantizer.quant(sample), lo, hi, scale, zero_point)


def _parameters(quantizer: Any) -> tuple[Any, Any]:
    shapes = [np.shape(quantizer.scale), np.shape(quantizer.zero_point)]
    if any(len(shape) > 1 for shape in shapes):
        raise ValueError(
            "an operator takes QuantizedArrays with one scale, or one per channel (last axis). "
            f"Got scale and zero point of shapes {shapes}."
        )
    return quantizer.scale, quantizer.zero_point


def _on_output_grid(low: Lowering, x: Any, quantizer: Any, n_bits: int) -> QuantizedTensor:
    if not isinstance(x, QuantizedTensor):
        raise ValueError("the operator's output does not depend on its inputs")
    return arranged(low, low.materialize(x, quantizer.rmin, quantizer.rmax, n_bits))
