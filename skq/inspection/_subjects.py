"""The models that `quantization_report` takes: estimators, loaded models and modules."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.base import is_classifier
from sklearn.metrics import accuracy_score, check_scoring, r2_score
from sklearn.pipeline import Pipeline

from skq.estimators.overwriting import to_write_into
from skq.estimators.requantize import float_model, quantized_part, rows_of
from skq.graph.evaluator import GraphEvaluator
from skq.quantization.quantized_module import QuantizedModule
from skq.serving.saved_model import IntegerPredictor

Array = NDArray[Any]


@dataclass(frozen=True)
class Subject:
    """A model on given rows.

    Parameters
    ----------
    name : str
        Name of its class, or of the class that was saved.
    module : QuantizedModule
    inputs : list of ndarray of shape (n_rows, ...)
        Inputs of the module.
    feature_names : list of list of str
        Names of the features of each input; one name for an input of more than two axes.
    agreement, score, float_score : float or None
        As in `QuantizationReport`.
    """

    name: str
    module: QuantizedModule
    inputs: list[Array]
    feature_names: list[list[str]]
    agreement: float | None = None
    score: float | None = None
    float_score: float | None = None


def subject_of(model: Any, X: Any, y: Any) -> Subject:
    """Predict with a model of any of the three kinds, and with its float model where it has one."""
    if isinstance(model, QuantizedModule):
        return _of_module(model, X, y)
    if isinstance(model, IntegerPredictor):
        return _of_loaded(model, X, y)
    return _of_estimator(model, X, y)


def _of_estimator(estimator: Any, X: Any, y: Any) -> Subject:
    last = quantized_part(estimator)
    rows = rows_of(estimator, X)

    def given() -> Any:  # a step with copy=False writes into it
        return to_write_into(estimator, X)

    got = estimator.predict(given())
    score = float_score = None
    with float_model(estimator) as model:
        wanted = model.predict(given())
        if y is not None:
            float_score = float(check_scoring(model)(model, given(), y))
    if y is not None:
        score = float(check_scoring(estimator)(estimator, given(), y))
    return Subject(
        type(last).__name__,
        last.quantized_module_,
        [rows],
        [_names_in_front(estimator, X, rows.shape[1])],
        _agreement(wanted, got, labels=is_classifier(estimator)),
        score,
        float_score,
    )


def _of_loaded(model: IntegerPredictor, X: Any, y: Any) -> Subject:
    rows = model._validated(X)
    rows = rows if isinstance(rows, np.ndarray) else rows.toarray()
    score = None
    if y is not None and model.classes_ is not None:
        score = float(accuracy_score(y, model.predict(X)))
    elif y is not None and not hasattr(model, "score_samples"):
        score = float(r2_score(y, model.predict(X)))
    names = _known_names(model, X, rows.shape[1])
    return Subject(model.estimator, model.quantized_module_, [rows], [names], None, score)


def _of_module(module: QuantizedModule, X: Any, y: Any) -> Subject:
    if y is not None:
        raise ValueError(
            "y must be None for a QuantizedModule, which has no score method. Compare "
            "module.forward(X) with y yourself."
        )
    frames = list(X) if isinstance(X, tuple) else [X]
    arrays = module._feeds(frames)
    inputs = [arrays[i] for i in range(len(frames))]
    graph = None if module.graph is None else GraphEvaluator(module.graph)
    given = [f"input{i}" for i in range(len(inputs))]
    if graph is not None:
        given = [info.name for info in graph.inputs]
    names = [
        [name]
        if array.ndim != 2
        else _known_names(None, frame, array.shape[1], "x" if len(inputs) == 1 else f"{name}_")
        for name, frame, array in zip(given, frames, inputs, strict=True)
    ]
    agreement = None
    if graph is not None:
        got = module.forward(*inputs)
        got = got[0] if isinstance(got, tuple) else got
        feeds = dict(zip(given, inputs, strict=True))
        output = module.output_names[0]
        wanted = graph.run(feeds, [output])[output]
        agreement = _agreement(wanted, got, labels=np.asarray(got).dtype.kind in "biu")
    return Subject("QuantizedModule", module, inputs, names, agreement)


def _agreement(wanted: Any, got: Any, *, labels: bool) -> float:
    """Share of equal labels, or R² between the predictions of both models."""
    wanted, got = np.asarray(wanted), np.asarray(got)
    if labels:
        return float((got == wanted).mean())
    if len(got) < 2:
        return float("nan")
    return float(r2_score(wanted.reshape(len(wanted), -1), got.reshape(len(got), -1)))


def _names_in_front(estimator: Any, X: Any, n_features: int) -> list[str]:
    """Names of the columns that the quantized part reads, also after transformers."""
    if not isinstance(estimator, Pipeline) or len(estimator.steps) < 2:
        return _known_names(quantized_part(estimator), X, n_features)
    last = estimator.steps[-1][1]
    if getattr(last, "feature_names_in_", None) is not None:
        return _known_names(last, X, n_features)
    before = estimator[:-1]
    given = getattr(before, "feature_names_in_", getattr(X, "columns", None))
    try:
        names = before.get_feature_names_out(None if given is None else list(map(str, given)))
    except (AttributeError, ValueError):  # a transformer without names
        names = ()
    return [*map(str, names)] if len(names) == n_features else _numbered(n_features)


def _known_names(model: Any, X: Any, n_features: int, prefix: str = "x") -> list[str]:
    """Names that a model was fitted on, else the columns of X, else numbers."""
    names: Sequence[Any] | None = getattr(model, "feature_names_in_", None)
    names = getattr(X, "columns", None) if names is None else names
    if names is None or len(names) != n_features:
        return _numbered(n_features, prefix)
    return [str(name) for name in names]


def _numbered(n_features: int, prefix: str = "x") -> list[str]:
    return [f"{prefix}{j}" for j in range(n_features)]
