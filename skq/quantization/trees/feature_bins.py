"""Bins of features before a tree is trained: edges, and one representative value for each bin.

A tree that is trained on the representatives can only split between bins, so one code for each bin
is enough for all its splits. A threshold lies anywhere between two representatives; it is moved to
the edge between their bins. Then a raw value takes the same branches as its representative.

Few bins are chosen so that the rows of a bin have similar targets and similar ranks. They minimize
``variance of the targets + rank_share * variance of the ranks`` within bins, each relative to its
total. By rank alone the bins would be quantiles, which miss the few values where a strong feature's
effect changes. By targets alone features would be ignored that are informative only in combination
with others. Many bins are quantiles.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from skq.quantization.trees.bins import partition
from skq.quantization.trees.settings import EDGES

Floats = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class FeatureBins:
    """Bins of every feature: value x is in bin ``(edges < x).sum()``.

    Parameters
    ----------
    edges : list of n_features ndarrays of shape (n_bins - 1,), rising
    representatives : list of n_features ndarrays of shape (n_bins,), rising
        One value of each bin. It is 0 for the bin that holds 0, if values lie on both sides of 0,
        so that sparse rows stay sparse. Empty for a skipped feature.
    has_missing : bool
        Whether one code is reserved for NaN.
    """

    edges: list[Floats]
    representatives: list[Floats]
    has_missing: bool

    @classmethod
    def of(
        cls,
        X: Any,
        n_bits: int,
        *,
        sample_weight: Any = None,
        target: Any = None,
        skip: Any = (),
        n_columns: int = 1,
        model_edges: Sequence[Floats] | None = None,
    ) -> FeatureBins:
        """Bins of each feature, as many as codes of `n_bits` in one or several columns.

        Parameters
        ----------
        X : {ndarray, sparse matrix} of shape (n_rows, n_features), float
            NaN is ignored; if there is any, one code is reserved for it.
        n_bits : int
        sample_weight : ndarray of shape (n_rows,), default=None
            Rows of weight 0 count as absent, unless all are.
        target : ndarray of shape (n_rows, n_targets), default=None
            Targets of the trees.
        skip : collection of int
            Features without bins.
        n_columns : int, default=1
            Number of columns of codes of a feature.
        model_edges : sequence of n_features ndarrays, rising, default=None
            Edges that were chosen for a model of the same targets: taken where they are as many as
            there may be.
        """
        missing = bool(np.isnan(X.data if sparse.issparse(X) else X).any())
        n_bins = n_columns * (2**n_bits - 1 - missing) + 1
        weight = np.ones(X.shape[0]) if sample_weight is None else sample_weight
        weight = weight if np.any(weight > 0) else np.ones(X.shape[0])
        rows = np.flatnonzero(weight > 0)
        if len(rows) > EDGES.max_training_rows:
            rows = rows[np.linspace(0, len(rows) - 1, EDGES.max_training_rows).astype(np.int64)]
        if len(rows) < X.shape[0]:
            X = (X.tocsr() if sparse.issparse(X) else X)[rows]
        weight = weight[rows]
        moment = np.zeros((len(rows), 0))
        if target is not None and n_bins <= EDGES.max_chosen_bins:
            moment = _standardized(target[rows], weight) * weight[:, np.newaxis]
        columns = X.tocsc() if sparse.issparse(X) else X
        edges, representatives = [], []
        for feature in range(X.shape[1]):
            if feature in skip:
                edges.append(np.zeros(0))
                representatives.append(np.zeros(0))
                continue
            column = _column(columns, feature, weight, moment)
            values, mass = _distinct(column[0], column[1])
            known = np.zeros(0) if model_edges is None else model_edges[feature]
            known = _between_values(known, values)
            full = len(known) == n_bins - 1 > 0
            edges.append(known if full else _edges(values, mass, column, n_bins))
            representatives.append(_representatives(values, mass, edges[-1]))
        return cls(edges, representatives, missing)

    def represent(self, X: Any) -> Any:
        """X with each value replaced by its bin's representative; NaN stays.

        Parameters
        ----------
        X : {ndarray, sparse matrix} of shape (n_rows, n_features), float

        Returns
        -------
        {ndarray, sparse matrix} of shape (n_rows, n_features), dtype of X
        """
        if sparse.issparse(X):
            result = X.tocsc(copy=True)
            for feature in range(X.shape[1]):
                stored = slice(result.indptr[feature], result.indptr[feature + 1])
                result.data[stored] = self._represented(result.data[stored], feature)
            result.eliminate_zeros()
            return result.asformat(X.format)
        result = np.array(X)
        for feature in range(X.shape[1]):
            result[:, feature] = self._represented(result[:, feature], feature)
        return result

    def _represented(self, values: NDArray[Any], feature: int) -> NDArray[Any]:
        known = self.representatives[feature]
        if not len(known):
            return values
        result = known[np.searchsorted(self.edges[feature], values, side="left")]
        return np.where(np.isnan(values), values, result)

    def to_edges(self, threshold: Floats, feature: NDArray[Any]) -> Floats:
        """The edge that separates the same representatives as a threshold.

        Parameters
        ----------
        threshold : ndarray of shape (n,)
        feature : ndarray of shape (n,), int

        Returns
        -------
        ndarray of shape (n,)
            Edges. A threshold with all representatives on one side is returned unchanged.
        """
        result = np.array(threshold, dtype=np.float64)
        for f in np.unique(feature):
            index = np.flatnonzero(feature == f)
            below = np.searchsorted(self.representatives[f], threshold[index], side="right")
            between = (below > 0) & (below < len(self.representatives[f]))
            result[index[between]] = self.edges[f][below[between] - 1]
        return result


def _standardized(target: NDArray[Any], weight: Floats) -> Floats:
    """Targets with mean 0 and a total variance of 1."""
    centered = target - np.average(target, axis=0, weights=weight)
    variance = float(np.average((centered**2).sum(axis=1), weights=weight))
    return np.asarray(centered / np.sqrt(variance) if variance > 0 else centered)


_Column = tuple[NDArray[Any], Floats, Floats]


def _column(X: Any, feature: int, weight: Floats, moment: Floats) -> _Column:
    """Values of a feature, their weights, and weight times targets.

    All implicit zeros of a sparse column are one entry.
    """
    if not sparse.issparse(X):
        return X[:, feature], weight, moment
    stored = slice(X.indptr[feature], X.indptr[feature + 1])
    rows = X.indices[stored]
    rest = np.ones(X.shape[0], dtype=bool)
    rest[rows] = False
    return (
        np.append(X.data[stored], X.dtype.type(0)),
        np.append(weight[rows], weight[rest].sum()),
        np.concatenate([moment[rows], moment[rest].sum(axis=0, keepdims=True)]),
    )


def _distinct(values: NDArray[Any], weight: Floats) -> tuple[Floats, Floats]:
    """Distinct values that have weight, rising, and the weight of each."""
    known = ~np.isnan(values) & (weight > 0)
    distinct, position = np.unique(values[known], return_inverse=True)
    mass = np.bincount(position.ravel(), weights=weight[known], minlength=len(distinct))
    return distinct.astype(np.float64), mass.astype(np.float64)


def _between_values(edges: Floats, values: Floats) -> Floats:
    """The edges that separate distinct, rising values: one of those between the same two."""
    below = np.searchsorted(values, edges, side="right")
    inside = (below > 0) & (below < len(values))
    return edges[inside][np.unique(below[inside], return_index=True)[1]]


def _edges(values: Floats, mass: Floats, column: _Column, n_bins: int) -> Floats:
    """Edges between at most `n_bins` bins of a feature's distinct values."""
    chosen = n_bins <= EDGES.max_chosen_bins
    cuts = _cuts(mass, min(n_bins * EDGES.groups_per_bin, EDGES.max_groups) if chosen else n_bins)
    ends = _between(values[cuts], values[cuts + 1]) if len(cuts) else np.zeros(0)
    if len(ends) < n_bins:
        return ends
    known = ~np.isnan(column[0])
    position = np.searchsorted(ends, column[0][known], side="left")
    total, *sums = (
        np.bincount(position, weights=part[known], minlength=len(ends) + 1).astype(np.float64)
        for part in (column[1], *column[2].T)
    )
    rank = _standardized((np.cumsum(total) - total / 2)[:, np.newaxis], total)[:, 0]
    sums.append(np.sqrt(EDGES.rank_share) * total * rank)
    group = partition(_variance_within(total, np.stack(sums, axis=1)), n_bins)
    return ends[np.flatnonzero(np.diff(group))]


