"""From a fitted estimator to its quantized module."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from skq.estimators.calibration import CalibrationData
from skq.estimators.diagnostics import Progress, check_cover, check_precision
from skq.frontend.convert import float_graph
from skq.frontend.equivalents import hist_boosting
from skq.frontend.feature_columns import FeatureColumns
from skq.graph.evaluator import GraphEvaluator
from skq.graph.graph import FloatGraph
from skq.quantization.columns_per_feature import check_columns
from skq.quantization.features_read import for_all_features
from skq.quantization.lower.rounding import get_rounding
from skq.quantization.n_bits import get_n_bits_dict
from skq.quantization.post_training import PostTrainingAffineQuantization
from skq.quantization.quantized_module import QuantizedModule
from skq.quantization.search.ranges import check_calibration

#: Type of the function that trains the integers of a fitted estimator; see `build_module`.
Trainer = Callable[[Any, QuantizedModule, CalibrationData, Progress], QuantizedModule]


def check_bits(
    n_bits: Any,
    rounding_threshold_bits: Any,
    calibration: Any = "auto",
    columns_per_feature: Any = 1,
) -> None:
    """Check parameters of the quantization before training; raises `ValueError`."""
    get_n_bits_dict(n_bits)
    check_columns(columns_per_feature, n_bits)
    get_rounding(rounding_threshold_bits)
    check_calibration(calibration)


def quantize_graph(
    graph: FloatGraph, data: CalibrationData, *, n_bits: Any, **options: Any
) -> QuantizedModule:
    """Post-training quantization of a float graph; see `PostTrainingAffineQuantization`."""
    converter = PostTrainingAffineQuantization(n_bits, GraphEvaluator(graph), **options)
    return converter.quantize_module(data.rows, sample_weight=data.weight, ranges=[data.ranges])


def graph_and_rows(
    estimator: Any, data: CalibrationData
) -> tuple[FloatGraph, CalibrationData, FeatureColumns | None]:
    """The float graph of a fitted estimator, the rows it takes, and the features it reads.

    The features are None unless X is so wide and sparse that the graph reads a part of them.
    """
    columns = None
    if data.columns is not None:
        columns = FeatureColumns(data.columns, data.n_features)
    model = hist_boosting.taking_encoded(estimator)
    graph = float_graph(model, data.rows, columns=columns)
    if columns is not None and graph.inputs[0].shape[-1] == columns.n_features:
        data, columns = data.on_all_features(), None
    return graph, data.on_columns(), columns


def build_module(
    estimator: Any,
    X: Any,
    *,
    n_bits: int | Sequence[int] | Mapping[str, Any],
    rounding_threshold_bits: Any = None,
    calibration: str = "auto",
    columns_per_feature: int | str = 1,
    sample_weight: Any = None,
    verbose: Any = False,
    name: str | None = None,
    train: Trainer | None = None,
) -> QuantizedModule:
    """Quantize a fitted estimator whose methods predict in float.

    Parameters
    ----------
    estimator : estimator or Pipeline
    X : {ndarray, sparse matrix} of shape (n_samples, n_features) or CalibrationData
        Calibration data.
    n_bits, rounding_threshold_bits, calibration, columns_per_feature
        See `PostTrainingAffineQuantization`.
    sample_weight : array-like of shape (n_samples,), default=None
        Rows of weight 0 count as absent.
    verbose : bool or int, default=False
        Whether to print each step and its duration.
    name : str, default=None
        Name of the estimator in warnings. None means its class.
    train : callable, default=None
        Trains the integers: from the estimator, the quantized module, the calibration data and a
        `Progress` to the module to use. Not called for wide sparse X of which few columns are used.

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
        graph, data, columns = graph_and_rows(estimator, data)

    def quantized(width: Any) -> QuantizedModule:
        return quantize_graph(
            graph,
            data,
            n_bits=width,
            rounding_threshold_bits=rounding_threshold_bits,
            calibration=calibration,
            columns_per_feature=columns_per_feature,
        )

    with progress.step(f"quantized with n_bits={n_bits} on {len(data.rows)} rows"):
        module = quantized(n_bits)
    if train is not None and columns is None:
        with progress.step("trained for the width"):
            trained = train(estimator, module, data, progress)
        if trained is not module:  # it was compared with the targets, and may be better than floats
            check_cover(name, data)
            return trained
    with progress.step("compared with the float model"):
        check_cover(name, data)
        check_precision(name, module, graph, data, n_bits, quantized)
    return module if columns is None else for_all_features(module, *columns)
