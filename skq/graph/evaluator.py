"""`GraphEvaluator`: a float ONNX graph that runs in NumPy, node by node."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from skq.exceptions import ConversionError, UnsupportedModelError
from skq.graph.graph import ML_DOMAIN, SKQ_DOMAIN, FloatGraph, TensorInfo
from skq.graph.ops import bind_node
from skq.serialization import Serializable

if TYPE_CHECKING:
    import onnx

Array = NDArray[Any]

#: First and last operator set that the implementations follow, by domain.
SUPPORTED_OPSETS: dict[str, tuple[int, int]] = {"": (13, 21), ML_DOMAIN: (1, 4), SKQ_DOMAIN: (1, 1)}


class GraphEvaluator(Serializable):
    """A float graph, checked once and run in NumPy.

    Parameters
    ----------
    graph : FloatGraph

    Attributes
    ----------
    graph : FloatGraph
        The graph that is run.

    Raises
    ------
    UnsupportedModelError
        If an operator, or its operator set, is not supported.
    ConversionError
        If the graph is malformed: not in topological order, undefined or twice defined tensors.

    Examples
    --------
    >>> import numpy as np
    >>> from skq.graph.graph import FloatGraph, Node, TensorInfo
    >>> from skq.graph.evaluator import GraphEvaluator
    >>> graph = FloatGraph(
    ...     nodes=(Node("Gemm", ("x", "w"), ("s",)), Node("Relu", ("s",), ("y",))),
    ...     initializers={"w": np.array([[1.0], [-2.0]], np.float32)},
    ...     inputs=(TensorInfo("x", "float32", (None, 2)),),
    ...     outputs=(TensorInfo("y", "float32", (None, 1)),),
    ... )
    >>> module = GraphEvaluator(graph)
    >>> module(np.array([[3.0, 1.0], [1.0, 3.0]]))
    array([[1.],
           [0.]], dtype=float32)
    >>> module(np.array([[1.0, 3.0]]), outputs=["s"])
    array([[-5.]], dtype=float32)
    """

    def __init__(self, graph: FloatGraph) -> None:
        self.graph = graph
        _check_opsets(graph)
        _check_structure(graph)
        self._functions = tuple(bind_node(node) for node in graph.nodes)

    def __reduce__(self) -> tuple[Any, ...]:
        return (type(self), (self.graph,))

    def __repr__(self) -> str:
        inputs = ", ".join(map(_describe, self.inputs))
        outputs = ", ".join(map(_describe, self.graph.outputs))
        return f"{type(self).__name__}({len(self.graph.nodes)} nodes: {inputs} -> {outputs})"

    @property
    def inputs(self) -> tuple[TensorInfo, ...]:
        """Inputs that `forward` takes, in order: those of the graph that are not constants."""
        return tuple(info for info in self.graph.inputs if info.name not in self.graph.initializers)

    @property
    def onnx_model(self) -> onnx.ModelProto:
        """The graph as an ``onnx.ModelProto``, built anew at each access.

        Trees with thresholds in double precision return float32 in ONNX, which is cast to double.
        """
        from skq.graph.double_trees import with_onnx_types
        from skq.graph.onnx_proto import graph_to_proto

        return graph_to_proto(with_onnx_types(self.graph))

    def forward(self, *x: Any, outputs: Iterable[str] | None = None) -> Array | tuple[Array, ...]:
        """Compute outputs of the graph.

        Parameters
        ----------
        *x : array-like
            One array per graph input, in order; see `run` for dtypes and shapes.
        outputs : iterable of str, default=None
            Tensors to compute instead of all the graph's outputs. Only what they need is run.

        Returns
        -------
        ndarray, or tuple of ndarray
            A tuple for more than one tensor.
        """
        if len(x) != len(self.inputs):
            expected = ", ".join(map(_describe, self.inputs))
            raise ValueError(f"Expected {len(self.inputs)} input(s): {expected}. Got {len(x)}.")
        names = self.graph.output_names if outputs is None else tuple(outputs)
        feeds = {info.name: array for info, array in zip(self.inputs, x, strict=True)}
        results = self.run(feeds, names)
        values = tuple(results[name] for name in names)
        return values[0] if len(values) == 1 else values

    __call__ = forward

    def run(self, feeds: Mapping[str, Any], names: Iterable[str]) -> dict[str, Array]:
        """Compute any tensors of the graph.

        Parameters
        ----------
        feeds : mapping of str to array-like
            Values of graph inputs, or of inner tensors, whose nodes are then not run. A graph input
            is cast where its kind allows (any real number to a float input, else only without
            loss), and its shape must agree with the graph's.
        names : iterable of str
            Tensors to compute: outputs, inner tensors, constants, or what was fed.

        Returns
        -------
        dict of str to ndarray
            Do not write into the arrays: they may share memory with inputs and constants.

        Raises
        ------
        ValueError
            If a name is unknown, an input is missing, or a dtype or a shape does not fit.
        """
        names = tuple(names)
        self._check_names(feeds, "fed")
        self._check_names(names, "asked for")
        infos = {info.name: info for info in self.graph.inputs}
        values: dict[str, Array] = {
            name: _checked(infos[name], array) if name in infos else np.asarray(array)
            for name, array in feeds.items()
        }
        steps = self._steps(names, values)
        last_use = {name: step for step in steps for name in self.graph.nodes[step].inputs if name}
        for step in steps:
            node = self.graph.nodes[step]
            arguments = [self._value(name, values) for name in node.inputs]
            results = self.run_node(step, arguments)
            values.update(
                (name, array)
                for name, array in zip(node.outputs, results, strict=False)
                if name and name not in feeds
            )
            for name in {*node.inputs, *node.outputs}:
                if last_use.get(name, step) <= step and name not in names:
                    values.pop(name, None)
        return {name: self._require(name, values) for name in names}

    def run_node(self, step: int, arguments: Sequence[Array | None]) -> tuple[Array, ...]:
        """Compute one node.

        Parameters
        ----------
        step : int
            Its index in the graph.
        arguments : sequence of ndarray or None
            All its inputs; None for an omitted one.

        Returns
        -------
        tuple of ndarray
            One per output.

        Raises
        ------
        ValueError
            If it cannot take these arrays. The message names the node.
        """
        node = self.graph.nodes[step]
        try:
            results = self._functions[step](*arguments)
            if len(results) < len(node.outputs):
                raise ValueError(f"it has {len(node.outputs)} outputs but computes {len(results)}.")
            return results
        except (ValueError, TypeError, IndexError) as error:
            shapes = ", ".join(
                "omitted" if array is None else f"{array.dtype}{list(array.shape)}"
                for array in arguments
            )
            raise ValueError(f"{node} cannot take the inputs {shapes}: {error}") from error

    def _steps(self, names: Iterable[str], given: Mapping[str, Array]) -> list[int]:
        """Indices of the nodes that the tensors need, in order."""
        needed = set(names) - set(given)
        steps = []
        for step in range(len(self.graph.nodes) - 1, -1, -1):
            node = self.graph.nodes[step]
            if needed.intersection(node.outputs):
                steps.append(step)
                needed.update(name for name in node.inputs if name and name not in given)
        return steps[::-1]

    def _value(self, name: str, values: Mapping[str, Array]) -> Array | None:
        return self._require(name, values) if name else None

    def _require(self, name: str, values: Mapping[str, Array]) -> Array:
        if name in values:
            return values[name]
        if name in self.graph.initializers:
            return np.asarray(self.graph.initializers[name])
        raise ValueError(f"Graph input {name!r} is needed. Got values for {sorted(values)} only.")

    def _check_names(self, names: Iterable[str], what: str) -> None:
        known = {info.name for info in self.graph.inputs} | set(self.graph.initializers)
        known.update(name for node in self.graph.nodes for name in node.outputs)
        unknown = [name for name in names if not name or name not in known]
        if unknown:
            raise ValueError(
                f"The tensors {unknown} that were {what} are not in the graph. Its inputs are "
                f"{[info.name for info in self.inputs]}, its outputs "
                f"{list(self.graph.output_names)}."
            )


def _check_opsets(graph: FloatGraph) -> None:
    for domain in {node.domain for node in graph.nodes}:
        shown = domain or "ai.onnx"
        version = graph.opsets.get(domain)
        if version is None:
            raise ConversionError(
                f"Operators of domain {shown!r} are used without an operator set."
            )
        if domain not in SUPPORTED_OPSETS:
            continue  # its operators are unknown, which names the node
        first, last = SUPPORTED_OPSETS[domain]
        if not first <= version <= last:
            raise UnsupportedModelError(
                f"Operator set {version} of domain {shown!r} is not supported: it must lie in "
                f"[{first}, {last}]. Convert the model with onnx.version_converter, or export it "
                f"again with another opset_version."
            )


def _check_structure(graph: FloatGraph) -> None:
    everywhere = {name for node in graph.nodes for name in node.outputs}
    defined = set(graph.initializers) | {info.name for info in graph.inputs}
    for node in graph.nodes:
        for name in node.inputs:
            if name and name not in defined:
                raise ConversionError(
                    f"{node} reads {name!r} before it is computed: sort the nodes topologically."
                    if name in everywhere
                    else f"{node} reads {name!r}, which no input, constant or node defines."
                )
        for name in node.outputs:
            if name in defined:
                raise ConversionError(f"{node} defines {name!r}, which is defined already.")
            if name:
                defined.add(name)
    for name in graph.output_names:
        if name not in defined:
            raise ConversionError(f"Graph output {name!r} is never computed.")


def _describe(info: TensorInfo) -> str:
    shape = ", ".join("?" if length is None else str(length) for length in info.shape)
    return f"{info.name} {info.dtype}[{shape}]"


def _checked(info: TensorInfo, value: Any) -> Array:
    """Give an array of the dtype and shape that a graph input has."""
    array, dtype = np.asarray(value), np.dtype(info.dtype)
    shape_fits = array.ndim == len(info.shape) and all(
        expected in (None, length) for expected, length in zip(info.shape, array.shape, strict=True)
    )
    dtype_fits = (dtype.kind == "f" and array.dtype.kind in "fiub") or np.can_cast(
        array.dtype, dtype, "safe"
    )
    if not (shape_fits and dtype_fits):
        raise ValueError(
            f"Input {_describe(info)} cannot take an array of dtype {array.dtype} and shape "
            f"{array.shape}."
        )
    return array.astype(dtype, copy=False)
