"""Operators of ai.onnx.ml, as skl2onnx writes them, rewritten in operators that skq quantizes.

============================ =====================================================================
operator                     becomes
============================ =====================================================================
Scaler                       Sub, Mul
Normalizer                   Div by a ReduceSum or ReduceMax
OneHotEncoder                Equal, Cast
ArrayFeatureExtractor        Gather
LinearRegressor              Gemm
LinearClassifier             Gemm, ArgMax (and Gather of the labels); Sigmoid or Softmax
TreeEnsembleClassifier       TreeEnsembleRegressor, ArgMax (and Gather); Sigmoid or Softmax
TreeEnsembleRegressor        itself and a Cast to float32, where its thresholds are doubles
ZipMap at the end            Identity: the probabilities as an array, one column per class
============================ =====================================================================
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from skq.exceptions import UnsupportedModelError
from skq.graph import double_trees
from skq.graph.graph import ML_DOMAIN, FloatGraph, Node
from skq.graph.writer import GraphWriter, Rule, rewritten

Array = NDArray[Any]

#: ONNX's post_transform -> the operator that follows the scores.
POST_TRANSFORMS = {"NONE": "", "LOGISTIC": "Sigmoid", "SOFTMAX": "Softmax"}

_REWRITES: dict[str, Rule] = {}


def without_ml_operators(graph: FloatGraph) -> FloatGraph:
    """A graph that computes the same with operators that skq quantizes.

    Parameters
    ----------
    graph : FloatGraph

    Returns
    -------
    FloatGraph
        The graph itself where there is nothing to replace.

    Raises
    ------
    UnsupportedModelError
        If a node's attributes are not supported; names the node and the reason.
    """
    return rewritten(graph, _rule_of)


def _rule_of(node: Node) -> Rule | None:
    if double_trees.is_double(node):
        return double_trees.read
    return _REWRITES.get(node.op_type) if node.domain == ML_DOMAIN else None


def _rewrites(op_type: str) -> Callable[[Rule], Rule]:
    def register(function: Rule) -> Rule:
        _REWRITES[op_type] = function
        return function

    return register


def _unsupported(node: Node, reason: str) -> UnsupportedModelError:
    return UnsupportedModelError(f"{node} of domain {ML_DOMAIN!r} is not supported: {reason}.")


@_rewrites("ZipMap")
def _zip_map(written: GraphWriter, node: Node) -> None:
    written.add("Identity", node.inputs[0], to=node.outputs[0])


@_rewrites("Scaler")
def _scaler(written: GraphWriter, node: Node) -> None:
    """``(x - offset) * scale``."""
    (x,), (y,) = node.inputs, node.outputs
    offset = written.constant(node, "offset", node.attributes.get("offset", [0.0]), np.float32)
    scale = written.constant(node, "scale", node.attributes.get("scale", [1.0]), np.float32)
    written.add("Mul", written.add("Sub", x, offset, to=f"{y}/centered"), scale, to=y)


@_rewrites("Normalizer")
def _normalizer(written: GraphWriter, node: Node) -> None:
    """Each row over its norm."""
    (x,), (y,) = node.inputs, node.outputs
    norm = node.attributes.get("norm", "MAX")
    axis = written.constant(node, "axis", [1], np.int64)
    if norm == "MAX":
        length = written.add("ReduceMax", written.add("Abs", x, to=f"{y}/abs"), axis, to=f"{y}/max")
    elif norm == "L1":
        length = written.add("ReduceSum", written.add("Abs", x, to=f"{y}/abs"), axis, to=f"{y}/sum")
    elif norm == "L2":
        squares = written.add("Mul", x, x, to=f"{y}/squares")
        length = written.add("ReduceSum", squares, axis, to=f"{y}/sum")
        length = written.add("Sqrt", length, to=f"{y}/norm")
    else:
        raise _unsupported(node, f"norm must be one of MAX, L1, L2; got {norm}")
    written.add("Div", x, length, to=y)


@_rewrites("ArrayFeatureExtractor")
def _array_feature_extractor(written: GraphWriter, node: Node) -> None:
    """Columns of a tensor, or entries of a constant vector of labels, one per row."""
    x, index = node.inputs
    if x in written.constants and written.constants[x].ndim == 1:
        written.add("Gather", x, index, to=node.outputs[0], axis=0)
    else:
        written.add("Gather", x, index, to=node.outputs[0], axis=-1)


@_rewrites("OneHotEncoder")
def _one_hot_encoder(written: GraphWriter, node: Node) -> None:
    """1 where a value equals a category, on a new last axis; nothing for unknown values."""
    categories = node.attributes.get("cats_int64s", ())
    if not np.size(categories):
        raise _unsupported(node, "its categories are strings, and the inputs must be numbers")
    if not node.attributes.get("zeros", 1):
        raise _unsupported(node, "zeros=0 fails for unknown values, and a program cannot")
    (x,), (y,) = node.inputs, node.outputs
    last = written.constant(node, "axis", [-1], np.int64)
    column = written.add("Unsqueeze", x, last, to=f"{y}/column")
    known = written.constant(node, "categories", categories, np.int64)
    written.add("Cast", written.add("Equal", column, known, to=f"{y}/equal"), to=y, given={"to": 1})


@_rewrites("LinearRegressor")
def _linear_regressor(written: GraphWriter, node: Node) -> None:
    n_targets = int(node.attributes.get("targets", 1))
    if node.attributes.get("post_transform", "NONE") != "NONE":
        raise _unsupported(node, "only post_transform NONE is read")
    _affine(written, node, n_targets, node.outputs[0])


def _affine(written: GraphWriter, node: Node, n_rows: int, to: str) -> None:
    """``x @ coefficients.T + intercepts``."""
    coefficients = np.asarray(node.attributes["coefficients"], np.float32).reshape(n_rows, -1)
    intercepts = np.zeros(n_rows, np.float32)
    if np.size(node.attributes.get("intercepts", ())):
        intercepts = np.asarray(node.attributes["intercepts"], np.float32)
    weights = written.constant(node, "coefficients", coefficients, np.float32)
    bias = written.constant(node, "intercepts", intercepts, np.float32)
    written.add("Gemm", node.inputs[0], weights, bias, to=to, transB=1)


@_rewrites("LinearClassifier")
def _linear_classifier(written: GraphWriter, node: Node) -> None:
    labels = _labels(node)
    n_scores = np.size(node.attributes.get("intercepts", ())) or len(labels)
    if n_scores != len(labels):
        raise _unsupported(node, f"it has {n_scores} scores for {len(labels)} classes")
    _affine(written, node, n_scores, _scores_name(node))
    _classified(written, node, labels)


@_rewrites("TreeEnsembleClassifier")
def _tree_ensemble_classifier(written: GraphWriter, node: Node) -> None:
    """One target per class; a single score s of two classes becomes (1 - s, s) or (-s, s)."""
    labels = _labels(node)
    attributes: dict[str, Any] = {
        name.replace("class_", "target_"): value
        for name, value in node.attributes.items()
        if name not in ("post_transform", "classlabels_int64s", "classlabels_strings")
    }
    ids = np.asarray(attributes["target_ids"])
    if len(labels) == 2 and len(np.unique(ids)) == 1:
        _two_targets(attributes)
    attributes["n_targets"] = len(labels)
    written.add(
        "TreeEnsembleRegressor",
        node.inputs[0],
        to=_scores_name(node),
        domain=ML_DOMAIN,
        given=attributes,
    )
    _classified(written, node, labels)


def _two_targets(attributes: dict[str, Any]) -> None:
    """Leaves of one score as leaves of two, as ONNX Runtime reads them."""
    suffix = "_as_tensor" if "target_weights_as_tensor" in attributes else ""
    weights = np.asarray(attributes[f"target_weights{suffix}"])
    base = np.ravel(attributes.get(f"base_values{suffix}", ()))
    positive = bool(np.all(weights >= 0))
    score = float(base.sum()) if base.size else 0.0
    modes = np.asarray(attributes["nodes_modes"])
    middle = 0.0
    if positive and np.sum(modes == "LEAF") == len(weights):
        # half of the score is taken from the leaves, so that a tie is an exact 0
        middle = 0.5
        weights = weights - weights.dtype.type(0.5 / len(np.unique(attributes["nodes_treeids"])))
    attributes["target_ids"] = np.repeat([0, 1], len(weights))
    for name in ("target_nodeids", "target_treeids"):
        attributes[name] = np.tile(attributes[name], 2)
    attributes[f"target_weights{suffix}"] = np.concatenate([-weights, weights])
    attributes[f"base_values{suffix}"] = np.array(
        [(1.0 if positive else 0.0) - middle - score, middle + score], weights.dtype
    )


def _labels(node: Node) -> Array:
    for name in ("classlabels_ints", "classlabels_int64s"):
        if np.size(node.attributes.get(name, ())):
            return np.asarray(node.attributes[name], np.int64)
    raise _unsupported(
        node,
        "its labels are strings, and an integer program gives integers; convert the model with "
        "integer labels",
    )


def _scores_name(node: Node) -> str:
    """Tensor of the raw scores: the output itself, if nothing follows them."""
    transform = _post_transform(node)
    return f"{node.outputs[1]}/scores" if transform else node.outputs[1]


def _post_transform(node: Node) -> str:
    given = node.attributes.get("post_transform", "NONE")
    if given not in POST_TRANSFORMS:
        raise _unsupported(
            node, f"post_transform must be one of {', '.join(POST_TRANSFORMS)}; got {given}"
        )
    return POST_TRANSFORMS[given]


def _classified(written: GraphWriter, node: Node, labels: Array) -> None:
    """The label of the greatest score, and the scores after the post_transform."""
    label, scores = node.outputs[0], _scores_name(node)
    transform = _post_transform(node)
    if transform:
        axis: dict[str, Any] = {"axis": 1} if transform == "Softmax" else {}
        written.add(transform, scores, to=node.outputs[1], **axis)
    if not label:
        return
    is_range = np.array_equal(labels, np.arange(len(labels)))
    index = label if is_range else f"{label}/index"
    written.add("ArgMax", scores, to=index, axis=1, keepdims=0)
    if not is_range:
        written.add("Gather", written.constant(node, "labels", labels, np.int64), index, to=label)
