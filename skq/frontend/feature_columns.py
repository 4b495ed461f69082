"""`FeatureColumns`: which of the features of an estimator the columns of a table are."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy import sparse


class FeatureColumns(NamedTuple):
    """Some features, the columns of a table; all other features are 0.

    Parameters
    ----------
    columns : ndarray of shape (n_columns,), int64
        Numbers of the features, rising.
    n_features : int
        Features of the estimator.
    """

    columns: NDArray[np.int64]
    n_features: int

    def full(self, values: NDArray[Any]) -> NDArray[Any]:
        """Values of the columns, ndarray of shape (n_columns,), as those of all features."""
        full = np.zeros(self.n_features, dtype=values.dtype)
        full[self.columns] = values
        return full

    def sparse(self, rows: NDArray[Any]) -> Any:
        """Rows of the columns as a CSR matrix of shape (n_rows, n_features)."""
        narrow = sparse.csr_matrix(rows)
        indices = self.columns[narrow.indices].astype(np.int32)
        shape = (len(rows), self.n_features)
        return sparse.csr_matrix((narrow.data, indices, narrow.indptr), shape=shape)
