"""Quantized modules for all features of a table, and for only the features that they read."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from skq.graph.graph import FloatGraph, Node, TensorInfo
from skq.program.input_columns import columns_read, narrowed, widened
from skq.program.instructions.reals import FROZEN_SCALE
from skq.quantization.quantized_module import QuantizedModule

Indices = NDArray[np.int64]


def for_all_features(module: QuantizedModule, columns: Indices, n_features: int) -> QuantizedModule:
    """A module for rows of all features, of which it reads some.

    Parameters
    ----------
    module : QuantizedModule
        Reads rows of shape (n_columns,).
    columns : ndarray of shape (n_columns,), int64
        Number of the feature of each column.
    n_features : int
    """
    graph = None if module.graph is None else _graph_for(module.graph, columns, n_features)
    features = tuple(int(columns[k]) for k in module.features_without_missing_code)
    return replace(
        module,
        program=widened(module.program, columns, n_features, FROZEN_SCALE),
        graph=graph,
        features_without_missing_code=features,
    )


def _graph_for(graph: FloatGraph, columns: Indices, n_features: int) -> FloatGraph:
    """The graph behind a Gather of some columns."""
    (x,) = graph.inputs
    taken = {name for node in graph.nodes for name in (*node.inputs, *node.outputs)}
    taken |= {x.name, *graph.initializers}
    all_of_x, indices = (_unused(f"{x.name}_{what}", taken) for what in ("columns", "indices"))
    read = {x.name: all_of_x}
    nodes = [
        replace(node, inputs=tuple(read.get(name, name) for name in node.inputs))
        for node in graph.nodes
    ]
    gather = Node("Gather", (x.name, indices), (all_of_x,), {"axis": 1}, "select_columns")
    return replace(
        graph,
        nodes=(gather, *nodes),
        initializers={**graph.initializers, indices: columns},
        inputs=(TensorInfo(x.name, x.dtype, (*x.shape[:-1], n_features)),),
    )


def _unused(name: str, taken: set[str]) -> str:
    while name in taken:
        name += "_"
    return name


def for_columns_read(module: QuantizedModule) -> tuple[QuantizedModule, Indices] | None:
    """The module for only the features that its program reads, and these features.

    None if it reads all of them. The result is stored with the session of the module.
    """
    session = module._session
    if session.narrow is False:
        columns = columns_read(module.program)
        if columns is None:
            session.narrow = None
        else:
            program = narrowed(module.program, columns)
            narrow = replace(module, program=program, graph=None, features_without_missing_code=())
            session.narrow = (narrow, columns)
    found: tuple[QuantizedModule, Indices] | None = session.narrow
    return found
