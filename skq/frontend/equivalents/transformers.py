"""scikit-learn's transformers, composed into the `Preprocessing` of a model."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
from scipy import sparse
from sklearn import config_context
from sklearn.compose import ColumnTransformer
from sklearn.feature_selection import SelectorMixin
from sklearn.pipeline import FeatureUnion, Pipeline

from skq.frontend.bisection import last_that_holds
from skq.frontend.category_columns import Labels, TextColumn, in_numbers, is_missing
from skq.frontend.equivalents.refused import unsupported
from skq.frontend.equivalents.writers import before_training, sklearn_class, to_representation
from skq.frontend.predictors import Affine, Floats
from skq.graph.preprocessing import Column, Preprocessing, joined

Transform = Callable[[Any, Preprocessing], Preprocessing]

_TRANSFORMS: dict[str, Transform] = {}

#: Transformers that are affine in X; matrix and offset are computed from their outputs.
_PROJECTIONS = (
    "FactorAnalysis",
    "FastICA",
    "GaussianRandomProjection",
    "IncrementalPCA",
    "LinearDiscriminantAnalysis",
    "PCA",
    "PLSRegression",
    "SparseRandomProjection",
    "TruncatedSVD",
)

#: Transformers that read texts and categories, or pass them on.
_OF_LABELS = (
    "FunctionTransformer",
    "MissingIndicator",
    "OneHotEncoder",
    "OrdinalEncoder",
    "SimpleImputer",
    "TargetEncoder",
)

#: Step along an input that gives a projection's weights, and rounding of its offset.
LONG_STEP, OFFSET_ROUNDING = 2.0**40, 2.0**-48


def transforms(*names: str) -> Callable[[Transform], Transform]:
    """Register how transformers of these scikit-learn classes extend a `Preprocessing`."""

    def register(function: Transform) -> Transform:
        _TRANSFORMS.update(dict.fromkeys(names, function))
        return function

    return register


def supported_transformers() -> list[str]:
    """Names of the classes that a `Preprocessing` can hold."""
    scalers = ("MaxAbsScaler", "MinMaxScaler", "RobustScaler", "StandardScaler")
    composed = ("ColumnTransformer", "FeatureUnion", "Pipeline")
    return sorted({*_TRANSFORMS, *scalers, *composed})


def append_transformer(transformer: Any, preprocessing: Preprocessing) -> Preprocessing | None:
    """The preprocessing followed by one more transformer; None for a class that is not known.

    Raises
    ------
    UnsupportedModelError
        If this transformer has no integer representation, or none at this position.
    """
    if transformer is None or isinstance(transformer, str):
        return preprocessing  # "passthrough"
    if isinstance(transformer, Pipeline):
        return _chain([step for _, step in transformer.steps], preprocessing)
    if isinstance(transformer, FeatureUnion):
        return _union(transformer, preprocessing)
    if isinstance(transformer, ColumnTransformer):
        return _column_transformer(transformer, preprocessing)
    if isinstance(transformer, SelectorMixin):
        return preprocessing.selected(transformer.get_support(indices=True))
    name = sklearn_class(transformer).__name__
    if name not in _OF_LABELS:
        preprocessing = in_numbers(preprocessing, transformer)
    change = _TRANSFORMS.get(name)
    if change is not None:
        return change(transformer, preprocessing)
    representation = to_representation(transformer)
    return scaled(representation, preprocessing) if isinstance(representation, Affine) else None


def _chain(steps: list[Any], preprocessing: Preprocessing) -> Preprocessing | None:
    result: Preprocessing | None = preprocessing
    for step in steps:
        if result is not None:
            result = append_transformer(step, result)
    return result


def scaled(scaler: Affine, preprocessing: Preprocessing) -> Preprocessing:
    """The preprocessing followed by a scaler."""
    for function in ("subtract", "divide", "multiply", "add"):
        constants = getattr(scaler, function)
        if constants is not None:
            preprocessing = preprocessing.scaled(function, constants)
    return preprocessing


def _union(union: FeatureUnion, preprocessing: Preprocessing) -> Preprocessing | None:
    parts = []
    weights = union.transformer_weights or {}
    for name, transformer in union.transformer_list:
        if isinstance(transformer, str) and transformer == "drop":
            continue
        part = append_transformer(transformer, preprocessing)
        if part is None:
            return None
        parts.append(part.scaled("multiply", weights[name]) if name in weights else part)
    return joined(parts)


def _column_transformer(
    transformer: ColumnTransformer, preprocessing: Preprocessing
) -> Preprocessing | None:
    parts = []
    weights = transformer.transformer_weights or {}
    for name, inner, _ in transformer.transformers_:
        columns = transformer._transformer_to_input_indices.get(name, [])
        if (isinstance(inner, str) and inner == "drop") or len(columns) == 0:
            continue
        part = append_transformer(inner, preprocessing.selected(columns))
        if part is None:
            return None
        parts.append(part.scaled("multiply", weights[name]) if name in weights else part)
    return joined(parts)


@transforms(*_PROJECTIONS)
def _projection(transformer: Any, preprocessing: Preprocessing) -> Preprocessing:
    """Matrix and offset from the outputs for 0 and for a long step along each input.

    The steps are long, so that adding the offset loses no digits of the weights. Weights within
    the rounding of the offset are 0.
    """
    n = preprocessing.n_outputs
    offset = _outputs(transformer, np.zeros((1, n)))[0]
    rise = _outputs(transformer, np.eye(n) * LONG_STEP) - offset
    rise[np.abs(rise) <= OFFSET_ROUNDING * np.abs(offset)] = 0.0
    return preprocessing.projected(rise / LONG_STEP, offset)


@transforms("PolynomialFeatures")
def _products(transformer: Any, preprocessing: Preprocessing) -> Preprocessing:
    return preprocessing.multiplied(transformer.powers_)


@before_training("FunctionTransformer")
def _check_function(transformer: Any) -> None:
    if transformer.func is not None:
        raise unsupported(
            transformer,
            "skq cannot convert its function to integers. Put it before the quantized model: "
            "make_pipeline(FunctionTransformer(func), QuantizedClassifier(model))",
        )


@transforms("FunctionTransformer")
def _function(transformer: Any, preprocessing: Preprocessing) -> Preprocessing:
    _check_function(transformer)
    return preprocessing


@transforms("SimpleImputer")
def _imputer(imputer: Any, preprocessing: Preprocessing) -> Preprocessing:
    columns = _columns(imputer, preprocessing)
    filled: list[Column] = []
    for j, (column, statistic) in enumerate(zip(columns, imputer.statistics_, strict=True)):
        if is_missing(statistic) and not imputer.keep_empty_features:
            continue  # it drops columns of missing values alone
        if _is_text(column):
            filled.append(_imputed(imputer, preprocessing, j, len(filled)))
            continue
        if isinstance(statistic, str):
            raise TextColumn(imputer, column.feature, [statistic])
        _check_marker(imputer)
        filled.append(column.filled(float(statistic)))
    indicators = _indicators(imputer.indicator_, preprocessing) if imputer.add_indicator else ()
    return replace(preprocessing, columns=(*filled, *indicators))


def _imputed(imputer: Any, preprocessing: Preprocessing, j: int, output: int) -> Column:
    """A column of texts without its missing values: what the imputer returns for each point."""
    columns, labels = preprocessing.columns, preprocessing.labels
    column = columns[j]
    assert column.values is not None
    labels.know(column.feature, [imputer.missing_values])
    base = [labels.base_value(c) if _is_text(c) else 0.0 for c in columns]
    rows = _varied(_row(base, columns), j, column.values)
    outputs = _at_points(lambda x: _raw_outputs(imputer, x), rows, labels, column)
    return replace(column, values=outputs[:, output].astype(object))


def _check_marker(transformer: Any) -> None:
    """Raise if a transformer looks for another marker than NaN among numbers."""
    marker = transformer.missing_values
    if not is_missing(marker) or marker is None:
        raise unsupported(transformer, f"it replaces {marker!r}; use NaN for missing")


@transforms("MissingIndicator")
def _missing_indicator(indicator: Any, preprocessing: Preprocessing) -> Preprocessing:
    return replace(preprocessing, columns=_indicators(indicator, preprocessing))


def _indicators(indicator: Any, preprocessing: Preprocessing) -> tuple[Column, ...]:
    columns = _columns(indicator, preprocessing)
    return tuple(
        _indicator_column(indicator, columns[j], preprocessing.labels) for j in indicator.features_
    )


def _indicator_column(indicator: Any, column: Column, labels: Labels | None) -> Column:
    if labels is None or column.feature not in labels.points or column.values is None:
        _check_marker(indicator)
        return Column(column.feature, edges=np.zeros(0), values=np.zeros(1), missing=1.0)
    marker = indicator.missing_values
    labels.know(column.feature, [marker])
    if is_missing(marker):
        bits = [
            is_missing(value) and (value is None) == (marker is None) for value in column.values
        ]
    else:
        bits = [value == marker for value in column.values]
    return replace(column, values=np.array(bits, dtype=np.float64))


@transforms("Normalizer")
def _normalizer(normalizer: Any, preprocessing: Preprocessing) -> Preprocessing:
    raise unsupported(
        normalizer,
        "it divides each row by its norm, and integers have no division. Put it before the "
        "quantized model: "
        "make_pipeline(Normalizer(), QuantizedClassifier(model))",
    )


@transforms("Binarizer")
def _binarizer(binarizer: Any, preprocessing: Preprocessing) -> Preprocessing:
    edges, points = (
        np.array([float(binarizer.threshold)]),
        float(binarizer.threshold) + np.array([-1.0, 1.0]),
    )
    return _stepwise(binarizer, preprocessing, [(edges, points)] * preprocessing.n_outputs)


@transforms("KBinsDiscretizer")
def _bins(discretizer: Any, preprocessing: Preprocessing) -> Preprocessing:
    segments = []
    for edges in discretizer.bin_edges_:
        inner = np.asarray(edges[1:-1], dtype=np.float64)  # a value on an edge is above it
        lowest = edges[0] if np.isfinite(edges[0]) else 0.0  # a constant feature has no edges
        segments.append((np.nextafter(inner, -np.inf), np.append(lowest, inner)))
    return _stepwise(discretizer, preprocessing, segments)


@transforms("OneHotEncoder", "OrdinalEncoder", "TargetEncoder")
def _encoder(encoder: Any, preprocessing: Preprocessing) -> Preprocessing:
    refuses_unknown = getattr(encoder, "handle_unknown", "ignore") == "error"
    segments = []
    columns = _columns(encoder, preprocessing)
    for known, column in zip(encoder.categories_, columns, strict=True):
        if _is_points(column, preprocessing.labels):
            preprocessing.labels.know(column.feature, known)
            segments.append((column.edges, column.values))
            continue
        values = np.array([value for value in known if not is_missing(value)])
        if values.dtype.kind not in "iufb":
            raise TextColumn(encoder, column.feature, known)
        values = values.astype(np.float64)
        if refuses_unknown:  # halfway: every number counts as the nearest category
            segments.append(((values[1:] + values[:-1]) / 2, values))
            continue
        edges = np.stack([np.nextafter(values, -np.inf), values], axis=1).ravel()
        unknown = _unknown(values)
        points = np.stack([np.full(len(values), unknown), values], axis=1).ravel()
        segments.append((edges, np.append(points, unknown)))
    return _stepwise(encoder, preprocessing, segments)


def _unknown(categories: Floats) -> float:
    """A number that is none of the categories."""
    return float(np.max(categories, initial=0.0)) + 1.5


def _is_points(column: Column, labels: Labels | None) -> bool:
    """Whether a column is a function of the points of a feature; see `category_columns`."""
    return labels is not None and column.feature in labels.points and column.values is not None


def _is_text(column: Column) -> bool:
    return column.values is not None and column.values.dtype == object


def _stepwise(
    transformer: Any, preprocessing: Preprocessing, segments: list[tuple[Any, Any]]
) -> Preprocessing:
    """A transformer of single features, from its outputs at a point of every segment.

    Parameters
    ----------
    segments : list of (edges, points), one per column
        Edges between the segments, and a value in each; for a column of `Labels`, its points.
    """
    labels = preprocessing.labels
    columns = _columns(transformer, preprocessing)
    values = [
        labels.base_value(column) if _is_points(column, labels) else points[0]
        for column, (_, points) in zip(columns, segments, strict=True)
    ]
    base = _row(values, columns)
    at_base = _outputs(transformer, base)[0]
    composed: dict[int, Column] = {}
    for j, (edges, points) in enumerate(segments):
        column = columns[j]
        if _is_points(column, labels):
            rows = _varied(base, j, column.values)
            outputs = _at_points(lambda x: _outputs(transformer, x), rows, labels, column)
            missing = np.full(len(at_base), np.nan)
        else:
            outputs = _outputs(transformer, _varied(base, j, points))
            missing = _output_of_missing(transformer, base, j, column)
        differs = (outputs != at_base) & ~(np.isnan(outputs) & np.isnan(at_base))
        varies = np.any(differs, axis=0) | (missing != at_base) & ~np.isnan(missing)
        for output in np.flatnonzero(varies).tolist():
            if output in composed:
                raise unsupported(transformer, "its columns depend on several features")
            if _is_points(column, labels):
                composed[output] = replace(column, values=outputs[:, output])
                continue
            changed = _composed(transformer, column, edges, outputs[:, output])
            composed[output] = changed.filled(float(missing[output]))
    for output, value in enumerate(at_base):
        if output not in composed:  # no feature changes it
            composed[output] = _constant(columns[0], value, labels)
    return replace(preprocessing, columns=tuple(composed[k] for k in range(len(at_base))))


def _constant(column: Column, value: float, labels: Labels | None) -> Column:
    """A column whose value does not depend on the feature."""
    if _is_points(column, labels):
        assert column.values is not None
        return replace(column, values=np.full(len(column.values), value))
    return Column(column.feature, edges=np.zeros(0), values=np.array([value]), missing=value)


def _row(values: list[Any], columns: tuple[Column, ...]) -> Any:
    """One row of values of the columns; of objects if there are texts."""
    row = np.empty((1, len(values)), dtype=object if any(map(_is_text, columns)) else np.float64)
    row[0] = values
    return row


def _varied(row: Any, j: int, values: Any) -> Any:
    """Rows that differ in one column."""
    rows = np.repeat(row, len(values), axis=0)
    rows[:, j] = values
    return rows


def _at_points(evaluate: Callable[[Any], Any], rows: Any, labels: Labels, column: Column) -> Any:
    """Outputs for each point of a column; points for which the transformer raises are refused."""
    try:
        return evaluate(rows)
    except (TypeError, ValueError) as error:
        reason = error
    outputs: list[Any] = []
    for k in range(len(rows)):
        try:
            outputs.append(evaluate(rows[k : k + 1])[0])
        except (TypeError, ValueError):
            labels.refused.add((column.feature, k))
            outputs.append(None)
    accepted = [output for output in outputs if output is not None]
    if not accepted:
        raise reason
    return np.stack([accepted[0] if output is None else output for output in outputs])


def _outputs(transformer: Any, rows: Any) -> Floats:
    """Outputs of the transformer, as numbers."""
    return _dense(_raw_outputs(transformer, rows))


def _raw_outputs(transformer: Any, rows: Any) -> Any:
    """Outputs of the transformer for rows without column names."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="X does not have valid feature names")
        warnings.filterwarnings("ignore", message="Found unknown categories")
        with config_context(transform_output="default"):
            copied = rows.copy()  # a transformer with copy=False writes into its input
            return transformer.transform(copied)


