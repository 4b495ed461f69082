"""Post-training quantization: float graph + calibration data → `QuantizedModule`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, ClassVar, NamedTuple, Self

import numpy as np
from numpy.typing import NDArray

from skq.exceptions import ProgramError, UnsupportedModelError
from skq.graph.evaluator import GraphEvaluator
from skq.graph.graph import MONOTONIC, FloatGraph, Node, TensorInfo
from skq.graph.ops import bind_node
from skq.quantization import quantized_ops  # noqa: F401  (registers the operators)
from skq.quantization.base_quantized_op import (
    DEFAULT_MODEL_BITS,
    ONNX_OPS_TO_NUMPY_IMPL,
    ONNX_OPS_TO_QUANTIZED_IMPL,
    in_rows,
)
from skq.quantization.calibration_settings import CALIBRATION
from skq.quantization.columns import check_columns
from skq.quantization.lossless import check_only_trees, check_splits, needed_width
from skq.quantization.lower.combine import integers, joint_tensor
from skq.quantization.lower.context import Settings
from skq.quantization.lower.epilogue import epilogue_nodes
from skq.quantization.lower.joint_features import JointFeatures
from skq.quantization.lower.lowering import Lowering
from skq.quantization.lower.operands import (
    Array,
    BatchConstant,
    Features,
    Operand,
    QuantizedTensor,
)
from skq.quantization.lower.rounding import get_rounding
from skq.quantization.lower.rows import check_rows_alone
from skq.quantization.lower.trained import (
    check_grids,
    check_layers,
    quantizers_first,
    trained_constants,
)
from skq.quantization.lower.views import arranged
from skq.quantization.lower.whole_numbers import MATCHING, check_holds_integers, jumping_inputs
from skq.quantization.n_bits import LOSSLESS, get_n_bits_dict, is_lossless
from skq.quantization.quantized_module import QuantizedModule
from skq.quantization.search.model_error import ModelError
from skq.quantization.search.ranges import check_calibration
from skq.quantization.search.sensitivity import error_weights
from skq.quantization.search.tree_inputs import weights_by_variance
from skq.serialization import Serializable, serializable

__all__ = [
    "DEFAULT_MODEL_BITS",
    "ONNX_OPS_TO_NUMPY_IMPL",
    "ONNX_OPS_TO_QUANTIZED_IMPL",
    "ONNXConverter",
    "PostTrainingAffineQuantization",
    "PostTrainingQATImporter",
    "get_n_bits_dict",
]


@serializable("skq.ONNXConverter")
class ONNXConverter(Serializable):
    """Float graph → integer program; base class of the converters.

    Parameters
    ----------
    n_bits : int, "lossless" or dict of str to int
        See `get_n_bits_dict`.
    numpy_model : NumpyModule
    rounding_threshold_bits : None, int or dict, default=None
        See `skq.quantization.lower.rounding.get_rounding`.
    is_signed : bool, default=True
        Whether weights are on signed, symmetric grids, one a channel; else on affine grids from
        the channel's least weight to its greatest.
    columns_per_feature : int or "lossless", default=1
        Columns of codes that a feature may stand in; see `skq.quantization.columns`.
    calibration : {"auto", "minmax", "percentile", "mse"}, default="auto"
        How the range of each tensor is chosen: by its values alone, as
        `skq.quantization.search.ranges.find_range` does, or ("auto") by the error at each layer's
        output on the calibration data.
    """

    #: Whether weights and activations are on grids already, which are detected and used.
    _discrete: ClassVar[bool] = False

    def __init__(
        self,
        n_bits: int | str | Mapping[str, int],
        numpy_model: GraphEvaluator,
        rounding_threshold_bits: Any = None,
        is_signed: bool = True,
        *,
        calibration: str = "auto",
        columns_per_feature: int | str = 1,
    ) -> None:
        if not isinstance(numpy_model, GraphEvaluator):
            raise TypeError(
                "numpy_model must be a NumpyModule: wrap an ONNX model or a torch module in one. "
                f"Got {type(numpy_model).__name__}."
            )
        if not isinstance(is_signed, bool | np.bool_):
            raise TypeError(f"is_signed is True or False. Got {is_signed!r}.")
        self.n_bits = get_n_bits_dict(n_bits)
        self._lossless = is_lossless(n_bits)
        self.numpy_model = numpy_model
        self.rounding_threshold_bits = rounding_threshold_bits
        self.is_signed = bool(is_signed)
        self.calibration = check_calibration(calibration)
        self.columns_per_feature = columns_per_feature
        self._settings = Settings(
            self.n_bits,
            get_rounding(rounding_threshold_bits),
            calibration,
            signed_weights=self.is_signed,
            discrete=self._discrete,
            columns=check_columns(columns_per_feature, n_bits),
        )

    def __skq_state__(self) -> dict[str, Any]:
        """Return the constructor's arguments, with the model as its graph."""
        rounding = self._settings.rounding
        return {
            "n_bits": LOSSLESS if self._lossless else self.n_bits,
            "numpy_model": self.numpy_model.graph,
            "rounding_threshold_bits": {
                "n_bits": "auto" if rounding.n_bits is None else rounding.n_bits,
                "method": rounding.method,
            },
            "is_signed": self.is_signed,
            "calibration": self.calibration,
            "columns_per_feature": self.columns_per_feature,
        }

    @classmethod
    def __skq_build__(cls, state: dict[str, Any]) -> Self:
        """Build the converter around the graph."""
        return cls(**{**state, "numpy_model": GraphEvaluator(state["numpy_model"])})

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
        self,
        *calibration_data: Array,
        sample_weight: Array | None = None,
        ranges: Sequence[InputRange] | None = None,
    ) -> QuantizedModule:
        """Quantize the model.

        Parameters
        ----------
        *calibration_data : ndarray of shape (n_rows, ...)
            One a model input.
        sample_weight : ndarray of shape (n_rows,), default=None
            Weight of each row; rows of weight 0 count as absent.
        ranges : sequence of InputRange, default=None
            What is known of each input beyond the rows given; by default, what they show.

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
        columns = self._settings.columns
        parameter = "n_bits" if self._lossless else "columns_per_feature"
        if self._lossless or columns is None:
            check_splits(self.numpy_model.graph, parameter)

        def converted(settings: Settings) -> QuantizedModule:
            return _Conversion(
                self.numpy_model, settings, calibration_data, sample_weight, ranges
            ).run()

        module = converted(replace(self._settings, columns=1 if self._lossless else columns))
        if self._lossless or columns is None:
            check_only_trees(module, parameter)
        if not self._lossless:
            return module
        n_bits = {**self.n_bits, "model_inputs": needed_width(module, columns or 1)}
        if columns == 1:
            return replace(module, n_bits=n_bits)
        return converted(replace(self._settings, n_bits=n_bits))


@serializable("skq.PostTrainingAffineQuantization")
class PostTrainingAffineQuantization(ONNXConverter):
    """Post-training quantization with uniform, affine quantizers.

    Examples
    --------
    >>> import numpy as np
    >>> from skq.graph.graph import FloatGraph, Node, TensorInfo
    >>> from skq.quantization import NumpyModule
    >>> graph = FloatGraph(
    ...     nodes=(Node("Gemm", ("x", "w"), ("y",)),),
    ...     initializers={"w": np.array([[1.0], [-2.0]])},
    ...     inputs=(TensorInfo("x", "float64", (None, 2)),),
    ...     outputs=(TensorInfo("y", "float64", (None, 1)),),
    ... )
    >>> X = np.random.default_rng(0).uniform(-1, 1, (100, 2))
    >>> converter = PostTrainingAffineQuantization(8, NumpyModule(graph))
    >>> module = converter.quantize_module(X)
    >>> bool(np.abs(module.forward(X)[:, 0] - X @ [1, -2]).max() < 0.03)
    True
    """


@serializable("skq.PostTrainingQATImporter")
class PostTrainingQATImporter(ONNXConverter):
    """Import of networks that were trained with quantization in the loop.

    Their weights and activations lie on grids already. The grids come from the graph where it has
    QuantizeLinear and DequantizeLinear, and else from the values themselves (the smallest gap
    between distinct values), and are used unchanged. What lies on no grid of the asked width is
    quantized as post-training quantization does.
    """

    _discrete = True


class InputRange(NamedTuple):
    """Range of one input over all calibration data.

    Parameters
    ----------
    lo, hi : ndarray of a row's shape
        Least and greatest value; NaN left out, 0 where all are missing.
    has_missing : bool
        Whether there was NaN anywhere.
    """

    lo: Array
    hi: Array
    has_missing: bool = False

    @classmethod
    def of(cls, array: Array, present: Any = slice(None)) -> InputRange:
        """Range of an array of rows; `present` selects the rows that count."""
        with np.errstate(invalid="ignore"):
            lo, hi = _range(array[present])
        return cls(lo, hi, bool(np.isnan(array).any()) if array.dtype.kind == "f" else False)


class _Input(NamedTuple):
    """An input of the graph: its calibration rows, what else is known, and which grids it needs."""

    name: str
    raw: Array
    known: InputRange
    is_whole: bool


class _Conversion:
    """One run of the converter."""

    def __init__(
        self,
        model: GraphEvaluator,
        settings: Settings,
        data: tuple[Array, ...],
        sample_weight: Array | None,
        ranges: Sequence[InputRange] | None = None,
    ) -> None:
        if settings.discrete:
            model = GraphEvaluator(quantizers_first(model.graph))
        self.model, self.graph = model, model.graph
        monotonic = any(node.doc_string == MONOTONIC for node in self.graph.nodes)
        settings = replace(settings, monotonic=monotonic)
        arrays = _checked_data(model, data)
        most = _most_rows(arrays, self.graph, settings.n_bits["model_inputs"])
        rows, self.row_weight = _choose_rows(len(arrays[0]), sample_weight, most)
        self.constants: dict[str, Array] = {
            name: np.asarray(array) for name, array in self.graph.initializers.items()
        }
        self.floats = dict(self.constants)
        self._inputs: list[_Input] = []
        present = slice(None) if sample_weight is None else np.asarray(sample_weight) > 0
        if ranges is None:
            ranges = [InputRange.of(array, present) for array in arrays]
        jumping, equal = jumping_inputs(self.graph), jumping_inputs(self.graph, MATCHING)
        for info, array, known in zip(model.inputs, arrays, ranges, strict=True):
            raw = array[rows]
            is_whole = array.dtype.kind in "biu" or info.name in jumping
            if info.name in equal:
                check_holds_integers(info.name, raw, known.lo, known.hi, settings.n_bits)
            self.floats[info.name] = raw
            self._inputs.append(_Input(info.name, raw, known, is_whole))
        self.settings = settings

    def _start(self, settings: Settings, **context: Any) -> None:
        """Begin a program with the inputs alone; `context`: see `Lowering`."""
        self.low = Lowering(settings, self.row_weight, **context)
        self.operands: dict[str, Operand] = dict(self.constants)
        self._names: dict[tuple[int, bytes], str] = {}  # of integer tensors, for `can_fuse`
        for name, raw, known, is_whole in self._inputs:
            self.operands[name] = self.low.input(
                raw, known.lo, known.hi, has_missing=known.has_missing, is_whole=is_whole
            )

    def run(self) -> QuantizedModule:
        epilogue = epilogue_nodes(self.graph)
        _check_operators(self.graph, epilogue)
        nodes = tuple(node for i, node in enumerate(self.graph.nodes) if i in epilogue)
        quantized = [node for i, node in enumerate(self.graph.nodes) if i not in epilogue]
        read = [name for node in nodes for name in node.inputs if name]
        names = self._constant_names(quantized)
        check_grids(self.graph, names)
        for step, node in enumerate(self.graph.nodes):
            if step not in epilogue:
                self._run_float(step, node)
        settings = self.settings
        if settings.searches and (self._is_large() or self._changes_rows(quantized)):
            # refuse what cannot be lowered before a search, which is slow and may fail on it
            self._start(replace(settings, calibration="minmax"))
            self._lower_all(quantized, nodes)
        context: dict[str, Any] = {}
        if settings.discrete:
            known = {name: self.floats[name] for name in names}
            context["trained"] = trained_constants(self.graph.nodes, known)
            check_layers(self.graph, context["trained"])
        if settings.searches:
            ends = [*read, *self.graph.output_names]
            context["error_weights"] = {
                **error_weights(self.graph, self.floats, ends, self.row_weight),
                **weights_by_variance(self.graph, self.floats, self.row_weight),
            }
            context["model_error"] = ModelError(self.graph, self.floats, ends, self.row_weight)
        self._start(settings, **context)
        outputs = self._lower_all(quantized, nodes)
        constants = {
            name: value
            for name, value in self.operands.items()
            if isinstance(value, np.ndarray) and name in {*read, *self.graph.output_names}
        }
        program = self.low.builder.build(outputs)
        inputs = tuple(
            TensorInfo(name, "int64" if t.is_integer else "float64", (None, *t.shape))
            for name, t in ((n, program.types[v]) for n, v in program.outputs.items())
        )
        rest = FloatGraph(nodes, constants, inputs, self.graph.outputs, self.graph.opsets)
        check_rows_alone(rest, self.floats)
        without_missing_code = tuple(sorted(self.low.without_missing_code))
        return QuantizedModule(
            program, rest, self.low.settings.n_bits, self.graph, without_missing_code
        )

    def _constant_names(self, nodes: Sequence[Node]) -> set[str]:
        """Names of initializers and of what is computed from these alone."""
        names = set(self.graph.initializers)
        for node in nodes:
            if names.issuperset(filter(None, node.inputs)):
                names.update(filter(None, node.outputs))
        return names

    def _is_large(self) -> bool:
        """Whether the search for the weights of the layers takes long."""
        sizes = [np.size(array) for array in self.graph.initializers.values()]
        return sum(sizes) > CALIBRATION.large_network_weights

    def _changes_rows(self, nodes: Sequence[Node]) -> bool:
        """Whether a node's result has another number of rows, as shapes and constants have."""
        names = [name for node in nodes for name in node.outputs if name]
        return any(self.floats[name].shape[:1] != self.row_weight.shape for name in names)

    def _run_float(self, step: int, node: Node) -> None:
        results = self.model.run_node(step, [self.floats.get(name) for name in node.inputs])
        pairs = zip(node.outputs, results, strict=False)
        self.floats.update((name, result) for name, result in pairs if name)

    def _lower_all(self, quantized: Sequence[Node], epilogue: Sequence[Node]) -> dict[str, int]:
        """Write all nodes; the values that the epilogue and the outputs read, by name."""
        for node in quantized:
            self._lower(node)
        for node in epilogue:
            shape = self.operands.get(node.inputs[1]) if node.op_type == "Reshape" else None
            if isinstance(shape, BatchConstant):
                self.operands[node.inputs[1]] = _any_rows(shape)
        computed = {name for node in epilogue for name in node.outputs}
        read = [name for node in epilogue for name in node.inputs if name]
        scores = dict.fromkeys(
            name
            for name in [*read, *self.graph.output_names]
            if name not in computed and not isinstance(self.operands.get(name), np.ndarray)
        )
        return {name: self._output(name) for name in scores}

    def _lower(self, node: Node) -> None:
        """Write a node's instructions."""
        operands = [self.operands.get(name) for name in node.inputs]
        floats = [self.floats.get(name) for name in node.inputs]
        results = [self.floats[name] if name else np.empty(0) for name in node.outputs]
        given = [operand for operand in operands if operand is not None]
        if all(isinstance(operand, np.ndarray) for operand in given):
            self.operands.update(zip(node.outputs, results, strict=False))
        elif all(isinstance(operand, np.ndarray | BatchConstant) for operand in given):
            self.operands.update(zip(node.outputs, _of_shapes(node, operands), strict=False))
        else:
            self._lower_tensors(node, operands, floats, results)

    def _lower_tensors(
        self,
        node: Node,
        operands: Sequence[Any],
        floats: Sequence[Array | None],
        results: Sequence[Array],
    ) -> None:
        op = ONNX_OPS_TO_QUANTIZED_IMPL[node.op_type].from_node(
            node,
            {i: v for i, v in enumerate(operands) if isinstance(v, np.ndarray)},
            n_bits_output=self.low.settings.n_bits["op_inputs"],
            int_input_names={self._origin(name) for name in node.inputs if name} - {""},
        )
        if not op.reads_features:
            operands = [
                joint_tensor(self.low, v) if isinstance(v, JointFeatures) else v for v in operands
            ]
        operands = [
            in_rows(op, operand) if op.must_quantize_input(i) else operand
            for i, operand in enumerate(operands)
        ]
        try:
            lowered = op.lower(self.low, operands, floats, results)
        except ProgramError as error:
            raise type(error)(f"{node}: {error}") from error
        except UnsupportedModelError as error:
            if str(error).startswith(str(node)):
                raise
            raise op.unsupported(str(error)) from error
        for name, operand in zip(node.outputs, lowered, strict=False):
            self.operands[name] = operand
            if isinstance(operand, QuantizedTensor):
                self._names.setdefault(_integers_of(operand), name)

    def _origin(self, name: str) -> str:
        """Name of the integer tensor that a tensor is a function of; "" for constants."""
        operand = self.operands.get(name)
        if isinstance(operand, QuantizedTensor):
            return self._names.get(_integers_of(operand), name)
        return "" if isinstance(operand, np.ndarray | BatchConstant) else name

    def _output(self, name: str) -> int:
        """Value of the program that a float output or the epilogue reads."""
        operand: Any = self.operands.get(name)
        if isinstance(operand, JointFeatures):
            operand = joint_tensor(self.low, operand)
        if not isinstance(operand, Features | QuantizedTensor):
            raise UnsupportedModelError(f"output {name!r} depends on the number of rows alone")
        tensor, reals = self.low.tensor(operand), self.floats[name]
        if reals.dtype.kind != "f":
            return arranged(self.low, integers(self.low, tensor, reals)).value
        return self.low.dequantize(arranged(self.low, self.low.settled(tensor, reals)))


