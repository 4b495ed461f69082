"""Splits by category, as extra 0/1 columns that ordinary trees compute.

A split sends some categories of a feature left. The category numbers divide the real
line into segments that go left or right alternately. A small tree over the segments gives 1 where a
row goes right. Every distinct split is one such column, and its nodes compare ``bit <= 0.5``.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from skq.frontend.bisection import LARGEST
from skq.frontend.equivalents.decision_trees import Node, OneTree, stack
from skq.frontend.predictors import TreeEnsemble

Bools = NDArray[np.bool_]
Floats = NDArray[np.float64]


class Memberships:
    """The extra columns of one ensemble; equal splits share a column."""

    def __init__(self, n_features: int) -> None:
        self._n_features = n_features
        self._numbers: dict[tuple[int, bytes, bytes, bool], int] = {}
        self._columns: list[_Segments] = []

    def column(self, feature: int, categories: Floats, left: Bools, missing_left: bool) -> int:
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
        unknown = not missing_left
        gaps = np.nextafter(categories, -np.inf)
        edges = np.stack([gaps, categories], axis=1).ravel()
        bits = np.stack([np.full(len(left), unknown), ~left], axis=1).ravel()
        return self.segments(feature, edges, np.append(bits, unknown), unknown)

    def segments(self, feature: int, edges: Floats, bits: Bools, missing: bool) -> int:
        """Number of the column that is a given bit in each segment of the line.

        Parameters
        ----------
        feature : int
        edges : ndarray of shape (n_edges,), rising
            Segment k ends with ``edges[k]``, which belongs to it.
        bits : ndarray of shape (n_edges + 1,)
        missing : bool
            The bit of missing values.
        """
        changes = np.flatnonzero(bits[1:] != bits[:-1])
        edges, bits = edges[changes], bits[np.append(changes, len(bits) - 1)]
        key = (feature, edges.tobytes(), bits.tobytes(), missing)
        if key not in self._numbers:
            self._numbers[key] = self._n_features + len(self._columns)
            self._columns.append(_Segments(feature, edges, bits, missing))
        return self._numbers[key]

    def derived(self) -> tuple[TreeEnsemble, ...]:
        """`TreeEnsemble.derived` of the trees that read the columns."""
        ensemble = self.ensemble()
        return () if ensemble is None else (ensemble,)

    def ensemble(self) -> TreeEnsemble | None:
        """Trees that compute the columns; None if there are none."""
        if not self._columns:
            return None
        n = len(self._columns)
        of_feature: dict[int, list[_Segments]] = {}
        for column in self._columns:
            of_feature.setdefault(column.feature, []).append(column)
        alike = {feature: _like_missing(columns) for feature, columns in of_feature.items()}
        return stack(
            [_membership(column, alike[column.feature]) for column in self._columns],
            base=np.zeros(n),
            average=False,
            output=np.arange(n),
            float32_input=False,
        )


class _Segments(NamedTuple):
    """A column: the bit of each segment of a feature's line, and of missing values."""

    feature: int
    edges: Floats
    bits: Bools
    missing: bool

    def at(self, values: Floats) -> Bools:
        """Bits of numbers."""
        return self.bits[np.searchsorted(self.edges, values)]


def _like_missing(columns: list[_Segments]) -> float:
    """A number whose bit is that of missing values in all columns of a feature, or NaN.

    Missing values then share the code of that number.
    """
    candidates = np.append(np.unique(np.concatenate([c.edges for c in columns])), np.inf)
    for column in columns:
        candidates = candidates[column.at(candidates) == column.missing]
    return float(candidates[0]) if len(candidates) else np.nan


def _membership(column: _Segments, like_missing: float) -> OneTree:
    """A balanced tree over the segments of the line.

    NaN takes the branches of `like_missing`, or else of the first segment that has its bit. Where
    no segment has it, the root separates NaN from all numbers.
    """
    feature, edges, bits, missing = column
    nodes: list[Node] = []
    of_missing = np.flatnonzero(bits == missing)
    missing_segment = int(of_missing[0]) if len(of_missing) else -1
    if not np.isnan(like_missing):
        missing_segment = int(np.searchsorted(edges, like_missing))

    def leaf(bit: Any) -> int:
        nodes.append((-1, 0.0, -1, -1, False, float(bit)))
        return len(nodes) - 1

    def add(first: int, last: int) -> int:
        """The tree over segments first ... last, its root first."""
        if first == last:
            return leaf(bits[first])
        number = len(nodes)
        middle = (first + last) // 2
        nodes.append((feature, 0.0, 0, 0, False, 0.0))
        left, right = add(first, middle), add(middle + 1, last)
        nodes[number] = (feature, float(edges[middle]), left, right, missing_segment <= middle, 0.0)
        return number

    if missing_segment < 0:
        nodes.append((feature, 0.0, 0, 0, False, 0.0))
        nodes[0] = (feature, LARGEST, add(0, len(bits) - 1), leaf(missing), False, 0.0)
    else:
        add(0, len(bits) - 1)
    return OneTree.from_nodes(nodes)
