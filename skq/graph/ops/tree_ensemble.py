"""TreeEnsembleRegressor of ai.onnx.ml, all trees at once, level by level.

``TreeArrays.from_attributes`` turns the operator's lists into compact arrays once;
``leaf_indices`` moves every (row, tree) pair down one level a step and drops the pairs that have
reached a leaf; ``tree_sums`` adds up these leaves.
"""

from __future__ import annotations

import weakref
from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from skq.compiled import call, loops
from skq.graph.graph import ML_DOMAIN
from skq.graph.ops.activations import sigmoid, softmax
from skq.graph.ops.binding import Implementation, numpy_op
from skq.graph.ops.tree_attributes import LEAF, NODE_MODES, read_trees

Array = NDArray[Any]

_BRANCH_LEQ = NODE_MODES.index("BRANCH_LEQ")

_COMPARISONS = (
    None,
    np.less_equal,
    np.less,
    np.greater_equal,
    np.greater,
    np.equal,
    np.not_equal,
)

POST_TRANSFORMS: dict[str, Implementation] = {
    "NONE": lambda scores: scores,
    "LOGISTIC": sigmoid,
    "SOFTMAX": partial(softmax, axis=1),
}

#: Rows are taken in blocks of about this many (row, tree, target) values, to stay in the cache.
BLOCK_VALUES = 1 << 17
#: Rows walk down the trees in blocks of about this many (row, tree) pairs.
WALKED_PAIRS = 1 << 20


