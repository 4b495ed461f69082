"""Docstrings of quantized estimators: those of scikit-learn, with additions."""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable
from itertools import takewhile
from typing import Any

from sklearn.base import ClassifierMixin, OutlierMixin

ADDED_PARAMETERS = """
n_bits : int, sequence of int or dict, default=8
    Width of the integers, from 1 to 16. ``n_bits=n`` sets four widths: ``n`` for weights and leaf
    values ("op_weights") and for the inputs of inner layers ("op_inputs"), ``max(n, 5)`` for the
    codes of X ("model_inputs") and for outputs that need a quantizer ("model_outputs"). Pass a
    dictionary to set each width; its key "layers" sets the widths of single layers. A sequence
    sets the width of each layer. Fewer bits make the model smaller and less accurate.{lossless}

rounding_threshold_bits : int or dict, default=None
    Width to which an accumulator is rounded before a function or another layer reads it. By
    default, functions are tables with an index of 10 bits, and the inputs of layers have the width
    "op_inputs".

calibration : {{"auto", "minmax", "percentile", "mse"}}, default="auto"
    How the range of each tensor (inputs, weights, inner codes, leaf values) is chosen on the
    training data. "minmax": from the least to the greatest value. "percentile": between two
    percentiles. "mse": the range with the least mean squared error of the tensor. "auto": the range
    with the least error at the output of the layer or ensemble; the integer weights are then chosen
    by that error, too.

columns_per_feature : int or "lossless", default=1
    Maximum number of columns of codes for a feature, from 1 to 64. With more columns, trees have
    more thresholds, and linear models and networks have finer inputs and weights. The width of the
    integers stays the same.{lossless_columns}
"""

LOSSLESS = """
    "lossless" uses the narrowest codes that preserve every split of the trees, and leaf values of
    16 bits; `n_bits_` contains the width."""

LOSSLESS_COLUMNS = """
    "lossless" uses as many columns as the splits need at the width `n_bits`;
    `columns_per_feature_` contains the number."""

TREE_PARAMETERS = """
fit_on_bins : bool, default=False
    Whether to bin X first and to train on the bins. `n_bits` and `columns_per_feature` determine
    the number of bins. The trees then use only splits that exist in integers, so no split is lost.
    Thresholds lie between the bins, in units of X. With ``warm_start`` all calls of ``fit`` use the
    bins of the first call.
"""

QAT_PARAMETERS = """
qat_epochs : int, default=0
    Number of epochs of quantization-aware training, after the float model is fitted and quantized:
    input grids, integer weights and their scales are trained with the loss and the regularizer of
    the float model. First a copy is trained without a seventh of the rows; if it is not better on
    these rows, the model is not trained. Training changes the coefficients. 0 means no such
    training. 60 to 200 epochs are useful with 2 to 4 bits. ``partial_fit`` ignores this parameter.
"""

ADDED_ATTRIBUTES = """
n_bits_ : dict
    The widths that were used, by role.

columns_per_feature_ : int
    Largest number of columns of codes of a feature.

quantized_module_ : QuantizedModule
    The integer program (``print(quantized_module_.program)``) with its quantizers.

onnx_model_ : onnx.ModelProto
    The float graph that was quantized.
"""

TREE_ATTRIBUTES = """
bin_edges_ : list of ndarray
    Edges between the bins of each feature. Only if `fit_on_bins` is True.
"""

_HEADING = re.compile(r"^(?P<title>[A-Z][A-Za-z ]+)\n-{3,}\n", re.MULTILINE)


def quantized_docstring(cls: type) -> str:
    """The docstring of a quantized estimator class.

    The text of the class comes first, then the parent's sections. An example of the quantized class
    replaces the parent's.
    """
    parent = next(base for base in cls.__mro__ if base.__module__.startswith("sklearn."))
    introduction = inspect.cleandoc(cls.__doc__ or "")
    text = inspect.cleandoc(parent.__doc__ or "")
    sections = _sections(text)
    of_trees = cls._has_trees  # type: ignore[attr-defined]
    more, learned = (TREE_PARAMETERS, TREE_ATTRIBUTES) if of_trees else ("", "")
    if any(p.name == "qat_epochs" for p in cls._added_parameters):  # type: ignore[attr-defined]
        more += QAT_PARAMETERS
    added = ADDED_PARAMETERS.format(
        lossless=LOSSLESS if of_trees else "", lossless_columns=LOSSLESS_COLUMNS if of_trees else ""
    )
    result = [introduction, f"See :class:`{public_path(parent)}` for the float model."]
    for title, body in sections:
        if title in ("Examples", "See Also"):
            continue
        if title == "Parameters":
            body = body.rstrip() + "\n" + added + more
        if title == "Attributes":
            body = (ADDED_ATTRIBUTES + learned).lstrip() + "\n" + body
        result.append(f"{title}\n{'-' * len(title)}\n{body.strip()}")
    if sections:
        result.append(_example(cls))
    return "\n\n".join(result) + "\n"


