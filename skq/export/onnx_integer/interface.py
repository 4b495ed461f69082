"""What is exported: the quantized module of a model, its labels and the names of the outputs.

================= =======================================
output of the module output of the ONNX model
================= =======================================
predict           ``label`` of a classifier, else ``variable``
predict_proba     ``probabilities``
decision_function ``scores``
others            as the module names them
================= =======================================

An estimator of several outputs has ``probabilities_0``, ``probabilities_1`` and so on.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from skq.exceptions import UnsupportedModelError
from skq.export.onnx_integer.builder import GraphBuilder, Value
from skq.export.raw_tables import refuse_raw_tables
from skq.graph.graph import TensorInfo
from skq.quantization.quantized_module import QuantizedModule
from skq.serving.result_types import ResultTypes

Array = NDArray[Any]

#: Names of ONNX outputs by the method of an estimator.
OUTPUT_NAMES = {
    "predict_proba": "probabilities",
    "decision_function": "scores",
}


@dataclass(frozen=True, eq=False)
class Exported:
    """What the export needs of a model.

    Parameters
    ----------
    module : QuantizedModule
    classes : ndarray, list of ndarray or None
        Labels, or the labels of each output.
    feature_names : tuple of str or None
    takes_missing : bool
        Whether X may hold NaN.
    result_types : ResultTypes
        See `skq.serving.result_types`.
    """

    module: QuantizedModule
    classes: Any = None
    feature_names: tuple[str, ...] | None = None
    takes_missing: bool = True
    result_types: ResultTypes = field(default_factory=dict)


def exported(model: Any) -> Exported:
    """Find the quantized module and the labels of a model.

    Raises
    ------
    TypeError
        If the model is not a model of skq, or is not fitted.
    UnsupportedModelError
        If it reads categories that are strings.
    """
    if isinstance(model, QuantizedModule):
        return Exported(model)
    module = getattr(model, "quantized_module_", None)
    if not isinstance(module, QuantizedModule):
        raise TypeError(
            "model must be a fitted estimator of skq, a loaded model or a QuantizedModule. Got "
            f"{type(model).__name__}. Fit it first; of a Pipeline, quantize the whole "
            "(skq.QuantizedClassifier(pipeline)) or export its last step."
        )
    refuse_raw_tables(model)
    names = getattr(model, "feature_names_in_", None)
    return Exported(
        module,
        getattr(model, "classes_", None),
        None if names is None else tuple(map(str, names)),
        _takes_missing(model),
        model._types or {},
    )


def _takes_missing(model: Any) -> bool:
    """Whether a model takes NaN in some column; a loaded model says in which."""
    takes = getattr(model, "takes_missing", None)
    if takes is not None:
        return bool(np.any(takes))
    return bool(model.__sklearn_tags__().input_tags.allow_nan)


def add_outputs(
    g: GraphBuilder, model: Exported, values: dict[str, Value]
) -> tuple[TensorInfo, ...]:
    """Append the nodes that turn outputs of the module into results of the estimator's methods.

    Parameters
    ----------
    g : GraphBuilder
    model : Exported
    values : dict of str to Value
        Outputs of the module by name.

    Returns
    -------
    tuple of TensorInfo
        The outputs of the model, predictions first.
    """
    shapes = {info.name: info.shape[1:] for info in model.module.epilogue.outputs}
    labels = [name for name in shapes if _method(name) == "predict"]
    named: dict[str, Value] = {}
    infos = []
    if labels:
        parts = [values[name] for name in labels]
        label, shape = _labels(g, parts, shapes[labels[0]], model.classes)
        label = _typed(g, label, model, "predict")
        is_label = model.classes is not None or label.dtype.startswith("int")
        name = "label" if is_label else "variable"
        named[name] = label
        infos.append(TensorInfo(name, label.dtype, (None, *shape)))
    for name, shape in shapes.items():
        if name in labels:
            continue
        method, value = _method(name), values[name]
        if method == "predict_proba":  # a sum of rounded terms may exceed 1 by a rounding error
            value = g.node("Clip", [value, np.array(0.0), np.array(1.0)], value.dtype)
        value = _typed(g, value, model, method)
        public = OUTPUT_NAMES.get(method, method) + name.removeprefix(method)
        named[public] = value
        infos.append(TensorInfo(public, value.dtype, (None, *shape)))
    g.name_outputs(named)
    return tuple(infos)


def _method(output: str) -> str:
    """Method that an output of a module belongs to; ``predict_1`` belongs to ``predict``."""
    stem, _, number = output.rpartition("_")
    known = ("predict", *OUTPUT_NAMES)
    return stem if number.isdigit() and stem in known else output


def _typed(g: GraphBuilder, value: Value, model: Exported, method: str) -> Value:
    """The value in the data type that the method returns for X of the input's data type."""
    pair = model.result_types.get(method)
    if pair is None:
        return value
    return g.cast(value, pair[g.inputs[0].dtype == "float32"])


def _labels(
    g: GraphBuilder, parts: list[Value], shape: tuple[int | None, ...], classes: Any
) -> tuple[Value, tuple[int | None, ...]]:
    """Labels of the class indices that the program computes; multilabel indicators are labels."""
    if classes is None or (len(parts) == 1 and len(shape) == 1):
        if len(parts) == 1:
            return parts[0], shape
        return _stacked(g, parts), (len(parts),)
    if len(parts) == 1:
        return _take(g, _label_array(classes), parts[0]), shape
    dtype = np.asarray(classes[0]).dtype
    columns = [
        _take(g, _label_array(np.asarray(labels).astype(dtype)), part)
        for labels, part in zip(classes, parts, strict=True)
    ]
    return _stacked(g, columns), (len(parts),)


def _take(g: GraphBuilder, labels: Array, index: Value) -> Value:
    return g.node("Gather", [labels, g.cast(index, "int64")], labels.dtype.name, axis=0)


def _stacked(g: GraphBuilder, columns: list[Value]) -> Value:
    dtype = columns[0].dtype
    wide = [g.node("Unsqueeze", [column, np.array([1])], dtype) for column in columns]
    return g.node("Concat", wide, dtype, axis=1)


def _label_array(classes: Any) -> Array:
    """Labels in a dtype that ONNX has: texts as objects, numbers as they are."""
    labels = np.asarray(classes)
    if labels.dtype.kind in "iufb":
        return labels
    texts = labels.astype(object)
    if not all(isinstance(label, str) for label in texts):
        raise UnsupportedModelError(
            "ONNX labels are texts, integers, floats or booleans; classes_ has the dtype "
            f"{labels.dtype} with {type(texts.ravel()[0]).__name__}. Encode y before fitting."
        )
    return texts
