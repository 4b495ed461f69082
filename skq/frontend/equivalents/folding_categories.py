"""Splits by category after transformers: each as a 0/1 column of the raw feature."""

from __future__ import annotations

from typing import Any

import numpy as np

from skq.exceptions import UnsupportedModelError
from skq.frontend.bisection import last_that_holds
from skq.frontend.predictors import Floats, TreeEnsemble
from skq.graph.preprocessing import Column, Preprocessing


def split_columns(preprocessing: Preprocessing, trees: TreeEnsemble) -> dict[int, Column]:
    """The columns that splits by category compute, as functions of features of X.

    Parameters
    ----------
    preprocessing : Preprocessing
    trees : TreeEnsemble
        On its outputs; with `TreeEnsemble.derived` of trees over one output each.

    Returns
    -------
    dict of int to Column
        By the number that the nodes of `trees` have for it.

    Raises
    ------
    UnsupportedModelError
        If a split reads a sum or a product of features.
    """
    columns: dict[int, Column] = {}
    number = preprocessing.n_outputs
    for ensemble in trees.derived:
        if not isinstance(ensemble, TreeEnsemble):
            raise UnsupportedModelError("trees after two preprocessings")
        for root in ensemble.roots.tolist():
            columns[number] = _column(preprocessing, ensemble, root)
            number += 1
    return columns


def _column(preprocessing: Preprocessing, ensemble: TreeEnsemble, root: int) -> Column:
    feature = int(ensemble.feature[root])
    if feature < 0:  # the same for every row
        value = float(ensemble.leaf_weights[root, 0])
        return Column(0, edges=np.zeros(0), values=np.array([value]), missing=value)
    column = preprocessing.column(feature)
    if column is None:
        raise UnsupportedModelError(
            "trees that split by category cannot be quantized where the categories are sums or "
            "products of features; number the categories with OrdinalEncoder"
        )
    if column.values is not None and column.edges is not None:
        edges, points = column.edges, column.values
    else:
        edges, points = _segments(column, _thresholds(ensemble, root))
    values = np.array([_leaf(ensemble, root, point) for point in points])
    missing = _leaf(ensemble, root, column.missing)
    return Column(column.feature, edges=edges, values=values, missing=missing)


def _thresholds(ensemble: TreeEnsemble, root: int) -> Floats:
    """Thresholds of one tree, rising."""
    found, nodes = [], [root]
    while nodes:
        node = nodes.pop()
        if ensemble.feature[node] >= 0:
            found.append(float(ensemble.threshold[node]))
            nodes += [int(ensemble.left[node]), int(ensemble.right[node])]
    return np.unique(found)


def _segments(column: Column, thresholds: Floats) -> tuple[Floats, Floats]:
    """Edges on a feature that an affine column moves to the thresholds, and a value in each."""
    edges = thresholds
    if column.steps:
        factor, offset = column.affine
        edges = last_that_holds(lambda x: column(x) <= thresholds, (thresholds - offset) / factor)
    return edges, np.append(thresholds, np.inf)


def _leaf(ensemble: TreeEnsemble, root: int, value: Any) -> float:
    """What one tree gives for a value of its feature."""
    node = root
    while ensemble.feature[node] >= 0:
        if np.isnan(value):
            goes_left = bool(ensemble.missing_left[node])
        else:
            goes_left = value <= ensemble.threshold[node]
        node = int(ensemble.left[node] if goes_left else ensemble.right[node])
    return float(ensemble.leaf_weights[node, 0])