def _any_rows(shape: BatchConstant) -> Array | BatchConstant:
    """A shape that begins with the number of rows as a constant: -1, and the lengths of a row."""
    two, three = np.ravel(shape.for_two), np.ravel(shape.for_three)
    is_shape = two.size == three.size > 0 and (two[0], three[0]) == (2, 3)
    if not is_shape or not np.array_equal(two[1:], three[1:]):
        return shape
    return np.array([-1, *two[1:]], np.int64)


def _integers_of(x: QuantizedTensor) -> tuple[int, bytes]:
    """Key that identifies an integer tensor."""
    return x.value, b"" if x.view is None else x.view.tobytes()


def _of_shapes(node: Node, operands: Sequence[Any]) -> list[Operand]:
    """Results of a node that computes from shapes."""
    pairs = zip(
        *(
            bind_node(node)(
                *(v.for_rows(n_rows) if isinstance(v, BatchConstant) else v for v in operands)
            )
            for n_rows in (2, 3)
        ),
        strict=True,
    )
    return [
        two if np.array_equal(two, three) else BatchConstant(two, three) for two, three in pairs
    ]


def _check_operators(graph: FloatGraph, epilogue: set[int]) -> None:
    """Refuse operators that cannot be quantized, before anything runs."""
    constant = set(graph.initializers)
    for index, node in enumerate(graph.nodes):
        if all(name in constant for name in node.inputs if name):
            constant.update(node.outputs)
            continue
        if index in epilogue:
            continue
        op_class = ONNX_OPS_TO_QUANTIZED_IMPL.get(node.op_type)
        if op_class is None:
            raise UnsupportedModelError(
                f"{node} cannot be quantized: operator {node.op_type} has no quantized form. "
                f"skq.quantization.ONNX_OPS_TO_QUANTIZED_IMPL lists the operators that have one."
            )
        if op_class.refused:
            raise UnsupportedModelError(f"{node} cannot be quantized: {op_class.refused}.")


