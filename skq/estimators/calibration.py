"""Calibration data: a summary of all rows seen, for quantizers, in bounded memory.

Ranges are exact over all rows. The rows themselves are an evenly spaced sample, each with the
weight of the rows that it represents. So summaries of several batches (``partial_fit``,
``warm_start``) can be merged, and a sparse or very long X is never copied as a whole.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from skq.quantization.calibration_data import InputRange
from skq.quantization.calibration_settings import CALIBRATION

Array = NDArray[Any]

#: In batches of more values, equal rows are not merged.
MAX_SORTED_VALUES = 1_000_000


@dataclass(frozen=True, eq=False)
class CalibrationData:
    """Rows with weights, and ranges over all rows that they represent.

    Parameters
    ----------
    rows : ndarray of shape (n_sampled, n_features)
    weight : ndarray of shape (n_sampled,)
        Above 0; the sum over the rows that a row represents.
    ranges : InputRange
        Least and greatest values of all rows seen, and whether any was missing.
    """

    rows: Array
    weight: NDArray[np.float64]
    ranges: InputRange

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
        rows = np.concatenate([self.rows, other.rows])
        weight = np.concatenate([self.weight, other.weight])
        rows, weight = _merged_duplicates(rows, weight)
        if len(rows) <= CALIBRATION.max_rows:
            return CalibrationData(rows, weight, ranges)
        share = self.weight.sum() / (self.weight.sum() + other.weight.sum())
        total = min(CALIBRATION.max_rows, len(self.rows) + len(other.rows))
        n_own = int(np.clip(round(share * total), total - len(other.rows), len(self.rows)))
        parts = [
            _thinned(self.rows, self.weight, n_own),
            _thinned(other.rows, other.weight, total - n_own),
        ]
        return CalibrationData(
            np.concatenate([rows for rows, _ in parts]),
            np.concatenate([weight for _, weight in parts]),
            ranges,
        )


@dataclass(frozen=True, eq=False)
class Summary:
    """Some rows of a batch, and ranges over all of them: cheap to make.

    The parameters are those of `CalibrationData`; equal rows are not merged.
    """

    rows: Array
    weight: NDArray[np.float64]
    ranges: InputRange

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
        chosen = _evenly(len(present), CALIBRATION.max_rows)
        share = weight[present].sum() / weight[present[chosen]].sum()
        rows = X[chosen] if len(chosen) < X.shape[0] else X
        if sparse.issparse(rows):
            rows = rows.toarray()
        elif copy and np.shares_memory(rows, X):
            rows = rows.copy()
        return cls(rows, weight[present[chosen]] * share, _range(X))

    @staticmethod
    def joined(batches: list[Summary]) -> Summary:
        """One summary of several, in their order."""
        if len(batches) == 1:
            return batches[0]
        return Summary(
            np.concatenate([batch.rows for batch in batches]),
            np.concatenate([batch.weight for batch in batches]),
            InputRange(
                np.min([batch.ranges.lo for batch in batches], axis=0),
                np.max([batch.ranges.hi for batch in batches], axis=0),
                any(batch.ranges.has_missing for batch in batches),
            ),
        )

    def to_data(self) -> CalibrationData:
        """At most `CALIBRATION.max_rows` rows; equal rows are merged and their weights added."""
        rows, weight = _thinned(self.rows, self.weight, CALIBRATION.max_rows)
        return CalibrationData(*_merged_duplicates(rows, weight), self.ranges)


def _thinned(rows: Array, weight: Array, n_rows: int) -> tuple[Array, Array]:
    """Evenly spaced rows, whose weights add up to those of all."""
    if len(rows) <= n_rows:
        return rows, weight
    chosen = _evenly(len(rows), n_rows)
    factor = weight.sum() / weight[chosen].sum() if len(chosen) else 1.0
    return rows[chosen], weight[chosen] * factor


def _evenly(n_rows: int, n_chosen: int) -> NDArray[np.int64]:
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
