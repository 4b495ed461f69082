"""Rows are predicted independently: operators that select, move or merge rows are refused."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from skq.exceptions import UnsupportedModelError
from skq.graph.evaluator import GraphEvaluator
from skq.graph.graph import FloatGraph, Node
from skq.quantization.lower.operands import Array

#: Ends of a Slice from here on mean the end of the axis.
UNBOUNDED = 2**31 - 1

#: Why an operator that mixes rows is refused.
ROWS_SELECTED = (
    "it moves elements between rows (axis 0) or changes the number of rows, but each row is "
    "predicted independently of the others; apply it to the inputs or to the predictions"
)


def slices_rows(others: Sequence[Any]) -> bool:
    """Whether a Slice with these constants leaves out rows, if there are enough of them.

    Parameters
    ----------
    others : sequence of operands
        Starts, ends, and optionally axes and steps.
    """
    starts, ends, *more = others
    count = next((np.size(v) for v in (starts, ends) if isinstance(v, np.ndarray)), 0)
    axes = more[0] if more and more[0] is not None else np.arange(count)
    chosen = [int(axis) for axis in np.ravel(axes)]
    if 0 not in chosen:
        return False
    index = chosen.index(0)
    start, end = (
        int(np.ravel(bound)[index]) if isinstance(bound, np.ndarray) else all_rows
        for bound, all_rows in ((starts, 0), (ends, UNBOUNDED))
    )
    return start > 0 or -UNBOUNDED < start < 0 or end < UNBOUNDED


def check_rows_alone(epilogue: FloatGraph, floats: Mapping[str, Array]) -> None:
    """Refuse nodes of the epilogue whose rows depend on other rows.

    Parameters
    ----------
    epilogue : FloatGraph
    floats : mapping of str to ndarray of shape (n_rows, ...)
        Values of its inputs on the calibration rows.

    Raises
    ------
    UnsupportedModelError
        If the result of a node for the first rows differs from its result for all rows, or has
        another number of rows.
    """
    if not epilogue.nodes:
        return
    module, known = GraphEvaluator(epilogue), set(epilogue.constant_names)
    feeds = {info.name: np.asarray(floats[info.name], info.dtype) for info in epilogue.inputs}
    n_all = min([6, *(len(array) for array in feeds.values())])
    for node in epilogue.nodes:
        if node.op_type == "Shape" or known.issuperset(filter(None, node.inputs)):
            known.update(node.outputs)
            continue
        initial = [epilogue.initializers.get(name) for name in node.inputs]
        if node.op_type == "Slice" and slices_rows(initial[1:]):
            raise _mixes_rows(node)
        every, *parts = (
            _first_rows(module, node, feeds, n_rows) for n_rows in (n_all, *range(1, n_all))
        )
        for n_rows, part in enumerate(parts, start=1):
            if part.shape != (n_rows, *every.shape[1:]) or len(every) != n_all:
                raise _mixes_rows(node)
            if not _are_close(part, every[:n_rows]):
                raise _mixes_rows(node)


def _first_rows(
    module: GraphEvaluator, node: Node, feeds: Mapping[str, Array], n_rows: int
) -> Array:
    name = node.outputs[0]
    try:
        return module.run({key: rows[:n_rows] for key, rows in feeds.items()}, [name])[name]
    except ValueError as error:
        raise _mixes_rows(node) from error


def _are_close(a: Array, b: Array) -> bool:
    if a.dtype.kind != "f":
        return np.array_equal(a, b)
    return np.allclose(a, b, rtol=1e-5, equal_nan=True)


def _mixes_rows(node: Node) -> UnsupportedModelError:
    return UnsupportedModelError(f"{node} cannot be quantized: {ROWS_SELECTED}.")
