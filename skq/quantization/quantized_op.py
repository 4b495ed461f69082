"""Base class of quantized operators, and the registries that hold them.

An operator has two parts: how the float operator runs (its NumPy implementation), and how to
*lower* itself to instructions of the integer program. Everything else follows: the converter calls
`QuantizedOp.lower` for each node of a graph, and `QuantizedOp.q_impl` runs the same lowering on the
reference engine, for an operator that is used by itself. So its meaning is written once.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any, ClassVar, Self, TypeVar

import numpy as np
from numpy.typing import NDArray

from skq.exceptions import UnsupportedModelError
from skq.graph.graph import Node
from skq.graph.ops import ONNX_OPS_TO_NUMPY_IMPL, bind_node
from skq.quantization.lower.lowering import Lowering
from skq.quantization.lower.operands import (
    Array,
    BatchConstant,
    Operand,
)
from skq.quantization.lower.standalone import run_alone
from skq.quantization.lower.views import row_constant
from skq.quantization.onnx_input_names import position_by_onnx_name
from skq.quantization.operator_facts import ONNX_OPS_TO_QUANTIZED_IMPL, ErrorStep, Reach
from skq.quantization.quantizers import (
    MinMaxQuantizationStats,
    QuantizationOptions,
    QuantizedArray,
    UniformQuantizer,
)
from skq.quantization.typical_rows import typical_rows
from skq.serialization import Serializable, serializable

__all__ = ["ALL_QUANTIZED_OPS", "QuantizedOp", "in_rows", "quantizes"]

#: Every quantized operator class.
ALL_QUANTIZED_OPS: set[type[QuantizedOp]] = set()

OpClass = TypeVar("OpClass", bound="type[QuantizedOp]")


def quantizes(op_type: str, *, domain: str = "") -> Callable[[OpClass], OpClass]:
    """Register the decorated class for an ONNX operator; each may have one class only."""

    def register(cls: Any) -> Any:
        if op_type in ONNX_OPS_TO_QUANTIZED_IMPL:
            raise ValueError(
                f"{op_type} is quantized by {ONNX_OPS_TO_QUANTIZED_IMPL[op_type].__name__}"
            )
        if op_type not in ONNX_OPS_TO_NUMPY_IMPL:
            raise ValueError(f"{op_type} has no NumPy implementation; register that first")
        cls._op_type, cls._domain = op_type, domain
        ONNX_OPS_TO_QUANTIZED_IMPL[op_type] = cls
        ALL_QUANTIZED_OPS.add(cls)
        return serializable(f"skq.{cls.__name__}")(cls)

    return register


class QuantizedOp(Serializable):
    """An ONNX operator that can calibrate itself and lower itself to integer instructions.

    Parameters
    ----------
    n_bits_output : int
        Width of the codes that the operator returns when it is called by itself.
    op_instance_name : str
        Name in messages, usually that of the node.
    int_input_names : set of str, default=None
        Names of the integer tensors that the inputs are functions of; see `can_fuse`. None means
        one tensor, ``{"0"}``.
    constant_inputs : dict, default=None
        Constant inputs, by position, by ONNX name (``"input_mean"``), or by the name of the
        argument of the NumPy implementation. Values are arrays, or QuantizedArrays, whose real
        values are used.
    input_quant_opts : QuantizationOptions, default=None
        How an input that is a float array is quantized. None means unsigned codes of
        `n_bits_output` bits.
    **attrs
        Attributes of the ONNX operator.

    Examples
    --------
    >>> from skq.quantization import QuantizedArray
    >>> from skq.quantization.quantized_ops import QuantizedTanh
    >>> x = np.linspace(-2, 2, 9)[:, None]
    >>> op = QuantizedTanh(8, "tanh")
    >>> _ = op.calibrate(x)
    >>> y = op(QuantizedArray(8, x))
    >>> bool(np.abs(y.values - np.tanh(x)).max() < 0.02)
    True
    """

    _op_type: ClassVar[str] = ""
    _domain: ClassVar[str] = ""

    #: Positions of inputs that are not tensors of real values: shapes, axes, bounds.
    raw_inputs: ClassVar[frozenset[int]] = frozenset()

    #: Whether it takes the float input itself, with what is joined to it.
    reads_features: ClassVar[bool] = False

    #: Reason why the operator is never quantized, or "".
    refused: ClassVar[str] = ""

    # Facts for the analyses of graphs: see `skq.quantization.operator_facts`.

    #: Whether each output element is an input element, or a constant.
    moves_elements: ClassVar[bool] = False
    #: Whether it moves elements and leaves those of a row in their order.
    keeps_element_order: ClassVar[bool] = False
    #: Whether it is computed on dequantized scores where it ends a model.
    is_link: ClassVar[bool] = False
    #: Whether it may follow a link, or stand between two, in the float epilogue.
    follows_link: ClassVar[bool] = False
    #: How labels are decided on its input: "greatest" of a row, "threshold", or "" (they are not).
    decides: ClassVar[str] = ""
    #: Whether it is a layer: reports list it, searches choose its widths.
    is_layer: ClassVar[bool] = False
    #: Whether each output element is an element of the first input, and no constant.
    selects_elements: ClassVar[bool] = False
    #: Whether results are on the grid of the inputs, after a clip.
    stays_on_grid: ClassVar[bool] = False
    #: Whether it is discontinuous at whole numbers, so that grids must hold these exactly.
    jumps: ClassVar[bool] = False
    #: Whether each whole number needs a different code.
    tells_integers_apart: ClassVar[bool] = False

    def __init__(
        self,
        n_bits_output: int,
        op_instance_name: str,
        int_input_names: Iterable[str] | None = None,
        constant_inputs: Mapping[Any, Any] | None = None,
        input_quant_opts: QuantizationOptions | None = None,
        **attrs: Any,
    ) -> None:
        self.n_bits_output = QuantizationOptions(n_bits_output).n_bits
        self.op_instance_name = op_instance_name
        self._int_input_names = {"0"} if int_input_names is None else set(int_input_names)
        self.input_quant_opts = input_quant_opts or QuantizationOptions(self.n_bits_output)
        self.attributes: Mapping[str, Any] = attrs
        self.constants = {
            self._position(key): np.asarray(
                value.values if isinstance(value, QuantizedArray) else value
            )
            for key, value in (constant_inputs or {}).items()
            if value is not None
        }
        self._weight_bits = next(
            (v.n_bits for v in (constant_inputs or {}).values() if isinstance(v, QuantizedArray)),
            self.n_bits_output,
        )
        self.node = Node(self.op_type(), (), (op_instance_name,), attrs, op_instance_name)
        self._calibration: tuple[Array, ...] | None = None
        self._output_quantizers: tuple[UniformQuantizer, ...] = ()

    @classmethod
    def from_node(
        cls,
        node: Node,
        constants: Mapping[int, Any],
        *,
        n_bits_output: int = 8,
        int_input_names: Iterable[str] | None = None,
    ) -> Self:
        """The operator of a node of a graph."""
        name = node.name or next(filter(None, node.outputs), node.op_type)
        op = cls(n_bits_output, name, int_input_names, constants, **node.attributes)
        op.node = node
        return op

    # ---------------------------------------------------------------- what kind of operator it is

    @classmethod
    def op_type(cls) -> str:
        """Name of the ONNX operator."""
        return cls._op_type

    @classmethod
    def must_quantize_input(cls, input_name_or_idx: int | str) -> bool:
        """Whether an input is a tensor of real values, and not a shape, an axis or a bound.

        Parameters
        ----------
        input_name_or_idx : int or str
            Position, or name of the argument of the NumPy implementation.
        """
        return cls._position(input_name_or_idx) not in cls.raw_inputs

    @property
    def int_input_names(self) -> set[str]:
        """Names of the integer tensors that the inputs are functions of."""
        return self._int_input_names

    def can_fuse(self) -> bool:
        """Whether the operator can become part of a table; False unless a subclass overrides it."""
        return False

    @classmethod
    def reach(cls, node: Node, constants: Mapping[int, Array]) -> Reach | None:
        """Whole numbers that an input is looked up by; None where there is no such input.

        Parameters
        ----------
        node : Node
        constants : mapping of int to ndarray
            Constant inputs by position.
        """
        return None

    @classmethod
    def input_error_weight(cls, step: ErrorStep) -> NDArray[np.float64] | None:
        """Weight of a squared error at the node's variable input, to first order.

        An error ``e`` of an input element is an error ``d * e`` of an output element, where ``d``
        is the derivative; so weights are multiplied by ``d**2`` and summed over output elements.

        Parameters
        ----------
        step : ErrorStep

        Returns
        -------
        ndarray of shape (n_rows, n_columns), or None where it is not known
        """
        if cls.keeps_element_order and step.weight.size == step.values.size:
            return step.weight.reshape(step.values.shape)
        return None

    # ---------------------------------------------------------------- floats

    def call_impl(self, *inputs: Any, **attrs: Any) -> Any:
        """Run the float operator.

        Parameters
        ----------
        *inputs : ndarray, QuantizedArray or None
            All inputs by position. The real values of QuantizedArrays are used.
        **attrs
            Attributes that replace the operator's own.

        Returns
        -------
        ndarray, or tuple of ndarray where the operator has several outputs
        """
        arrays = [v.values if isinstance(v, QuantizedArray) else v for v in inputs]
        results = self._bound(len(arrays), attrs)(*arrays)
        return results[0] if len(results) == 1 else results

    def calibrate(self, *inputs: Array) -> Any:
        """Calibrate the operator on sample inputs, which determine the range of the output.

        The operator stores quantiles of each element of the samples (`typical_rows`) and the range
        of the outputs. Files and pickles contain no sample row.

        Parameters
        ----------
        *inputs : ndarray of shape (n_rows, ...)
            The inputs that are not constant, in order. Integers are used as real numbers.

        Returns
        -------
        ndarray, or tuple of ndarray where the operator has several outputs
            Float outputs.
        """
        inputs = self._as_reals(inputs)
        outputs = self._outputs(inputs)
        self._calibration = tuple(typical_rows(np.asarray(array)) for array in inputs)
        self._output_quantizers = tuple(self._quantizer_of(output) for output in outputs)
        return outputs[0] if len(outputs) == 1 else outputs

    def prepare_output(self, qoutput_activation: Array) -> QuantizedArray:
        """Quantize float outputs on the grid that calibration found.

        Parameters
        ----------
        qoutput_activation : ndarray of float
        """
        self._check_calibrated()
        quantizer = self._output_quantizers[0]
        return QuantizedArray(
            self.n_bits_output, qoutput_activation, options=quantizer, params=quantizer
        )

    # ---------------------------------------------------------------- integers

    def q_impl(self, *q_inputs: Any, **attrs: Any) -> Any:
        """Run the operator on integers, on the reference engine.

        Parameters
        ----------
        *q_inputs : QuantizedArray of shape (n_rows, ...), or ndarray of float
            The inputs that are not constant, in order. Floats are quantized on the range of the
            calibration data, by `input_quant_opts`.
        **attrs
            Attributes that replace the operator's own.

        Returns
        -------
        QuantizedArray, or tuple of them where the operator has several outputs
            Codes of `n_bits_output` bits on the grid of the calibrated output range.
        """
        self._check_calibrated()
        assert self._calibration is not None
        if {**self.attributes, **attrs} != dict(self.attributes):
            state = {**self.__skq_state__(), "attributes": {**self.attributes, **attrs}}
            del state["output_ranges"]  # those of other attributes
            return self.__skq_build__(state).q_impl(*q_inputs)
        if len(q_inputs) != len(self._calibration):
            raise ValueError(
                f"{self.op_instance_name} takes {len(self._calibration)} inputs beside its "
                f"constants; got {len(q_inputs)}."
            )
        pairs = zip(q_inputs, self._calibration, strict=True)
        results = run_alone(self, self._calibration, [self._as_codes(*pair) for pair in pairs])
        return results[0] if len(results) == 1 else results

    __call__ = q_impl

    def lower(
        self, low: Lowering, x: Sequence[Any], reals: Sequence[Any], outputs: Sequence[Array]
    ) -> Sequence[Operand]:
        """Write the instructions that compute the operator.

        Parameters
        ----------
        low : Lowering
        x : sequence of operands
            One operand per input, by position; constants are arrays, omitted inputs None.
        reals : sequence of ndarray
            Float inputs for the calibration rows, by position.
        outputs : sequence of ndarray
            Float outputs for the calibration rows.

        Returns
        -------
        sequence of operands, one per output
        """
        raise self.unsupported("it has no integer form")

    def unsupported(self, reason: str) -> UnsupportedModelError:
        """Return an error that names the node, the operator and the reason."""
        return UnsupportedModelError(f"{self.node} cannot be quantized: {reason}.")

    # ---------------------------------------------------------------- files

    def __skq_state__(self) -> dict[str, Any]:
        """Return the constructor's arguments and the statistics of calibration."""
        return {
            "n_bits_output": self.n_bits_output,
            "op_instance_name": self.op_instance_name,
            "int_input_names": self._int_input_names,
            "constant_inputs": self.constants,
            "weight_bits": self._weight_bits,
            "input_quant_opts": self.input_quant_opts,
            "attributes": dict(self.attributes),
            "calibration": self._calibration,
            "output_ranges": [(q.rmin, q.rmax) for q in self._output_quantizers],
            **self._more_state(),
        }

    @classmethod
    def __skq_build__(cls, state: dict[str, Any]) -> Self:
        """Build the operator anew and calibrate it as it was."""
        state = dict(state)
        attributes, calibration = state.pop("attributes"), state.pop("calibration")
        weight_bits = QuantizationOptions(state.pop("weight_bits")).n_bits
        ranges = state.pop("output_ranges", None)
        op = cls(**state, **attributes)
        op._weight_bits = weight_bits
        if calibration is not None and ranges is None:  # samples, of skq 1.0
            op.calibrate(*calibration)
        elif calibration is not None:
            op._calibration = tuple(np.asarray(array) for array in calibration)
            op._output_quantizers = tuple(op._quantizer_of(np.array(ends)) for ends in ranges)
        return op

    def _more_state(self) -> dict[str, Any]:
        return {}

    # ---------------------------------------------------------------- parts

    @classmethod
    def _position(cls, key: Any) -> int:
        """Position of an input given by position or name."""
        if isinstance(key, int | np.integer) and not isinstance(key, bool):
            return int(key)
        names = list(inspect.signature(ONNX_OPS_TO_NUMPY_IMPL[cls._op_type]).parameters)
        if key not in names:
            position = position_by_onnx_name(cls._op_type, key, names)
            if position is not None:
                return position
            raise ValueError(f"{cls._op_type} has no input {key!r}; it has {', '.join(names)}.")
        return names.index(key)

    def _n_outputs(self) -> int:
        return 1

    def _bound(self, n_inputs: int, attrs: Mapping[str, Any]) -> Callable[..., tuple[Array, ...]]:
        node = self.node
        if not node.inputs:  # used by itself
            name = self.op_instance_name
            inputs = tuple(f"{name}.{i}" for i in range(n_inputs))
            outputs = tuple(f"{name}:{i}" for i in range(self._n_outputs()))
            node = Node(self.op_type(), inputs, outputs, self.attributes, name, self._domain)
        if attrs:
            attributes = {**node.attributes, **attrs}
            node = replace(node, attributes=attributes)
        return bind_node(node)

    def _outputs(self, inputs: Sequence[Array]) -> tuple[Array, ...]:
        arguments = self._with_constants(inputs)
        return self._bound(len(arguments), {})(*arguments)

    def _as_reals(self, inputs: Sequence[Any]) -> tuple[Array, ...]:
        """Variable inputs, with floats for the integers of those that stand for real values."""
        taken = {i for i in self.constants if self.constants[i] is not None}
        free = [i for i in range(len(inputs) + len(taken) + 1) if i not in taken]
        arrays = []
        for position, value in zip(free, inputs, strict=False):
            array = np.asarray(value)
            is_integer = array.dtype.kind in "iu" and self.must_quantize_input(position)
            arrays.append(array.astype(np.float64) if is_integer else array)
        return tuple(arrays)

    def _with_constants(self, variables: Sequence[Any]) -> list[Any]:
        """Constants at their positions, the variable inputs in between."""
        left = list(variables)
        total = max(len(left) + len(self.constants), max(self.constants, default=-1) + 1)
        arguments: list[Any] = []
        for position in range(total):
            if position in self.constants:
                arguments.append(self.constants[position])
            else:
                arguments.append(left.pop(0) if left else None)
        return arguments

    def _quantizer_of(self, output: Array) -> UniformQuantizer:
        output = np.asarray(output, dtype=np.float64)
        stats = MinMaxQuantizationStats(rmax=output.max(), rmin=output.min())
        return UniformQuantizer(QuantizationOptions(self.n_bits_output), stats)

    def _as_codes(self, given: Any, sample: Array) -> QuantizedArray:
        if isinstance(given, QuantizedArray):
            return given
        stats = MinMaxQuantizationStats()
        stats.compute_quantization_stats(np.asarray(sample, dtype=np.float64))
        options = self.input_quant_opts
        return QuantizedArray(options.n_bits, given, options=options, stats=stats)

    def _check_calibrated(self) -> None:
        if self._calibration is None:
            raise ValueError(
                f"{type(self).__name__} {self.op_instance_name!r} must be calibrated first: call "
                "calibrate with sample inputs."
            )

    def _row_constants(
        self, x: Sequence[Any], shape: tuple[int, ...]
    ) -> dict[int, NDArray[np.float64]]:
        """Constant inputs by position, as they meet rows of a shape."""
        found = {}
        for position, value in enumerate(x):
            if isinstance(value, np.ndarray):
                constant = row_constant(np.asarray(value, dtype=np.float64), shape)
                if constant is None:
                    raise self.unsupported(
                        f"a constant of shape {value.shape} is not the same for all rows, which "
                        f"have the shape {shape}"
                    )
                found[position] = constant
        return found


def in_rows(op: QuantizedOp, value: Any) -> Any:
    """A `BatchConstant` as a constant of one row, where all rows are alike."""
    if not isinstance(value, BatchConstant):
        return value
    two, three = value.for_two, value.for_three
    if two.shape[:1] == (2,) and three.shape[:1] == (3,):
        row = two[:1]
        if all(np.array_equal(np.broadcast_to(row, rows.shape), rows) for rows in (two, three)):
            return row
    raise op.unsupported("its result depends on the number of rows")