def _checked_data(model: GraphEvaluator, data: tuple[Array, ...]) -> list[Array]:
    if len(data) != len(model.inputs):
        raise ValueError(
            f"Expected calibration data for {len(model.inputs)} inputs: "
            f"{[info.name for info in model.inputs]}. Got {len(data)} arrays."
        )
    arrays = [
        np.asarray(array, dtype=info.dtype) for info, array in zip(model.inputs, data, strict=True)
    ]
    lengths = {array.shape[:1] for array in arrays}
    if len(lengths) != 1 or lengths & {(), (0,)}:
        raise ValueError(
            f"Calibration data need at least one row, and as many for each input. "
            f"Got shapes {[array.shape for array in arrays]}."
        )
    for info, array in zip(model.inputs, arrays, strict=True):
        _check_shape(info, array)
        if array.dtype.kind == "f" and np.isinf(array).any() and not _is_compared(model, info.name):
            raise ValueError(f"Calibration data for {info.name!r} must not hold infinity.")
    return arrays


def _check_shape(info: TensorInfo, array: Array) -> None:
    """Raise if an input of the graph cannot take rows of this shape, or as many of them."""
    fits = array.ndim == len(info.shape) and all(
        length is None or length == given
        for length, given in zip(info.shape[1:], array.shape[1:], strict=True)
    )
    if not fits:
        raise ValueError(
            f"Calibration data for input {info.name!r} must have the shape {_shown(info.shape)}. "
            f"Got {array.shape}."
        )
    if info.shape and info.shape[0] not in (None, len(array)):
        raise UnsupportedModelError(
            f"Input {info.name!r} has the fixed shape {_shown(info.shape)}, a batch of "
            f"{info.shape[0]} rows, and cannot take {len(array)}: export the model with a dynamic "
            f"batch axis (torch.onnx.export's dynamic_axes)."
        )


