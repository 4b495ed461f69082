"""Rows that an estimator has learned from since it was quantized, until the next prediction.

``partial_fit``, or ``fit`` with ``warm_start``, may be called thousands of times between two
predictions, so a call only copies the rows; they are merged when the estimator is quantized, or
when there are many of them.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from scipy import sparse

from skq.estimators.calibration import CalibrationData, Summary
from skq.estimators.validation import numeric_array
from skq.quantization.calibration_settings import CALIBRATION

#: Rows, and values, after which batches are merged.
MOST_ROWS, MOST_VALUES = 8 * CALIBRATION.max_rows, 1 << 22


class PendingData:
    """Summaries of recent batches, and one summary of all before them.

    It is part of pickles, so that training can continue after loading (`skq.estimators.pickles`).

    Attributes
    ----------
    parameters : dict
        Those of the quantization, as they were at the last call.
    """

    def __init__(self) -> None:
        self.parameters: dict[str, Any] = {}
        self._known: CalibrationData | None = None
        self._batches: list[Summary] = []
        self._n_rows = 0

    def add(self, estimator: Any, X: Any, sample_weight: Any = None) -> None:
        """Add a batch.

        Parameters
        ----------
        estimator : estimator
            The fitted estimator, which has validated X.
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
        sample_weight : array-like of shape (n_samples,), default=None
        """
        plain = type(X) is np.ndarray and X.dtype in (np.float64, np.float32)
        if not plain and not sparse.issparse(X):
            X = numeric_array(estimator, X, dense=False)
        batch = Summary.of(X, sample_weight)
        n_features = len(batch.ranges.lo)
        if self._known is not None and self._known.n_features != n_features:
            self._known = None
        if self._batches and len(self._batches[0].ranges.lo) != n_features:
            self._batches, self._n_rows = [], 0
        self._batches.append(batch)
        self._n_rows += len(batch.rows)
        if self._n_rows > min(MOST_ROWS, max(1, MOST_VALUES // max(1, batch.rows.shape[1]))):
            self.collected()

    def reduced_to(self, n_bytes: int) -> tuple[Any, ...]:
        """What ``__reduce__`` returns for the same with rows of at most so many bytes, but one."""
        data = self.collected()
        n_rows = max(1, n_bytes // max(1, data.rows[:1].nbytes))
        return _of_rows, (self.parameters, data.thinned(n_rows))

    def collected(self) -> CalibrationData:
        """The calibration data of all batches."""
        if self._batches:
            data = Summary.joined(self._batches).to_data()
            self._known = data if self._known is None else self._known.merged(data)
            self._batches, self._n_rows = [], 0
        assert self._known is not None  # there is at least one batch
        return self._known


def _of_rows(parameters: dict[str, Any], known: CalibrationData) -> PendingData:
    pending = PendingData()
    pending.parameters, pending._known = parameters, known
    return pending
