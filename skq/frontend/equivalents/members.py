"""The estimators inside a fitted one that read X itself: of votes, calibrations and Pipelines."""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator
from typing import Any

from sklearn.calibration import CalibratedClassifierCV
from sklearn.ensemble import VotingClassifier, VotingRegressor
from sklearn.frozen import FrozenEstimator
from sklearn.pipeline import Pipeline

from skq.frontend.equivalents.pipelines import flat_steps


def parts_of(model: Any) -> list[Any]:
    """The estimators that a frozen one, votes and calibrations give X to; none of others."""
    if isinstance(model, FrozenEstimator):
        return [model.estimator]
    if isinstance(model, VotingClassifier | VotingRegressor):
        return list(model.estimators_)
    if isinstance(model, CalibratedClassifierCV):
        return [part.estimator for part in model.calibrated_classifiers_]
    return []


def members_of(model: Any) -> Iterator[Any]:
    """The estimators that read X itself; a Pipeline with transformers is one, as is the model."""
    inner = _inside(model)
    parts = parts_of(model) if inner is None else [inner]
    if not parts:
        yield model
    for part in parts:
        yield from members_of(part)


def with_members(model: Any, function: Callable[[Any], Any]) -> Any:
    """The same model with other members: ``function(member)`` for each of `members_of`."""
    inner = _inside(model)
    if inner is not None:
        return with_members(inner, function)
    if isinstance(model, VotingClassifier | VotingRegressor):
        twin = copy.copy(model)
        twin.estimators_ = [with_members(part, function) for part in model.estimators_]
        return twin
    if isinstance(model, CalibratedClassifierCV):
        twin = copy.copy(model)
        twin.calibrated_classifiers_ = [copy.copy(part) for part in model.calibrated_classifiers_]
        for part in twin.calibrated_classifiers_:
            part.estimator = with_members(part.estimator, function)
        return twin
    return function(model)


def _inside(model: Any) -> Any:
    """The estimator that a model stands for: what is frozen, a Pipeline's only step; or None."""
    if isinstance(model, FrozenEstimator):
        return model.estimator
    if isinstance(model, Pipeline):
        steps = flat_steps(model)
        return steps[0] if len(steps) == 1 else None
    return None
