"""Bins of a feature's values, made before a tree is trained: edges and a value to stand for each.

A tree that is trained on the representatives can only split between bins, so as many codes as there
are bins tell all its splits apart. Its thresholds, which lie anywhere between two representatives,
move to the edge between the bins; then raw values take the way of their representatives.

Where bins are few, edges are chosen so that a bin's rows have much the same target and lie close
together in rank: the least ``variance of the targets + RANK_SHARE * variance of the ranks`` within
bins, each relative to its total. By rank alone the bins would be quantiles, which miss the few
values where a strong feature's effect changes; by targets alone they would ignore features that
tell something only together with others. Many bins are quantiles.
"""

from __future__ import annotations

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
        One value of each bin; where values lie around 0, 0 for the bin that holds it, so that
        sparse rows stay sparse. Empty for a feature that is left as it is.
    has_missing : bool
        Whether a code was left for NaN.
    """

    edges: list[Floats]
    representatives: list[Floats]
    has_missing: bool

    @classmethod
    def of(
        cls, X: Any, n_bits: int, *, sample_weight: Any = None, target: Any = None, skip: Any = ()
    ) -> FeatureBins:
        """Bins of each feature, at most as many as codes of `n_bits` can tell apart.

        Parameters
        ----------
        X : {ndarray, sparse matrix} of shape (n_rows, n_features), float
            NaN is left out; where there is any, one code is left for it.
        n_bits : int
        sample_weight : ndarray of shape (n_rows,), default=None
            Rows of weight 0 count as absent, unless all are.
        target : ndarray of shape (n_rows, n_targets), default=None
            What the trees will learn.
        skip : collection of int
            Features that are left as they are.
        """
        missing = bool(np.isnan(X.data if sparse.issparse(X) else X).any())
        n_bins = 2**n_bits - missing
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
            edges.append(_edges(values, mass, column, n_bins))
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
                own = slice(result.indptr[feature], result.indptr[feature + 1])
                result.data[own] = self._represented(result.data[own], feature)
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
        found = known[np.searchsorted(self.edges[feature], values, side="left")]
        return np.where(np.isnan(values), values, found)

    def to_edges(self, threshold: Floats, feature: NDArray[Any]) -> Floats:
        """The edge that parts the representatives as a threshold does.

        Parameters
        ----------
        threshold : ndarray of shape (n,)
        feature : ndarray of shape (n,), int

        Returns
        -------
        ndarray of shape (n,)
            Edges; thresholds with all representatives on one side as they are.
        """
        result = np.array(threshold, dtype=np.float64)
        for f in np.unique(feature):
            own = np.flatnonzero(feature == f)
            below = np.searchsorted(self.representatives[f], threshold[own], side="right")
            between = (below > 0) & (below < len(self.representatives[f]))
            result[own[between]] = self.edges[f][below[between] - 1]
        return result


def _standardized(target: NDArray[Any], weight: Floats) -> Floats:
    """Targets around 0, of a total variance of 1."""
    centered = target - np.average(target, axis=0, weights=weight)
    variance = float(np.average((centered**2).sum(axis=1), weights=weight))
    return np.asarray(centered / np.sqrt(variance) if variance > 0 else centered)


_Column = tuple[NDArray[Any], Floats, Floats]


def _column(X: Any, feature: int, weight: Floats, moment: Floats) -> _Column:
    """Values of a feature, their weights, and weight times targets.

    Implicit zeros of a sparse column are one value.
    """
    if not sparse.issparse(X):
        return X[:, feature], weight, moment
    own = slice(X.indptr[feature], X.indptr[feature + 1])
    rows = X.indices[own]
    rest = np.ones(X.shape[0], dtype=bool)
    rest[rows] = False
    return (
        np.append(X.data[own], X.dtype.type(0)),
        np.append(weight[rows], weight[rest].sum()),
        np.concatenate([moment[rows], moment[rest].sum(axis=0, keepdims=True)]),
    )


def _distinct(values: NDArray[Any], weight: Floats) -> tuple[Floats, Floats]:
    """Distinct values that have weight, rising, and the weight of each."""
    known = ~np.isnan(values) & (weight > 0)
    found, place = np.unique(values[known], return_inverse=True)
    mass = np.bincount(place.ravel(), weights=weight[known], minlength=len(found))
    return found.astype(np.float64), mass.astype(np.float64)


def _edges(values: Floats, mass: Floats, column: _Column, n_bins: int) -> Floats:
    """Edges between at most `n_bins` bins of a feature's distinct values."""
    chosen = n_bins <= EDGES.max_chosen_bins
    cuts = _cuts(mass, min(n_bins * EDGES.groups_per_bin, EDGES.max_groups) if chosen else n_bins)
    ends = _between(values[cuts], values[cuts + 1]) if len(cuts) else np.zeros(0)
    if len(ends) < n_bins:
        return ends
    known = ~np.isnan(column[0])
    place = np.searchsorted(ends, column[0][known], side="left")
    total, *sums = (
        np.bincount(place, weights=part[known], minlength=len(ends) + 1).astype(np.float64)
        for part in (column[1], *column[2].T)
    )
    rank = _standardized((np.cumsum(total) - total / 2)[:, np.newaxis], total)[:, 0]
    sums.append(np.sqrt(EDGES.rank_share) * total * rank)
    group = partition(_variance_within(total, np.stack(sums, axis=1)), n_bins)
    return ends[np.flatnonzero(np.diff(group))]


def _variance_within(weight: Floats, moment: Floats) -> Floats:
    """``[i, j]``: squares around the mean of groups i..j, less the squares around 0."""
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
    """A double from `below` on and under `above`: the middle, where rounding allows."""
    middle = below / 2 + above / 2
    return np.where((middle >= below) & (middle < above), middle, below)


def _representatives(values: Floats, mass: Floats, edges: Floats) -> Floats:
    """The median by weight of each bin's values, or 0 if the bin lies around it."""
    if not len(values):
        return np.zeros(1)
    place = np.searchsorted(edges, values, side="left")
    last = np.searchsorted(place, np.arange(len(edges) + 1), side="right") - 1
    first = np.concatenate([[0], last[:-1] + 1])
    total = np.cumsum(mass)
    half = (total[last] + total[first] - mass[first]) / 2
    found = values[np.clip(np.searchsorted(total, half), first, last)]
    if values[0] <= 0 <= values[-1]:
        found[np.searchsorted(edges, 0.0, side="left")] = 0.0
    return np.asarray(found)
