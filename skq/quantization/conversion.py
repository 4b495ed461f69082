"""One run of a converter: the graph is lowered node by node into an integer program."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any, NamedTuple

import numpy as np

from skq.exceptions import ProgramError, UnsupportedModelError
from skq.graph.evaluator import GraphEvaluator
from skq.graph.graph import MONOTONIC, FloatGraph, Node, TensorInfo
from skq.graph.ops import bind_node
from skq.quantization import quantized_ops  # noqa: F401  (registers the operators)
from skq.quantization.calibration_data import InputRange, checked_data, choose_rows, most_rows
from skq.quantization.calibration_settings import CALIBRATION
from skq.quantization.layer_bits import node_name
from skq.quantization.lower.combine import integers, joint_tensor
from skq.quantization.lower.context import Settings
from skq.quantization.lower.epilogue import epilogue_nodes
from skq.quantization.lower.input_reach import held, input_reaches, needed_bits
from skq.quantization.lower.joint_features import JointFeatures
from skq.quantization.lower.lowering import Lowering
from skq.quantization.lower.operands import (
    Array,
    BatchConstant,
    Features,
    Operand,
    QuantizedTensor,
)
from skq.quantization.lower.rows import check_rows_alone
from skq.quantization.lower.trained import (
    check_grids,
    check_layers,
    quantizers_first,
    trained_constants,
)
from skq.quantization.lower.views import arranged
from skq.quantization.lower.whole_numbers import check_holds_integers, reaching
from skq.quantization.operator_facts import ONNX_OPS_TO_QUANTIZED_IMPL
from skq.quantization.quantized_module import QuantizedModule
from skq.quantization.quantized_op import in_rows
from skq.quantization.search.model_error import ModelError
from skq.quantization.search.sensitivity import error_weights
from skq.quantization.search.tree_inputs import weights_by_variance

__all__ = ["Conversion"]


class _Input(NamedTuple):
    """An input of the graph: its calibration rows, its range, and the grids it needs."""

    name: str
    raw: Array
    known: InputRange
    is_whole: bool
    n_bits: int | None = None


class Conversion:
    """One run of a converter: float graph and calibration data to a `QuantizedModule`.

    Parameters
    ----------
    model : GraphEvaluator
    settings : Settings
    data : tuple of ndarray of shape (n_rows, ...)
        Calibration data, one array for each input.
    sample_weight : ndarray of shape (n_rows,) or None
        Weight of each row; rows of weight 0 count as absent.
    ranges : sequence of InputRange, default=None
        Range of each input. None means the range of its rows.
    """

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
        arrays = checked_data(model, data)
        most = most_rows(arrays, self.graph, settings.n_bits["model_inputs"])
        rows, self.row_weight = choose_rows(len(arrays[0]), sample_weight, most)
        self.constants: dict[str, Array] = {
            name: np.asarray(array) for name, array in self.graph.initializers.items()
        }
        self.floats = dict(self.constants)
        self._inputs: list[_Input] = []
        present = slice(None) if sample_weight is None else np.asarray(sample_weight) > 0
        if ranges is None:
            ranges = [InputRange.of(array, present) for array in arrays]
        jumping = reaching(self.graph, "jumps")
        for info, array, known in zip(model.inputs, arrays, ranges, strict=True):
            raw = array[rows]
            is_whole = array.dtype.kind in "biu" or info.name in jumping
            self.floats[info.name] = raw
            self._inputs.append(_Input(info.name, raw, known, is_whole))
        self.settings = settings

    def _start(self, settings: Settings, **context: Any) -> None:
        """Begin a program with the inputs alone; `context`: see `Lowering`."""
        self.low = Lowering(settings, self.row_weight, **context)
        self.operands: dict[str, Operand] = dict(self.constants)
        self._names: dict[tuple[int, bytes], str] = {}  # of integer tensors, for `can_fuse`
        for name, raw, known, is_whole, n_bits in self._inputs:
            self.operands[name] = self.low.input(
                *(raw, known.lo, known.hi),
                has_missing=known.has_missing,
                is_whole=is_whole,
                n_bits=n_bits,
            )

    def _hold_whole_numbers(self) -> tuple[tuple[int, tuple[int, ...], int], ...]:
        """Widen the ranges of inputs that are indices of tables; return these inputs.

        Raises
        ------
        UnsupportedModelError
            If the codes of an input cannot hold the whole numbers that it needs.
        """
        reaches = input_reaches(self.graph, self.floats)
        apart, n_bits = reaching(self.graph, "tells_integers_apart"), self.settings.n_bits
        for i, given in enumerate(self._inputs):
            of_input = [found for found in reaches if found.name == given.name]
            lo, hi = given.known.lo, given.known.hi
            bits = None
            if of_input:
                lo, hi = held(lo, hi, of_input)
                bits = needed_bits(lo, hi, n_bits["model_inputs"], of_input)
            if given.name in apart and (bits or 0) <= n_bits["model_inputs"]:
                check_holds_integers(given.name, given.raw, lo, hi, n_bits)
            known = given.known._replace(lo=lo, hi=hi)
            is_whole = given.is_whole or bool(of_input)
            self._inputs[i] = given._replace(known=known, is_whole=is_whole, n_bits=bits)
        names = [given.name for given in self._inputs]
        return tuple(
            (names.index(name), tuple(map(int, elements)), reach.size)
            for name, elements, reach in reaches
            if reach.size
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
        indices = self._hold_whole_numbers()
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
            *(program, rest, self.low.settings.all_widths, self.graph, without_missing_code),
            indices=indices,
            node_names=self.low.node_names(outputs),
        )

    def _constant_names(self, nodes: Sequence[Node]) -> set[str]:
        """Names of initializers and of values computed only from initializers."""
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
        """Whether a node's result, if it depends on the rows, has another number of them."""
        names = {name for node in nodes for name in node.outputs if name}
        names -= self._constant_names(nodes)
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
        """Write the instructions of a node that reads tensors, by the widths of that node."""
        settings = self.low.settings
        self.low.settings = settings.of_node(node_name(node))
        try:
            self._lower_with_widths(node, operands, floats, results)
        finally:
            self.low.settings = settings

    def _lower_with_widths(
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
        self.low.node_name = op.op_instance_name
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
            raise UnsupportedModelError(f"output {name!r} depends only on the number of rows")
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
