"""Settings of skq: engine and threads of integer programs, warnings, when estimators quantize."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from numbers import Integral
from typing import Any

ENGINES = ("auto", "native", "numpy", "reference")

#: Value of a parameter that does not change the setting, where None is a setting.
_UNCHANGED = "keep"

_default: dict[str, Any] = {
    "engine": "auto",
    "saturation_warning": None,
    "n_threads": None,
    "lazy_fit": False,
}
_context: ContextVar[dict[str, Any] | None] = ContextVar("skq_config", default=None)


def get_config() -> dict[str, Any]:
    """Return the current settings.

    Returns
    -------
    dict
        ``{"engine": "auto" | "native" | "numpy" | "reference", "saturation_warning": float or
        None, "n_threads": int or None, "lazy_fit": bool}``.

    See Also
    --------
    config_context : Change settings for a block of code.
    set_config : Change the defaults of the process.

    Examples
    --------
    >>> import skq
    >>> skq.get_config()["engine"]
    'auto'
    """
    return dict(current_settings())


def set_config(
    *,
    engine: str | None = None,
    saturation_warning: Any = _UNCHANGED,
    n_threads: Any = _UNCHANGED,
    lazy_fit: Any = _UNCHANGED,
) -> None:
    """Change the defaults of the process, in every thread outside of a `config_context`.

    Parameters
    ----------
    engine : {"auto", "native", "numpy", "reference"} or None, default=None
        Engine of integer programs: compiled kernels ("native"), NumPy, or the slow reference that
        defines the results. All give the same integers. "auto" uses the kernels if they were
        compiled, else NumPy. None does not change the setting.
    saturation_warning : float in [0, 1), None or "keep", default="keep"
        Predictions issue a `CalibrationWarning` if more than this share of the rows have values
        outside the range of the calibration data. None means no warning, which is the setting of a
        new process. "keep" does not change the setting.
    n_threads : int > 0, None or "keep", default="keep"
        Number of threads of a prediction by the compiled kernels, at most one for each block of
        rows. Results do not depend on it. None, which is the setting of a new process, means
        ``n_jobs`` of the estimator; for estimators without ``n_jobs``, the number that
        threadpoolctl and ``OMP_NUM_THREADS`` allow the libraries of scikit-learn; 1 inside joblib
        workers and for loaded models. "keep" does not change the setting.

    See Also
    --------
    config_context : Change settings for a block of code.

    Examples
    --------
    >>> import skq
    >>> skq.set_config(saturation_warning=0.05)
    >>> skq.get_config()["saturation_warning"]
    0.05
    >>> skq.set_config(saturation_warning=None)
    """
    _default.update(_checked(engine, saturation_warning, n_threads, lazy_fit))


@contextmanager
def config_context(
    *,
    engine: str | None = None,
    saturation_warning: Any = _UNCHANGED,
    n_threads: Any = _UNCHANGED,
    lazy_fit: Any = _UNCHANGED,
) -> Iterator[None]:
    """Change settings for a block of code, only in the current thread or task.

    Parameters
    ----------
    engine : {"auto", "native", "numpy", "reference"} or None, default=None
        As in `set_config`.
    saturation_warning : float in [0, 1), None or "keep", default="keep"
        As in `set_config`.
    n_threads : int > 0, None or "keep", default="keep"
        As in `set_config`.
    lazy_fit : bool or "keep", default="keep"
        As in `set_config`.

    Examples
    --------
    >>> import skq
    >>> with skq.config_context(engine="reference"):
    ...     skq.get_config()["engine"]
    'reference'
    """
    changed = _checked(engine, saturation_warning, n_threads, lazy_fit)
    token = _context.set(get_config() | changed)
    try:
        yield
    finally:
        _context.reset(token)


def current_settings() -> dict[str, Any]:
    """The current settings, not a copy: do not change them."""
    return _context.get() or _default


def engine_setting() -> str:
    """The current setting of the engine; does not copy the settings."""
    engine: str = current_settings()["engine"]
    return engine


def saturation_setting() -> float | None:
    """Share of rows that may saturate without a warning; None for no warning."""
    share: float | None = current_settings()["saturation_warning"]
    return share


def threads_setting() -> int | None:
    """Current setting of the threads; None: the estimator decides."""
    n_threads: int | None = current_settings()["n_threads"]
    return n_threads


def lazy_fit_setting() -> bool:
    """Whether ``fit`` leaves quantizing to the first prediction."""
    lazy: bool = (_context.get() or _default)["lazy_fit"]
    return lazy


def _checked(
    engine: str | None, saturation_warning: Any, n_threads: Any, lazy_fit: Any
) -> dict[str, Any]:
    """The settings to change, validated."""
    changed: dict[str, Any] = {}
    if engine is not None:
        if engine not in ENGINES:
            raise ValueError(f"engine must be one of {', '.join(ENGINES)}. Got {engine!r} instead.")
        changed["engine"] = engine
    if not _is_unchanged(saturation_warning):
        changed["saturation_warning"] = _share_of_rows(saturation_warning)
    if not _is_unchanged(n_threads):
        changed["n_threads"] = _thread_count(n_threads)
    if not _is_unchanged(lazy_fit):
        if not isinstance(lazy_fit, bool):
            raise ValueError(f"lazy_fit must be True or False. Got {lazy_fit!r} instead.")
        changed["lazy_fit"] = lazy_fit
    return changed


def _is_unchanged(value: Any) -> bool:
    return isinstance(value, str) and value == _UNCHANGED


def _share_of_rows(value: Any) -> float | None:
    if value is None:
        return None
    if not isinstance(value, int | float) or not 0 <= value < 1:
        raise ValueError(
            "saturation_warning must be a share of rows in [0, 1), or None for no warning. "
            f"Got {value!r} instead."
        )
    return float(value)


def _thread_count(value: Any) -> int | None:
    if value is None:
        return None
    if not isinstance(value, Integral) or isinstance(value, bool) or value < 1:
        raise ValueError(
            "n_threads must be an integer of at least 1, or None to let the estimator decide. "
            f"Got {value!r} instead."
        )
    return int(value)