@dataclass(frozen=True, eq=False)
class TreeArrays:
    """Trees as compact arrays; a node is its absolute index.

    Parameters
    ----------
    roots : ndarray of shape (n_trees,), int64
        Root node of each tree.
    feature : ndarray of shape (n_nodes,), int64
        Column of the input that a branch looks at; 0 at leaves.
    threshold : ndarray of shape (n_nodes,), float64
        Value that a branch compares with; 0 at leaves.
    mode : ndarray of shape (n_nodes,), int8
        Index into `NODE_MODES`: 0 is a leaf, 1 is ``x <= threshold``.
    true_child, false_child : ndarray of shape (n_nodes,), int64
        Next node where the comparison holds, or does not; leaves point at themselves.
    leaf : ndarray of shape (n_nodes,), int64
        Row of ``leaf_weights`` of a leaf; -1 at branches.
    missing_true : ndarray of shape (n_nodes,), bool
        Whether NaN goes to the true child even where the comparison does not hold.
    first_target : ndarray of shape (n_trees,), int64
        Target of the first column of a tree's leaf weights.
    leaf_weights : ndarray of shape (n_leaves, width), float64
        What a leaf adds to the targets from the tree's first one on; 0 where it has no weight for
        it. The width is 1 where each tree has one target, else the number of targets.
    leaf_has_weight : ndarray of shape (n_leaves, width), bool
        Whether a leaf has a weight for the target (MIN and MAX pass over the others).
    base_values : ndarray of shape (n_targets,), float64
        Added to each target after aggregation.
    aggregate : {"SUM", "AVERAGE", "MIN", "MAX"}
        How the leaves of the trees are combined.
    post_transform : {"NONE", "LOGISTIC", "SOFTMAX"}
        Function of the scores of a row.
    depth : int
        Branches on the longest path from a root to a leaf.
    """

    roots: NDArray[np.int64]
    feature: NDArray[np.int64]
    threshold: NDArray[np.float64]
    mode: NDArray[np.int8]
    true_child: NDArray[np.int64]
    false_child: NDArray[np.int64]
    leaf: NDArray[np.int64]
    missing_true: NDArray[np.bool_]
    first_target: NDArray[np.int64]
    leaf_weights: NDArray[np.float64]
    leaf_has_weight: NDArray[np.bool_]
    base_values: NDArray[np.float64]
    aggregate: str
    post_transform: str
    depth: int

    @property
    def n_trees(self) -> int:
        """Number of trees."""
        return len(self.roots)

    @property
    def n_targets(self) -> int:
        """Number of outputs per row."""
        return len(self.base_values)

    @property
    def n_features(self) -> int:
        """Columns that the input must have at least."""
        return int(self.feature.max(initial=-1)) + 1

    def branches_by_depth(self) -> list[NDArray[np.int64]]:
        """Branches, one array for each depth, the roots first."""
        levels = []
        level = self.roots[self.leaf[self.roots] < 0]
        while len(level):
            levels.append(level)
            below = np.concatenate([self.true_child[level], self.false_child[level]])
            level = below[self.leaf[below] < 0]
        return levels

    def subtree_sums(self, values: NDArray[np.float64]) -> None:
        """Write the sum of its leaves' values to each branch; children come after their parents.

        Parameters
        ----------
        values : ndarray of shape (n_nodes, width), float64
            Given at the leaves; updated. A branch has the sum of its two children.
        """
        if loops is None:
            for level in reversed(self.branches_by_depth()):
                values[level] = values[self.true_child[level]] + values[self.false_child[level]]
            return
        children = self.true_child, self.false_child
        call("subtree_sums", *values.shape, self.leaf, *children, values)

    @classmethod
    def from_attributes(cls, attributes: Mapping[str, Any]) -> TreeArrays:
        """Read the attributes of a ``TreeEnsembleRegressor`` node.

        Parameters
        ----------
        attributes : mapping
            ONNX's names; lists may be sequences or arrays.

        Raises
        ------
        ConversionError
            If the lists do not describe trees.
        UnsupportedModelError
            If an aggregate, post-transform or node mode is not supported.
        """
        trees = _KNOWN.get(attributes)
        if trees is None:
            trees = cls(**read_trees(attributes, tuple(POST_TRANSFORMS)))
            _KNOWN.put(attributes, trees)
        return trees

    def leaf_indices(self, x: Array) -> NDArray[np.int64]:
        """Find the leaf at which each row arrives in each tree.

        Parameters
        ----------
        x : ndarray of shape (n_samples, n_features), float or integer

        Returns
        -------
        ndarray of shape (n_samples, n_trees), int64
            Rows of ``leaf_weights``.
        """
        modes = np.flatnonzero(np.bincount(self.mode, minlength=len(NODE_MODES))[1:]) + 1
        if loops is None or np.any(modes != _BRANCH_LEQ) or x.shape[1] == 0:
            return self._leaf_indices_in_numpy(x, modes)
        n_samples, n_columns = x.shape
        result = np.empty((n_samples, self.n_trees), dtype=np.int64)
        nodes = (self.roots, self.feature, self.threshold, self.true_child, self.false_child)
        call(
            "leaf_indices",
            n_samples,
            n_columns,
            self.n_trees,
            len(self.leaf),
            np.asarray(x, dtype=np.float64),
            *nodes,
            self.leaf,
            self.missing_true,
            result,
        )
        return result

    def sums(self, leaves: NDArray[np.int64]) -> NDArray[np.float64]:
        """Add up the weights of leaves, tree after tree.

        Parameters
        ----------
        leaves : ndarray of shape (n_samples, n_trees), int64
            As `leaf_indices` returns them.

        Returns
        -------
        ndarray of shape (n_samples, n_targets), float64
        """
        if self.leaf_weights.shape[1] == self.n_targets:
            return np.asarray(self.leaf_weights[leaves].sum(axis=1))
        from scipy import sparse

        ends = np.arange(len(leaves) + 1) * self.n_trees
        cells = (
            self.leaf_weights[leaves.ravel(), 0],
            np.tile(self.first_target, len(leaves)),
            ends,
        )
        return np.asarray(sparse.csr_array(cells, shape=(len(leaves), self.n_targets)).toarray())

    def _leaf_indices_in_numpy(self, x: Array, modes: Array) -> NDArray[np.int64]:
        """`leaf_indices` without the extension, for all modes of nodes, and for no columns."""
        n_samples, n_columns = x.shape
        values = np.ascontiguousarray(x, dtype=np.float64).ravel()
        with_nan = bool(self.missing_true.any()) and bool(np.isnan(values).any())
        # tree by tree: the nodes of one tree stay in the cache
        arrived = np.repeat(self.roots, n_samples)
        offset = np.tile(np.arange(n_samples) * n_columns, self.n_trees)
        pair = np.flatnonzero(self.mode[arrived] != LEAF)
        node, offset = arrived[pair], offset[pair]
        while len(pair):
            value = values[offset + self.feature[node]]
            holds = self._compare(value, node, modes)
            if with_nan:
                holds |= np.isnan(value) & self.missing_true[node]
            node = np.where(holds, self.true_child[node], self.false_child[node])
            inner = self.mode[node] != LEAF
            arrived[pair] = node
            pair, node, offset = pair[inner], node[inner], offset[inner]
        return np.ascontiguousarray(self.leaf[arrived].reshape(self.n_trees, n_samples).T)

    def _compare(self, value: Array, node: Array, modes: Array) -> NDArray[np.bool_]:
        threshold = self.threshold[node]
        if len(modes) == 1:
            return _compare(modes[0], value, threshold)
        node_modes = self.mode[node]
        holds = np.zeros(len(node), bool)
        for mode in modes:
            holds |= (node_modes == mode) & _compare(mode, value, threshold)
        return holds


