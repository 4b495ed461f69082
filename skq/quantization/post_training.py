"""Post-training quantization: float graph + calibration data → `QuantizedModule`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from skq.exceptions import ConversionError, ProgramError, UnsupportedModelError
from skq.frontend.graph import FloatGraph, Node, TensorInfo
from skq.frontend.numpy_module import NumpyModule
from skq.frontend.numpy_ops import bind_node
from skq.quantization import quantized_ops  # noqa: F401  (registers the operators)
from skq.quantization.base_quantized_op import (
    DEFAULT_MODEL_BITS,
    ONNX_OPS_TO_NUMPY_IMPL,
    ONNX_OPS_TO_QUANTIZED_IMPL,
)
from skq.quantization.lowering import Lowering, Settings
from skq.quantization.n_bits import get_n_bits_dict
from skq.quantization.operands import Array, Operand, QuantizedTensor
from skq.quantization.quantized_module import QuantizedModule
from skq.quantization.rounding import get_rounding
from skq.quantization.tail import tail_nodes

__all__ = [
    "DEFAULT_MODEL_BITS",
    "ONNX_OPS_TO_NUMPY_IMPL",
    "ONNX_OPS_TO_QUANTIZED_IMPL",
    "ONNXConverter",
    "PostTrainingAffineQuantization",
    "PostTrainingQATImporter",
    "get_n_bits_dict",
]

#: Calibration rows on which layers are run; ranges of the inputs are taken over all rows.
MAX_CALIBRATION_ROWS = 2000

CALIBRATION_METHODS = ("auto", "minmax")


class ONNXConverter:
    """Float graph → integer program; base class of the converters.

    Parameters
    ----------
    n_bits : int or dict of str to int
        See `get_n_bits_dict`.
    numpy_model : NumpyModule
    rounding_threshold_bits : None, int or dict, default=None
        See `skq.quantization.rounding.get_rounding`.
    calibration : {"auto", "minmax"}, default="auto"
        How quantization parameters are chosen: by the error that they cause at each layer's output
        on the calibration data, or plainly by the range of the values.
    """

    def __init__(
        self,
        n_bits: int | Mapping[str, int],
        numpy_model: NumpyModule,
        rounding_threshold_bits: Any = None,
        *,
        calibration: str = "auto",
    ) -> None:
        if calibration not in CALIBRATION_METHODS:
            raise ValueError(
                f"calibration must be one of {', '.join(CALIBRATION_METHODS)}. "
                f"Got {calibration!r} instead."
            )
        self.n_bits = get_n_bits_dict(n_bits)
        self.numpy_model = numpy_model
        self.rounding_threshold_bits = rounding_threshold_bits
        self.calibration = calibration
        self._settings = Settings(self.n_bits, get_rounding(rounding_threshold_bits), calibration)

    @property
    def n_bits_model_inputs(self) -> int:
        """Width of the codes of the model's inputs."""
        return self.n_bits["model_inputs"]

    @property
    def n_bits_model_outputs(self) -> int:
        """Width of outputs that need a quantizer."""
        return self.n_bits["model_outputs"]

    @property
    def n_bits_op_inputs(self) -> int:
        """Width of the inputs of inner layers."""
        return self.n_bits["op_inputs"]

    @property
    def n_bits_op_weights(self) -> int:
        """Width of weights and leaf values."""
        return self.n_bits["op_weights"]

    def quantize_module(
        self, *calibration_data: Array, sample_weight: Array | None = None
    ) -> QuantizedModule:
        """Quantize the model.

        Parameters
        ----------
        *calibration_data : ndarray of shape (n_rows, ...)
            One a model input.
        sample_weight : ndarray of shape (n_rows,), default=None
            Weight of each row; rows of weight 0 count as absent.

        Returns
        -------
        QuantizedModule

        Raises
        ------
        UnsupportedModelError
            If a node has no integer form; names the node, the operator and the reason.
        AccumulatorOverflowError
            If 63 bits would not hold a sum.
        """
        return _Conversion(self.numpy_model, self._settings, calibration_data, sample_weight).run()


class PostTrainingAffineQuantization(ONNXConverter):
    """Post-training quantization with uniform, affine quantizers.

    Examples
    --------
    >>> import numpy as np
    >>> from skq.frontend.graph import FloatGraph, Node, TensorInfo
    >>> graph = FloatGraph(
    ...     nodes=(Node("Gemm", ("x", "w"), ("y",)),),
    ...     initializers={"w": np.array([[1.0], [-2.0]])},
    ...     inputs=(TensorInfo("x", "float64", (None, 2)),),
    ...     outputs=(TensorInfo("y", "float64", (None, 1)),),
    ... )
    >>> X = np.random.default_rng(0).uniform(-1, 1, (100, 2))
    >>> module = PostTrainingAffineQuantization(8, NumpyModule(graph)).quantize_module(X)
    >>> bool(np.abs(module.forward(X)[:, 0] - X @ [1, -2]).max() < 0.03)
    True
    """


class PostTrainingQATImporter(ONNXConverter):
    """Import of networks that were trained with quantization in the loop."""


