"""Outputs of an exported model, by name.

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

from typing import Any

import numpy as np
from numpy.typing import NDArray

from skq.exceptions import UnsupportedModelError
from skq.export.onnx_integer.builder import GraphBuilder, Value
from skq.export.subject import Subject
from skq.graph.graph import TensorInfo
from skq.program import Dequantize
from skq.quantization.quantized_module import QuantizedModule

Array = NDArray[Any]

#: Names of ONNX outputs by the method of an estimator.
OUTPUT_NAMES = {
    "predict_proba": "probabilities",
    "decision_function": "scores",
}


def add_outputs(
    g: GraphBuilder, model: Subject, values: dict[str, Value]
) -> tuple[TensorInfo, ...]:
    """Append the nodes that turn outputs of the module into results of the estimator's methods.

    Parameters
    ----------
    g : GraphBuilder
    model : Subject
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
        if method == "predict_proba" and not _within_one(model.module, name):
            value = g.node("Clip", [value, np.array(0.0), np.array(1.0)], value.dtype)
        value = _typed(g, value, model, method)
        public = OUTPUT_NAMES.get(method, method) + name.removeprefix(method)
        named[public] = value
        infos.append(TensorInfo(public, value.dtype, (None, *shape)))
    g.name_outputs(named)
    return tuple(infos)


def _within_one(module: QuantizedModule, name: str) -> bool:
    """Whether probabilities need no clipping; a sum of rounded terms may exceed 1 by an error."""
    for node in module.epilogue.nodes:
        if name in node.outputs:
            return node.op_type in ("Softmax", "Sigmoid")
    program = module.program
    number = program.outputs.get(name, -1) - len(program.inputs)
    step = program.instructions[number] if number >= 0 else None
    if not isinstance(step, Dequantize):
        return False
    ends = np.array(program.types[step.inputs[0]].interval, dtype=np.float64)
    least, most = (np.multiply.outer(ends, np.ones(1)) - step.zero_point) * step.scale
    return bool(np.all(least >= 0) and np.all(most <= 1))


def _method(output: str) -> str:
    """Method that an output of a module belongs to; ``predict_1`` belongs to ``predict``."""
    stem, _, number = output.rpartition("_")
    known = ("predict", *OUTPUT_NAMES)
    return stem if number.isdigit() and stem in known else output


def _typed(g: GraphBuilder, value: Value, model: Subject, method: str) -> Value:
    """The value in the data type that the method returns for X of the input's data type."""
    pair = (getattr(model.model, "_types", None) or {}).get(method)
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
    if labels.dtype == np.int64 and np.array_equal(labels, np.arange(len(labels))):
        return g.cast(index, "int64")
    return g.node("Gather", [labels, g.cast(index, "int64")], labels.dtype.name, axis=0)


def _stacked(g: GraphBuilder, columns: list[Value]) -> Value:
    dtype = columns[0].dtype
    wide = [g.node("Unsqueeze", [column, np.array([1])], dtype) for column in columns]
    return g.node("Concat", wide, dtype, axis=1)


def _label_array(classes: Any) -> Array:
    """Labels in a dtype that ONNX has: texts as objects, numbers unchanged."""
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
