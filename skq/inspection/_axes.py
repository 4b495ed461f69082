"""Axes of the displays."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.utils._optional_dependencies import check_matplotlib_support

#: Least span of an axis of unbounded scores, in standard deviations over the folds.
_LEAST_SPAN = 10.0


def new_axes(ax: Any, name: str, figsize: tuple[float, float] | None = None) -> tuple[Any, Any]:
    """The axes given, or those of a new figure; and the figure."""
    check_matplotlib_support(f"{name}.plot")
    if ax is None:
        import matplotlib.pyplot as plt

        _, ax = plt.subplots(figsize=figsize, layout="constrained")
    return ax, ax.figure


def set_score_limits(
    ax: Any, values: NDArray[np.float64], spread: float, other: tuple[float, float] | None = None
) -> None:
    """Limits of the axis of scores that do not magnify noise.

    Parameters
    ----------
    ax : matplotlib Axes
    values : ndarray
        All drawn values.
    spread : float
        Standard deviation over the folds.
    other : tuple of (float, float), default=None
        Limits that are needed by existing displays on the axes.
    """
    lo, hi = float(values.min()), float(values.max())
    if lo >= 0 and hi - spread <= 1:
        lo, hi = (0.5 if lo >= 0.5 else 0.0), max(1.0, hi)
    else:
        middle, half = (lo + hi) / 2, max(hi - lo, _LEAST_SPAN * spread) / 2
        lo, hi = middle - half, middle + half
    margin = 0.02 * (hi - lo)
    lo, hi = lo - margin, hi + margin
    if other is not None:
        lo, hi = min(lo, other[0]), max(hi, other[1])
    if lo < hi:
        ax.set_ylim(lo, hi)