def _variance_within(weight: Floats, moment: Floats) -> Floats:
    """``[i, j]``: squared deviations from the mean of groups i..j, minus the squared values."""
    below = np.concatenate([[0.0], np.cumsum(weight)])
    sums = np.concatenate([np.zeros((1, moment.shape[1])), np.cumsum(moment, axis=0)])
    i, j = np.meshgrid(np.arange(len(weight)), np.arange(len(weight)), indexing="ij")
    inside = np.where(i <= j, below[j + 1] - below[i], 1.0)
    explained = sum(np.subtract(c[j + 1], c[i]) ** 2 for c in sums.T) / inside
    return np.where(i <= j, -explained, np.inf)


def _cuts(mass: Floats, n_bins: int) -> NDArray[np.int64]:
    """Values after which a bin ends, so that bins weigh about the same.

    A value that weighs more than a bin counts as one bin: the others share the rest.
    """
    if len(mass) <= n_bins:
        return np.arange(len(mass) - 1)
    share = mass.sum() / n_bins
    for _ in range(n_bins):
        heavy = mass >= share
        light = float(mass[~heavy].sum()) / max(1, n_bins - int(heavy.sum()))
        if light >= share * (1 - 1e-12):
            break
        share = light
    ends = np.cumsum(np.minimum(mass, share))
    wanted = ends[-1] * np.arange(1, n_bins) / n_bins
    after = np.clip(np.searchsorted(ends, wanted), 1, len(mass) - 1)
    nearer = wanted - ends[after - 1] <= ends[after] - wanted
    return np.unique(np.minimum(np.where(nearer, after - 1, after), len(mass) - 2))


def _between(below: Floats, above: Floats) -> Floats:
    """A double in [below, above): the middle, unless it rounds to `above`."""
    middle = below / 2 + above / 2
    return np.where((middle >= below) & (middle < above), middle, below)


def _representatives(values: Floats, mass: Floats, edges: Floats) -> Floats:
    """The median by weight of each bin's values, or 0 for the bin that holds 0."""
    if not len(values):
        return np.zeros(1)
    position = np.searchsorted(edges, values, side="left")
    last = np.searchsorted(position, np.arange(len(edges) + 1), side="right") - 1
    first = np.concatenate([[0], last[:-1] + 1])
    total = np.cumsum(mass)
    half = (total[last] + total[first] - mass[first]) / 2
    medians = values[np.clip(np.searchsorted(total, half), first, last)]
    if values[0] <= 0 <= values[-1]:
        medians[np.searchsorted(edges, 0.0, side="left")] = 0.0
    return np.asarray(medians)
