"""Sums of trees in double precision: a `FloatGraph` has them, ONNX has not.

ONNX's ``TreeEnsembleRegressor`` returns float32 for every input. In a `FloatGraph` its result has
the dtype of its input, so that the trees of scikit-learn are computed as scikit-learn computes
them. The difference is compensated when graphs are written and read:

======= ============================================== ========================================
where   `FloatGraph`                                   ONNX
======= ============================================== ========================================
written ``y = Trees(x)``                               ``y = Cast(Trees'(x), double) + center``
read    ``y = Cast(Trees(x), float)``                  ``y = Trees(x)``
======= ============================================== ========================================

``Trees'`` has each leaf minus the middle of its tree's leaves, and ``center`` is the sum of these
middles and of the base values. So float32 rounds the spread of the predictions and not their mean:
targets of 1e8 with a deviation of 1 lose no relevant precision.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from skq.graph.graph import ML_DOMAIN, FloatGraph, Node
from skq.graph.ops.element_types import ELEMENT_TYPE_CODES
from skq.graph.writer import GraphWriter, rewritten

_WEIGHTS = "target_weights_as_tensor"
_BASE = "base_values_as_tensor"


def is_double(node: Node) -> bool:
    """Whether a node is a tree ensemble whose sums are doubles in a `FloatGraph`."""
    if node.op_type != "TreeEnsembleRegressor" or node.domain != ML_DOMAIN:
        return False
    arrays = (node.attributes.get(name) for name in ("nodes_values_as_tensor", _WEIGHTS))
    return any(np.asarray(a).dtype == np.float64 for a in arrays if a is not None)


def with_onnx_types(graph: FloatGraph) -> FloatGraph:
    """A graph that computes the same if operators return the dtypes of ONNX.

    Parameters
    ----------
    graph : FloatGraph

    Returns
    -------
    FloatGraph
        The graph itself where no tree ensemble has sums in double precision.
    """
    return rewritten(graph, lambda node: _write if is_double(node) else None)


def read(written: GraphWriter, node: Node) -> None:
    """Rule for a node of an ONNX model: its result is float32."""
    (y,) = node.outputs
    sums = written.name(node, "double")
    written.nodes.append(replace(node, outputs=(sums,)))
    written.add("Cast", sums, to=y, given={"to": ELEMENT_TYPE_CODES["float32"]})


def _write(written: GraphWriter, node: Node) -> None:
    (y,) = node.outputs
    attributes, center = _centered(dict(node.attributes))
    sums = written.name(node, "float")
    written.nodes.append(replace(node, outputs=(sums,), attributes=attributes))
    cast = written.name(node, "double") if np.any(center) else y
    written.add("Cast", sums, to=cast, given={"to": ELEMENT_TYPE_CODES["float64"]})
    if np.any(center):
        written.add("Add", cast, written.constant(node, "center", center), to=y)


def _centered(attributes: dict[str, Any]) -> tuple[dict[str, Any], NDArray[np.float64]]:
    """Attributes with leaves around 0, and the amount subtracted from each target.

    A tree keeps its leaves for targets that only some of its leaves have weights for: the weights
    that are not written are zeros.
    """
    n_targets = int(attributes["n_targets"])
    aggregate = attributes.get("aggregate_function", "SUM")
    adds = aggregate in ("SUM", "AVERAGE")
    if not adds or attributes.get("post_transform", "NONE") != "NONE" or _WEIGHTS not in attributes:
        return attributes, np.zeros(n_targets)
    center = np.zeros(n_targets)
    center += np.asarray(attributes.pop(_BASE, 0.0), dtype=np.float64)
    weights = np.asarray(attributes[_WEIGHTS], dtype=np.float64)
    trees, tree_of_node = np.unique(attributes["nodes_treeids"], return_inverse=True)
    is_leaf = np.asarray(attributes["nodes_modes"]) == "LEAF"
    n_leaves = np.bincount(tree_of_node[is_leaf], minlength=len(trees))
    target = np.asarray(attributes["target_ids"], dtype=np.int64)
    pair = np.searchsorted(trees, attributes["target_treeids"]) * n_targets + target
    n_pairs = len(trees) * n_targets
    lowest, highest = np.full(n_pairs, np.inf), np.full(n_pairs, -np.inf)
    np.minimum.at(lowest, pair, weights)
    np.maximum.at(highest, pair, weights)
    everywhere = np.bincount(pair, minlength=n_pairs) == np.repeat(n_leaves, n_targets)
    middle = np.zeros(n_pairs)
    middle[everywhere] = lowest[everywhere] / 2 + highest[everywhere] / 2
    attributes[_WEIGHTS] = weights - middle[pair]
    middles = middle.reshape(len(trees), n_targets).sum(axis=0)
    center += middles / len(trees) if aggregate == "AVERAGE" else middles
    return attributes, center
