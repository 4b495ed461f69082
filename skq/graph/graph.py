"""A float ONNX graph in plain Python and NumPy: the frontend builds it, and quantization reads it.

It holds exactly what an ``onnx.ModelProto`` holds, with arrays as NumPy arrays, so that the rest of
skq needs no onnx. `skq.graph.onnx_proto` is the only file that translates between the two.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from skq.serialization import serializable

#: Domain of ONNX's machine-learning operators (``TreeEnsembleRegressor``).
ML_DOMAIN = "ai.onnx.ml"

#: Domain of skq's own operators, which ONNX models hold as local functions.
SKQ_DOMAIN = "skq"

#: ``doc_string`` of a tree ensemble that was trained with monotonic constraints: each of its trees
#: rises, or falls, with the constrained features, and so must its integer leaf values.
MONOTONIC = "skq.monotonic"


def _check(value: object, what: str, kind: Any) -> None:
    if not isinstance(value, kind):
        raise TypeError(f"{what} must be of class {_name(kind)}; got {type(value).__name__}")


def _check_all(values: object, what: str, kind: Any) -> None:
    if type(values) is not tuple or not all(isinstance(value, kind) for value in values):
        raise TypeError(f"{what} must be a tuple of {_name(kind)}; got {values!r:.80}")


def _name(kind: Any) -> str:
    return getattr(kind, "__name__", str(kind))


@serializable("skq.TensorInfo")
@dataclass(frozen=True)
class TensorInfo:
    """Name, dtype and shape of a graph input or output; ``None`` is an unknown dimension."""

    name: str
    dtype: str
    shape: tuple[int | None, ...]

    def __post_init__(self) -> None:
        _check(self.name, "name", str)
        _check(self.dtype, "dtype", str)
        if type(self.shape) is not tuple or not all(
            length is None or (type(length) is int and length >= 0) for length in self.shape
        ):
            raise TypeError(f"a shape is a tuple of ints >= 0 and None; got {self.shape!r:.80}")


@serializable("skq.Node")
@dataclass(frozen=True, eq=False)
class Node:
    """One ONNX node.

    Parameters
    ----------
    op_type : str
        ONNX operator, such as ``"Gemm"``.
    inputs, outputs : tuple of str
        Tensor names; an omitted optional input is ``""``.
    attributes : mapping
        Attribute values: int, float, str, ndarray (for tensors), tuples of them, and
        `FloatGraph` for subgraphs.
    name : str
        For messages.
    domain : str
        ``""`` for ai.onnx.
    doc_string : str
        ONNX's free text on a node; see `MONOTONIC`.
    """

    op_type: str
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]
    attributes: Mapping[str, Any] = field(default_factory=dict)
    name: str = ""
    domain: str = ""
    doc_string: str = ""

    def __post_init__(self) -> None:
        for field_name in ("op_type", "name", "domain"):
            _check(getattr(self, field_name), field_name, str)
        for field_name in ("inputs", "outputs"):
            _check_all(getattr(self, field_name), field_name, str)
        if not self.outputs:
            raise TypeError(f"a node of {self.op_type:.60} has no outputs")
        _check(self.attributes, "attributes", Mapping)
        _check_all(tuple(self.attributes), "names of attributes", str)

    def __str__(self) -> str:
        return f"{self.op_type} node {self.name or self.outputs[0]!r}"


@serializable("skq.FloatGraph")
@dataclass(frozen=True, eq=False)
class FloatGraph:
    """A float ONNX graph, nodes in topological order.

    Parameters
    ----------
    nodes : tuple of Node
    initializers : mapping of str to ndarray
        Constants by tensor name.
    inputs, outputs : tuple of TensorInfo
    opsets : mapping of str to int
        Operator set version by domain.
    """

    nodes: tuple[Node, ...]
    initializers: Mapping[str, NDArray[Any]]
    inputs: tuple[TensorInfo, ...]
    outputs: tuple[TensorInfo, ...]
    opsets: Mapping[str, int] = field(default_factory=lambda: {"": 17})

    def __post_init__(self) -> None:
        _check_all(self.nodes, "nodes", Node)
        for field_name in ("inputs", "outputs"):
            infos = getattr(self, field_name)
            _check_all(infos, field_name, TensorInfo)
            if len({info.name for info in infos}) < len(infos):
                raise ValueError(f"the {field_name} of a graph must have distinct names")
        _check(self.initializers, "initializers", Mapping)
        _check_all(tuple(self.initializers), "names of initializers", str)
        _check_all(tuple(self.initializers.values()), "initializers", np.ndarray | np.generic)
        _check(self.opsets, "opsets", Mapping)
        _check_all(tuple(self.opsets), "domains", str)
        _check_all(tuple(self.opsets.values()), "versions of operator sets", int)

    @property
    def output_names(self) -> tuple[str, ...]:
        """Names of the outputs, in order."""
        return tuple(info.name for info in self.outputs)

    @property
    def constant_names(self) -> frozenset[str]:
        """Names of the initializers and of values computed from nothing else."""
        names = set(self.initializers)
        for node in self.nodes:
            if names.issuperset(name for name in node.inputs if name):
                names.update(node.outputs)
        return frozenset(names)

    @property
    def nbytes(self) -> int:
        """Bytes of the constants."""
        return sum(np.asarray(array).nbytes for array in self.initializers.values())
