"""`GraphBuilder`: collects the nodes and constants of an ONNX graph."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from skq.graph.graph import FloatGraph, Node, TensorInfo
from skq.graph.ops.element_types import ELEMENT_TYPE_CODES
from skq.numerics import EXACT_FLOAT64, integer_dtype
from skq.program import Instruction, TensorType

Array = NDArray[Any]

#: Integer constants of at least this many bytes are stored in the smallest dtype that fits.
LEAST_NARROWED = 64


@dataclass(frozen=True)
class Value:
    """A tensor of the graph: its name, and the name of its NumPy dtype."""

    name: str
    dtype: str


@dataclass(frozen=True)
class Source:
    """The instruction that computes a tensor, with its operand and the operand's type."""

    step: Instruction
    operand: Value
    type_: TensorType


Operand = Value | Array | str


class GraphBuilder:
    """An ONNX graph in the making.

    Parameters
    ----------
    opset : int
        Operator set of the domain ai.onnx that nodes follow.
    takes_missing : bool, default=True
        Whether inputs may hold NaN.
    ml_opset : int, default=3
        Operator set of the domain ai.onnx.ml.

    Attributes
    ----------
    sources : dict of str to Source
        The instruction that computes a tensor, by its name; rules that fuse two instructions
        read it.
    coded : set of str
        Names of the outputs of DequantizeLinear nodes whose scale is 1.
    """

    def __init__(self, opset: int, takes_missing: bool = True, ml_opset: int = 3) -> None:
        self.opset = opset
        self.ml_opset = ml_opset
        self.takes_missing = takes_missing
        self.sources: dict[str, Source] = {}
        self.coded: set[str] = set()
        self.nodes: list[Node] = []
        self.initializers: dict[str, Array] = {}
        self.inputs: list[TensorInfo] = []
        self._constants: dict[tuple[Any, ...], Value] = {}
        self._casts: dict[tuple[str, str], Value] = {}
        self._batch: Value | None = None
        self._count = 0

    # ------------------------------------------------------------------ tensors

    def input(self, name: str, dtype: str, shape: tuple[int, ...]) -> Value:
        """Declare an input; the number of rows is left open."""
        self.inputs.append(TensorInfo(name, dtype, (None, *shape)))
        return Value(name, dtype)

    def constant(self, array: Any, dtype: str | None = None) -> Value:
        """Return a constant tensor of a dtype; equal ones are stored once.

        Integers are stored in the smallest dtype that holds them where that saves bytes, and cast
        by a node that runtimes evaluate when they load the model.
        """
        array = np.asarray(array)
        if dtype is not None:
            array = array.astype(dtype)
        key = (array.dtype.str, array.shape, _content(array))
        if key not in self._constants:
            stored = _narrowed(array)
            name = self.fresh("c")
            self.initializers[name] = stored
            value = Value(name, stored.dtype.name)
            self._constants[key] = self.cast(value, array.dtype.name)
        return self._constants[key]

    def stored(self, array: Array) -> Value:
        """Return a constant that is stored in its own dtype, without a cast."""
        value = Value(self.fresh("c"), array.dtype.name)
        self.initializers[value.name] = array
        return value

    def fresh(self, prefix: str) -> str:
        """Return a name that no tensor has."""
        self._count += 1
        return f"{prefix}{self._count}"

    # ------------------------------------------------------------------ nodes

    def node(
        self,
        op_type: str,
        operands: Sequence[Operand],
        dtype: str,
        *,
        name: str | None = None,
        domain: str = "",
        **attributes: Any,
    ) -> Value:
        """Append a node of one output and return that.

        Parameters
        ----------
        op_type : str
        operands : sequence of Value, ndarray or str
            Arrays become constants; ``""`` leaves an optional input out.
        dtype : str
            Of the result.
        name : str, default=None
            Of the result; a fresh one by default.
        domain : str, default=""
        **attributes
            Of the node.
        """
        names = tuple(self._name(operand) for operand in operands)
        result = Value(name or self.fresh("t"), dtype)
        self.nodes.append(Node(op_type, names, (result.name,), attributes, domain=domain))
        return result

    def nodes_of(
        self, op_type: str, operands: Sequence[Operand], dtypes: Sequence[str], **attributes: Any
    ) -> list[Value]:
        """Append a node of several outputs, one of each of the dtypes, and return these."""
        names = tuple(self._name(operand) for operand in operands)
        results = [Value(self.fresh("t"), dtype) for dtype in dtypes]
        written = tuple(result.name for result in results)
        self.nodes.append(Node(op_type, names, written, attributes))
        return results

    def _name(self, operand: Operand) -> str:
        if isinstance(operand, str):
            return operand
        return operand.name if isinstance(operand, Value) else self.constant(operand).name

    def cast(self, value: Value, dtype: str) -> Value:
        """Return the value in a dtype. A value is cast to a dtype at most once."""
        if value.dtype == dtype:
            return value
        key = (value.name, dtype)
        if key not in self._casts:
            self._casts[key] = self.node("Cast", [value], dtype, to=ELEMENT_TYPE_CODES[dtype])
        return self._casts[key]

    def binary(self, op_type: str, a: Value, b: Any) -> Value:
        """Append a node of two operands of the dtype of the first."""
        if not isinstance(b, Value):
            b = self.constant(b, a.dtype)
        return self.node(op_type, [a, b], a.dtype)

    def reduce(self, op_type: str, x: Value, axis: int, keepdims: int = 0) -> Value:
        """Append a reduction over an axis, which is left out of the result by default."""
        if op_type == "ReduceSum" or self.opset >= 18:
            operands: list[Operand] = [x, np.array([axis], dtype=np.int64)]
            return self.node(op_type, operands, x.dtype, keepdims=keepdims)
        return self.node(op_type, [x], x.dtype, axes=(axis,), keepdims=keepdims)

    def sum(self, x: Value, axis: int, length: int, bound: int) -> Value:
        """Append the exact sum over axis 1 or -1 of integers.

        ONNX Runtime's ReduceSum adds int64 in float64. Where partial sums may exceed 2**53, a
        matrix product with ones is used instead.

        Parameters
        ----------
        x : Value
        axis : {1, -1}
            The second of three axes, or the last.
        length : int
            Of the axis.
        bound : int
            Of every partial sum, in magnitude.
        """
        if bound <= EXACT_FLOAT64:
            return self.reduce("ReduceSum", x, axis)
        if axis == -1:
            product = self.node(
                "MatMul", [x, self.constant(np.ones((length, 1)), x.dtype)], x.dtype
            )
        else:
            product = self.node(
                "MatMul", [self.constant(np.ones((1, length)), x.dtype), x], x.dtype
            )
        return self.node("Squeeze", [product, np.array([axis])], x.dtype)

    def reshape(self, x: Value, shape: Sequence[int]) -> Value:
        """Reshape each row; rows must not be empty."""
        return self.node("Reshape", [x, np.array([-1, *shape], dtype=np.int64)], x.dtype)

    def full(self, shape: Sequence[int], value: int, dtype: str) -> Value:
        """Return one row of that shape for each row of X, filled with a number."""
        dims = self.batch()
        if len(shape):
            dims = self.node("Concat", [dims, np.array(shape, dtype=np.int64)], "int64", axis=0)
        return self.node("ConstantOfShape", [dims], dtype, value=np.array([value], dtype=dtype))

    def batch(self) -> Value:
        """Return the number of rows, a tensor of shape (1,)."""
        if self._batch is None:
            first = Value(self.inputs[0].name, self.inputs[0].dtype)
            shape = self.node("Shape", [first], "int64")
            zero, one = np.array([0], dtype=np.int64), np.array([1], dtype=np.int64)
            self._batch = self.node("Slice", [shape, zero, one], "int64")
        return self._batch

    # ------------------------------------------------------------------ result

    def name_outputs(self, outputs: Mapping[str, Value]) -> None:
        """Rename tensors to the names of outputs; inputs and constants are copied by Identity."""
        made = {written for node in self.nodes for written in node.outputs}
        new: dict[str, str] = {}
        for name, value in outputs.items():
            if value.name in made and value.name not in new:
                new[value.name] = name
        for k, node in enumerate(self.nodes):
            inputs = tuple(new.get(read, read) for read in node.inputs)
            written = tuple(new.get(written, written) for written in node.outputs)
            self.nodes[k] = replace(node, inputs=inputs, outputs=written)
        for name, value in outputs.items():
            if new.get(value.name) != name:
                source = Value(new.get(value.name, value.name), value.dtype)
                self.node("Identity", [source], value.dtype, name=name)

    def graph(self, outputs: Sequence[TensorInfo], opsets: dict[str, int]) -> FloatGraph:
        """Return the graph, without nodes and constants that no output needs."""
        needed = {info.name for info in outputs}
        nodes = []
        for node in reversed(self.nodes):
            if needed.intersection(node.outputs):
                nodes.append(node)
                needed.update(node.inputs)
        return FloatGraph(
            nodes=tuple(reversed(nodes)),
            initializers={k: v for k, v in self.initializers.items() if k in needed},
            inputs=tuple(self.inputs),
            outputs=tuple(outputs),
            opsets={"": self.opset, **opsets},
        )


def _content(array: Array) -> Any:
    return tuple(array.ravel().tolist()) if array.dtype.hasobject else array.tobytes()


def _narrowed(array: Array) -> Array:
    """The array in the smallest integer dtype, if it holds integers and is large enough."""
    if array.nbytes < LEAST_NARROWED or array.dtype.kind not in "iuf":
        return array
    if array.dtype.kind == "f" and not _holds_integers(array):
        return array
    lo, hi = int(array.min()), int(array.max())
    dtype = np.dtype(integer_dtype(lo, hi))
    return array.astype(dtype) if dtype.itemsize < array.dtype.itemsize else array


def _holds_integers(array: Array) -> bool:
    with np.errstate(invalid="ignore"):
        whole = np.all(np.isfinite(array)) and np.all(np.abs(array) < 2.0**31)
        return bool(
            whole and np.all(array == np.rint(array)) and not np.any(np.signbit(array[array == 0]))
        )
