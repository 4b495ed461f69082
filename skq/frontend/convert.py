"""Fitted estimator → float ONNX graph, checked against scikit-learn."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from skq.frontend.feature_columns import FeatureColumns
from skq.frontend.monotonic import is_monotonic
from skq.frontend.parity import check_parity
from skq.graph.graph import ML_DOMAIN, MONOTONIC, SKQ_DOMAIN, FloatGraph, Node
from skq.graph.naming import with_short_names
from skq.graph.onnx_proto import graph_from_proto

#: Version of ai.onnx.ml whose tree operator takes doubles.
ML_OPSET = 3

INPUT_NAME = "X"


def float_graph(
    estimator: Any,
    X: NDArray[Any],
    *,
    columns: FeatureColumns | None = None,
    check: bool = True,
) -> FloatGraph:
    """Convert a fitted scikit-learn estimator or Pipeline.

    Parameters
    ----------
    estimator : estimator or Pipeline
        Fitted; its methods must return what the float model predicts.
    X : ndarray of shape (n_rows, n_features)
        Calibration rows, some of which the check uses.
    columns : FeatureColumns, default=None
        The estimator's features that the columns of X are, where these are not all of them: the
        others are 0. Where the model can be written for these columns alone, the graph reads them;
        else it reads all features.
    check : bool, default=True
        Compare the graph's outputs with the estimator's methods.

    Returns
    -------
    FloatGraph
        One input ``X``, float64. Outputs are named after the methods that they stand for:
        ``predict`` (class indices for classifiers), ``predict_proba``, ``decision_function``; with
        ``_0``, ``_1`` … for several outputs.

    Raises
    ------
    UnsupportedModelError
        If a step has no converter.
    ParityError
        If an output differs from scikit-learn's.
    """
    # torch and Hummingbird take seconds to import: only when something is converted.
    import torch

    from skq.frontend.hummingbird import to_torch
    from skq.frontend.torch_export import export_module
    from skq.frontend.torch_modules import PLACEHOLDER_OP, MedianModule, TreesModule

    module = to_torch(estimator, X, columns)
    trees = dict(enumerate(m for m in module.modules() if isinstance(m, TreesModule)))
    for index, ensemble in trees.items():
        ensemble.index = index
    uses_domain = bool(trees) or any(isinstance(m, MedianModule) for m in module.modules())
    example = torch.zeros((2, module.n_features), dtype=torch.float64)
    proto = export_module(
        module,
        (example,),
        input_names=[INPUT_NAME],
        output_names=module.predictor.head.output_names,
        custom_opsets={SKQ_DOMAIN: 1} if uses_domain else None,
    )
    graph = graph_from_proto(proto)
    doc_string = MONOTONIC if is_monotonic(estimator) else ""
    nodes = tuple(
        _tree_node(node, trees[node.attributes["index"]].attributes, doc_string)
        if node.op_type == PLACEHOLDER_OP
        else node
        for node in graph.nodes
    )
    domains = {node.domain for node in nodes} | {""}
    versions = {"": graph.opsets[""], ML_DOMAIN: ML_OPSET, SKQ_DOMAIN: 1}
    opsets = {domain: version for domain, version in versions.items() if domain in domains}
    graph = with_short_names(replace(graph, nodes=nodes, opsets=opsets))
    if check:
        check_parity(estimator, graph, np.asarray(X, dtype=np.float64), columns)
    return graph


def _tree_node(placeholder: Node, attributes: dict[str, Any], doc_string: str) -> Node:
    return Node(
        "TreeEnsembleRegressor",
        placeholder.inputs,
        placeholder.outputs,
        attributes,
        "TreeEnsemble",
        ML_DOMAIN,
        doc_string,
    )
