"""Data types of results, as the float model would return them. No scikit-learn."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

#: Method → data types of its results for X in float64 and in float32, where these are not those
#: of the program.
ResultTypes = Mapping[str, tuple[str, str]]

#: Data types that a result may have.
_NAMES = {f"{kind}{bits}" for kind in ("float", "int", "uint") for bits in (16, 32, 64)}


def typed(result: Any, types: ResultTypes | None, method: str, dtype: Any) -> Any:
    """A method's result in the data type that the float model would return.

    Parameters
    ----------
    result : ndarray or list of ndarray
    types : ResultTypes or None
    method : str
    dtype : dtype
        Of X, as validated.
    """
    pair = None if types is None else types.get(method)
    if pair is None:
        return result
    wanted = pair[dtype == np.float32]
    if isinstance(result, list):
        return [part.astype(wanted, copy=False) for part in result]
    return result.astype(wanted, copy=False)


def check_types(types: Any) -> None:
    """Raise where the result types of a saved model are invalid."""
    pairs = list(types.values()) if isinstance(types, Mapping) else [None]
    for pair in pairs:
        if not isinstance(pair, tuple) or len(pair) != 2 or not set(pair) <= _NAMES:
            raise ValueError(
                "result_types must be a mapping of methods to two names of data types; "
                f"got {types!r}"
            )
