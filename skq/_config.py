"""Settings of skq: which engine runs the integer programs, and what predictions warn of."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

ENGINES = ("auto", "native", "numpy", "reference")

#: Stands for a setting that is left as it is, where None means something.
_KEEP = "keep"

_default: dict[str, Any] = {"engine": "auto", "saturation_warning": None}
_context: ContextVar[dict[str, Any] | None] = ContextVar("skq_config", default=None)


def get_config() -> dict[str, Any]:
    """Settings in force here.

    Returns
    -------
    dict
        ``{"engine": "auto" | "native" | "numpy" | "reference", "saturation_warning": float or
        None}``.

    See Also
    --------
    config_context : Change settings for a block of code.
    set_config : Change the defaults of the process.
    """
    return dict(_context.get() or _default)


def set_config(*, engine: str | None = None, saturation_warning: Any = _KEEP) -> None:
    """Change the defaults of the process, in every thread outside of a `config_context`.

    Parameters
    ----------
    engine : {"auto", "native", "numpy", "reference"} or None, default=None
        What runs integer programs: compiled kernels, NumPy, or the slow definition of the
        results; all give the same integers. "auto" takes the kernels where they were compiled,
        else NumPy. None leaves the setting as it is.
    saturation_warning : float in [0, 1), None or "keep", default="keep"
        Predictions warn with a `CalibrationWarning` where more than this share of the rows have
        values beyond the range of the calibration data. None, the default of the process: never.
        "keep" leaves the setting as it is.
    """
    _default.update(_checked(engine, saturation_warning))


@contextmanager
def config_context(*, engine: str | None = None, saturation_warning: Any = _KEEP) -> Iterator[None]:
    """Change settings for a block of code, in this thread or task alone.

    Parameters
    ----------
    engine : {"auto", "native", "numpy", "reference"} or None, default=None
        As in `set_config`.
    saturation_warning : float in [0, 1), None or "keep", default="keep"
        As in `set_config`.

    Examples
    --------
    >>> with config_context(engine="reference"):
    ...     get_config()["engine"]
    'reference'
    """
    token = _context.set(get_config() | _checked(engine, saturation_warning))
    try:
        yield
    finally:
        _context.reset(token)


def engine_setting() -> str:
    """The engine asked for here, without a copy of the settings."""
    engine: str = (_context.get() or _default)["engine"]
    return engine


def saturation_setting() -> float | None:
    """Share of rows that may saturate without a warning here; None for no warning."""
    share: float | None = (_context.get() or _default)["saturation_warning"]
    return share


def _checked(engine: str | None, saturation_warning: Any) -> dict[str, Any]:
    """The settings that are to change."""
    changed: dict[str, Any] = {}
    if engine is not None:
        if engine not in ENGINES:
            raise ValueError(f"engine must be one of {', '.join(ENGINES)}. Got {engine!r} instead.")
        changed["engine"] = engine
    if saturation_warning is None:
        changed["saturation_warning"] = None
    elif not isinstance(saturation_warning, str) or saturation_warning != _KEEP:
        is_number = isinstance(saturation_warning, int | float)
        if not is_number or not 0 <= saturation_warning < 1:
            raise ValueError(
                "saturation_warning must be a share of rows in [0, 1), or None for no warning. "
                f"Got {saturation_warning!r} instead."
            )
        changed["saturation_warning"] = float(saturation_warning)
    return changed
