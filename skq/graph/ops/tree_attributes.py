"""The attributes of TreeEnsembleRegressor -> the arrays of `TreeArrays`, vectorized and checked."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from skq.exceptions import ConversionError, UnsupportedModelError

Array = NDArray[Any]

#: Node modes of ONNX; a node's mode code is the index here.
NODE_MODES = (
    "LEAF",
    "BRANCH_LEQ",
    "BRANCH_LT",
    "BRANCH_GTE",
    "BRANCH_GT",
    "BRANCH_EQ",
    "BRANCH_NEQ",
)
LEAF = 0

AGGREGATES = ("SUM", "AVERAGE", "MIN", "MAX")

REQUIRED_ATTRIBUTES = (
    "n_targets",
    "nodes_falsenodeids",
    "nodes_featureids",
    "nodes_modes",
    "nodes_nodeids",
    "nodes_treeids",
    "nodes_truenodeids",
    "target_ids",
    "target_nodeids",
    "target_treeids",
)
OPTIONAL_ATTRIBUTES = (
    "aggregate_function",
    "base_values",
    "base_values_as_tensor",
    "nodes_hitrates",
    "nodes_hitrates_as_tensor",
    "nodes_missing_value_tracks_true",
    "nodes_values",
    "nodes_values_as_tensor",
    "post_transform",
    "target_weights",
    "target_weights_as_tensor",
)


NOT_TREES = (
    "nodes_truenodeids and nodes_falsenodeids must form trees: one root a tree id, from which "
    "every other node of the tree is reached in exactly one way."
)


def read_trees(attributes: Mapping[str, Any], post_transforms: tuple[str, ...]) -> dict[str, Any]:
    """Give the fields of a `TreeArrays`; see `TreeArrays.from_attributes`."""
    _check_names(attributes)
    aggregate = _one_of(attributes, "aggregate_function", "SUM", AGGREGATES)
    post_transform = _one_of(attributes, "post_transform", "NONE", post_transforms)
    mode = _mode_codes(attributes["nodes_modes"])
    n_nodes = len(mode)
    is_leaf = mode == LEAF
    lookup = _NodeLookup(attributes, n_nodes)
    true_child = _children(attributes, "nodes_truenodeids", lookup, is_leaf)
    false_child = _children(attributes, "nodes_falsenodeids", lookup, is_leaf)
    roots = _roots(lookup, true_child, false_child, is_leaf)
    leaf = np.where(is_leaf, np.cumsum(is_leaf) - 1, -1)
    feature = _integers(attributes, "nodes_featureids", n_nodes)
    if np.any(feature[~is_leaf] < 0):
        raise ConversionError("nodes_featureids of branches must not be negative.")
    n_targets = int(attributes["n_targets"])
    base = _floats(attributes, "base_values")
    if len(base) not in (0, n_targets):
        raise ConversionError(
            f"base_values must have one value per target, {n_targets}. Got {len(base)}."
        )
    adds_up = aggregate in ("SUM", "AVERAGE")
    return dict(
        roots=roots,
        feature=np.where(is_leaf, 0, feature),
        threshold=np.where(is_leaf, 0.0, _floats(attributes, "nodes_values", n_nodes)),
        mode=mode,
        true_child=true_child,
        false_child=false_child,
        leaf=leaf,
        missing_true=_flags(attributes, "nodes_missing_value_tracks_true", n_nodes),
        **_leaf_weights(attributes, lookup, leaf, roots, may_be_narrow=adds_up),
        base_values=base if len(base) else np.zeros(n_targets),
        aggregate=aggregate,
        post_transform=post_transform,
        depth=_depth(roots, true_child, false_child, is_leaf),
    )


def _check_names(attributes: Mapping[str, Any]) -> None:
    missing = sorted(set(REQUIRED_ATTRIBUTES) - set(attributes))
    unknown = sorted(set(attributes) - {*REQUIRED_ATTRIBUTES, *OPTIONAL_ATTRIBUTES})
    if missing or unknown:
        raise ConversionError(
            f"TreeEnsembleRegressor has missing attributes {missing} and unknown attributes "
            f"{unknown}. Optional attributes are {', '.join(OPTIONAL_ATTRIBUTES)}."
        )


class _NodeLookup:
    """Absolute node index of a (tree id, node id) pair."""

    def __init__(self, attributes: Mapping[str, Any], n_nodes: int) -> None:
        self.tree = _integers(attributes, "nodes_treeids", n_nodes)
        ids = _integers(attributes, "nodes_nodeids", n_nodes)
        if n_nodes == 0 or min(self.tree.min(), ids.min()) < 0:
            raise ConversionError("Tree nodes need tree ids and node ids that are not negative.")
        self._n_ids = int(ids.max()) + 1
        keys = self.tree * self._n_ids + ids
        is_sorted = bool(np.all(keys[1:] > keys[:-1]))
        self._order = None if is_sorted else np.argsort(keys, kind="stable")
        self._keys = keys if self._order is None else keys[self._order]
        if not is_sorted and np.any(self._keys[1:] == self._keys[:-1]):
            raise ConversionError("Every pair of nodes_treeids and nodes_nodeids must be unique.")
        trees = self._keys // self._n_ids
        first = np.flatnonzero(np.diff(trees, prepend=-1))
        #: The tree ids, sorted.
        self.trees = trees[first]
        #: Index of the first node of each tree id, where nodes are sorted and ids count from 0.
        self._first: NDArray[np.int64] | None = None
        start = np.repeat(first, np.diff(first, append=n_nodes))
        if (
            is_sorted
            and self.trees[-1] < n_nodes
            and np.array_equal(ids, np.arange(n_nodes) - start)
        ):
            self._first = np.zeros(int(self.trees[-1]) + 1, dtype=np.int64)
            self._first[self.trees] = first

    def __call__(self, tree: Array, node_id: Array, name: str) -> NDArray[np.int64]:
        keys = tree * self._n_ids + node_id
        if self._first is not None and (not len(tree) or tree.max() < len(self._first)):
            index = self._first[np.maximum(tree, 0)] + node_id
        else:
            index = np.searchsorted(self._keys, keys)
        index = np.clip(index, 0, len(self._keys) - 1)
        unknown = (self._keys[index] != keys) | (node_id < 0) | (node_id >= self._n_ids)
        if unknown.any():
            first = int(np.flatnonzero(unknown)[0])
            raise ConversionError(
                f"{name}[{first}] points at node {int(node_id[first])} of tree "
                f"{int(tree[first])}, which does not exist."
            )
        return index if self._order is None else self._order[index]


def _one_of(
    attributes: Mapping[str, Any], name: str, default: str, choices: tuple[str, ...]
) -> str:
    value = attributes.get(name, default)
    if value not in choices:
        raise UnsupportedModelError(f"{name} must be one of {', '.join(choices)}. Got {value!r}.")
    return str(value)


def _integers(attributes: Mapping[str, Any], name: str, length: int) -> NDArray[np.int64]:
    values = np.asarray(attributes[name], dtype=np.int64)
    _check_length(name, values, length)
    return values


def _flags(attributes: Mapping[str, Any], name: str, length: int) -> NDArray[np.bool_]:
    if not len(np.ravel(attributes.get(name, ()))):
        return np.zeros(length, bool)
    return _integers(attributes, name, length) != 0


def _floats(
    attributes: Mapping[str, Any], name: str, length: int | None = None
) -> NDArray[np.float64]:
    """Read ``name``, or ``name_as_tensor``, of which ONNX allows only one."""
    values = [
        np.asarray(attributes[key], dtype=np.float64).ravel()
        for key in (name, f"{name}_as_tensor")
        if len(np.ravel(attributes.get(key, ())))
    ]
    if len(values) > 1:
        raise ConversionError(f"Only one of {name} and {name}_as_tensor may be given. Got both.")
    result = values[0] if values else np.zeros(0)
    if length is not None:
        _check_length(name, result, length)
    return result


def _check_length(name: str, values: Array, length: int) -> None:
    if values.shape != (length,):
        raise ConversionError(f"{name} must have {length} values. Got shape {values.shape}.")


def _mode_codes(modes: Any) -> NDArray[np.int8]:
    names = np.asarray(modes, dtype=np.str_)
    codes = np.full(len(names), -1, np.int8)
    rest = np.arange(len(names))
    for code, name in enumerate(NODE_MODES):
        is_name = names[rest] == name
        codes[rest[is_name]] = code
        rest = rest[~is_name]
        if not len(rest):
            return codes
    raise UnsupportedModelError(
        f"Each of nodes_modes must be one of {', '.join(NODE_MODES)}. "
        f"Got {str(names[rest[0]])!r} instead."
    )


def _children(
    attributes: Mapping[str, Any], name: str, lookup: _NodeLookup, is_leaf: NDArray[np.bool_]
) -> NDArray[np.int64]:
    """Absolute index of each branch's child; a leaf points to itself."""
    ids = _integers(attributes, name, len(is_leaf))
    children = np.arange(len(is_leaf))
    branches = ~is_leaf
    children[branches] = lookup(lookup.tree[branches], ids[branches], name)
    return children


