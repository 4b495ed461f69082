"""From a fitted estimator to its quantized module."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from skq.estimators.calibration import CalibrationData
from skq.estimators.diagnostics import Progress, check_cover, check_precision
from skq.frontend.convert import float_graph
from skq.frontend.equivalents import hist_boosting
from skq.graph.evaluator import GraphEvaluator
from skq.quantization.columns import check_columns
from skq.quantization.lower.rounding import get_rounding
from skq.quantization.n_bits import get_n_bits_dict
from skq.quantization.post_training import PostTrainingAffineQuantization
from skq.quantization.quantized_module import QuantizedModule
from skq.quantization.search.ranges import check_calibration


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


def build_module(
    estimator: Any,
    X: Any,
    *,
    n_bits: int | Mapping[str, int],
    rounding_threshold_bits: Any = None,
    calibration: str = "auto",
    columns_per_feature: int | str = 1,
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
    n_bits, rounding_threshold_bits, calibration, columns_per_feature
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
            width,
            model,
            rounding_threshold_bits,
            calibration=calibration,
            columns_per_feature=columns_per_feature,
        )
        return converter.quantize_module(data.rows, sample_weight=data.weight, ranges=[data.ranges])

    with progress.step(f"quantized with n_bits={n_bits} on {len(data.rows)} rows"):
        module = quantized(n_bits)
    with progress.step("compared with the float model"):
        check_cover(name, data)
        check_precision(name, module, data, n_bits, quantized)
    return module
