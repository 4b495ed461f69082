"""Settings of skq: which engine runs the integer programs."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

ENGINES = ("auto", "native", "numpy", "reference")

_default = {"engine": "auto"}
_context: ContextVar[dict[str, str] | None] = ContextVar("skq_config", default=None)


def get_config() -> dict[str, str]:
    """Settings in force here.

    Returns
    -------
    dict
        ``{"engine": "auto" | "native" | "numpy" | "reference"}``.

    See Also
    --------
    config_context : Change settings for a block of code.
    set_config : Change the defaults of the process.
    """
    return dict(_context.get() or _default)


def set_config(*, engine: str | None = None) -> None:
    """Change the defaults of the process, in every thread outside of a `config_context`.

    Parameters
    ----------
    engine : {"auto", "native", "numpy", "reference"} or None, default=None
        What runs integer programs: compiled kernels, NumPy, or the slow definition of the
        results; all give the same integers. "auto" takes the kernels where they were compiled,
        else NumPy. None leaves the setting as it is.
    """
    if engine is not None:
        _default["engine"] = _checked(engine)


@contextmanager
def config_context(*, engine: str | None = None) -> Iterator[None]:
    """Change settings for a block of code, in this thread or task alone.

    Parameters
    ----------
    engine : {"auto", "native", "numpy", "reference"} or None, default=None
        As in `set_config`.

    Examples
    --------
    >>> with config_context(engine="reference"):
    ...     get_config()["engine"]
    'reference'
    """
    settings = get_config()
    if engine is not None:
        settings["engine"] = _checked(engine)
    token = _context.set(settings)
    try:
        yield
    finally:
        _context.reset(token)


def engine_setting() -> str:
    """The engine asked for here, without a copy of the settings."""
    return (_context.get() or _default)["engine"]


def _checked(engine: str) -> str:
    if engine not in ENGINES:
        raise ValueError(f"engine must be one of {', '.join(ENGINES)}. Got {engine!r} instead.")
    return engine
