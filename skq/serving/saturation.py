"""An opt-in warning at predict: rows with values beyond the calibrated ranges."""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from skq.exceptions import CalibrationWarning
from skq.program import Quantize

if TYPE_CHECKING:
    from skq.program import IntegerProgram

Array = NDArray[Any]

#: Features that the warning names, at most.
MOST_NAMED = 5

#: Rows are checked in blocks of about this many values.
BLOCK_VALUES = 1 << 20


def warn_if_saturated(
    program: IntegerProgram, X: Array, share: float, feature_names: Any = None
) -> None:
    """Warn where more than a share of the rows have values that saturate.

    Trees bin their input at their thresholds and never saturate.

    Parameters
    ----------
    program : IntegerProgram
    X : ndarray of shape (n_rows, n_features)
    share : float
        Share of the rows above which to warn.
    feature_names : ndarray of shape (n_features,), default=None

    Warns
    -----
    CalibrationWarning
        Names the share of rows, the features and what to do.
    """
    rows, by_feature = saturated(program, X)
    if not len(rows) or rows.mean() <= share:
        return
    worst = np.argsort(-by_feature, kind="stable")[:MOST_NAMED]
    named = ", ".join(
        f"{f'feature {j}' if feature_names is None else feature_names[j]} ({by_feature[j]:.1%})"
        for j in worst
        if by_feature[j] > 0
    )
    warnings.warn(
        f"{rows.mean():.1%} of the rows have values outside the range of the calibration data. "
        f"These values saturate at the ends of the range. Share of rows by feature: {named}. Fit "
        "or quantize on data that cover these values, or check the rows.",
        CalibrationWarning,
        stacklevel=5,
    )


def saturated(program: IntegerProgram, X: Array) -> tuple[NDArray[np.bool_], Array]:
    """Which rows have a value that saturates, and the share of the rows for each feature.

    Returns
    -------
    rows : ndarray of shape (n_rows,), bool
    by_feature : ndarray of shape (n_features,), float64
    """
    X = np.asarray(X)
    rows = np.zeros(len(X), dtype=bool)
    counts = np.zeros(X.shape[1])
    bounds = [_bounds(step, X.shape[1]) for _, step, _ in program.steps() if _reads_x(step)]
    if bounds:
        lo, hi = (np.max([b[0] for b in bounds], axis=0), np.min([b[1] for b in bounds], axis=0))
        block = max(1, BLOCK_VALUES // max(1, X.shape[1]))
        for start in range(0, len(X), block):
            part = X[start : start + block]
            outside = (part < lo) | (part > hi)
            rows[start : start + block] = outside.any(axis=1)
            counts += outside.sum(axis=0)
    return rows, counts / max(1, len(X))


def _reads_x(step: Any) -> bool:
    return isinstance(step, Quantize) and step.inputs == (0,)


def _bounds(step: Any, n_features: int) -> tuple[Array, Array]:
    """Reals half a step beyond the least and the greatest code."""
    zero_point = np.asarray(step.zero_point, np.float64)
    ends = [(end - zero_point) * step.scale for end in (step.lo - 0.5, step.hi + 0.5)]
    lo, hi = (np.broadcast_to(np.asarray(end, np.float64), (n_features,)) for end in ends)
    return lo, hi
