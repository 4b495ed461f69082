"""Checks of the fields of a saved model other than its program."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from skq.engines.session import outputs_of
from skq.quantization.quantized_module import QuantizedModule
from skq.serving.lookup_stage import TableLookup
from skq.serving.outputs import has_output

Array = NDArray[Any]


def check_model(
    module: Any,
    n_features: Any,
    n_inputs: Any,
    takes_missing: Any,
    classes: Any,
    feature_names: Any,
    columns_by_name: Any,
) -> None:
    """Raise unless the fields of a saved model are consistent; see `IntegerPredictor`.

    `n_inputs` is the number of columns that the program must read.

    Raises
    ------
    TypeError, ValueError
        Names the part.
    """
    if not isinstance(module, QuantizedModule):
        raise TypeError(f"quantized_module_ must be a QuantizedModule; got {type(module).__name__}")
    if type(n_features) is not int or n_features < 0:
        raise TypeError(f"n_features_in_ must be an int >= 0; got {n_features!r:.60}")
    shapes = [type_.shape for type_ in module.program.inputs]
    if shapes != [(n_inputs,)]:
        raise ValueError(f"the program reads rows of {shapes}; n_features_in_ is {n_inputs}")
    _check_flags("takes_missing", takes_missing, n_features)
    if feature_names is not None:
        _check_labels("feature_names_in_", feature_names)
        if feature_names.shape != (n_features,):
            raise ValueError(
                f"feature_names_in_ must have the shape ({n_features},); got {feature_names.shape}"
            )
    if columns_by_name is not None:
        _check_flags("columns_by_name", columns_by_name, n_features)
        if feature_names is None:
            raise ValueError("columns_by_name needs feature_names_in_, which is None")
    _check_classes(module, classes)


def check_lookup(lookup: Any, n_features: int, feature_names: Any) -> None:
    """Raise unless a saved model's lookup stage gives what its program reads.

    Raises
    ------
    TypeError, ValueError
    """
    if lookup is None:
        return
    if not isinstance(lookup, TableLookup):
        raise TypeError(f"lookup must be a TableLookup or None; got {type(lookup).__name__}")
    if lookup.n_features != n_features:
        raise ValueError(
            f"the lookup has {lookup.n_features} features; n_features_in_ is {n_features}"
        )
    names = None if feature_names is None else tuple(feature_names.tolist())
    if lookup.names != names:
        raise ValueError("the names of the lookup are not feature_names_in_")


def _check_flags(what: str, flags: Any, n_features: int) -> None:
    if not isinstance(flags, np.ndarray) or flags.dtype != np.bool_:
        raise TypeError(f"{what} must be an array of bool; got {flags!r:.80}")
    if flags.shape != (n_features,):
        raise ValueError(f"{what} must have the shape ({n_features},); got {flags.shape}")


def _check_classes(module: QuantizedModule, classes: Any) -> None:
    """Raise unless there is a label for each index, and for each column of probabilities."""
    predicted = outputs_of("predict", module.output_names)
    several = isinstance(classes, list)
    parts = classes if several else [classes]
    if classes is None:
        intervals = [module.described[name].interval for name in predicted]
        if has_output(module, "predict_proba") or any(
            i is not None and i[0] == 0 for i in intervals
        ):
            raise ValueError("classes_ is None, and the model predicts classes")
        return
    for labels in parts:
        _check_labels("classes_", labels)
    if several and len(parts) != len(predicted):
        raise ValueError(f"classes_ has {len(parts)} parts for {len(predicted)} outputs")
    if not several and len(predicted) > 1:
        raise TypeError("classes_ must be a list of arrays, one for each output")
    columns = outputs_of("predict_proba", module.output_names)
    for k, name in enumerate(predicted):
        value, labels = module.described[name], parts[k]
        if value.shape and not several:
            continue  # multilabel indicators
        interval = value.interval
        if value.shape or interval is None or not 0 <= interval[0] <= interval[1] < len(labels):
            raise ValueError(
                f"{name} has {value.shape} integers in {interval} a row; classes_ has "
                f"{len(labels)} labels"
            )
        if len(columns) == len(predicted):
            shape = module.described[columns[k]].shape
            if shape != (len(labels),):
                raise ValueError(
                    f"{columns[k]} has the shape {shape}; there are {len(labels)} labels"
                )


def _check_labels(what: str, labels: Any) -> None:
    if type(labels) is not np.ndarray or labels.ndim != 1:
        raise TypeError(f"{what} must be an array of one dimension; got {labels!r:.80}")
    if labels.dtype.kind == "O" and not all(
        isinstance(label, str | int | float | bool | np.generic | None) for label in labels
    ):
        raise TypeError(f"{what} must hold texts or numbers; got {labels!r:.80}")