def _example(cls: type) -> str:
    """The section of examples: fit the class on a small data set, predict three rows."""
    if issubclass(cls, OutlierMixin):
        data, y, shape = "load_iris", None, "(3,)"
    elif issubclass(cls, ClassifierMixin):
        data, y, shape = "load_iris", "y", "(3,)"
    elif cls.__name__.startswith("MultiTask"):
        data, y, shape = "load_linnerud", "y", "(3, 3)"
    else:
        data, y, shape = "load_diabetes", "y", "(3,)"
    lines = [
        f">>> from sklearn.datasets import {data}",
        f">>> from {cls.__module__} import {cls.__name__}",
        f">>> X, {y or '_'} = {data}(return_X_y=True)",
        f">>> model = {cls.__name__}(n_bits=6).fit({'X, y' if y else 'X'})",
        ">>> model.predict(X[:3]).shape",
        shape,
        ">>> model.n_bits_['op_weights']",
        "6",
    ]
    return "\n".join(["Examples", "--------", *lines])


#: First sentence of a method's docstring, by name; other methods predict in integers.
METHOD_NOTES = {
    "__init__": "Set the parameters.",
    "fit": "Fit the float model, then convert and quantize it on the same data.",
    "partial_fit": "Continue fitting the float model; the next prediction quantizes it.",
    "predict": "Predict with the integer program.",
    "predict_proba": "Predict class probabilities with the integer program.",
    "predict_log_proba": "Compute logarithms of the class probabilities of the integer program.",
    "decision_function": "Compute the decision function with the integer program.",
    "score_samples": "Score samples with the integer program.",
    "apply": "Return the leaves that samples reach in the integer program.",
    "decision_path": "Return the nodes that samples pass in the integer program.",
}


#: Of methods that take ``return_std``.
STD_NOTE = "The standard deviation of ``return_std=True`` is that of the float model, in float64."


def documented_as(
    cls: type, name: str, parent_method: Any
) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Decorator: name, signature and docstring of a method that replaces one of the parent.

    The docstring begins with what the method does here, and where the parent's is documented. The
    source and the module are those of the function itself.

    Parameters
    ----------
    cls : type
        The quantized class; its `_parent` is the scikit-learn class.
    name : str
    parent_method : function
    """
    note = METHOD_NOTES.get(name, "Predict at each stage with the integer program.")
    if "return_std" in inspect.signature(parent_method).parameters:
        note += f" {STD_NOTE}"
    path = f"{public_path(cls._parent)}.{name}"  # type: ignore[attr-defined]
    sections = _sections(inspect.cleandoc(parent_method.__doc__ or ""))
    parts = [note, f"See :meth:`{path}` for the float model."]
    parts += [
        f"{title}\n{'-' * len(title)}\n{body.strip()}"
        for title, body in sections
        if title not in ("Examples", "See Also", "Notes")
    ]

    def document(function: Callable[..., Any]) -> Callable[..., Any]:
        function.__name__ = name
        function.__qualname__ = f"{cls.__qualname__}.{name}"
        function.__doc__ = "\n\n".join(parts) + "\n"
        function.__signature__ = inspect.signature(parent_method)  # type: ignore[attr-defined]
        function.__annotations__ = dict(getattr(parent_method, "__annotations__", {}))
        return function

    return document


def public_path(cls: type) -> str:
    """Where a class is imported from: ``sklearn.ensemble``, not ``sklearn.ensemble._forest``."""
    public = takewhile(lambda part: not part.startswith("_"), cls.__module__.split("."))
    return ".".join([*public, cls.__name__])


def _sections(text: str) -> list[tuple[str, str]]:
    """Titles and bodies of the numpydoc sections."""
    heads = list(_HEADING.finditer(text))  # none with ``python -OO``, which drops docstrings
    ends = [head.start() for head in heads[1:]] + [len(text)] * bool(heads)
    return [(head["title"], text[head.end() : end]) for head, end in zip(heads, ends, strict=True)]
