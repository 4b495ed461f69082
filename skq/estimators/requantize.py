"""A fitted quantized estimator at another width, without training again."""

from __future__ import annotations

import copy
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

from sklearn.pipeline import Pipeline
from sklearn.utils.validation import check_is_fitted

from skq.estimators.base import QuantizedEstimator
from skq.estimators.meta import QuantizedClassifier, QuantizedOutlierDetector, QuantizedRegressor
from skq.estimators.overwriting import to_write_into
from skq.estimators.validation import numeric_array
from skq.graph.evaluator import GraphEvaluator
from skq.quantization.post_training import PostTrainingAffineQuantization
from skq.quantization.quantized_module import QuantizedModule

_QUANTIZED = (
    QuantizedEstimator,
    QuantizedClassifier,
    QuantizedRegressor,
    QuantizedOutlierDetector,
)


def quantized_part(estimator: Any) -> Any:
    """The estimator itself, or the last step of a Pipeline, which is quantized.

    Raises
    ------
    TypeError
        If it is not an estimator of skq.
    """
    last = estimator.steps[-1][1] if isinstance(estimator, Pipeline) else estimator
    if not isinstance(last, _QUANTIZED):
        raise TypeError(
            "estimator must be one of skq's estimators, a QuantizedClassifier or a "
            f"QuantizedRegressor, or a Pipeline that ends in one. Got {type(last).__name__} "
            "instead; wrap it, as in QuantizedClassifier(estimator)."
        )
    return last


def n_bits_name(estimator: Any) -> str:
    """Name of the parameter that sets the width: ``n_bits``, or ``step__n_bits``."""
    return f"{estimator.steps[-1][0]}__n_bits" if isinstance(estimator, Pipeline) else "n_bits"


def trains_for_width(estimator: Any) -> str:
    """The parameter by which the float model depends on the width; empty if it does not."""
    last = quantized_part(estimator)
    return next((n for n in ("fit_on_bins", "qat_epochs") if getattr(last, n, False)), "")


def rows_of(estimator: Any, X: Any) -> Any:
    """X as the quantized part of a fitted estimator sees it: dense, numeric."""
    if isinstance(estimator, Pipeline):
        writable = to_write_into(estimator, X)
        X = estimator[:-1].transform(writable) if len(estimator.steps) > 1 else X
    return numeric_array(quantized_part(estimator), X)


def module_at(
    estimator: Any,
    X: Any,
    n_bits: int | Sequence[int] | Mapping[str, Any],
    *,
    calibration: str | None = None,
    sample_weight: Any = None,
) -> QuantizedModule:
    """The quantized module that a fitted estimator would have at another width.

    Parameters
    ----------
    estimator : estimator
        A fitted estimator of skq, or a Pipeline that ends in one.
    X : array-like of shape (n_samples, n_features)
        The data that it was fitted on, for calibration.
    n_bits : int or dict
    calibration : {"auto", "minmax", "percentile", "mse"}, default=None
        None means that of the estimator.
    sample_weight : array-like of shape (n_samples,), default=None
    """
    last = quantized_part(estimator)
    check_is_fitted(last, "quantized_module_")
    if last.quantized_module_.graph is None:
        raise ValueError("the estimator was loaded without its float graph; fit it again")
    converter = PostTrainingAffineQuantization(
        n_bits,
        GraphEvaluator(last.quantized_module_.graph),
        last.rounding_threshold_bits,
        calibration=last.calibration if calibration is None else calibration,
        columns_per_feature=last.columns_per_feature,
    )
    return converter.quantize_module(rows_of(estimator, X), sample_weight=sample_weight)


def requantized(
    estimator: Any,
    X: Any,
    n_bits: int | Sequence[int] | Mapping[str, Any],
    *,
    sample_weight: Any = None,
) -> Any:
    """A copy of a fitted estimator at another width; the float model is shared.

    Raises
    ------
    ValueError
        If the float model cannot be shared: with ``fit_on_bins=True`` or ``qat_epochs`` it
        depends on the width.
    """
    name = trains_for_width(estimator)
    if name:
        raise ValueError(
            f"With {name}={getattr(quantized_part(estimator), name)} each width trains another "
            "float model, so widths cannot be compared on the same float model. Search them with "
            f"GridSearchCV, or leave {name} out."
        )
    last = copy.copy(quantized_part(estimator))
    last.quantized_module_ = module_at(estimator, X, n_bits, sample_weight=sample_weight)
    last.n_bits = n_bits
    if not isinstance(estimator, Pipeline):
        return last
    result = copy.copy(estimator)
    result.steps = [*estimator.steps[:-1], (estimator.steps[-1][0], last)]
    return result


@contextmanager
def float_model(estimator: Any) -> Iterator[Any]:
    """Within the block: an estimator that predicts with the float model."""
    last = quantized_part(estimator)
    if not isinstance(last, QuantizedEstimator):
        inner = last.estimator_
        if isinstance(estimator, Pipeline):
            result = copy.copy(estimator)
            result.steps = [*estimator.steps[:-1], (estimator.steps[-1][0], inner)]
            inner = result
        yield inner
        return
    with last._answering_in_float():
        yield estimator
