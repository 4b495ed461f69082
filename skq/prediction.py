"""Between an estimator and its quantized module: build it, and turn outputs into predictions."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.utils import get_tags
from sklearn.utils.validation import validate_data

from skq.frontend.convert import float_graph
from skq.frontend.numpy_module import NumpyModule
from skq.quantization.n_bits import get_n_bits_dict
from skq.quantization.post_training import PostTrainingAffineQuantization
from skq.quantization.quantized_module import QuantizedModule
from skq.quantization.rounding import get_rounding

Array = NDArray[Any]


def check_bits(n_bits: Any, rounding_threshold_bits: Any) -> None:
    """Raise the `ValueError` of `get_n_bits_dict` or `get_rounding` before anything is trained."""
    get_n_bits_dict(n_bits)
    get_rounding(rounding_threshold_bits)


def numeric_array(estimator: Any, X: Any) -> Array:
    """Validate X as the fitted estimator's own methods do, and make it a dense float array.

    Returns
    -------
    ndarray of shape (n_samples, n_features), float32 or float64
    """
    tags = get_tags(estimator).input_tags
    X = validate_data(
        estimator,
        X,
        reset=False,
        accept_sparse=["csr", "csc"] if tags.sparse else False,
        dtype=[np.float64, np.float32],
        ensure_all_finite="allow-nan" if tags.allow_nan else True,
    )
    return X.toarray() if hasattr(X, "toarray") else X


def build_module(
    estimator: Any,
    X: Array,
    *,
    n_bits: int | Mapping[str, int],
    rounding_threshold_bits: Any = None,
    sample_weight: Any = None,
) -> QuantizedModule:
    """Quantize a fitted estimator whose methods predict in float.

    Parameters
    ----------
    estimator : estimator or Pipeline
    X : ndarray of shape (n_samples, n_features)
        Calibration data.
    n_bits, rounding_threshold_bits
        See `PostTrainingAffineQuantization`.
    sample_weight : array-like of shape (n_samples,), default=None
        Rows of weight 0 count as absent.
    """
    if sample_weight is not None:
        sample_weight = np.broadcast_to(np.asarray(sample_weight, dtype=np.float64), len(X))
        if not np.any(sample_weight > 0):
            sample_weight = None
    graph = float_graph(estimator, X if sample_weight is None else X[sample_weight > 0])
    converter = PostTrainingAffineQuantization(n_bits, NumpyModule(graph), rounding_threshold_bits)
    return converter.quantize_module(X, sample_weight=sample_weight)
