"""Splits of trees on the reals that a Bin reads, or on codes held in floats.

A tree that reads codes of a Bin is put on the reals: ``base + #{edges < x} <= threshold`` is
``x <= edges[threshold - base]``.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from skq.program import TensorType
from skq.program import instructions as ins

Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]

#: Integers up to this magnitude are exact in float32.
EXACT_FLOAT32 = 2**24


@dataclass(frozen=True)
class Splits:
    """Comparison ``x[feature] <= threshold`` of each node, its direction for NaN, its children."""

    feature: Ints
    threshold: NDArray[np.floating]
    missing_left: Bools
    left: Ints
    right: Ints


def splits_of(step: ins.Trees, codes: ins.Bin | TensorType, dtype: str) -> Splits:
    """Splits in a dtype of reals that a Bin reads, or of codes of a type."""
    if isinstance(codes, ins.Bin):
        return _on_reals(step, codes, dtype)
    return _on_codes(step, codes, dtype)


def nodes_by_tree(step: ins.Trees) -> tuple[Ints, Ints] | None:
    """Tree and index of all reachable nodes, by tree; None if a node is reachable twice."""
    level = step.roots.astype(np.int64)
    tree = np.arange(len(level))
    nodes, trees = [level], [tree]
    reached = np.bincount(level, minlength=len(step.feature))
    while len(level):
        inner = step.feature[level] >= 0
        level, tree = level[inner], tree[inner]
        level = np.concatenate([step.left[level], step.right[level]]).astype(np.int64)
        tree = np.concatenate([tree, tree])
        reached += np.bincount(level, minlength=len(reached))
        if reached.max(initial=0) > 1:
            return None
        nodes.append(level)
        trees.append(tree)
    node, of_tree = np.concatenate(nodes), np.concatenate(trees)
    order = np.lexsort((node, of_tree))  # within a tree by index, the root first
    return of_tree[order], node[order]


def _on_reals(step: ins.Trees, bins: ins.Bin, dtype: str) -> Splits:
    """Splits of the reals that a Bin reads."""
    inner = np.flatnonzero(step.feature >= 0)
    column = step.feature[inner].astype(np.int64)
    offsets = bins.offsets.astype(np.int64)
    threshold = step.threshold[inner].astype(np.int64)
    edge = threshold - bins.base[column].astype(
        np.int64
    )  # index of the edge that is the threshold on reals
    counts = np.diff(offsets)[column]
    real = np.full(len(inner), np.inf, dtype=dtype)
    between = (edge >= 0) & (edge < counts)
    real[between] = _at_most(bins.edges[(offsets[column] + edge)[between]], dtype)
    n_nodes = len(step.feature)
    missing = bins.nan_code[column].astype(np.int64) <= threshold
    left, right = step.left.astype(np.int64), step.right.astype(np.int64)
    swapped = edge < 0  # no real goes left: use x <= inf and exchange the children
    at = inner[swapped]
    left[at], right[at] = right[at], left[at].copy()
    missing = missing ^ swapped
    return Splits(
        _spread(bins.feature[column], inner, n_nodes),
        _spread(real, inner, n_nodes),
        _spread(missing, inner, n_nodes),
        left,
        right,
    )


def _on_codes(step: ins.Trees, codes: TensorType, dtype: str) -> Splits:
    """Splits of the codes themselves, held in floats."""
    lo, hi = codes.interval
    threshold = np.clip(step.threshold.astype(np.int64), lo - 1, hi)
    return Splits(
        step.feature.astype(np.int64),
        threshold.astype(dtype),
        np.zeros(len(threshold), dtype=bool),
        step.left.astype(np.int64),
        step.right.astype(np.int64),
    )


def _at_most(edges: NDArray[np.float64], dtype: str) -> NDArray[np.floating]:
    """Greatest number of a dtype that is at most each edge, so comparisons do not change."""
    if dtype == "float64":
        return edges
    with np.errstate(over="ignore"):
        narrow = edges.astype(np.float32)
    return np.where(narrow > edges, np.nextafter(narrow, np.float32(-np.inf)), narrow)


def _spread(values: np.ndarray, at: Ints, length: int) -> np.ndarray:
    spread = np.zeros(length, dtype=values.dtype)
    spread[at] = values
    return spread
