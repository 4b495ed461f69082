"""Between an estimator and its quantized module: build it, and turn outputs into predictions."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import sparse
from sklearn.utils import get_tags
from sklearn.utils.validation import validate_data

from skq.estimators.calibration import CalibrationData
from skq.estimators.diagnostics import Progress, check_cover, check_precision
from skq.estimators.missing_values import takes_missing_in
from skq.estimators.threads import threads_of
from skq.frontend.convert import float_graph
from skq.frontend.equivalents import hist_boosting
from skq.graph.evaluator import GraphEvaluator
from skq.quantization.lower.rounding import get_rounding
from skq.quantization.n_bits import get_n_bits_dict
from skq.quantization.post_training import PostTrainingAffineQuantization
from skq.quantization.quantized_module import QuantizedModule
from skq.quantization.search.ranges import check_calibration
from skq.serving.outputs import check_missing, predict_with, quick_table
from skq.serving.result_types import typed

Array = NDArray[Any]

#: Sparse rows are made dense in blocks of about this many values.
BLOCK_VALUES = 1 << 22


def check_bits(n_bits: Any, rounding_threshold_bits: Any, calibration: Any = "auto") -> None:
    """Raise the `ValueError` that a parameter's reader has, before anything is trained."""
    get_n_bits_dict(n_bits)
    get_rounding(rounding_threshold_bits)
    check_calibration(calibration)


def numeric_array(estimator: Any, X: Any, *, dense: bool = True) -> Any:
    """Validate X as the fitted estimator's own methods do, and make it numeric.

    Parameters
    ----------
    estimator : estimator
        Fitted.
    X : {array-like, sparse matrix, dataframe} of shape (n_samples, n_features)
    dense : bool, default=True
        Whether a sparse matrix is made dense.

    Returns
    -------
    {ndarray, sparse matrix} of shape (n_samples, n_features), float32 or float64
    """
    if hist_boosting.has_text_categories(estimator):
        return hist_boosting.encoded(estimator, X)
    tags = get_tags(estimator).input_tags
    X = validate_data(
        estimator,
        X,
        reset=False,
        accept_sparse=["csr", "csc"] if tags.sparse else False,
        dtype=[np.float64, np.float32],
        ensure_all_finite="allow-nan" if tags.allow_nan else True,
    )
    return X.toarray() if dense and sparse.issparse(X) else X


def quick_answer(estimator: Any, method: str, X: Any) -> Any:
    """What `answer` returns, where X is a plain table that scikit-learn's validation would pass.

    Returns
    -------
    None
        Where X is anything else: `answer` has the last word.

    See Also
    --------
    skq.serving.outputs.quick_table : The same for a module; what a plain table is.
    """
    attributes = estimator.__dict__
    module = attributes.get("quantized_module_")
    if (
        module is None
        or "feature_names_in_" in attributes  # answer warns that X has none
        or attributes.get("_preprocessor") is not None  # categories, numbered before the trees
    ):
        return None
    classes = getattr(estimator, "classes_", None)  # a property in some classes
    n_threads = threads_of(estimator, module, X.size) if type(X) is np.ndarray else 1
    result = quick_table(module, method, X, classes, n_threads)
    types = attributes.get("_result_types")
    return typed(result, types, method, X.dtype) if types and result is not None else result


