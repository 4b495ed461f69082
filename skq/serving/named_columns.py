"""Dataframes for a Pipeline that selects columns by name: in any order, with others.

No scikit-learn.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np
from numpy.typing import NDArray


def arranged(X: Any, names: Iterable[str], used: NDArray[np.bool_]) -> Any:
    """The columns that a Pipeline was fitted on, in their order, from a dataframe.

    Parameters
    ----------
    X : dataframe or anything else
        Anything but a dataframe, or one with a name that occurs twice, is returned unchanged.
    names : iterable of str
        Columns that the Pipeline was fitted on.
    used : ndarray of shape (n_names,), bool
        Which of them it uses. Others may be missing; they are zeros.

    Raises
    ------
    ValueError
        As scikit-learn does, if columns are missing that are used.
    """
    names, given = list(names), list(getattr(X, "columns", names))
    if names == given or len(set(given)) < len(given):
        return X
    missing = set(names) - set(given)
    lacking = missing.intersection(np.asarray(names, dtype=object)[used])
    if lacking:
        raise ValueError(f"columns are missing: {lacking}")
    if not missing:
        return X[names]
    zeros = np.zeros(len(X))
    return type(X)({name: zeros if name in missing else X[name] for name in names})
