"""The float functions after the integer program, as C: links such as Softmax.

They are written for probabilities, and for predictions of models that end in a link. Each element
of a tensor is a C variable; nodes that only move elements need no statement.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from skq.exceptions import UnsupportedModelError
from skq.export.c99.ctypes import real
from skq.graph.ops.binding import bind_node

Ids = NDArray[np.int64]

#: Operators whose results are elements of their operands.
MOVES = frozenset(
    {
        "Concat", "Expand", "Flatten", "Gather", "Identity", "Reshape", "Slice", "Split", "Squeeze",
        "Transpose", "Unsqueeze",
    }
)  # fmt: skip

_UNARY = {
    "Exp": "exp({0})",
    "Log": "log({0})",
    "Neg": "-({0})",
    "Sigmoid": "1.0 / (1.0 + exp(-({0})))",
    "Sqrt": "sqrt({0})",
    "Abs": "fabs({0})",
}
_BINARY = {
    "Add": "{0} + {1}",
    "Sub": "{0} - {1}",
    "Mul": "{0} * {1}",
    "Div": "{0} / {1}",
    "Equal": "({0} == {1}) ? 1.0 : 0.0",
    "Greater": "({0} > {1}) ? 1.0 : 0.0",
    "GreaterOrEqual": "({0} >= {1}) ? 1.0 : 0.0",
    "Less": "({0} < {1}) ? 1.0 : 0.0",
    "Max": "({0} > {1}) ? {0} : {1}",
    "Min": "({0} < {1}) ? {0} : {1}",
    "Pow": "pow({0}, {1})",
}


class Epilogue:
    """Statements that compute tensors of a float graph for one row.

    Parameters
    ----------
    nodes : iterable of Node
    constants : mapping of str to ndarray
    given : mapping of str to (list of str, tuple of int)
        Expressions of the elements of each input, and its shape.
    """

    def __init__(
        self,
        nodes: Iterable[Any],
        constants: Mapping[str, Any],
        given: Mapping[str, tuple[list[str], tuple[int, ...]]],
    ) -> None:
        self.lines: list[str] = []
        self._texts: list[str] = []
        self._constants: dict[str, Any] = dict(constants)
        self._tensors: dict[str, Ids] = {}
        for name, (texts, shape) in given.items():
            self._tensors[name] = self._ids(texts).reshape(1, *shape)
        for node in nodes:
            self._node(node)

    def elements(self, name: str) -> list[str]:
        """Expressions of a tensor's elements."""
        if name in self._constants:
            return [real(v) for v in np.ravel(self._constants[name])]
        return [self._texts[i] for i in self._tensors[name].ravel()]

    def _ids(self, texts: list[str]) -> Ids:
        start = len(self._texts)
        self._texts += texts
        return np.arange(start, len(self._texts), dtype=np.int64)

    def _operand(self, name: str) -> Ids:
        if name in self._tensors:
            return self._tensors[name]
        array = np.asarray(self._constants[name])
        return self._ids([real(float(v)) for v in array.ravel()]).reshape(array.shape)

    def _new(self, expressions: list[str]) -> Ids:
        names = []
        for expression in expressions:
            names.append(f"t{len(self.lines)}")
            self.lines.append(f"const double {names[-1]} = {expression};")
        return self._ids(names)

    def _node(self, node: Any) -> None:
        inputs = [name for name in node.inputs if name]
        if not any(name in self._tensors for name in inputs):
            values = bind_node(node)(*(self._constants.get(name) for name in node.inputs))
            self._constants.update(zip(node.outputs, values, strict=False))
            return
        if node.op_type in MOVES:
            indices = [
                self._operand(name) if name in self._tensors or node.op_type == "Concat"
                else self._constants.get(name)
                for name in node.inputs
            ]  # fmt: skip
            results = bind_node(node)(*indices)
            self._tensors.update(zip(node.outputs, results, strict=False))
            return
        write = _WRITERS.get(node.op_type)
        if write is None:
            raise UnsupportedModelError(
                f"{node} is computed in floats after the integer program and is not supported in C."
            )
        self._tensors[node.outputs[0]] = write(self, node, [self._operand(n) for n in inputs])

    def text(self, i: Any) -> str:
        """Expression of an element."""
        return self._texts[int(i)]