class _Known:
    """Cache of trees by the identity of their attributes' arrays.

    Conversion reads the same attributes in the frontend, in the float graph and in the quantizer.
    An entry is removed as soon as one of its arrays is deleted.
    """

    def __init__(self) -> None:
        self._entries: dict[tuple[Any, ...], tuple[list[weakref.ref[Any]], TreeArrays]] = {}

    def get(self, attributes: Mapping[str, Any]) -> TreeArrays | None:
        """The trees of exactly these arrays."""
        entry = self._entries.get(_identity(attributes))
        if entry is None or any(ref() is None for ref in entry[0]):
            return None
        return entry[1]

    def put(self, attributes: Mapping[str, Any], trees: TreeArrays) -> None:
        """Store trees until an array of their attributes is deleted."""
        key = _identity(attributes)
        arrays = [v for v in attributes.values() if isinstance(v, np.ndarray)]
        if arrays and all(isinstance(v, np.ndarray | str | int) for v in attributes.values()):
            forget = lambda _: self._entries.pop(key, None)  # noqa: E731
            self._entries[key] = ([weakref.ref(array, forget) for array in arrays], trees)


def _identity(attributes: Mapping[str, Any]) -> tuple[Any, ...]:
    return tuple(
        (name, id(value) if isinstance(value, np.ndarray) else repr(value)[:100])
        for name, value in sorted(attributes.items())
    )


_KNOWN = _Known()


def _compare(mode: int, value: Array, threshold: Array) -> NDArray[np.bool_]:
    comparison = _COMPARISONS[mode]
    assert comparison is not None  # a leaf compares nothing
    return np.asarray(comparison(value, threshold))


def tree_sums(trees: TreeArrays, x: Array) -> NDArray[np.float64]:
    """Aggregate the leaves of all trees, with base values and post-transform.

    Parameters
    ----------
    trees : TreeArrays
    x : ndarray of shape (n_samples, n_features)

    Returns
    -------
    ndarray of shape (n_samples, n_targets), float64
    """
    if x.ndim != 2 or x.shape[1] < trees.n_features:
        raise ValueError(
            f"The trees need an input of shape (n_samples, n_features >= {trees.n_features}). "
            f"Got shape {x.shape}."
        )
    scores = np.empty((len(x), trees.n_targets))
    a_row = max(trees.n_trees * trees.leaf_weights.shape[1], trees.n_targets)
    n_rows = max(1, BLOCK_VALUES // max(1, a_row))
    walked = max(n_rows, WALKED_PAIRS // max(1, trees.n_trees))
    for start in range(0, len(x), walked):
        leaves = trees.leaf_indices(x[start : start + walked])
        for first in range(0, len(leaves), n_rows):
            part = leaves[first : first + n_rows]
            scores[start + first : start + first + len(part)] = _aggregate(trees, part)
    return np.asarray(POST_TRANSFORMS[trees.post_transform](scores + trees.base_values))


def _aggregate(trees: TreeArrays, leaves: NDArray[np.int64]) -> NDArray[np.float64]:
    if trees.aggregate == "SUM":
        return trees.sums(leaves)
    if trees.aggregate == "AVERAGE":
        return trees.sums(leaves) / trees.n_trees
    weights = trees.leaf_weights[leaves]
    has_weight = trees.leaf_has_weight[leaves]
    extreme, neutral = (np.min, np.inf) if trees.aggregate == "MIN" else (np.max, -np.inf)
    scores = extreme(np.where(has_weight, weights, neutral), axis=1)
    return np.where(has_weight.any(axis=1), scores, 0.0)


def _evaluate(trees: TreeArrays, x: Array) -> Array:
    scores = tree_sums(trees, x)
    return scores if x.dtype == np.float64 else scores.astype(np.float32)


def _bind(attributes: Mapping[str, Any], _n_outputs: int) -> Implementation:
    return partial(_evaluate, TreeArrays.from_attributes(attributes))


@numpy_op("TreeEnsembleRegressor", domain=ML_DOMAIN, bind=_bind)
def tree_ensemble_regressor(x: Array, **attributes: Any) -> Array:
    """Sum (or average, least, greatest) of the leaves that each row reaches.

    Parameters
    ----------
    x : ndarray of shape (n_samples, n_features), float or integer
    **attributes
        ONNX's, see `TreeArrays.from_attributes`; ``nodes_hitrates`` have no effect.

    Returns
    -------
    ndarray of shape (n_samples, n_targets)
        float32; float64 where ``x`` is float64. ONNX specifies float32 always; the wider result
        allows a tight comparison of a converted model with its original.
    """
    return _evaluate(TreeArrays.from_attributes(attributes), x)
