"""Checks that the float graph computes what the scikit-learn estimator computes."""

from __future__ import annotations

import re
import warnings
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.ensemble._forest import ForestClassifier, ForestRegressor

from skq.exceptions import ParityError
from skq.frontend.feature_columns import FeatureColumns
from skq.graph.evaluator import GraphEvaluator
from skq.graph.graph import FloatGraph

Array = NDArray[Any]

#: Rows that are compared, evenly spaced over the calibration data.
MAX_ROWS = 100

#: Largest difference that counts as rounding, relative to the largest magnitude in the output.
RTOL = 1e-6

#: The same for estimators that compute in float32, such as XGBoost's.
RTOL_FLOAT32 = 1e-4

#: Scores that differ by less than this, relative to the largest, are a tie: either label is right.
TIE_RTOL = 1e-9

#: The same for estimators that return float32.
TIE_RTOL_FLOAT32 = 1e-5


#: Methods that follow from `_mean_of_trees`.
FOREST_METHODS = (ForestClassifier.predict_proba, ForestClassifier.predict, ForestRegressor.predict)


def check_parity(
    estimator: Any, graph: FloatGraph, X: NDArray[np.float64], columns: FeatureColumns | None = None
) -> None:
    """Compare every output of the graph with the estimator's method of that name.

    Parameters
    ----------
    estimator : estimator
        Fitted, predicting in float.
    graph : FloatGraph
        As `skq.frontend.convert.float_graph` makes it.
    X : ndarray of shape (n_rows, n_features), float64
        Rows to compare on; at most 100 of them are taken.
    columns : FeatureColumns, default=None
        The estimator's features that the columns of X are, where these are not all of them. The
        graph reads these columns, or all features.

    Raises
    ------
    ParityError
        Names the estimator, the output and the largest difference.
    """
    rows = X[np.unique(np.linspace(0, len(X) - 1, min(len(X), MAX_ROWS)).astype(int))]
    given: Any = rows
    if columns is not None:
        given = columns.sparse(rows)
        if graph.inputs[0].shape[-1] != rows.shape[1]:
            rows = given.toarray()
    results = GraphEvaluator(graph).run({graph.inputs[0].name: rows}, graph.output_names)
    expected: dict[str, Any] = {}
    is_detector = "score_samples" in results
    for name, got in results.items():
        method, part = _method_and_part(name)
        if method not in expected:
            expected[method] = _expected(estimator, method, given, expected)
        wanted = _part(expected[method], part)
        if method == "predict" and (is_detector or hasattr(estimator, "classes_")):
            labels = wanted if is_detector else _label_indices(estimator, wanted, part)
            _compare_labels(estimator, name, labels, got, results, _tie(expected))
        else:
            _compare_values(estimator, name, np.asarray(wanted), got, _magnitude(name, results))


def _expected(estimator: Any, method: str, rows: Any, known: dict[str, Any]) -> Any:
    """Results of the estimator; see `_mean_of_trees` for forests of one output."""
    of_class = getattr(type(estimator), method, None)
    if of_class not in FOREST_METHODS or estimator.n_outputs_ > 1:
        return call_method(estimator, method, rows)
    mean = known.get("predict_proba")
    if mean is None:
        mean = _mean_of_trees(estimator, rows)
    if of_class is ForestClassifier.predict:
        return estimator.classes_.take(np.argmax(mean, axis=1), axis=0)
    return mean if method == "predict_proba" else mean[:, 0]


def _mean_of_trees(forest: Any, rows: Any) -> Array:
    """Mean of the trees' values: what a forest of scikit-learn computes with a job for each tree.

    For 100 rows the jobs take ten times as long as the trees.
    """
    checked = call_method(forest, "_validate_X_predict", rows)
    total = sum(tree.tree_.predict(checked) for tree in forest.estimators_)
    return np.asarray(total / len(forest.estimators_))


