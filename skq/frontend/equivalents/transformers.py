"""scikit-learn's transformers, composed into the `Front` of a model."""

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
from skq.frontend.equivalents.lookup import sklearn_class, to_form
from skq.frontend.equivalents.refused import unsupported
from skq.frontend.predictors import Affine, Floats
from skq.frontend.preprocessing import Column, Front, joined

Transform = Callable[[Any, Front], Front]

_TRANSFORMS: dict[str, Transform] = {}

#: Transformers that are affine in X: what they compute is read off their answers.
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

#: Step along an input by which a projection's weights are found, and rounding of its offset.
LONG_STEP, OFFSET_ROUNDING = 2.0**40, 2.0**-48


def transforms(*names: str) -> Callable[[Transform], Transform]:
    """Register how transformers of these scikit-learn classes change a front."""

    def register(function: Transform) -> Transform:
        _TRANSFORMS.update(dict.fromkeys(names, function))
        return function

    return register


def supported_transformers() -> list[str]:
    """Names of the classes that a front can hold."""
    scalers = ("MaxAbsScaler", "MinMaxScaler", "RobustScaler", "StandardScaler")
    composed = ("ColumnTransformer", "FeatureUnion", "Pipeline")
    return sorted({*_TRANSFORMS, *scalers, *composed})


def behind_transformer(transformer: Any, front: Front) -> Front | None:
    """The front with one more transformer behind it; None for a class that is not known.

    Raises
    ------
    UnsupportedModelError
        If this transformer, or its place, has no integer form.
    """
    if transformer is None or isinstance(transformer, str):
        return front  # "passthrough"
    if isinstance(transformer, Pipeline):
        return _chain([step for _, step in transformer.steps], front)
    if isinstance(transformer, FeatureUnion):
        return _union(transformer, front)
    if isinstance(transformer, ColumnTransformer):
        return _column_transformer(transformer, front)
    if isinstance(transformer, SelectorMixin):
        return front.selected(transformer.get_support(indices=True))
    change = _TRANSFORMS.get(sklearn_class(transformer).__name__)
    if change is not None:
        return change(transformer, front)
    form = to_form(transformer)
    return scaled(form, front) if isinstance(form, Affine) else None


def _chain(steps: list[Any], front: Front) -> Front | None:
    found: Front | None = front
    for step in steps:
        if found is not None:
            found = behind_transformer(step, found)
    return found


def scaled(scaler: Affine, front: Front) -> Front:
    """The front with a scaler behind it."""
    for function in ("subtract", "divide", "multiply", "add"):
        constants = getattr(scaler, function)
        if constants is not None:
            front = front.scaled(function, constants)
    return front


def _union(union: FeatureUnion, front: Front) -> Front | None:
    parts = []
    weights = union.transformer_weights or {}
    for name, transformer in union.transformer_list:
        if isinstance(transformer, str) and transformer == "drop":
            continue
        part = behind_transformer(transformer, front)
        if part is None:
            return None
        parts.append(part.scaled("multiply", weights[name]) if name in weights else part)
    return joined(parts)


def _column_transformer(transformer: ColumnTransformer, front: Front) -> Front | None:
    parts = []
    weights = transformer.transformer_weights or {}
    for name, inner, _ in transformer.transformers_:
        columns = transformer._transformer_to_input_indices.get(name, [])
        if (isinstance(inner, str) and inner == "drop") or len(columns) == 0:
            continue
        part = behind_transformer(inner, front.selected(columns))
        if part is None:
            return None
        parts.append(part.scaled("multiply", weights[name]) if name in weights else part)
    return joined(parts)


@transforms(*_PROJECTIONS)
def _projection(transformer: Any, front: Front) -> Front:
    """Matrix and offset from what becomes of 0 and of long steps along each input.

    The steps are long so that the offset rounds nothing off; what is no more than its rounding is
    a weight of 0.
    """
    n = front.n_outputs
    offset = _answers(transformer, np.zeros((1, n)))[0]
    rise = _answers(transformer, np.eye(n) * LONG_STEP) - offset
    rise[np.abs(rise) <= OFFSET_ROUNDING * np.abs(offset)] = 0.0
    return front.projected(rise / LONG_STEP, offset)


@transforms("PolynomialFeatures")
def _products(transformer: Any, front: Front) -> Front:
    return front.multiplied(transformer.powers_)


@transforms("FunctionTransformer")
def _function(transformer: Any, front: Front) -> Front:
    if transformer.func is not None:
        raise unsupported(
            transformer,
            "what its function computes is not known. Put it in front: "
            "make_pipeline(FunctionTransformer(func), QuantizedClassifier(model))",
        )
    return front


@transforms("SimpleImputer")
def _imputer(imputer: Any, front: Front) -> Front:
    columns = _columns(imputer, front)
    if not _is_nan(imputer.missing_values):
        raise unsupported(imputer, f"it replaces {imputer.missing_values!r}; use NaN for missing")
    statistics = np.asarray(imputer.statistics_, dtype=np.float64)
    kept = [c.filled(s) for c, s in zip(columns, statistics, strict=True) if not np.isnan(s)]
    indicators = _indicators(imputer.indicator_, front) if imputer.add_indicator else ()
    return replace(front, columns=(*kept, *indicators))


@transforms("MissingIndicator")
def _missing_indicator(indicator: Any, front: Front) -> Front:
    if not _is_nan(indicator.missing_values):
        raise unsupported(indicator, "its missing_values are no NaN; use NaN for missing")
    return replace(front, columns=_indicators(indicator, front))


def _indicators(indicator: Any, front: Front) -> tuple[Column, ...]:
    columns = _columns(indicator, front)
    none = np.zeros(0)
    return tuple(
        Column(columns[j].feature, edges=none, values=np.zeros(1), missing=1.0)
        for j in indicator.features_
    )


