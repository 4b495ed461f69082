"""The candidate with the least error; the first one of ties."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike


def first_least(errors: ArrayLike, *, margin: float = 0.0, share: float = 0.0) -> int:
    """Index of the first error that is least, up to the rounding of floats.

    Candidates are listed from the plainest to the most specialized, so the first
    of ties is preferred. The tolerance makes the choice independent of the order of summation.

    Parameters
    ----------
    errors : array-like of shape (n_candidates,)
    margin : float, default=0.0
        Errors that differ from the least by at most this count as equal.
    share : float, default=0.0
        The same, as a share of the greatest error.

    Examples
    --------
    >>> first_least([3.0, 1.0 + 1e-12, 1.0])
    2
    >>> first_least([3.0, 1.0 + 1e-12, 1.0], margin=1e-9)
    1
    """
    values = np.asarray(errors, dtype=np.float64)
    tie = margin + share * np.abs(values).max() if share else margin
    return int((values <= values.min() + tie).argmax())
