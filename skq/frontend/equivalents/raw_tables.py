"""Pipelines that read texts and categories: what their transformers do with each value."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from sklearn.compose import ColumnTransformer
from sklearn.pipeline import Pipeline

from skq.exceptions import UnsupportedModelError
from skq.frontend.category_columns import Labels, TextColumn, in_numbers
from skq.frontend.equivalents.members import parts_of
from skq.frontend.equivalents.pipelines import flat_steps
from skq.frontend.equivalents.transformers import append_transformer, supported_transformers
from skq.graph.preprocessing import Preprocessing


def pipelines_of(model: Any) -> Iterator[Pipeline]:
    """The Pipelines in a fitted model that read X itself."""
    if isinstance(model, Pipeline):
        yield model
    for part in parts_of(model):
        yield from pipelines_of(part)


def read_labels(
    model: Any,
    values: Mapping[int, list[Any]],
    base: Mapping[int, Any],
    n_features: int,
    names: Sequence[str] | None,
) -> Labels:
    """Results of the transformers of a fitted model for texts and categories, and codes for them.

    Parameters
    ----------
    model : estimator
        Fitted; it contains `pipelines_of`.
    values : mapping of int to list
        Feature → its distinct values in the calibration data.
    base : mapping of int to object
        Their values in a row that the model accepts.
    n_features : int
    names : sequence of str or None
        Names of the features.

    Raises
    ------
    UnsupportedModelError
        If a transformer has no integer representation, or texts reach a step that computes.
    """
    labels: Labels | None = Labels(values, base, names)
    while labels is not None:
        current = labels
        preprocessings = [preprocessing_of(p, current, n_features) for p in pipelines_of(model)]
        labels = current.grown()
    current.assign(preprocessings)
    return current


def labels_of_fitted(pipeline: Pipeline, n_features: int, names: Sequence[str] | None) -> Labels:
    """The same for a Pipeline, without data: features are texts if its transformers have texts."""
    values: dict[int, list[Any]] = {}
    while True:
        base = {feature: known[0] for feature, known in values.items()}
        try:
            return read_labels(pipeline, values, base, n_features, names)
        except TextColumn as found:
            if found.feature in values:
                raise
            values[found.feature] = found.values


def preprocessing_of(pipeline: Pipeline, labels: Labels, n_features: int) -> Preprocessing:
    """Everything before the last step of a Pipeline, as functions of the points of features."""
    steps = flat_steps(pipeline)
    preprocessing = labels.columns(Preprocessing.identity(n_features))
    if len(steps) == 1:
        return in_numbers(preprocessing, steps[0])
    for step in steps[:-1]:
        extended = append_transformer(step, preprocessing)
        if extended is None:
            raise UnsupportedModelError(
                f"{type(pipeline).__name__} of texts cannot be quantized: its step "
                f"{type(step).__name__} has no integer representation. Put it, and the steps "
                "before it, before the quantized model, as in make_pipeline(transformer, "
                "QuantizedClassifier(model)), or use some of "
                f"{', '.join(supported_transformers())}."
            )
        preprocessing = extended
    return in_numbers(preprocessing, steps[-1])


def features_read(model: Any, n_features: int) -> set[int]:
    """Features that a fitted model does not drop by a ColumnTransformer at its start."""
    pipelines = list(pipelines_of(model))
    every = set(range(n_features))
    return set().union(*(_read(pipeline, every) for pipeline in pipelines)) if pipelines else every


def _read(model: Any, every: set[int]) -> set[int]:
    first = model
    while isinstance(first, Pipeline):
        steps = flat_steps(first)
        first = steps[0]
    if not isinstance(first, ColumnTransformer):
        return every
    columns = first._transformer_to_input_indices
    return {
        int(index)
        for name, part, _ in first.transformers_
        if not (isinstance(part, str) and part == "drop")
        for index in columns.get(name, [])
    }