def _output_of_missing(transformer: Any, base: Any, j: int, column: Column) -> Floats:
    """Outputs for a missing value of one column; NaN where the transformer raises for it."""
    row = base.copy()
    row[0, j] = column.missing
    try:
        return _outputs(transformer, row)[0]
    except ValueError:  # it takes no NaN, or no such category
        return np.full(len(_outputs(transformer, base)[0]), np.nan)


def _composed(transformer: Any, column: Column, edges: Floats, values: Floats) -> Column:
    """A stepwise function of a column."""
    if column.values is not None:
        segment = np.searchsorted(edges, column.values, side="left")
        return Column(column.feature, edges=column.edges, values=values[segment])
    factor, offset = column.affine
    if column.steps:
        if factor <= 0:
            raise unsupported(transformer, "it comes after a scaler with a factor of 0 or less")
        limits = edges  # edges of categories are neighbouring doubles, so rounding must be exact
        edges = last_that_holds(lambda x: column(x) <= limits, (limits - offset) / factor)
    return Column(column.feature, edges=edges, values=values)


def _columns(transformer: Any, preprocessing: Preprocessing) -> tuple[Column, ...]:
    if not preprocessing.is_columns:
        raise unsupported(
            transformer, "it comes after a projection or products. Put it before them"
        )
    return preprocessing.columns


def _dense(output: Any) -> Floats:
    output = output.toarray() if sparse.issparse(output) else output
    return np.asarray(output, dtype=np.float64)
