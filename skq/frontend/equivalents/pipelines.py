"""Models and Pipelines as a whole: in the forms that skq writes, or as Hummingbird reads them."""

from __future__ import annotations

from typing import Any

from sklearn.frozen import FrozenEstimator
from sklearn.pipeline import Pipeline

from skq.exceptions import UnsupportedModelError
from skq.frontend.equivalents.folding import predictor_behind
from skq.frontend.equivalents.lookup import supported_estimators, to_form
from skq.frontend.equivalents.transformers import behind_transformer
from skq.frontend.predictors import Affine, Predictor
from skq.frontend.preprocessing import Front


def known_forms(
    model: Any, bounds: Any = None, features: Any = None, n_features: int = 0
) -> Predictor | Pipeline:
    """A fitted model as a Predictor, or as a Pipeline that ends in one.

    X has `n_features`, and `bounds` are those of `Front`. With `features`, columns of X, a Pipeline
    of these becomes a predictor that reads X.

    Scalers alone stay steps of their own. Other transformers are taken up by the model behind them;
    where skq does not know one, Hummingbird is to convert the Pipeline's steps.

    Raises
    ------
    UnsupportedModelError
        If what predicts has no form, or a transformer has none in its place.
    """
    if not isinstance(model, Pipeline):
        return _predictor(model)
    steps = _flat(model)
    last = _predictor(steps[-1])
    forms = [to_form(step) for step in steps[:-1]]
    if features is None and all(isinstance(form, Affine) for form in forms):
        return _pipeline([*forms, last])
    front: Front | None = Front.identity(n_features or model.n_features_in_, bounds)
    if features is not None:
        front = Front.identity(n_features).selected(features)
    for step in steps[:-1]:
        front = None if front is None else behind_transformer(step, front)
    if front is not None:
        return predictor_behind(front, last)
    return _pipeline(
        [*(s if f is None else f for s, f in zip(steps[:-1], forms, strict=True)), last]
    )


def _flat(pipeline: Pipeline) -> list[Any]:
    """Steps of a Pipeline and of the Pipelines in it; those that do nothing are left out."""
    found: list[Any] = []
    for _, step in pipeline.steps:
        if isinstance(step, Pipeline):
            found += _flat(step)
        elif step is not None and not (isinstance(step, str) and step == "passthrough"):
            found.append(step)
    return found


def _pipeline(steps: list[Any]) -> Predictor | Pipeline:
    if len(steps) == 1:
        predictor: Predictor = steps[0]
        return predictor
    return Pipeline([(f"step{k}", step) for k, step in enumerate(steps)])


def _predictor(model: Any) -> Predictor:
    form = to_form(model.estimator if isinstance(model, FrozenEstimator) else model)
    if not isinstance(form, Predictor):
        raise UnsupportedModelError(
            f"{type(model).__name__} cannot be quantized. Supported estimators are: "
            f"{', '.join(supported_estimators())}; or a Pipeline that ends in one of them."
        )
    return form


def to_predictor(model: Any, owner: Any) -> Predictor:
    """The form of an estimator inside of another.

    Raises
    ------
    UnsupportedModelError
        Names both, if the inner one has no form as a predictor.
    """
    form = to_member(model, owner)
    if not isinstance(form, Predictor):
        raise _no_form_inside(model, owner)
    return form


def to_member(
    model: Any, owner: Any, features: Any = None, n_features: int = 0
) -> Predictor | Pipeline:
    """The form of an estimator, or of a Pipeline, inside of another.

    `features` and `n_features` are those of `known_forms`.

    Raises
    ------
    UnsupportedModelError
        Names both, if the inner one has no form that ends in a predictor.
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
        return known_forms(model, features=features, n_features=n_features)
    form = to_form(model)
    if not isinstance(form, Predictor):
        raise _no_form_inside(model, owner)
    return form


def _no_form_inside(model: Any, owner: Any) -> UnsupportedModelError:
    return UnsupportedModelError(
        f"{type(owner).__name__} of {type(model).__name__} cannot be quantized: the inner "
        f"estimator has no integer form here. Use one of {', '.join(supported_estimators())}."
    )
