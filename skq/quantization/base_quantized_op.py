"""Base classes of quantized operators, and the registries that hold them.

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
from skq.numerics import requantize
from skq.quantization.lower.lowering import Lowering
from skq.quantization.lower.operands import (
    Array,
    BatchConstant,
    Features,
    Operand,
    QuantizedTensor,
    fuse,
)
from skq.quantization.lower.rounding import get_rounding
from skq.quantization.lower.standalone import run_alone
from skq.quantization.lower.views import elements, moved, row_constant, with_constants
from skq.quantization.n_bits import DEFAULT_MODEL_BITS
from skq.quantization.onnx_input_names import position_by_onnx_name
from skq.quantization.operator_facts import ONNX_OPS_TO_QUANTIZED_IMPL, ErrorStep, Reach
from skq.quantization.quantizers import (
    MinMaxQuantizationStats,
    QuantizationOptions,
    QuantizedArray,
    UniformQuantizationParameters,
    UniformQuantizer,
)
from skq.serialization import Serializable, serializable

__all__ = [
    "ALL_QUANTIZED_OPS",
    "DEFAULT_MODEL_BITS",
    "ONNX_OPS_TO_NUMPY_IMPL",
    "ONNX_OPS_TO_QUANTIZED_IMPL",
    "QuantizedMixingOp",
    "QuantizedOp",
    "QuantizedOpUnivariateOfEncrypted",
    "quantizes",
]

#: Every quantized operator class.
ALL_QUANTIZED_OPS: set[type[QuantizedOp]] = set()

OpClass = TypeVar("OpClass", bound="type[QuantizedOp]")

#: Half the distance of the difference quotient of a function, in standard deviations of its
#: argument: about the error of a quantized argument.
SLOPE_DISTANCE = 0.2


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


#: Number of rows of quantiles that are stored instead of the calibration samples.
TYPICAL_ROWS = 65


def typical_rows(samples: Array) -> Array:
    """Rows of the quantiles of each element's samples, in an order that differs by element.

    They have the range and the distribution of each element, but no row of the samples.

    Parameters
    ----------
    samples : ndarray of shape (n_rows, ...)

    Returns
    -------
    ndarray of shape (TYPICAL_ROWS, ...), of the dtype of `samples`
    """
    if samples.ndim == 0 or samples.size == 0:
        return samples
    at = np.rint(np.linspace(0, len(samples) - 1, TYPICAL_ROWS)).astype(np.int64)
    quantiles = np.sort(samples, axis=0)[at].reshape(TYPICAL_ROWS, -1)
    mixed = np.random.default_rng(0).permuted(quantiles, axis=0)
    return mixed.reshape(TYPICAL_ROWS, *samples.shape[1:])


class QuantizedOp(Serializable):
    """An ONNX operator that can calibrate itself and lower itself to integer instructions.

    Parameters
    ----------
    n_bits_output : int
        Width of the codes that the operator returns when it is called by itself.
    op_instance_name : str
        For messages; usually the node's name.
    int_input_names : set of str, default=None
        Names of the integer tensors that the inputs are functions of; see `can_fuse`. None stands
        for one tensor, ``{"0"}``.
    constant_inputs : dict, default=None
        Constant inputs by position, by ONNX's name (``"input_mean"``), or by the name that the
        NumPy implementation gives them.
        Arrays, or QuantizedArrays, which are taken at their real values.
    input_quant_opts : QuantizationOptions, default=None
        How an input that comes as a float array is quantized; `n_bits_output` bits, unsigned, by
        default.
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
        """ONNX's name of the operator."""
        return cls._op_type

    @classmethod
    def must_quantize_input(cls, input_name_or_idx: int | str) -> bool:
        """Whether an input is a tensor of real values, and not a shape, an axis or a bound.

        Parameters
        ----------
        input_name_or_idx : int or str
            Position, or the name that the NumPy implementation gives it.
        """
        return cls._position(input_name_or_idx) not in cls.raw_inputs

    @property
    def int_input_names(self) -> set[str]:
        """Names of the integer tensors that the inputs are functions of."""
        return self._int_input_names

    def can_fuse(self) -> bool:
        """Whether the operator becomes part of a table: not, unless a subclass says so."""
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
            All inputs by position; QuantizedArrays count at their real values.
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
        """Take sample inputs: they fix the range of the output, and what weights are fitted to.

        Of the samples the operator holds the quantiles of each element (`typical_rows`), of the
        outputs the range. Files and pickles hold no row of them.

        Parameters
        ----------
        *inputs : ndarray of shape (n_rows, ...)
            The inputs that are not constant, in order. Integers count as real numbers.

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
        """Run the operator on integers: its lowering, on the reference engine.

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
            One an input, by position; constants as arrays, omitted inputs as None.
        reals : sequence of ndarray
            Float inputs for the calibration rows, by position.
        outputs : sequence of ndarray
            Float outputs for the calibration rows.

        Returns
        -------
        sequence of operands, one an output
        """
        raise self.unsupported("it has no integer form")

    def unsupported(self, reason: str) -> UnsupportedModelError:
        """An error that names the node, the operator and the reason."""
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
                        f"a constant of shape {value.shape} does not meet all rows, of shape "
                        f"{shape}, alike"
                    )
                found[position] = constant
        return found


class QuantizedOpUnivariateOfEncrypted(QuantizedOp):
    """A function of single elements: becomes part of a table, or of a requantization.

    It may read several inputs if all of them are functions of one integer tensor:
    ``x * sigmoid(x)`` is one table.
    """

    #: Whether the result is one of integers; known when it is lowered.
    _truncates: bool = False

    def can_fuse(self) -> bool:
        """Whether one integer tensor generates all inputs, so that the result is a table of it."""
        return len(self._int_input_names) == 1

    @classmethod
    def input_error_weight(cls, step: ErrorStep) -> NDArray[np.float64] | None:
        real = step.values
        spread = np.sqrt(step.row_weight @ (real - step.row_weight @ real) ** 2)
        half = SLOPE_DISTANCE * spread + 1e-12 * np.abs(real).max(axis=0) + 1e-300
        arguments = list(step.arguments)
        dtype = np.asarray(arguments[step.position]).dtype
        sides = []
        for moved_values in (real - half, real + half):
            arguments[step.position] = moved_values.astype(dtype)
            with np.errstate(all="ignore"):
                sides.append(np.asarray(bind_node(step.node)(*arguments)[0], np.float64))
        if sides[0].shape != step.weight.shape or sides[0].shape != real.shape:
            return None
        slope = (sides[1] - sides[0]) / (2 * half)
        return np.asarray(step.weight * slope * slope)

    def lower(
        self, low: Lowering, x: Sequence[Any], reals: Sequence[Any], outputs: Sequence[Array]
    ) -> Sequence[Operand]:
        return [self.fused(low, x, reals, outputs[0])]

    def fused(
        self, low: Lowering, x: Sequence[Any], reals: Sequence[Any], output: Array
    ) -> QuantizedTensor:
        """One function of the integers that all inputs are functions of.

        Where ONNX returns integers, fractions are truncated.
        """
        self._truncates = output.dtype.kind in "iu"
        tensors = {
            i: low.tensor(v) for i, v in enumerate(x) if isinstance(v, Features | QuantizedTensor)
        }
        if any(reals[i].ndim != output.ndim for i in tensors):
            raise self.unsupported("it broadcasts a tensor to more axes, and so across rows")
        positions = list(tensors)
        first = tensors[positions[0]]
        if not all(first.same_integers(other) for other in tensors.values()):
            raise self.unsupported("its inputs come from different integer tensors")
        constants = self._row_constants(x, output.shape[1:])
        moved_first, values = with_constants(
            low, first, list(constants.values()), reals=reals[positions[0]]
        )
        if moved_first.value != first.value:
            if len(tensors) > 1:
                raise self.unsupported("constants that differ within a channel, and two tensors")
            first = moved_first
            tensors = {positions[0]: moved_first}
        channel = dict(zip(constants, values, strict=True))
        if len(tensors) == 1:
            found = self.compose(low, moved_first, channel)
        else:
            found = fuse(self._function(tensors, channel), *tensors.values())
        shape = output.shape[1:]
        view = elements(low, moved_first)
        if view.shape != shape:
            view = np.ascontiguousarray(np.broadcast_to(view, shape))
        return moved(low, found, view)

    def compose(
        self, low: Lowering, x: QuantizedTensor, constants: Mapping[int, Array]
    ) -> QuantizedTensor:
        """The tensor followed by this function.

        Parameters
        ----------
        low : Lowering
        x : QuantizedTensor
        constants : mapping of int to ndarray of shape () or (n_channels,)
            Constant inputs by position, one a channel of the integer value.
        """
        variable = next(i for i in range(len(constants) + 1) if i not in constants)
        return fuse(self._function({variable: x}, constants), x)

    def _function(
        self, tensors: Mapping[int, QuantizedTensor], constants: Mapping[int, Array]
    ) -> Callable[..., Array]:
        """The float operator as a function of its variable inputs."""
        n_inputs = 1 + max((*tensors, *constants))
        impl = self._bound(n_inputs, {})
        positions = list(tensors)

        def function(*values: Array) -> Array:
            arguments: list[Any] = [constants.get(i) for i in range(n_inputs)]
            for position, value in zip(positions, values, strict=True):
                arguments[position] = np.asarray(value, dtype=np.float64)
            result = np.asarray(impl(*arguments)[0], dtype=np.float64)
            return np.trunc(result) if self._truncates else result

        return function


class QuantizedMixingOp(QuantizedOp):
    """An operator that adds, multiplies or compares elements of integer tensors.

    Parameters
    ----------
    *args, **kwargs
        As for `QuantizedOp`.
    rounding_threshold_bits : None, int or dict, default=None
        Precision to which accumulators are rounded; see
        `skq.quantization.lower.rounding.get_rounding`.

    Attributes
    ----------
    lsbs_to_remove : dict of str to int
        Lowest bits that each calibrated rounding of `cnp_round` takes off, by its identifier.
    """

    def __init__(self, *args: Any, rounding_threshold_bits: Any = None, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.rounding_threshold_bits = rounding_threshold_bits
        self._rounding = get_rounding(rounding_threshold_bits)
        self.lsbs_to_remove: dict[str, int] = {}

    def can_fuse(self) -> bool:
        """Whether the operator becomes part of a table: never, it reads several elements."""
        return False

    def cnp_round(
        self,
        x: Array,
        calibrate_rounding: bool,
        rounding_operation_id: str | None = "single_rounding_op",
    ) -> NDArray[np.int64]:
        """Round integers to multiples of a power of two, half up.

        The power is chosen on calibration data so that `rounding_threshold_bits` bits are left of
        the widest integers of all calls.

        Parameters
        ----------
        x : ndarray of int
            Accumulators.
        calibrate_rounding : bool
            Choose the power from `x`; else it must have been chosen before.
        rounding_operation_id : str, default="single_rounding_op"
            Identifier of the rounding, if an operator has several.

        Returns
        -------
        ndarray of int64
            Multiples of ``2**lsbs``; `x` itself where nothing is to be rounded off.
        """
        x = np.asarray(x, dtype=np.int64)
        key = str(rounding_operation_id)
        if self._rounding.n_bits is None:
            return x
        if calibrate_rounding:
            largest = max(abs(int(x.min(initial=0))), abs(int(x.max(initial=0))))
            width = largest.bit_length() + int(x.min(initial=0) < 0)
            before = self.lsbs_to_remove.get(key, 0)
            self.lsbs_to_remove[key] = max(before, width - self._rounding.n_bits)
        if key not in self.lsbs_to_remove:
            raise ValueError(f"the rounding {key!r} has not been calibrated yet")
        lsbs = self.lsbs_to_remove[key]
        if lsbs == 0:
            return x
        limit = 2**62
        return requantize(x, 1, 2 ** (lsbs - 1), lsbs, -limit >> lsbs, limit >> lsbs) << lsbs

    def make_output_quant_parameters(
        self, q_values: Any, scale: Any, zero_point: Any
    ) -> QuantizedArray:
        """Wrap integer results with the scale and zero point that belong to them.

        Parameters
        ----------
        q_values : ndarray of int
        scale : float
        zero_point : int, float or ndarray

        Returns
        -------
        QuantizedArray
            Of `n_bits_output` bits; the integers are taken as they are.
        """
        return QuantizedArray(
            self.n_bits_output,
            np.asarray(q_values),
            value_is_float=False,
            options=QuantizationOptions(self.n_bits_output),
            params=UniformQuantizationParameters(scale=scale, zero_point=zero_point, offset=0),
        )

    def _more_state(self) -> dict[str, Any]:
        return {"rounding_threshold_bits": self.rounding_threshold_bits}


def in_rows(op: QuantizedOp, value: Any) -> Any:
    """A `BatchConstant` as a constant of one row, where all rows are alike."""
    if not isinstance(value, BatchConstant):
        return value
    two, three = value.for_two, value.for_three
    if two.shape[:1] == (2,) and three.shape[:1] == (3,):
        row = two[:1]
        if all(np.array_equal(np.broadcast_to(row, rows.shape), rows) for rows in (two, three)):
            return row
    raise op.unsupported("it computes with the number of rows")
