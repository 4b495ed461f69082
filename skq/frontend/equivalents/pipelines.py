"""Models and Pipelines as a whole: as representations of skq, or as Hummingbird reads them."""

from __future__ import annotations

from collections.abc import Iterator
from difflib import get_close_matches
from typing import Any

from sklearn.compose import ColumnTransformer
from sklearn.frozen import FrozenEstimator
from sklearn.pipeline import FeatureUnion, Pipeline

from skq.exceptions import UnsupportedModelError
from skq.frontend.category_columns import in_numbers
from skq.frontend.equivalents.folding import fold_predictor
from skq.frontend.equivalents.transformers import append_transformer
from skq.frontend.equivalents.writers import (
    before_training,
    check_before_training,
    has_writer,
    supported_estimators,
    to_representation,
)
from skq.frontend.on_codes import OnCodes, in_codes, of_points, reading, reads_codes
from skq.frontend.predictors import Affine, Predictor
from skq.graph.preprocessing import Preprocessing


def known_representations(
    model: Any, bounds: Any = None, features: Any = None, n_features: int = 0
) -> Predictor | Pipeline:
    """A fitted model as a Predictor, or as a Pipeline that ends in one.

    `n_features` is the number of columns of X, and `bounds` are those of `Preprocessing`. With
    `features`, columns of X, a Pipeline that reads these becomes a predictor that reads all of X.

    A Pipeline of scalers stays a Pipeline. Other transformers are folded into the model after them;
    if skq does not support one, Hummingbird converts the steps of the Pipeline.

    Raises
    ------
    UnsupportedModelError
        If the predictor has no representation, or a transformer has none at its position.
    """
    if isinstance(model, OnCodes):
        with reading(model.labels):
            return known_representations(model.estimator, bounds, features, n_features)
    if not isinstance(model, Pipeline):
        return _predictor(model)
    steps = flat_steps(model)
    last = _predictor(steps[-1])
    representations = [to_representation(step) for step in steps[:-1]]
    if (
        features is None
        and not reads_codes()
        and all(isinstance(representation, Affine) for representation in representations)
    ):
        return _pipeline([*representations, last])
    start = Preprocessing.identity(n_features or model.n_features_in_, bounds)
    if features is not None:
        start = Preprocessing.identity(n_features).selected(features)
    preprocessing: Preprocessing | None = of_points(start)
    for step in steps[:-1]:
        preprocessing = None if preprocessing is None else append_transformer(step, preprocessing)
    if preprocessing is not None:
        return fold_predictor(in_codes(in_numbers(preprocessing, steps[-1])), last)
    return _pipeline(
        [*(s if f is None else f for s, f in zip(steps[:-1], representations, strict=True)), last]
    )


def flat_steps(pipeline: Pipeline) -> list[Any]:
    """Steps of a Pipeline and of the Pipelines in it, without those that do nothing."""
    flat: list[Any] = []
    for _, step in pipeline.steps:
        if isinstance(step, Pipeline):
            flat += flat_steps(step)
        elif step is not None and not (isinstance(step, str) and step == "passthrough"):
            flat.append(step)
    return flat


def _pipeline(steps: list[Any]) -> Predictor | Pipeline:
    if len(steps) == 1:
        predictor: Predictor = steps[0]
        return predictor
    return Pipeline([(f"step{k}", step) for k, step in enumerate(steps)])


def _predictor(model: Any) -> Predictor:
    representation = to_representation(
        model.estimator if isinstance(model, FrozenEstimator) else model
    )
    if not isinstance(representation, Predictor):
        raise _no_representation(model)
    return representation


def check_trainable(model: Any) -> None:
    """Refuse an unfitted estimator or Pipeline that could not be quantized after any training.

    Raises
    ------
    UnsupportedModelError
        The one that its conversion would raise after training.
    """
    for step in _steps(model):
        check_before_training(step)
    last = last_step(model)
    if not has_writer(last):
        raise _no_representation(last)


def check_trainable_inside(model: Any, owner: Any) -> None:
    """The same for an estimator inside another; None, and other objects, pass."""
    last = last_step(model)
    if not hasattr(last, "fit"):
        return
    for step in _steps(model):
        check_before_training(step)
    if not has_writer(last):
        raise _no_representation_inside(last, owner)


def _steps(model: Any) -> Iterator[Any]:
    """The estimators in a Pipeline and in what it is composed of; an estimator itself."""
    if isinstance(model, FrozenEstimator):
        yield from _steps(model.estimator)
    elif isinstance(model, Pipeline):
        for _, step in model.steps:
            yield from _steps(step)
    elif isinstance(model, ColumnTransformer):
        for _, part, _ in model.transformers:
            yield from _steps(part)
    elif isinstance(model, FeatureUnion):
        for _, part in model.transformer_list:
            yield from _steps(part)
    elif hasattr(model, "fit"):
        yield model


def last_step(model: Any) -> Any:
    """The estimator that predicts: the last step of a Pipeline."""
    while isinstance(model, FrozenEstimator | Pipeline):
        model = model.estimator if isinstance(model, FrozenEstimator) else model.steps[-1][1]
    return model


def _no_representation(model: Any) -> UnsupportedModelError:
    name = type(model).__name__
    near = get_close_matches(name, supported_estimators(), n=1, cutoff=0.0)
    return UnsupportedModelError(
        f"{name} cannot be quantized. The supported estimator with the nearest name is {near[0]}; "
        "the page 'Estimators' of the user guide lists all."
    )


@before_training("BaggingClassifier", "BaggingRegressor", "CalibratedClassifierCV")
def _check_estimator(owner: Any) -> None:
    check_trainable_inside(owner.estimator, owner)


@before_training("VotingClassifier", "VotingRegressor")
def _check_estimators(owner: Any) -> None:
    for entry in owner.estimators if isinstance(owner.estimators, list | tuple) else ():
        if isinstance(entry, tuple) and len(entry) == 2:
            check_trainable_inside(entry[1], owner)


def to_predictor(model: Any, owner: Any) -> Predictor:
    """The representation of an estimator inside another.

    Raises
    ------
    UnsupportedModelError
        Names both, if the inner one has no representation as a predictor.
    """
    representation = to_base_estimator(model, owner)
    if not isinstance(representation, Predictor):
        raise _no_representation_inside(model, owner)
    return representation


def to_base_estimator(
    model: Any, owner: Any, features: Any = None, n_features: int = 0
) -> Predictor | Pipeline:
    """The representation of an estimator, or of a Pipeline, inside another.

    `features` and `n_features` are those of `known_representations`.

    Raises
    ------
    UnsupportedModelError
        Names both, if the inner one has no representation that ends in a predictor.
    """
    if isinstance(model, FrozenEstimator):
        model = model.estimator
    inner = model.steps[-1][1] if isinstance(model, Pipeline) else model
    if "quantized_module_" in vars(inner):
        raise UnsupportedModelError(
            f"{type(owner).__name__} of {type(inner).__name__} cannot be quantized: the inner "
            "estimator is quantized already. Put its scikit-learn parent into it."
        )
    if isinstance(model, Pipeline):
        return known_representations(model, features=features, n_features=n_features)
    representation = to_representation(model)
    if not isinstance(representation, Predictor):
        raise _no_representation_inside(model, owner)
    return representation


def _no_representation_inside(model: Any, owner: Any) -> UnsupportedModelError:
    return UnsupportedModelError(
        f"{type(owner).__name__} of {type(model).__name__} cannot be quantized: the inner "
        "estimator has no integer representation here. Use one of "
        f"{', '.join(supported_estimators())}."
    )
