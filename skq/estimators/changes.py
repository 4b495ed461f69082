"""Learned attributes that are changed after ``fit``, which does not change the integers.

An attribute that is set drops the quantized module, and predictions raise. Arrays of coefficients
are read-only while there is a module, so that NumPy raises where values are written into them.
"""

from __future__ import annotations

from collections.abc import Iterator
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
    copies = {}
    for array in _guarded(estimator):
        try:
            array.flags.writeable = True
        except ValueError:  # its memory is read-only, as after unpickling
            copies[id(array)] = array.copy()
    for name, value in list(vars(estimator).items()) if copies else ():
        if id(value) in copies:
            vars(estimator)[name] = copies[id(value)]
        elif isinstance(value, list):
            value[:] = [copies.get(id(part), part) for part in value]


def make_read_only(estimator: Any) -> None:
    """Let NumPy raise where values are written into coefficients of a quantized estimator."""
    for array in _guarded(estimator):
        array.flags.writeable = False


def _guarded(estimator: Any) -> Iterator[np.ndarray[Any, Any]]:
    for name in READ_ONLY:
        value = vars(estimator).get(name)
        for array in value if isinstance(value, list) else [value]:
            if isinstance(array, np.ndarray):
                yield array


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
    if sparse.issparse(old) or sparse.issparse(new):  # a vector as a sparse matrix has one row
        old, new = (np.ravel(v.toarray() if sparse.issparse(v) else v) for v in (old, new))
    plain = np.ndarray | np.generic | int | float
    if not (isinstance(old, plain) and isinstance(new, plain)):
        return False
    old, new = np.asarray(old), np.asarray(new)
    numbers = old.dtype.kind in "biuf" and new.dtype.kind in "biuf"
    return numbers and np.array_equal(old, new, equal_nan=True)
