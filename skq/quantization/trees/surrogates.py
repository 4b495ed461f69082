"""Surrogate splits: where an edge is missing, a split on another column may misroute fewer rows.

A threshold that is not an edge of its feature misroutes rows, and a node deep in a tree may have
all of its rows in one bin. Nodes are processed from the roots down. A calibration row that reaches
a node by its codes is misrouted if the split on codes sends it to another child than the float
threshold. The node takes the split with the fewest misrouted rows, of all columns and edges; its
children are exchanged if they are in reverse order. A split on another column must misroute at
least `EDGES.surrogate_margin` rows less than the nearest edge of the original column.

Surrogate splits are used for classifiers only. In regression, rows with similar values of the
node's feature have similar targets, so a misrouted row causes a small error.

References
----------
Breiman, Friedman, Olshen, Stone: Classification and Regression Trees, 1984, section 5.3.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from skq.graph.ops import TreeArrays
from skq.quantization.trees.settings import EDGES

Array = NDArray[Any]
Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


def with_surrogates(
    trees: TreeArrays,
    by_code: TreeArrays,
    x: Array,
    codes: Array,
    base: Array,
    n_edges: Array,
    row_weight: Floats,
) -> TreeArrays:
    """The trees on codes, with the splits of nodes that misroute rows replaced.

    Parameters
    ----------
    trees : TreeArrays
        On real features.
    by_code : TreeArrays
        The same nodes on codes; `feature` numbers their columns.
    x : ndarray of shape (n_rows, n_features)
        Columns that `trees` read on the calibration rows.
    codes : ndarray of shape (n_rows, n_columns), int
        Columns that `by_code` reads on the calibration rows.
    base, n_edges : ndarray of shape (n_binned,), int
        Code of the lowest bin and number of edges of the first columns, which are bins. Nodes
        that read other columns are not changed.
    row_weight : ndarray of shape (n_rows,)

    Returns
    -------
    TreeArrays
        `by_code` with other columns, thresholds and children.
    """
    column, code = by_code.feature.copy(), by_code.threshold.astype(np.int64)
    left, right = by_code.true_child.copy(), by_code.false_child.copy()
    codes = np.ascontiguousarray(codes.T)
    weight = row_weight * len(row_weight)
    row = np.tile(np.arange(len(x)), trees.n_trees)
    node = np.repeat(trees.roots, len(x))
    offered = _most_read(column[trees.leaf < 0], n_edges)
    while True:
        many = np.bincount(node, weight[row], minlength=len(column)) > EDGES.surrogate_margin
        open_ = np.flatnonzero((many & (trees.leaf < 0))[node])
        row, node = row[open_], node[open_]
        if not len(node):
            break
        wanted = _goes_left(trees, x, row, node)
        wrong = wanted != (codes[column[node], row] <= code[node])
        misrouted = np.bincount(node, weight[row] * wrong, minlength=len(column))
        chosen = np.flatnonzero((misrouted > EDGES.surrogate_margin) & (column < len(n_edges)))
        if len(chosen):
            index = np.full(len(column), -1)
            index[chosen] = np.arange(len(chosen))
            met = np.flatnonzero(index[node] >= 0)
            at, pull = row[met], np.where(wanted[met], weight[row[met]], -weight[row[met]])
            best = _Best(misrouted[chosen], column[chosen], code[chosen], index[node[met]], pull)
            for g in offered:
                best.offer(g, codes[g, at], base[g], n_edges[g])
            column[chosen], code[chosen] = best.column, best.code
            turned = chosen[best.turned]
            left[turned], right[turned] = right[turned], left[turned]
        node = np.where(codes[column[node], row] <= code[node], left[node], right[node])
    return replace(
        by_code,
        feature=column,
        threshold=code.astype(np.float64),
        true_child=left,
        false_child=right,
    )


class _Best:
    """The best split so far of each of some nodes.

    Parameters
    ----------
    misrouted : ndarray of shape (n_nodes,)
        Weight of the misrouted rows.
    column, code : ndarray of shape (n_nodes,), int
        Codes up to `code` go left, or right at nodes that are `turned`.
    node : ndarray of shape (n_arrivals,), int
        Index of the node, for each arrival of a row at a node.
    pull : ndarray of shape (n_arrivals,)
        The row's weight; negative if the row should go right.
    """

    def __init__(
        self, misrouted: Array, column: Ints, code: Ints, node: Ints, pull: Floats
    ) -> None:
        self.misrouted, self.column, self.code = misrouted, column, code
        self.turned = np.zeros(len(column), dtype=bool)
        self._original, self._node, self._pull = column, node, pull
        self._to_left = np.bincount(node, np.maximum(pull, 0), minlength=len(column))
        self._to_right = np.bincount(node, np.maximum(-pull, 0), minlength=len(column))

    def offer(self, column: int, codes: Ints, base: int, n_edges: int) -> None:
        """Replace splits by edges of a column where these misroute fewer rows.

        Parameters
        ----------
        column : int
        codes : ndarray of shape (n_arrivals,)
            The rows' codes in this column.
        base, n_edges : int
            Code of the lowest bin, and number of edges.
        """
        n_nodes, n_codes = len(self.code), base + n_edges + 2
        flat = np.bincount(self._node * n_codes + codes, self._pull, minlength=n_nodes * n_codes)
        below = np.cumsum(flat.reshape(-1, n_codes), axis=1)[:, base : base + n_edges]
        for turned in (False, True):
            wrong = self._to_right[:, None] + below if turned else self._to_left[:, None] - below
            edge = wrong.argmin(axis=1)
            is_original = (self._original == column) & (not turned)
            error = wrong[np.arange(n_nodes), edge] + np.where(
                is_original, 0.0, EDGES.surrogate_margin
            )
            better = error < self.misrouted - 1e-9
            self.misrouted = np.where(better, error, self.misrouted)
            self.column = np.where(better, column, self.column)
            self.code = np.where(better, base + edge, self.code)
            self.turned = np.where(better, turned, self.turned)


def _goes_left(trees: TreeArrays, x: Array, row: Ints, node: Ints) -> NDArray[np.bool_]:
    """Whether a row goes left at a node, where thresholds are those of the float model."""
    value = x[row, trees.feature[node]].astype(np.float64)
    left = value <= trees.threshold[node]
    return np.asarray(left | (np.isnan(value) & trees.missing_true[node]))


def _most_read(column: Ints, n_edges: Ints) -> Ints:
    """The bins that most nodes read, of those with edges."""
    count = np.bincount(column, minlength=len(n_edges))[: len(n_edges)]
    most = np.argsort(-count, kind="stable")
    return np.sort(most[n_edges[most] > 0][: EDGES.max_surrogate_columns])
