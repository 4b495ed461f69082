"""Packages of the engines: imported when they are used."""

from __future__ import annotations

from importlib import import_module
from typing import Any


def needed(module: str, extra: str) -> Any:
    """An imported module of another package.

    Parameters
    ----------
    module : str
        Its full name.
    extra : str
        The extra of skq that installs it, for the error.

    Raises
    ------
    ImportError
        If it is not installed; names the extra.
    """
    try:
        return import_module(module)
    except ImportError as error:
        raise ImportError(
            f'{module} cannot be imported ({error}): pip install "skq[{extra}]".'
        ) from error
