"""Trees and forests of `sklearn.tree`: nodes stacked into one `TreeEnsemble`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from skq.frontend.equivalents.writers import equivalent
from skq.frontend.predictors import Floats, Head, Ints, Predictor, TreeEnsemble

#: A node of a tree that is written one by one: feature, threshold, left and right child, whether
#: NaN goes left, and what a leaf adds.
Node = tuple[int, float, int, int, bool, float]


@dataclass(frozen=True, eq=False)
class OneTree:
    """One tree as arrays with one element a node; children are indices of nodes of this tree.

    Leaves have -1 for a feature and for children; `leaf_weights` has shape (n_nodes, width).
    """

    feature: Ints
    threshold: Floats
    left: Ints
    right: Ints
    missing_left: NDArray[np.bool_]
    leaf_weights: Floats

    @classmethod
    def from_nodes(cls, nodes: Sequence[Node]) -> OneTree:
        """The tree of these nodes, in their order."""
        feature, threshold, left, right, missing_left, leaf = (
            np.array(column) for column in zip(*nodes, strict=True)
        )
        return cls(feature, threshold, left, right, missing_left, leaf[:, np.newaxis])


def from_sklearn(tree: Any, leaf_weights: Floats, features: Any = None) -> OneTree:
    """A ``sklearn.tree._tree.Tree`` with what its leaves add.

    Parameters
    ----------
    tree : Tree
    leaf_weights : ndarray of shape (n_nodes, width)
    features : ndarray of shape (n_tree_features,), default=None
        Columns of X that the tree was trained on; all by default.
    """
    leaf = tree.children_left < 0
    feature = np.maximum(tree.feature, 0)
    feature = feature if features is None else np.asarray(features)[feature]
    return OneTree(
        feature=np.where(leaf, -1, feature),
        threshold=np.where(leaf, 0.0, tree.threshold),
        left=np.where(leaf, -1, tree.children_left),
        right=np.where(leaf, -1, tree.children_right),
        missing_left=tree.missing_go_to_left.astype(bool) & ~leaf,
        leaf_weights=np.asarray(leaf_weights, dtype=np.float64),
    )


def stack(
    trees: Sequence[OneTree],
    *,
    base: Any,
    average: bool,
    output: Any = None,
    float32_input: bool = True,
) -> TreeEnsemble:
    """Trees as one ensemble; `output` is the first score of each tree, 0 by default."""
    sizes = np.array([len(tree.feature) for tree in trees], dtype=np.int64)
    roots = np.cumsum(sizes) - sizes
    shift = np.repeat(roots, sizes)

    def joined(name: str) -> Any:
        return np.concatenate([getattr(tree, name) for tree in trees])

    leaf = joined("feature") < 0
    return TreeEnsemble(
        roots=roots,
        feature=joined("feature").astype(np.int32),
        threshold=joined("threshold").astype(np.float64),
        left=np.where(leaf, -1, joined("left") + shift),
        right=np.where(leaf, -1, joined("right") + shift),
        missing_left=joined("missing_left"),
        leaf_weights=joined("leaf_weights"),
        output=np.zeros(len(trees), dtype=np.int64) if output is None else np.asarray(output),
        base=np.asarray(base, dtype=np.float64),
        average=average,
        float32_input=float32_input,
    )


def class_probabilities(value: Any, n_classes: Sequence[int]) -> Floats:
    """Probabilities of all outputs' classes side by side, from ``tree_.value``."""
    parts = [value[:, k, :n] for k, n in enumerate(n_classes)]
    return np.concatenate([part / part.sum(axis=1, keepdims=True) for part in parts], axis=1)


def _base_estimators(estimator: Any) -> list[Any]:
    """The ``tree_`` objects of a tree or a forest."""
    return [tree.tree_ for tree in getattr(estimator, "estimators_", [estimator])]


@equivalent(
    "DecisionTreeRegressor", "ExtraTreeRegressor", "ExtraTreesRegressor", "RandomForestRegressor"
)
def _tree_regressor(estimator: Any) -> Predictor:
    n_outputs = estimator.n_outputs_
    trees = [from_sklearn(tree, tree.value[:, :, 0]) for tree in _base_estimators(estimator)]
    ensemble = stack(trees, base=np.zeros(n_outputs), average=True)
    return Predictor(ensemble, Head("regressor", flat=n_outputs == 1))


@equivalent(
    "DecisionTreeClassifier",
    "ExtraTreeClassifier",
    "ExtraTreesClassifier",
    "RandomForestClassifier",
)
def _tree_classifier(estimator: Any) -> Predictor:
    n_classes = tuple(int(n) for n in np.atleast_1d(estimator.n_classes_))
    trees = [
        from_sklearn(tree, class_probabilities(tree.value, n_classes))
        for tree in _base_estimators(estimator)
    ]
    ensemble = stack(trees, base=np.zeros(sum(n_classes)), average=True)
    return Predictor(ensemble, Head("multiclass", "identity", n_classes=n_classes))
