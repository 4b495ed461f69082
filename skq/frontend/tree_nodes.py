"""A `TreeEnsemble` as the attributes of ONNX-ML's TreeEnsembleRegressor (version 3)."""

from __future__ import annotations

from typing import Any

import numpy as np

from skq.frontend.predictors import TreeEnsemble


def tree_attributes(ensemble: TreeEnsemble) -> dict[str, Any]:
    """Attributes of the operator, as arrays; thresholds and leaves in double precision.

    Source: ONNX ``ai.onnx.ml.TreeEnsembleRegressor``, version 3, with the ``*_as_tensor``
    attributes that take doubles.
    """
    n_nodes = len(ensemble.feature)
    sizes = np.diff(np.append(ensemble.roots, n_nodes))
    tree = np.repeat(np.arange(len(ensemble.roots)), sizes)
    start = np.repeat(ensemble.roots, sizes)
    leaf = ensemble.feature < 0
    leaves = np.flatnonzero(leaf)
    weights = ensemble.leaf_weights[leaves]
    has_weight = np.ones(weights.shape, dtype=bool) if weights.shape[1] == 1 else weights != 0
    row, column = np.nonzero(has_weight)
    node = leaves[row]
    return {
        "n_targets": ensemble.n_scores,
        "aggregate_function": "AVERAGE" if ensemble.average else "SUM",
        "post_transform": "NONE",
        "base_values_as_tensor": ensemble.base,
        "nodes_treeids": tree,
        "nodes_nodeids": np.arange(n_nodes) - start,
        "nodes_featureids": np.where(leaf, 0, ensemble.feature).astype(np.int64),
        "nodes_modes": np.where(leaf, "LEAF", "BRANCH_LEQ"),
        "nodes_values_as_tensor": ensemble.threshold,
        "nodes_truenodeids": np.where(leaf, 0, ensemble.left - start),
        "nodes_falsenodeids": np.where(leaf, 0, ensemble.right - start),
        "nodes_missing_value_tracks_true": ensemble.missing_left.astype(np.int64),
        "target_treeids": tree[node],
        "target_nodeids": node - start[node],
        "target_ids": ensemble.output[tree[node]] + column,
        "target_weights_as_tensor": weights[row, column],
    }
