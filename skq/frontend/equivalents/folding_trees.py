"""Fold preprocessing into trees: nodes compare the feature itself, or a bit.

Where an output is a product or a sum of features, nodes compare a derived column: the product, or
the result of one layer.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np

from skq.exceptions import UnsupportedModelError
from skq.frontend.bisection import LARGEST, last_that_holds
from skq.frontend.equivalents.categories import Memberships
from skq.frontend.equivalents.folding_categories import split_columns
from skq.frontend.equivalents.folding_layers import fold_layers, fold_products
from skq.frontend.predictors import Floats, LayerInputs, Layers, TreeEnsemble
from skq.graph.preprocessing import Column, Preprocessing

#: Difference between the parent's sums and those computed here in another order, relative to the
#: largest. Thresholds are raised by it, since a training row may lie exactly on one.
SUMMATION = 1e-13

#: An output whose thresholds are all smaller than this, relative to its terms, is rounding noise
#: of the transformer's coefficients, or of sums of products with them.
NOISE = 1e-10


def fold_trees(preprocessing: Preprocessing, trees: TreeEnsemble) -> TreeEnsemble:
    """Trees on X, equal to the given ones on the outputs of the preprocessing."""
    splits = split_columns(preprocessing, trees)
    read = [int(j) for j in np.unique(trees.feature[trees.feature >= 0])]
    columns = {j: preprocessing.column(j) for j in read if j not in splits}
    limits = _limits(preprocessing, columns, trees)
    columns.update((j, splits[j]) for j in read if j in splits)
    memberships = Memberships(preprocessing.n_features)
    feature, threshold = trees.feature.copy(), np.where(trees.feature >= 0, limits, 0.0)
    left, right, missing_left = trees.left.copy(), trees.right.copy(), trees.missing_left.copy()
    for j, column in columns.items():
        if column is None:
            continue
        nodes = np.flatnonzero(trees.feature == j)
        if column.values is None:
            threshold[nodes] = _raw_thresholds(column, limits[nodes])
            feature[nodes] = column.feature
            if not np.isnan(column.missing):
                missing_left[nodes] = column.missing <= limits[nodes]
            continue
        for node in nodes:
            bits, edges, missing = _split(column, float(limits[node]), bool(missing_left[node]))
            changes = np.flatnonzero(bits[1:] != bits[:-1])
            if len(changes) <= 1:
                feature[node] = column.feature
                threshold[node] = edges[changes[0]] if len(changes) else LARGEST
                missing_left[node] = missing
                if not bits[0]:
                    left[node], right[node] = right[node], left[node]
                    missing_left[node] = not missing
            else:
                feature[node] = memberships.segments(column.feature, edges, ~bits, not missing)
                threshold[node], missing_left[node] = 0.5, False
    derived: list[TreeEnsemble | LayerInputs | Layers] = [*memberships.derived()]
    first = preprocessing.n_features + sum(bits.n_scores for bits in memberships.derived())
    computed = [j for j, column in columns.items() if column is None]
    for degree, outputs in _by_degree(preprocessing, computed):
        scores, factor, offset = _computed(preprocessing, outputs, degree)
        for k, j in enumerate(outputs):
            nodes = np.flatnonzero(trees.feature == j)
            feature[nodes], missing_left[nodes] = first + k, False
            threshold[nodes] = (limits[nodes] - offset[k]) / factor[k]
        derived.append(scores)
        first += len(outputs)
    return replace(
        trees,
        feature=feature,
        threshold=threshold,
        left=left,
        right=right,
        missing_left=missing_left,
        float32_input=False,
        derived=tuple(derived),
    )


def _by_degree(preprocessing: Preprocessing, outputs: list[int]) -> list[tuple[int, list[int]]]:
    """Outputs by group: products of two, products of three, sums (degree 0)."""
    groups: dict[int, list[int]] = {}
    for j in outputs:
        term, degree = preprocessing.term(j), 0
        if preprocessing.powers is not None and term is not None and term[1] > 0:
            degree = int(preprocessing.powers[term[0]].sum())
        groups.setdefault(degree if degree > 1 else 0, []).append(j)
    return sorted(groups.items(), key=lambda group: (group[0] == 0, group[0]))


def _computed(
    preprocessing: Preprocessing, outputs: list[int], degree: int
) -> tuple[LayerInputs | Layers, Floats, Floats]:
    """Derived columns of one group, and ``(a, b)``: outputs are ``a * derived + b``."""
    if degree == 0:
        n = len(outputs)
        part = preprocessing.selected(outputs).without_unread()
        layer = Layers((np.eye(n),), (np.zeros(n),))
        scores = fold_layers(part, layer)
        return scores, np.ones(n), np.zeros(n)
    terms = zip(*(preprocessing.term(j) or () for j in outputs), strict=True)
    indices, factor, offset = (np.array(values) for values in terms)
    powers = preprocessing.as_powers()[indices]
    part = replace(preprocessing, powers=powers, matrix=None, offset=None).without_unread()
    products, size = fold_products(part)
    return products, factor * size, offset


def _limits(
    preprocessing: Preprocessing, columns: dict[int, Column | None], trees: TreeEnsemble
) -> Floats:
    """For each node the largest output, in double precision, that goes left.

    Limits of outputs that are sums are raised by `SUMMATION`.
    """
    limits = trees.threshold.copy()
    margin = SUMMATION
    if trees.float32_input:  # limits lie half way to the next float32: a sufficient margin
        limits, margin = last_that_holds(lambda x: _in_float32(x) <= trees.threshold, limits), 0.0
    given = {id(column) for column in preprocessing.columns}
    sums = [j for j, column in columns.items() if id(column) not in given]
    reach = preprocessing.reach() if sums else np.zeros(0)
    for j in sums:
        nodes = np.flatnonzero(trees.feature == j)
        largest = float(np.abs(limits[nodes]).max())
        if columns[j] is None and 0 < largest <= NOISE * reach[j]:
            raise UnsupportedModelError(
                f"trees split on column {j} of the transformed data, which is 0 up to rounding "
                "errors, because the data have fewer dimensions. Use fewer components"
            )
        limits[nodes] += margin * max(largest, float(reach[j]))
    return np.clip(limits, -LARGEST, LARGEST)


def _in_float32(values: Floats) -> Any:
    with np.errstate(over="ignore"):
        return values.astype(np.float32)


def _raw_thresholds(column: Column, limits: Floats) -> Floats:
    """Largest values of the feature whose columns are at most the limits."""
    if not column.steps:
        return limits
    factor, offset = column.affine
    bounds = last_that_holds(lambda x: column(x) <= limits, (limits - offset) / factor)
    return np.clip(bounds, -LARGEST, LARGEST)


def _split(column: Column, limit: float, missing_left: bool) -> tuple[Any, Floats, bool]:
    """For each segment whether it goes left, the segments' ends, and whether NaN goes left."""
    assert column.values is not None
    assert column.edges is not None
    bits = column.values <= limit
    if np.isnan(column.missing):
        return bits, column.edges, missing_left
    return bits, column.edges, bool(column.missing <= limit)
