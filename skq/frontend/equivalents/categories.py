"""Splits by category, as extra 0/1 columns that ordinary trees compute.

A split sends some categories of a feature left. Seen as numbers, the categories cut the line into
segments that go left or right in turn; a small tree over the segments gives 1 where a row goes
right. Every different split is one such column, and a node that splits by it asks ``bit <= 0.5``.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from skq.frontend.equivalents.trees import OneTree, stack
from skq.frontend.predictors import TreeEnsemble

Bools = NDArray[np.bool_]


class Memberships:
    """The extra columns of one ensemble; equal splits share a column."""

    def __init__(self, n_features: int) -> None:
        self._n_features = n_features
        self._columns: dict[tuple[int, bytes, bool], int] = {}
        self._trees: list[OneTree] = []

    def column(
        self, feature: int, categories: NDArray[np.float64], left: Bools, missing_left: bool
    ) -> int:
        """Number of the column that is 1 where a row goes right.

        Parameters
        ----------
        feature : int
        categories : ndarray of shape (n_categories,), rising
            Known categories; every other number goes where missing values go.
        left : ndarray of shape (n_categories,)
            Whether each goes left.
        missing_left : bool
        """
        key = (feature, categories.tobytes() + left.tobytes(), missing_left)
        if key not in self._columns:
            self._columns[key] = self._n_features + len(self._trees)
            self._trees.append(_membership(feature, categories, ~left, not missing_left))
        return self._columns[key]

    def ensemble(self) -> TreeEnsemble | None:
        """Trees that compute the columns; None if there are none."""
        if not self._trees:
            return None
        n = len(self._trees)
        return stack(
            self._trees,
            base=np.zeros(n),
            average=False,
            output=np.arange(n),
            float32_input=False,
        )


def _membership(feature: int, categories: Any, right: Bools, unknown_right: bool) -> OneTree:
    """A balanced tree over the segments of the line; NaN goes to the lowest one, as unknown."""
    gaps = np.nextafter(categories, -np.inf)
    ends = np.stack([gaps, categories], axis=1).ravel()
    bits = np.stack([np.full(len(right), unknown_right), right], axis=1).ravel()
    bits = np.append(bits, unknown_right)
    changes = np.flatnonzero(bits[1:] != bits[:-1])
    edges, segments = ends[changes], bits[np.append(changes, len(bits) - 1)]
    nodes: list[tuple[int, float, int, int, float]] = []

    def add(first: int, last: int) -> int:
        """The tree over segments first ... last, its root first."""
        number = len(nodes)
        if first == last:
            nodes.append((-1, 0.0, -1, -1, float(segments[first])))
            return number
        middle = (first + last) // 2
        nodes.append((feature, 0.0, 0, 0, 0.0))
        left, right = add(first, middle), add(middle + 1, last)
        nodes[number] = (feature, float(edges[middle]), left, right, 0.0)
        return number

    add(0, len(segments) - 1)
    columns = [np.array(column) for column in zip(*nodes, strict=True)]
    return OneTree(
        feature=columns[0],
        threshold=columns[1],
        left=columns[2],
        right=columns[3],
        missing_left=columns[0] >= 0,
        leaf_weights=columns[4][:, np.newaxis],
    )
