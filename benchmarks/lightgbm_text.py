"""Tree ensembles of scikit-learn as the text files of LightGBM, which lleaves compiles."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

_HEAD = """tree
version=v4
num_class={n_classes}
num_tree_per_iteration={n_classes}
max_feature_idx={last}
objective=regression
{average}feature_names={names}
feature_infos={infos}
tree_sizes={sizes}

"""
#: Numbers, compared by <=, missing values right.
_DECISION = 0


def lightgbm_text(parent: Any) -> str:
    """Raw scores of a forest or boosting model of scikit-learn as a LightGBM model.

    Parameters
    ----------
    parent : estimator
        Gradient boosting, histogram gradient boosting without categories, or a random forest that
        predicts one number.

    Returns
    -------
    str

    Raises
    ------
    ValueError
        A forest that predicts several numbers: a tree of LightGBM predicts one.
    """
    if hasattr(parent, "_predictors"):
        trees = [_of_histograms(p) for row in parent._predictors for p in row]
        n_classes, average = len(parent._predictors[0]), False
    elif isinstance(parent.estimators_, np.ndarray):
        trees = [_of_tree(e.tree_, parent.learning_rate) for e in parent.estimators_.ravel()]
        n_classes, average = parent.estimators_.shape[1], False
    else:
        if parent.estimators_[0].tree_.value[0].size != 1:
            raise ValueError("a tree of LightGBM predicts one number")
        trees = [_of_tree(e.tree_, 1.0) for e in parent.estimators_]
        n_classes, average = 1, True
    n = parent.n_features_in_
    head = _HEAD.format(
        n_classes=n_classes,
        last=n - 1,
        average="average_output\n" if average else "",
        names=" ".join(f"x{k}" for k in range(n)),
        infos=" ".join(["[-1e300:1e300]"] * n),
        sizes=" ".join(["1"] * len(trees)),
    )
    blocks = [_block(k, tree) for k, tree in enumerate(trees)]
    return head + "".join(blocks) + "end of trees\n\npandas_categorical:null\n"


Columns = tuple[NDArray[Any], ...]


def _of_tree(tree: Any, factor: float) -> Columns:
    """Feature, threshold, left and right child, value of each node; -1 for no child."""
    value = tree.value.reshape(tree.node_count, -1)[:, 0] * factor
    return tree.feature, tree.threshold, tree.children_left, tree.children_right, value


def _of_histograms(predictor: Any) -> Columns:
    nodes = predictor.nodes
    leaf = nodes["is_leaf"] != 0
    left, right = (np.where(leaf, -1, nodes[side].astype(int)) for side in ("left", "right"))
    return nodes["feature_idx"], nodes["num_threshold"], left, right, nodes["value"]


def _block(number: int, tree: Columns) -> str:
    feature, threshold, left, right, value = tree
    is_leaf = left < 0
    index = np.where(is_leaf, -np.cumsum(is_leaf), np.cumsum(~is_leaf) - 1)
    inner = ~is_leaf
    rows = {
        "Tree": [number],
        "num_leaves": [int(is_leaf.sum())],
        "num_cat": [0],
        "split_feature": feature[inner].tolist(),
        "threshold": threshold[inner].tolist(),
        "decision_type": [_DECISION] * int(inner.sum()),
        "left_child": index[left[inner]].tolist(),
        "right_child": index[right[inner]].tolist(),
        "leaf_value": value[is_leaf].tolist(),
    }
    lines = [f"{name}={' '.join(map(repr, numbers))}" for name, numbers in rows.items()]
    return "\n".join(lines) + "\n\n\n"
