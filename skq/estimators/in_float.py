"""Quantized estimators inside another quantized estimator train and predict in float."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from sklearn.base import clone


def in_float(estimator: Any) -> Any:
    """An unfitted copy in which every quantized estimator trains and predicts in float.

    Copies of such an estimator by `sklearn.base.clone` do so too. A `QuantizedClassifier` or
    `QuantizedRegressor` is replaced by the estimator that it wraps.

    Parameters
    ----------
    estimator : estimator

    Returns
    -------
    estimator
        The estimator itself if nothing in it is quantized.
    """
    if not any(map(_is_quantized, _parts(estimator))):
        return estimator
    while _is_wrapper(estimator):
        estimator = estimator.estimator
    result = clone(estimator)
    for name, part in result.get_params(deep=True).items():
        if _is_wrapper(part):
            result.set_params(**{name: in_float(part)})
    for part in _parts(result):
        if _is_quantized(part):
            part._in_float = True
    return result


@contextmanager
def parameters_in_float(estimator: Any) -> Iterator[None]:
    """Within the block, estimators among the parameters of an estimator are `in_float`."""
    estimators = {
        name: value
        for name, value in estimator.get_params(deep=False).items()
        if hasattr(value, "fit") and hasattr(value, "get_params") and not isinstance(value, type)
    }
    changed = {name: in_float(value) for name, value in estimators.items()}
    for name, value in changed.items():
        setattr(estimator, name, value)
    try:
        yield
    finally:
        for name, value in estimators.items():
            setattr(estimator, name, value)


def _parts(estimator: Any) -> Iterator[Any]:
    """The estimator and all estimators among its parameters."""
    yield estimator
    if hasattr(estimator, "get_params") and not isinstance(estimator, type):
        yield from estimator.get_params(deep=True).values()


def _is_quantized(part: Any) -> bool:
    return hasattr(type(part), "_in_float")


def _is_wrapper(part: Any) -> bool:
    """Whether it is a `QuantizedClassifier` or `QuantizedRegressor`."""
    return _is_quantized(part) and not hasattr(type(part), "_answering_in_float")