@transforms("Normalizer")
def _normalizer(normalizer: Any, front: Front) -> Front:
    raise unsupported(
        normalizer,
        "it divides each row by its norm, and integers have no division. Put it in front: "
        "make_pipeline(Normalizer(), QuantizedClassifier(model))",
    )


@transforms("Binarizer")
def _binarizer(binarizer: Any, front: Front) -> Front:
    edges, points = (
        np.array([float(binarizer.threshold)]),
        float(binarizer.threshold) + np.array([-1.0, 1.0]),
    )
    return _stepwise(binarizer, front, [(edges, points)] * front.n_outputs)


@transforms("KBinsDiscretizer")
def _bins(discretizer: Any, front: Front) -> Front:
    segments = []
    for edges in discretizer.bin_edges_:
        inner = np.asarray(edges[1:-1], dtype=np.float64)  # a value on an edge is above it
        lowest = edges[0] if np.isfinite(edges[0]) else 0.0  # a constant feature has no edges
        segments.append((np.nextafter(inner, -np.inf), np.append(lowest, inner)))
    return _stepwise(discretizer, front, segments)


@transforms("OneHotEncoder", "OrdinalEncoder", "TargetEncoder")
def _encoder(encoder: Any, front: Front) -> Front:
    refuses_unknown = getattr(encoder, "handle_unknown", "ignore") == "error"
    segments = []
    for known in encoder.categories_:
        if known.dtype.kind not in "iufb":
            raise unsupported(
                encoder,
                "its categories are texts, which are no numbers. Put it in front: "
                f"make_pipeline({type(encoder).__name__}(), QuantizedClassifier(model))",
            )
        values = np.asarray(known, dtype=np.float64)
        values = values[~np.isnan(values)]
        if refuses_unknown:  # halfway: every number counts as the nearest category
            segments.append(((values[1:] + values[:-1]) / 2, values))
            continue
        edges = np.stack([np.nextafter(values, -np.inf), values], axis=1).ravel()
        unknown = _unknown(values)
        points = np.stack([np.full(len(values), unknown), values], axis=1).ravel()
        segments.append((edges, np.append(points, unknown)))
    return _stepwise(encoder, front, segments)


def _unknown(categories: Floats) -> float:
    """A number that is none of the categories."""
    return float(np.max(categories, initial=0.0)) + 1.5


def _stepwise(transformer: Any, front: Front, segments: list[tuple[Floats, Floats]]) -> Front:
    """A transformer of single features, read off its answers at a point of every segment.

    Parameters
    ----------
    segments : list of (edges, points), one a column
        Edges between the segments, and a value in each.
    """
    columns = _columns(transformer, front)
    base = np.array([points[0] for _, points in segments], dtype=np.float64)
    at_base = _answers(transformer, base[np.newaxis])[0]
    found: dict[int, Column] = {}
    for j, (edges, points) in enumerate(segments):
        rows = np.repeat(base[np.newaxis], len(points), axis=0)
        rows[:, j] = points
        answers = _answers(transformer, rows)
        missing = _answer_to_missing(transformer, base, j, columns[j])
        varies = np.any(answers != at_base, axis=0) | (missing != at_base) & ~np.isnan(missing)
        for output in np.flatnonzero(varies).tolist():
            if output in found:
                raise unsupported(transformer, "its columns depend on several features")
            column = _composed(transformer, columns[j], edges, answers[:, output])
            found[output] = column.filled(float(missing[output]))
    for output, value in enumerate(at_base):
        if output not in found:  # no feature changes it
            found[output] = Column(
                columns[0].feature, edges=np.zeros(0), values=np.array([value]), missing=value
            )
    return replace(front, columns=tuple(found[output] for output in range(len(at_base))))


def _answers(transformer: Any, rows: Floats) -> Floats:
    """What the transformer makes of rows, whose columns have lost their names."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="X does not have valid feature names")
        warnings.filterwarnings("ignore", message="Found unknown categories")
        with config_context(transform_output="default"):
            return _dense(transformer.transform(rows))


def _answer_to_missing(transformer: Any, base: Floats, j: int, column: Column) -> Floats:
    """What becomes of a missing value of one column; NaN where the transformer refuses it."""
    row = base[np.newaxis].copy()
    row[0, j] = column.missing
    try:
        return _answers(transformer, row)[0]
    except ValueError:  # it takes no NaN, or no such category
        return np.full(len(_answers(transformer, base[np.newaxis])[0]), np.nan)


def _composed(transformer: Any, column: Column, edges: Floats, values: Floats) -> Column:
    """A stepwise function of a column."""
    if column.values is not None:
        place = np.searchsorted(edges, column.values, side="left")
        return Column(column.feature, edges=column.edges, values=values[place])
    factor, offset = column.affine
    if column.steps:
        if factor <= 0:
            raise unsupported(transformer, "it stands behind a scaler with a factor of 0 or less")
        behind = edges  # those of categories are neighbouring doubles: roundings count
        edges = last_that_holds(lambda x: column(x) <= behind, (behind - offset) / factor)
    return Column(column.feature, edges=edges, values=values)


def _columns(transformer: Any, front: Front) -> tuple[Column, ...]:
    if not front.is_columns:
        raise unsupported(
            transformer, "it stands behind a projection or products. Put it in front of them"
        )
    return front.columns


def _dense(answer: Any) -> Floats:
    answer = answer.toarray() if sparse.issparse(answer) else answer
    return np.asarray(answer, dtype=np.float64)


def _is_nan(value: Any) -> bool:
    return isinstance(value, float) and bool(np.isnan(value))
