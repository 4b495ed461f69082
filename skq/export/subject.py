"""What is exported of a model: the quantized module, class labels and feature names."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from skq.export.refused_tables import refuse_raw_tables
from skq.quantization.quantized_module import QuantizedModule


@dataclass(frozen=True, eq=False)
class Subject:
    """A model that predicts in integers.

    Parameters
    ----------
    model : estimator, loaded model or QuantizedModule
    module : QuantizedModule
    classes : ndarray, list of ndarray or None
        Labels, or the labels of each output.
    feature_names : tuple of str or None
    """

    model: Any
    module: QuantizedModule
    classes: Any
    feature_names: tuple[str, ...] | None

    @property
    def takes_missing(self) -> bool:
        """Whether X may have NaN in some column."""
        if self.model is self.module:
            return True
        takes = getattr(self.model, "takes_missing", None)
        if takes is not None:
            return bool(np.any(takes))
        return bool(self.model.__sklearn_tags__().input_tags.allow_nan)


def subject_of(model: Any) -> Subject:
    """Find the quantized module and the labels of a model.

    Raises
    ------
    TypeError
        If the model is not a model of skq, or is not fitted.
    UnsupportedModelError
        If it reads categories that are texts.
    """
    module = getattr(model, "quantized_module_", model)
    if not isinstance(module, QuantizedModule):
        raise TypeError(
            "model must be a fitted estimator of skq, a loaded model or a QuantizedModule. Got "
            f"{type(model).__name__}. Fit it first; of a Pipeline, quantize the whole "
            "(skq.QuantizedClassifier(pipeline)) or export its last step."
        )
    refuse_raw_tables(model)
    names = getattr(model, "feature_names_in_", None)
    return Subject(
        model,
        module,
        getattr(model, "classes_", None),
        None if names is None else tuple(map(str, names)),
    )