def _elementwise(template: str) -> Callable[[Epilogue, Any, list[Ids]], Ids]:
    def write(epilogue: Epilogue, node: Any, operands: list[Ids]) -> Ids:
        arrays = np.broadcast_arrays(*operands)
        columns = zip(*(a.ravel() for a in arrays), strict=True)
        texts = [template.format(*(epilogue.text(i) for i in column)) for column in columns]
        return epilogue._new(texts).reshape(arrays[0].shape)

    return write


def _softmax(epilogue: Epilogue, node: Any, operands: list[Ids], logarithm: bool = False) -> Ids:
    x = np.moveaxis(operands[0], int(node.attributes.get("axis", -1)), -1)
    rows = []
    for row in x.reshape(-1, x.shape[-1]):
        greatest = epilogue.text(row[0])
        for i in row[1:]:
            greatest = epilogue.text(
                epilogue._new(
                    [f"{epilogue.text(i)} > {greatest} ? {epilogue.text(i)} : {greatest}"]
                )[0]
            )
        each = epilogue._new([f"exp({epilogue.text(i)} - {greatest})" for i in row])
        total = epilogue.text(epilogue._new([" + ".join(epilogue.text(i) for i in each)])[0])
        if logarithm:
            rows.append(
                epilogue._new([f"{epilogue.text(i)} - {greatest} - log({total})" for i in row])
            )
        else:
            rows.append(epilogue._new([f"{epilogue.text(i)} / {total}" for i in each]))
    result = np.concatenate(rows).reshape(x.shape)
    return np.moveaxis(result, -1, int(node.attributes.get("axis", -1)))


def _sum(epilogue: Epilogue, node: Any, operands: list[Ids]) -> Ids:
    x = operands[0]
    axes = node.attributes.get("axes")
    if axes is None and len(node.inputs) > 1:
        axes = epilogue._constants[node.inputs[1]]
    if axes is None or len(np.ravel(axes)) != 1:
        raise UnsupportedModelError(f"{node} sums over several axes, which is not supported in C.")
    axis = int(np.ravel(axes)[0])
    moved = np.moveaxis(x, axis, -1)
    sums = epilogue._new(
        [" + ".join(map(epilogue.text, row)) for row in moved.reshape(-1, x.shape[axis])]
    )
    result = sums.reshape(moved.shape[:-1])
    return np.expand_dims(result, axis) if node.attributes.get("keepdims", 1) else result


def _argmax(epilogue: Epilogue, node: Any, operands: list[Ids]) -> Ids:
    axis = int(node.attributes.get("axis", 0))
    moved = np.moveaxis(operands[0], axis, -1)
    results = []
    for row in moved.reshape(-1, moved.shape[-1]):
        best, index = epilogue.text(row[0]), "0.0"
        for k, i in enumerate(row[1:], start=1):
            index = epilogue.text(
                epilogue._new([f"{epilogue.text(i)} > {best} ? {k}.0 : {index}"])[0]
            )
            best = epilogue.text(
                epilogue._new([f"{epilogue.text(i)} > {best} ? {epilogue.text(i)} : {best}"])[0]
            )
        results.append(epilogue._ids([index]))
    result = np.concatenate(results).reshape(moved.shape[:-1])
    return np.expand_dims(result, axis) if node.attributes.get("keepdims", 1) else result


def _clip(epilogue: Epilogue, node: Any, operands: list[Ids]) -> Ids:
    x = operands[0]
    bounds = [epilogue._constants.get(name) if name else None for name in node.inputs[1:]]
    for bound, sign in zip(bounds, "<>", strict=False):
        if bound is not None:
            end = real(float(np.ravel(bound)[0]))
            x = epilogue._new(
                [f"{epilogue.text(i)} {sign} {end} ? {end} : {epilogue.text(i)}" for i in x.ravel()]
            ).reshape(x.shape)
    return x


_WRITERS: dict[str, Callable[[Epilogue, Any, list[Ids]], Ids]] = {
    **{name: _elementwise(text) for name, text in {**_UNARY, **_BINARY}.items()},
    "Softmax": _softmax,
    "LogSoftmax": lambda epilogue, node, operands: _softmax(epilogue, node, operands, True),
    "ReduceSum": _sum,
    "ArgMax": _argmax,
    "Clip": _clip,
    "Cast": lambda epilogue, node, operands: operands[0],
}
