"""Learned attributes that are changed after ``fit``, which does not change the integers.

An attribute that is set drops the quantized module, and predictions raise. Arrays of coefficients
are read-only while there is a module, so that NumPy raises where values are written into them.
"""

from __future__ import annotations

import contextlib
from typing import Any

import numpy as np
from scipy import sparse
from sklearn.exceptions import NotFittedError

#: Attributes that predictions read, or that are computed from the integer program.
FOLLOWED = frozenset({"quantized_module_", "classes_", "feature_names_in_", "n_features_in_"})

#: Learned arrays, or lists of arrays, that are read-only while there is a module.
READ_ONLY = ("coef_", "intercept_", "coefs_", "intercepts_")

#: Attribute with the name of the first attribute that was set.
_CHANGED = "_set_after_fit"


def before_setting(estimator: Any, name: str, value: Any) -> None:
    """Drop the integers of a fitted estimator whose learned attribute gets another value."""
    attributes = vars(estimator)
    if (
        not name.endswith("_")
        or name.startswith("_")
        or name in FOLLOWED
        or name not in attributes
        or "quantized_module_" not in attributes
        or _is_same(attributes[name], value)
    ):
        return
    del attributes["quantized_module_"]
    attributes[_CHANGED] = name


def forget_changes(estimator: Any) -> None:
    """Forget that an attribute was set, and make arrays writable; ``fit`` calls this first."""
    vars(estimator).pop(_CHANGED, None)
    _set_writable(estimator, True)


def make_read_only(estimator: Any) -> None:
    """Let NumPy raise where values are written into coefficients of a quantized estimator."""
    _set_writable(estimator, False)


def _set_writable(estimator: Any, writable: bool) -> None:
    for name in READ_ONLY:
        value = vars(estimator).get(name)
        for array in value if isinstance(value, list) else [value]:
            if isinstance(array, np.ndarray):
                with contextlib.suppress(ValueError):  # memory that was read-only before
                    array.flags.writeable = writable


def check_unchanged(estimator: Any) -> None:
    """Raise where a learned attribute was set after ``fit``.

    Raises
    ------
    NotFittedError
        The message names the attribute and a remedy.
    """
    name = vars(estimator).get(_CHANGED)
    if name is not None:
        raise NotFittedError(
            f"{name} of this {type(estimator).__name__} was set after fit, which does not change "
            "the integer program. Set it on a fitted scikit-learn estimator and quantize that "
            "with skq.quantize(estimator, X), or call fit again."
        )


def _is_same(old: Any, new: Any) -> bool:
    if old is new:
        return True
    if isinstance(old, list | tuple) and isinstance(new, list | tuple):
        return len(old) == len(new) and all(map(_is_same, old, new))
    old, new = (v.toarray() if sparse.issparse(v) else v for v in (old, new))
    plain = np.ndarray | np.generic | int | float
    if not (isinstance(old, plain) and isinstance(new, plain)):
        return False
    old, new = np.asarray(old), np.asarray(new)
    numbers = old.dtype.kind in "biuf" and new.dtype.kind in "biuf"
    return numbers and np.array_equal(old, new, equal_nan=True)