def call_method(estimator: Any, method: str, rows: Any) -> Any:
    """Call the estimator; without its warning that the rows have no feature names."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="X does not have valid feature names")
        copied = rows.copy()  # a step with copy=False writes into its input
        return getattr(estimator, method)(with_names(estimator, copied))


def with_names(estimator: Any, rows: Array) -> Any:
    """Rows as a dataframe, for a Pipeline that was fitted on one and may select columns by name."""
    names = getattr(estimator, "feature_names_in_", None)
    if names is None or not hasattr(estimator, "steps"):
        return rows
    rows = rows if isinstance(rows, np.ndarray) else rows.toarray()
    try:
        import pandas as frames
    except ImportError:
        import polars as frames
    return frames.DataFrame(dict(zip(names, rows.T, strict=True)))


def _method_and_part(name: str) -> tuple[str, int | None]:
    """``"predict_proba_1"`` is part 1 of what ``predict_proba`` returns."""
    match = re.fullmatch(r"(.*?)(?:_(\d+))?", name)
    assert match is not None
    return match[1], None if match[2] is None else int(match[2])


def _tie(expected: dict[str, Any]) -> float:
    """Scores that are closer than this, relative to the largest, are a tie."""
    in_float32 = any(getattr(r, "dtype", None) == np.float32 for r in expected.values())
    return TIE_RTOL_FLOAT32 if in_float32 else TIE_RTOL


def _part(result: Any, part: int | None) -> Any:
    """One output: an element of a list, or a column of an array."""
    if part is None:
        return result
    return result[part] if isinstance(result, list) else np.asarray(result)[:, part]


def _label_indices(estimator: Any, labels: Any, part: int | None) -> Array:
    """Labels as indices into ``classes_``; multilabel indicators are unchanged."""
    labels = np.asarray(labels)
    if labels.ndim == 2:
        return labels
    classes = estimator.classes_ if part is None else estimator.classes_[part]
    return np.searchsorted(classes, labels)


def _magnitude(name: str, results: dict[str, Array]) -> float:
    """Largest value that an output is computed from.

    An outlier detector's scores are its decisions shifted by an offset, or the other way around.
    """
    shifted = {"score_samples", "decision_function"}
    names = shifted if name in shifted else {name}
    return max(float(np.max(np.abs(results[n]), initial=0.0)) for n in names & set(results))


def _compare_values(estimator: Any, name: str, wanted: Array, got: Array, magnitude: float) -> None:
    _compare_shapes(estimator, name, wanted, got)
    difference = float(np.max(np.abs(wanted - got), initial=0.0))
    rtol = RTOL_FLOAT32 if wanted.dtype == np.float32 else RTOL
    if not difference <= rtol * max(magnitude, float(np.max(np.abs(wanted), initial=0.0))):
        raise ParityError(
            f"The graph converted from {_name(estimator)} gives other results: {name} "
            f"differs from scikit-learn's by up to {difference:.3g}. The model is not quantized."
        )


def _compare_labels(
    estimator: Any, name: str, wanted: Array, got: Array, results: dict[str, Array], tie: float
) -> None:
    """Labels agree, except where two classes' scores tie, or where an outlier's score is 0."""
    _compare_shapes(estimator, name, wanted, got)
    differs = wanted != got
    if not differs.any():
        return
    margins = [np.full(np.shape(got), np.inf)]
    for output in ("decision_function", name.replace("predict", "predict_proba")):
        scores = results.get(output)
        if scores is not None:
            middle = 0.5 if output != "decision_function" and scores.shape == got.shape else 0.0
            largest = max(_magnitude(output, results), np.finfo(float).tiny)
            margins.append(_margin(scores - middle, wanted, got) / largest)
    worst = float(np.max(np.min(margins, axis=0)[differs]))
    if not worst <= tie:
        raise ParityError(
            f"The graph converted from {_name(estimator)} gives other results: {name} "
            f"differs from scikit-learn's on {int(differs.sum())} of {differs.size} labels, whose "
            f"scores differ by up to {worst:.3g} of the largest score. The model is not quantized."
        )


def _margin(scores: Array, wanted: Array, got: Array) -> Array:
    """How far the scores of two labels are apart, row by row."""
    if scores.shape == got.shape:
        return np.abs(scores)
    rows = np.arange(len(got))
    return np.abs(scores[rows, wanted] - scores[rows, got])


def _compare_shapes(estimator: Any, name: str, wanted: Array, got: Array) -> None:
    if wanted.shape != got.shape:
        raise ParityError(
            f"The graph converted from {_name(estimator)} gives other results: {name} has "
            f"shape {got.shape}, scikit-learn's has {wanted.shape}. The model is not quantized."
        )


def _name(estimator: Any) -> str:
    return str(getattr(estimator, "display_name", type(estimator).__name__))