class _Conversion:
    """One run of the converter."""

    def __init__(
        self,
        model: NumpyModule,
        settings: Settings,
        data: tuple[Array, ...],
        sample_weight: Array | None,
    ) -> None:
        self.graph = model.graph
        arrays = _checked_data(model, data)
        rows, self.row_weight = _choose_rows(len(arrays[0]), sample_weight)
        self.low = Lowering(settings, self.row_weight)
        self.floats: dict[str, Array] = {
            name: np.asarray(array) for name, array in self.graph.initializers.items()
        }
        self.operands: dict[str, Operand] = dict(self.floats)
        present = slice(None) if sample_weight is None else np.asarray(sample_weight) > 0
        for info, array in zip(model.inputs, arrays, strict=True):
            raw = array[rows]
            with np.errstate(invalid="ignore"):
                lo, hi = _range(array[present])
            missing = bool(np.isnan(array).any()) if array.dtype.kind == "f" else False
            self.floats[info.name] = raw
            self.operands[info.name] = self.low.input(raw, lo, hi, has_missing=missing)

    def run(self) -> QuantizedModule:
        tail = tail_nodes(self.graph)
        for index, node in enumerate(self.graph.nodes):
            if index not in tail:
                self._lower(node)
        nodes = tuple(node for i, node in enumerate(self.graph.nodes) if i in tail)
        computed = {name for node in nodes for name in node.outputs}
        read = [name for node in nodes for name in node.inputs if name]
        scores = dict.fromkeys(
            name
            for name in [*read, *self.graph.output_names]
            if name not in computed and not isinstance(self.operands.get(name), np.ndarray)
        )
        outputs = {name: self._output(name) for name in scores}
        constants = {
            name: value
            for name, value in self.operands.items()
            if isinstance(value, np.ndarray) and name in {*read, *self.graph.output_names}
        }
        program = self.low.builder.build(outputs)
        inputs = tuple(
            TensorInfo(name, program.types[value].dtype, (None, *program.types[value].shape))
            for name, value in program.outputs.items()
        )
        rest = FloatGraph(nodes, constants, inputs, self.graph.outputs, self.graph.opsets)
        return QuantizedModule(program, rest, self.low.settings.n_bits, self.graph)

    def _lower(self, node: Node) -> None:
        """Run a node on the calibration rows and write its instructions."""
        op_class = ONNX_OPS_TO_QUANTIZED_IMPL.get(node.op_type)
        operands = [self.operands.get(name) for name in node.inputs]
        constants = {i: v for i, v in enumerate(operands) if isinstance(v, np.ndarray)}
        if len(constants) == sum(bool(name) for name in node.inputs):
            results = bind_node(node)(*(self.floats.get(name) for name in node.inputs))
            self.floats.update(zip(node.outputs, results, strict=False))
            self.operands.update(zip(node.outputs, results, strict=False))
            return
        if op_class is None:
            raise UnsupportedModelError(
                f"{node} cannot be quantized: operator {node.op_type} has no quantized form. "
                f"Quantized operators: {', '.join(sorted(ONNX_OPS_TO_QUANTIZED_IMPL))}."
            )
        op = op_class(node, constants)
        reals = [self.floats[name] for name in node.inputs if name]
        results_list = op.calibrate(*(self.floats.get(name) for name in node.inputs))
        present = [operand for operand in operands if operand is not None]
        try:
            lowered = op.lower(self.low, present, reals, results_list)
        except ProgramError as error:
            raise type(error)(f"{node}: {error}") from error
        for name, value, operand in zip(node.outputs, results_list, lowered, strict=False):
            self.floats[name] = value
            self.operands[name] = operand

    def _output(self, name: str) -> int:
        """Value of the program that a float output or the tail reads."""
        operand = self.operands[name]
        if not isinstance(operand, QuantizedTensor):
            raise ConversionError(f"output {name!r} is the model's own input; nothing to quantize")
        if self.floats[name].dtype.kind != "f":
            return operand.value
        return self.low.dequantize(operand, self.floats[name])


def _checked_data(model: NumpyModule, data: tuple[Array, ...]) -> list[Array]:
    if len(data) != len(model.inputs):
        raise ValueError(
            f"Expected calibration data for {len(model.inputs)} inputs: "
            f"{[info.name for info in model.inputs]}. Got {len(data)} arrays."
        )
    arrays = [np.asarray(array, dtype=info.dtype) for info, array in zip(model.inputs, data, strict=True)]
    lengths = {array.shape[:1] for array in arrays}
    if len(lengths) != 1 or lengths & {(), (0,)}:
        raise ValueError(
            f"Calibration data need at least one row, and as many for each input. "
            f"Got shapes {[array.shape for array in arrays]}."
        )
    return arrays


def _choose_rows(
    n_rows: int, sample_weight: Array | None
) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """Rows to run the layers on, evenly spaced, and their weights, which sum to 1."""
    weight = np.ones(n_rows) if sample_weight is None else np.asarray(sample_weight, np.float64)
    if weight.shape != (n_rows,) or not np.all(np.isfinite(weight)) or not np.any(weight > 0):
        raise ValueError(
            f"sample_weight must be finite, with one value a row ({n_rows}) and one above 0. "
            f"Got shape {weight.shape}."
        )
    rows = np.flatnonzero(weight > 0)
    if len(rows) > MAX_CALIBRATION_ROWS:
        rows = rows[np.linspace(0, len(rows) - 1, MAX_CALIBRATION_ROWS).astype(np.int64)]
    return rows, weight[rows] / weight[rows].sum()


def _range(array: Array) -> tuple[Array, Array]:
    """Least and greatest value of each element of a row; 0 where all are missing."""
    if array.dtype.kind != "f":
        return array.min(axis=0), array.max(axis=0)
    lo, hi = np.fmin.reduce(array, axis=0), np.fmax.reduce(array, axis=0)
    return np.nan_to_num(lo, nan=0.0), np.nan_to_num(hi, nan=0.0)
