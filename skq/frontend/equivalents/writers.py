"""The function that writes each scikit-learn class as arrays, looked up by the class's name."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from skq.exceptions import UnsupportedModelError
from skq.frontend.equivalents.refused import REFUSED
from skq.frontend.predictors import Affine, Layers, Predictor

Representation = Predictor | Affine
Writer = Callable[[Any], Representation]

#: Libraries whose classes are looked up.
LIBRARIES = ("sklearn", "lightgbm", "xgboost")

_WRITERS: dict[str, Writer] = {}

#: Checks of the parameters of an unfitted estimator, by class name.
_CHECKS: dict[str, Callable[[Any], None]] = {}


def equivalent(*names: str) -> Callable[[Writer], Writer]:
    """Register the function that writes estimators of these scikit-learn classes."""

    def register(writer: Writer) -> Writer:
        for name in names:
            if name in _WRITERS:
                raise ValueError(f"{name} is registered already")
            _WRITERS[name] = writer
        return writer

    return register


def before_training(*names: str) -> Callable[[Callable[[Any], None]], Callable[[Any], None]]:
    """Register the function that refuses unfitted estimators of these classes.

    It checks parameters, and raises `UnsupportedModelError` where no fitted model can be quantized.
    """

    def register(check: Callable[[Any], None]) -> Callable[[Any], None]:
        for name in names:
            if name in _CHECKS:
                raise ValueError(f"{name} has a check already")
            _CHECKS[name] = check
        return check

    return register


def check_before_training(model: Any) -> None:
    """Refuse an unfitted estimator that could not be quantized after any training.

    Parameters
    ----------
    model : estimator
        Not a Pipeline; see `skq.frontend.equivalents.check_trainable`.

    Raises
    ------
    UnsupportedModelError
    """
    name = sklearn_class(model).__name__
    if name in REFUSED and name not in _WRITERS:
        raise UnsupportedModelError(f"{name} cannot be quantized: {REFUSED[name]}.")
    check = _CHECKS.get(name)
    if check is not None:
        check(model)


def has_writer(model: Any) -> bool:
    """Whether the class of an estimator is one of `supported_estimators`."""
    return sklearn_class(model).__name__ in _WRITERS


def supported_estimators() -> list[str]:
    """Names of the scikit-learn classes that have an equivalent."""
    return sorted(_WRITERS)


def sklearn_class(estimator: Any) -> type:
    """The first class in the estimator's MRO that a library of `LIBRARIES` defines."""
    for cls in type(estimator).__mro__:
        if cls.__module__.partition(".")[0] in LIBRARIES:
            return cls
    return type(estimator)


def to_representation(model: Any) -> Representation | None:
    """The fitted estimator or scaler as arrays; None if its class has no entry here.

    Raises
    ------
    UnsupportedModelError
        If this instance uses something that has no integer representation.
    """
    name = sklearn_class(model).__name__
    if name in REFUSED and name not in _WRITERS:
        raise UnsupportedModelError(f"{name} cannot be quantized: {REFUSED[name]}.")
    writer = _WRITERS.get(name)
    representation = None if writer is None else writer(model)
    if isinstance(representation, Predictor) and isinstance(representation.scores, Layers):
        _check_finite(name, representation.scores)
    return representation


def _check_finite(name: str, layers: Layers) -> None:
    if not all(np.isfinite(array).all() for array in (*layers.weights, *layers.biases)):
        raise UnsupportedModelError(
            f"{name} cannot be quantized: some of its coefficients or intercepts are infinite or "
            "NaN, and integers stand for finite numbers. Check the training data: targets "
            "that are all 0 give such models with a log link."
        )