def answer(estimator: Any, module: QuantizedModule, method: str, X: Any, classes: Any) -> Any:
    """What an estimator's method returns for X as users pass it, from the integer program.

    Sparse rows are made dense a block at a time.
    """
    X = numeric_array(estimator, X, dense=False)
    names = getattr(estimator, "feature_names_in_", None)
    _check_missing(estimator, module, X)
    n_threads = threads_of(estimator, module, X.shape[0] * X.shape[1])
    predict = partial(
        predict_with, module, method, classes=classes, n_threads=n_threads, feature_names=names
    )
    types = vars(estimator).get("_result_types")
    if not sparse.issparse(X):
        return typed(predict(X), types, method, X.dtype)
    X = X.tocsr()
    n_rows = max(1, BLOCK_VALUES // max(1, X.shape[1]))
    blocks = [
        predict(X[start : start + n_rows].toarray()) for start in range(0, X.shape[0], n_rows)
    ]
    if isinstance(blocks[0], list):
        result: Any = [np.concatenate(parts) for parts in zip(*blocks, strict=True)]
    else:
        result = np.concatenate(blocks)
    return typed(result, types, method, X.dtype)


def contaminated_offset(estimator: Any, module: QuantizedModule, X: Any) -> float | None:
    """Offset that makes a share of the training rows outliers, by the integer program's scores.

    It stands half way between two scores, so that no rounding decides on a row. None for estimators
    whose offset does not follow from a ``contamination``.
    """
    contamination: Any = getattr(estimator, "contamination", "auto")
    if not hasattr(estimator, "offset_") or contamination == "auto":
        return None
    scores = answer(estimator, module, "score_samples", X, None)
    bound = np.percentile(scores, 100.0 * contamination)
    lower, upper = scores[scores < bound], scores[scores >= bound]
    return float((lower.max() + upper.min()) / 2 if len(lower) else upper.min() - 1e-6)


def takes_missing(estimator: Any, module: QuantizedModule, n_features: int) -> NDArray[np.bool_]:
    """Features in which a fitted estimator's integer program takes NaN as the float model does.

    Returns
    -------
    ndarray of shape (n_features,), bool
    """
    takes = takes_missing_in(getattr(estimator, "_float_model", estimator), n_features)
    takes[list(module.uncoded)] = False
    return takes


def _check_missing(estimator: Any, module: QuantizedModule, X: Any) -> None:
    """Raise where X has NaN in columns in which the estimator takes none."""
    if not get_tags(estimator).input_tags.allow_nan:
        return  # validation has raised
    columns = _columns_with_missing(X)
    if len(columns):
        takes = takes_missing(estimator, module, X.shape[1])
        names = getattr(estimator, "feature_names_in_", None)
        check_missing(type(estimator).__name__, module, takes, columns, names)


def _columns_with_missing(X: Any) -> NDArray[np.int64]:
    if not sparse.issparse(X):
        return np.flatnonzero(np.isnan(X).any(axis=0))
    stored = X.tocoo()
    return np.unique(stored.col[np.isnan(stored.data)])


def build_module(
    estimator: Any,
    X: Any,
    *,
    n_bits: int | Mapping[str, int],
    rounding_threshold_bits: Any = None,
    calibration: str = "auto",
    sample_weight: Any = None,
    verbose: Any = False,
    name: str | None = None,
) -> QuantizedModule:
    """Quantize a fitted estimator whose methods predict in float.

    Parameters
    ----------
    estimator : estimator or Pipeline
    X : {ndarray, sparse matrix} of shape (n_samples, n_features) or CalibrationData
        Calibration data.
    n_bits, rounding_threshold_bits, calibration
        See `PostTrainingAffineQuantization`.
    sample_weight : array-like of shape (n_samples,), default=None
        Rows of weight 0 count as absent.
    verbose : bool or int, default=False
        Whether to print what is done and how long it took.
    name : str, default=None
        What the estimator is called in warnings; its class by default.

    Warns
    -----
    CalibrationWarning
        If all calibration rows are the same.
    PrecisionWarning
        If the integers lose much of the float model on the calibration data.
    """
    name = name or type(estimator).__name__
    progress = Progress(name, verbose)
    data = X if isinstance(X, CalibrationData) else CalibrationData.of(X, sample_weight)
    with progress.step(f"converted to a float graph, checked on {min(len(data.rows), 100)} rows"):
        graph = float_graph(hist_boosting.taking_encoded(estimator), data.rows)

    def quantized(width: Any) -> QuantizedModule:
        model = GraphEvaluator(graph)
        converter = PostTrainingAffineQuantization(
            width, model, rounding_threshold_bits, calibration=calibration
        )
        return converter.quantize_module(data.rows, sample_weight=data.weight, ranges=[data.ranges])

    with progress.step(f"quantized with n_bits={n_bits} on {len(data.rows)} rows"):
        module = quantized(n_bits)
    with progress.step("compared with the float model"):
        check_cover(name, data)
        check_precision(name, module, data, n_bits, quantized)
    return module