def _roots(
    lookup: _NodeLookup,
    true_child: NDArray[np.int64],
    false_child: NDArray[np.int64],
    is_leaf: NDArray[np.bool_],
) -> NDArray[np.int64]:
    """Find the node without a parent of each tree."""
    branches = ~is_leaf
    children = np.concatenate([true_child[branches], false_child[branches]])
    n_parents = np.bincount(children, minlength=len(is_leaf))
    roots = np.flatnonzero(n_parents == 0)
    trees = np.sort(lookup.tree[roots])
    if n_parents.max(initial=0) > 1 or not np.array_equal(trees, lookup.trees):
        raise ConversionError(NOT_TREES)
    return roots


def _leaf_weights(
    attributes: Mapping[str, Any],
    lookup: _NodeLookup,
    leaf: NDArray[np.int64],
    roots: NDArray[np.int64],
    *,
    may_be_narrow: bool,
) -> dict[str, Array]:
    """Give the weights of the leaves, and the first target of each tree.

    One column is enough where each tree has weights for one target only. So the weights of hundreds
    of trees with a target each take no more memory than those of one target.
    """
    weights = _floats(attributes, "target_weights")
    trees = _integers(attributes, "target_treeids", len(weights))
    ids = _integers(attributes, "target_nodeids", len(weights))
    targets = _integers(attributes, "target_ids", len(weights))
    n_targets = int(attributes["n_targets"])
    if len(targets) and not 0 <= targets.min() <= targets.max() < n_targets:
        raise ConversionError(
            f"target_ids must lie in [0, n_targets={n_targets}). "
            f"Got [{targets.min()}, {targets.max()}]."
        )
    rows = leaf[lookup(trees, ids, "target_nodeids")]
    if (rows < 0).any():
        raise ConversionError("target_nodeids must name leaves. Got branches as well.")
    first, width = np.zeros(len(roots), dtype=np.int64), n_targets
    if n_targets > 1 and may_be_narrow and len(targets):
        by_id = np.argsort(lookup.tree[roots])
        tree = by_id[np.searchsorted(lookup.tree[roots], trees, sorter=by_id)]
        first[tree] = targets
        if np.array_equal(first[tree], targets):
            width, targets = 1, np.zeros_like(targets)
        else:
            first[:] = 0
    shape = (int((leaf >= 0).sum()), width)
    cells, n_cells = rows * width + targets, shape[0] * width
    # without any weight bincount counts in integers, hence the cast
    sums = np.bincount(cells, weights=weights, minlength=n_cells).astype(np.float64)
    counts = np.bincount(cells, minlength=n_cells)
    return {
        "first_target": first,
        "leaf_weights": sums.reshape(shape),
        "leaf_has_weight": (counts > 0).reshape(shape),
    }


def _depth(
    roots: NDArray[np.int64],
    true_child: NDArray[np.int64],
    false_child: NDArray[np.int64],
    is_leaf: NDArray[np.bool_],
) -> int:
    """Go down level by level; nodes that no root leads to form a cycle."""
    depth, n_reached = 0, len(roots)
    level = roots[~is_leaf[roots]]
    while len(level):
        depth += 1
        below = np.concatenate([true_child[level], false_child[level]])
        n_reached += len(below)
        level = below[~is_leaf[below]]
    if n_reached != len(is_leaf):
        raise ConversionError(NOT_TREES)
    return depth
