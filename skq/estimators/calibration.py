"""Calibration data: a summary of all rows seen, for quantizers, in bounded memory.

Ranges are exact over all rows. The rows themselves are an evenly spaced sample, each with the
weight of the rows that it represents. So summaries of several batches (``partial_fit``,
``warm_start``) can be merged, and a sparse or very long X is never copied as a whole. Of a sparse
X with many columns only those with stored values are made dense.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from skq.quantization.calibration_data import InputRange
from skq.quantization.calibration_settings import CALIBRATION

Array = NDArray[Any]

Indices = NDArray[np.int64]

#: In batches of more values, equal rows are not merged.
MAX_SORTED_VALUES = 1_000_000

#: Values of rows of which only some columns are held, at most; but this many rows are taken.
MOST_VALUES, LEAST_ROWS = 1 << 24, 200


@dataclass(frozen=True, eq=False)
class CalibrationData:
    """Rows with weights, and ranges over all rows that they represent.

    Parameters
    ----------
    rows : ndarray of shape (n_sampled, n_columns)
    weight : ndarray of shape (n_sampled,)
        Above 0; the sum over the rows that a row represents.
    ranges : InputRange
        Least and greatest values of all rows seen in each feature, and whether any was missing.
    columns : ndarray of shape (n_columns,) or None
        Features that the rows hold, rising; all others are 0 in every row seen. None for all.
    """

    rows: Array
    weight: NDArray[np.float64]
    ranges: InputRange
    columns: Indices | None = None

    @property
    def n_features(self) -> int:
        """Features of the rows seen."""
        return len(self.ranges.lo)

    def full_rows(self, n_rows: int) -> Array:
        """The first rows with all features, ndarray of shape (n_rows, n_features)."""
        return _on_columns(self.rows[:n_rows], self.columns, None, self.n_features)

    def _rows_on(self, columns: Indices | None) -> Array:
        return _on_columns(self.rows, self.columns, columns, self.n_features)

    def on_all_features(self) -> CalibrationData:
        """The same with rows of all features."""
        return replace(self, rows=self.full_rows(len(self.rows)), columns=None)

    def on_columns(self) -> CalibrationData:
        """The same for only the features that the rows have."""
        if self.columns is None:
            return self
        lo, hi = self.ranges.lo[self.columns], self.ranges.hi[self.columns]
        ranges = InputRange(lo, hi, self.ranges.has_missing)
        return CalibrationData(self.rows, self.weight, ranges)

    def thinned(self, n_rows: int) -> CalibrationData:
        """The same with at most so many rows, of the same weight in all."""
        rows, weight = _thinned(self.rows, self.weight, n_rows)
        return replace(self, rows=rows, weight=weight)

    @classmethod
    def of(cls, X: Any, sample_weight: Any = None) -> CalibrationData:
        """Summarize a batch.

        Parameters
        ----------
        X : {ndarray, sparse matrix} of shape (n_rows, n_features)
        sample_weight : array-like of shape (n_rows,), default=None
            Rows of weight 0 count as absent, unless all are.
        """
        return Summary.of(X, sample_weight, copy=False).to_data()

    def merged(self, other: CalibrationData) -> CalibrationData:
        """The union: joint ranges, and rows of both in proportion to their weight.

        Rows that both contain are merged and their weights added, where few enough rows remain.
        """
        ranges = InputRange(
            np.minimum(self.ranges.lo, other.ranges.lo),
            np.maximum(self.ranges.hi, other.ranges.hi),
            self.ranges.has_missing or other.ranges.has_missing,
        )
        columns = _union([self.columns, other.columns])
        most_rows = _most_rows(columns)
        if len(self.rows) + len(other.rows) <= 2 * most_rows:
            rows = np.concatenate([d._rows_on(columns) for d in (self, other)])
            weight = np.concatenate([self.weight, other.weight])
            rows, weight = _merged_duplicates(rows, weight)
            if len(rows) <= most_rows:
                return CalibrationData(rows, weight, ranges, columns)
        share = self.weight.sum() / (self.weight.sum() + other.weight.sum())
        total = min(most_rows, len(self.rows) + len(other.rows))
        n_own = int(np.clip(round(share * total), total - len(other.rows), len(self.rows)))
        parts = [
            (_on_columns(rows, data.columns, columns, self.n_features), weight)
            for data, n_rows in ((self, n_own), (other, total - n_own))
            for rows, weight in [_thinned(data.rows, data.weight, n_rows)]
        ]
        return CalibrationData(
            np.concatenate([rows for rows, _ in parts]),
            np.concatenate([weight for _, weight in parts]),
            ranges,
            columns,
        )


@dataclass(frozen=True, eq=False)
class Summary:
    """Some rows of a batch, and ranges over all of them: cheap to make.

    The parameters are those of `CalibrationData`; equal rows are not merged.
    """

    rows: Array
    weight: NDArray[np.float64]
    ranges: InputRange
    columns: Indices | None = None

    @classmethod
    def of(cls, X: Any, sample_weight: Any = None, *, copy: bool = True) -> Summary:
        """Summarize a batch, as `CalibrationData.of` does.

        `copy`: whether later changes of X must not change the summary.
        """
        weight = np.ones(X.shape[0])
        if sample_weight is not None:
            given = np.broadcast_to(np.asarray(sample_weight, dtype=np.float64), weight.shape)
            weight = given if np.any(given > 0) else weight
            present = np.flatnonzero(weight > 0)
        else:
            present = np.arange(len(weight))
        if sparse.issparse(X):
            X = X.tocsr()
        if len(present) < X.shape[0]:
            X = X[present]
        columns = _occurring(X) if sparse.issparse(X) else None
        chosen = evenly(len(present), _most_rows(columns))
        share = weight[present].sum() / weight[present[chosen]].sum()
        rows = X[chosen] if len(chosen) < X.shape[0] else X
        if sparse.issparse(rows):
            rows = (rows if columns is None else rows[:, columns]).toarray()
        elif copy and np.shares_memory(rows, X):
            rows = rows.copy()
        return cls(rows, weight[present[chosen]] * share, _range(X), columns)

    @staticmethod
    def joined(batches: list[Summary]) -> Summary:
        """One summary of several, in their order, of some of their rows if they are too many."""
        if len(batches) == 1:
            return batches[0]
        columns = _union([batch.columns for batch in batches])
        weight = np.concatenate([batch.weight for batch in batches])
        chosen = evenly(len(weight), _most_rows(columns))
        ends = np.cumsum([len(batch.rows) for batch in batches])
        parts = []
        for batch, end in zip(batches, ends, strict=True):
            start = end - len(batch.rows)
            inside = chosen[np.searchsorted(chosen, start) : np.searchsorted(chosen, end)]
            rows = batch.rows[inside - start]
            parts.append(_on_columns(rows, batch.columns, columns, len(batch.ranges.lo)))
        return Summary(
            np.concatenate(parts),
            weight[chosen] * (weight.sum() / weight[chosen].sum()),
            InputRange(
                np.min([batch.ranges.lo for batch in batches], axis=0),
                np.max([batch.ranges.hi for batch in batches], axis=0),
                any(batch.ranges.has_missing for batch in batches),
            ),
            columns,
        )

    def to_data(self) -> CalibrationData:
        """At most `CALIBRATION.max_rows` rows; equal rows are merged and their weights added."""
        rows, weight = _thinned(self.rows, self.weight, CALIBRATION.max_rows)
        return CalibrationData(*_merged_duplicates(rows, weight), self.ranges, self.columns)


def _occurring(X: Any) -> Indices | None:
    """Columns of a CSR matrix with stored values; None unless they are half of all at most."""
    columns = np.unique(X.indices).astype(np.int64)
    return columns if 2 * len(columns) <= X.shape[1] else None


def _most_rows(columns: Indices | None) -> int:
    """Rows that are taken at most, of these columns."""
    if columns is None:
        return CALIBRATION.max_rows
    return min(CALIBRATION.max_rows, max(LEAST_ROWS, MOST_VALUES // max(1, len(columns))))


def _union(several: list[Indices | None]) -> Indices | None:
    known = [columns for columns in several if columns is not None]
    if len(known) < len(several):
        return None
    return np.unique(np.concatenate(known))


def _on_columns(
    rows: Array, held: Indices | None, columns: Indices | None, n_features: int
) -> Array:
    """Rows that hold some columns as rows that hold more of them; None for all."""
    if held is None or (columns is not None and len(held) == len(columns)):
        return rows
    if columns is None:
        columns = np.arange(n_features)
    wide = np.zeros((len(rows), len(columns)), dtype=rows.dtype)
    wide[:, np.searchsorted(columns, held)] = rows
    return wide


def _thinned(rows: Array, weight: Array, n_rows: int) -> tuple[Array, Array]:
    """Evenly spaced rows, whose weights add up to those of all."""
    if len(rows) <= n_rows:
        return rows, weight
    chosen = evenly(len(rows), n_rows)
    factor = weight.sum() / weight[chosen].sum() if len(chosen) else 1.0
    return rows[chosen], weight[chosen] * factor


def evenly(n_rows: int, n_chosen: int) -> NDArray[np.int64]:
    """Numbers of at most `n_chosen` evenly spaced rows."""
    if n_rows <= n_chosen:
        return np.arange(n_rows)
    return np.linspace(0, n_rows - 1, n_chosen).astype(np.int64)


def _merged_duplicates(rows: Array, weight: Array) -> tuple[Array, Array]:
    """Rows in sorted order; equal rows are merged and their weights added.

    So two equal rows, and one row of weight 2, give the same integers.
    """
    if rows.size > MAX_SORTED_VALUES:
        return rows, weight
    unique, index = np.unique(rows, axis=0, return_inverse=True)
    return unique, np.bincount(index.ravel(), weights=weight, minlength=len(unique))


def _range(X: Any) -> InputRange:
    if not sparse.issparse(X):
        return InputRange.of(X)
    columns = X.tocsc()
    lo, hi = (getattr(columns, name)(axis=0).toarray().ravel() for name in ("nanmin", "nanmax"))
    missing = bool(np.isnan(columns.data).any())
    return InputRange(np.nan_to_num(lo, nan=0.0), np.nan_to_num(hi, nan=0.0), missing)