def _shown(shape: Sequence[int | None]) -> str:
    return f"({', '.join('n_rows' if n is None else str(n) for n in shape)})"


def _is_compared(model: GraphEvaluator, name: str) -> bool:
    """Whether trees alone read an input: they compare infinity as any number."""
    reached = {name}
    for node in model.graph.nodes:
        if reached.intersection(node.inputs):
            if node.op_type == "Concat":
                reached.update(node.outputs)
            elif node.op_type != "TreeEnsembleRegressor":
                return False
    return True


def _most_rows(arrays: Sequence[Array], graph: FloatGraph, n_bits: int) -> int:
    """Rows to run the layers on at most: fewer for images, whose layers have many positions.

    And fewer for large tree ensembles, where a row visits a leaf of every tree; but not where trees
    are averaged and codes are narrow.
    """
    ensembles = [node for node in graph.nodes if node.op_type == "TreeEnsembleRegressor"]
    averages = any(node.attributes.get("aggregate_function") == "AVERAGE" for node in ensembles)
    is_large = (
        sum(len(node.attributes["nodes_modes"]) for node in ensembles)
        > CALIBRATION.large_ensemble_nodes
    )
    if is_large and not (averages and n_bits <= CALIBRATION.max_narrow_bits):
        return CALIBRATION.max_ensemble_rows
    cells = max((array[0].size for array in arrays if array.ndim > 2), default=0)
    return max(64, min(CALIBRATION.max_rows, CALIBRATION.max_elements // max(cells, 1)))


def _choose_rows(
    n_rows: int, sample_weight: Array | None, most: int = CALIBRATION.max_rows
) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """Rows to run the layers on, evenly spaced, and their weights, which sum to 1."""
    weight = np.ones(n_rows) if sample_weight is None else np.asarray(sample_weight, np.float64)
    if weight.shape != (n_rows,) or not np.all(np.isfinite(weight)) or not np.any(weight > 0):
        raise ValueError(
            f"sample_weight must be finite, with one value a row ({n_rows}) and one above 0. "
            f"Got shape {weight.shape}."
        )
    rows = np.flatnonzero(weight > 0)
    if len(rows) > most:
        rows = rows[np.linspace(0, len(rows) - 1, most).astype(np.int64)]
    return rows, weight[rows] / weight[rows].sum()


def _range(array: Array) -> tuple[Array, Array]:
    """Least and greatest value of each element of a row; 0 where all are missing."""
    if array.dtype.kind != "f":
        return array.min(axis=0), array.max(axis=0)
    lo, hi = np.fmin.reduce(array, axis=0), np.fmax.reduce(array, axis=0)
    return np.nan_to_num(lo, nan=0.0), np.nan_to_num(hi, nan=0.0)
