"""From the outputs of a quantized module to what an estimator's methods return. No scikit-learn."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from skq.quantization.quantized_module import QuantizedModule

Array = NDArray[Any]


def has_output(module: QuantizedModule, method: str) -> bool:
    """Whether the module computes what an estimator's method returns."""
    return bool(_outputs(module, method))


def predict_with(
    module: QuantizedModule,
    method: str,
    X: Array,
    classes: Any = None,
    *,
    n_threads: int = 1,
    refuse: str | None = None,
) -> Any:
    """What the estimator's method returns, from the integer program.

    Parameters
    ----------
    module : QuantizedModule
    method : {"predict", "predict_proba", "decision_function"}
    X : ndarray of shape (n_samples, n_features)
    classes : ndarray, list of ndarray or None
        ``classes_`` of a classifier; the program knows labels by their index.
    n_threads, refuse
        As `QuantizedModule.forward` takes them.
    """
    names = _outputs(module, method)
    result = module.forward(X, outputs=names, n_threads=n_threads, refuse=refuse)
    if method == "predict_proba":  # sums of rounded parts may leave [0, 1] by a rounding
        if len(names) > 1:
            return [np.clip(part, 0.0, 1.0) for part in result]
        return np.clip(result, 0.0, 1.0)
    if method != "predict" or classes is None:
        return list(result) if len(names) > 1 else result
    if len(names) > 1:
        columns = [labels.take(index) for labels, index in zip(classes, result, strict=True)]
        return np.stack([column.astype(classes[0].dtype) for column in columns], axis=1)
    if result.ndim == 2:  # multilabel indicators
        return result
    return np.asarray(classes).take(result)


def _outputs(module: QuantizedModule, method: str) -> tuple[str, ...]:
    """Outputs that make up a method's result: itself, or its numbered parts."""
    if method in module.output_names:
        return (method,)
    numbered = [f"{method}_{k}" for k in range(len(module.output_names))]
    return tuple(name for name in numbered if name in module.output_names)
