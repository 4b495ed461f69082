"""What a wrapped estimator or Pipeline cannot take for X: texts."""

from __future__ import annotations

from typing import Any

import numpy as np

from skq.exceptions import UnsupportedModelError


def refuse_text(estimator: Any, X: Any) -> None:
    """Raise where X has columns of texts, which have no integer codes.

    Raises
    ------
    UnsupportedModelError
        Names the columns, and says to put the encoder in front.
    """
    names = getattr(X, "columns", None)
    if names is not None:
        texts = [str(name) for name in names if not _is_numeric(X[name])]
    else:
        texts = [] if _is_numeric(X) else ["texts"]
    if texts:
        raise UnsupportedModelError(
            f"{type(estimator).__name__} cannot quantize X with columns that are no numbers "
            f"({', '.join(texts[:5])}): texts have no integer codes. Put the steps that read them "
            "in front: make_pipeline(preprocessor, QuantizedClassifier(model))."
        )


def _is_numeric(values: Any) -> bool:
    """Whether a column or an array holds numbers, or what NumPy makes numbers of."""
    if getattr(getattr(values, "dtype", None), "kind", "") in tuple("fiub"):
        return True
    try:
        np.asarray(values).astype(np.float64)
    except (TypeError, ValueError):
        return False
    return True
