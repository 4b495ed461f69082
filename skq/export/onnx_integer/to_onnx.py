"""`to_onnx`: write a quantized model as an ``onnx.ModelProto``."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from skq.exceptions import ConversionError
from skq.export.onnx_integer.builder import GraphBuilder
from skq.export.onnx_integer.epilogue import add_epilogue
from skq.export.onnx_integer.fast import FAST_RULES
from skq.export.onnx_integer.interface import add_outputs
from skq.export.onnx_integer.program_graph import add_program
from skq.export.onnx_integer.qdq import QDQ_RULES
from skq.export.onnx_integer.rules import INTEGER_RULES
from skq.export.subject import Subject, subject_of
from skq.graph.graph import FloatGraph
from skq.graph.onnx_proto import graph_to_proto
from skq.program.prune import pruned

if TYPE_CHECKING:
    import onnx

#: Default operator set of ai.onnx; released in 2022, so common runtimes support it.
DEFAULT_OPSET = 17
#: Oldest operator set in which the operators used here take the inputs that they are given.
FIRST_OPSET = 13
#: Operator sets of ai.onnx.ml: the first in which TreeEnsembleRegressor has float64 thresholds, and
#: the first that has TreeEnsemble, released with ai.onnx 21.
ML_OPSET, COMPACT_ML_OPSET, OPSET_OF_COMPACT_ML = 3, 5, 21

FORMS = {"integer": INTEGER_RULES, "fast": FAST_RULES, "qdq": QDQ_RULES}
INPUT_DTYPES = ("float64", "float32")


def to_onnx(
    model: Any,
    *,
    form: str = "integer",
    input_dtype: str = "float64",
    target_opset: int | None = None,
) -> onnx.ModelProto:
    """Write a fitted model as ONNX.

    Parameters
    ----------
    model : quantized estimator, QuantizedClassifier, QuantizedRegressor, IntegerPredictor or \
QuantizedModule
        A model that is fitted, or loaded by `skq.load`.
    form : {"integer", "fast", "qdq"}, default="integer"
        How integers are computed.

        - "integer": between the input quantizer and the dequantizer all tensors are integers.
        - "fast": integers are stored in floats if float arithmetic on them is exact, and trees
          compare floats.
        - "qdq": codes and weights of 8 bits between QuantizeLinear and DequantizeLinear, the form
          that toolchains for hardware read. Codes of inputs and weights are exact; a code between
          two layers may differ by one if float32 rounds a number close to a tie differently.
    input_dtype : {"float64", "float32"}, default="float64"
        Dtype of the input ``X``. Values are always quantized in float64.
    target_opset : int, default=None
        Version of the operator set ai.onnx, from 13 to the newest one of the installed onnx. None
        means 17. Trees of ``form="fast"`` are written as TreeEnsemble of ai.onnx.ml 5 with None and
        with 21 or more, if their sums fit. With a lower version they are written as
        TreeEnsembleRegressor of ai.onnx.ml 3, which older runtimes support.

    Returns
    -------
    onnx.ModelProto
        The model, checked by ``onnx.checker`` with full shape inference.

        - Input: ``X`` of shape (n_samples, n_features); n_samples is dynamic.
        - Outputs: ``label`` of a classifier, in the dtype of ``classes_`` (texts as strings), or
          ``variable`` of a regressor; then ``probabilities`` and ``scores`` if the model has
          ``predict_proba`` and ``decision_function``, with the shapes and data types that these
          methods return for X of `input_dtype`.
        - Metadata: ``skq_version``, ``form``, ``n_bits`` (JSON), ``max_accumulator_bits``, and
          ``feature_names`` (JSON) if the model has feature names.

    Raises
    ------
    TypeError
        If `model` is not a model of skq, or is not fitted.
    ValueError
        If a parameter is not one of its choices.
    UnsupportedModelError
        If the model cannot be written as ONNX. The message contains the reason.

    Notes
    -----
    Labels, and scores and values that are dequantized, are ``array_equal`` to those of skq; for
    the form "qdq" only if the model has no hidden layers.
    Probabilities that a function of ONNX (Softmax, Sigmoid, Exp) computes from them in float64
    differ from NumPy's by a few units in the last place.

    An ONNX model cannot raise errors: infinity saturates, and results for missing values are
    undefined if the model does not support missing values.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from skq.export import to_onnx
    >>> from skq.linear_model import LogisticRegression
    >>> X, y = load_iris(return_X_y=True)
    >>> proto = to_onnx(LogisticRegression(max_iter=1000).fit(X, y))
    >>> [output.name for output in proto.graph.output]
    ['label', 'scores', 'probabilities']
    """
    _check_choice("form", form, tuple(FORMS))
    _check_choice("input_dtype", input_dtype, INPUT_DTYPES)
    opset = _opset(target_opset)
    source = subject_of(model)
    compact = target_opset is None or opset >= OPSET_OF_COMPACT_ML
    graph = _graph(source, form, input_dtype, opset, COMPACT_ML_OPSET if compact else ML_OPSET)
    if compact and any(node.op_type == "TreeEnsembleRegressor" for node in graph.nodes):
        graph = _graph(source, form, input_dtype, opset, ML_OPSET)  # version 5 does not have it
    return _proto(graph, source, form)


def _check_choice(name: str, value: Any, choices: tuple[str, ...]) -> None:
    if value not in choices:
        raise ValueError(f"{name} must be one of {', '.join(map(repr, choices))}. Got {value!r}.")


def _opset(target: int | None) -> int:
    if target is None:
        return DEFAULT_OPSET
    from onnx import defs

    newest = defs.onnx_opset_version()
    if isinstance(target, bool) or not isinstance(target, int):
        raise ValueError(f"target_opset must be an int or None. Got {target!r}.")
    if not FIRST_OPSET <= target <= newest:
        raise ValueError(
            f"target_opset must lie in [{FIRST_OPSET}, {newest}] with the installed onnx. "
            f"Got {target}."
        )
    return target


def _graph(source: Subject, form: str, input_dtype: str, opset: int, ml_opset: int) -> FloatGraph:
    module = source.module
    program = pruned(module.program)
    g = GraphBuilder(opset, source.takes_missing, ml_opset)
    names = ["X"] if len(program.inputs) == 1 else [f"X_{k}" for k in range(len(program.inputs))]
    inputs = [
        g.input(name, input_dtype, type_.shape)
        for name, type_ in zip(names, program.inputs, strict=True)
    ]
    values = add_program(g, program, inputs, FORMS[form])
    outputs = add_outputs(g, source, add_epilogue(g, module.epilogue, values))
    domains = {node.domain for node in g.nodes if node.domain}
    return g.graph(outputs, dict.fromkeys(domains, ml_opset))


def _proto(graph: FloatGraph, source: Subject, form: str) -> onnx.ModelProto:
    import onnx

    import skq

    proto = graph_to_proto(graph)
    proto.producer_version = skq.__version__
    for info in (*proto.graph.input, *proto.graph.output):
        info.type.tensor_type.shape.dim[0].dim_param = "n_rows"
    facts = {
        "skq_version": skq.__version__,
        "form": form,
        "n_bits": json.dumps(dict(source.module.n_bits)),
        "max_accumulator_bits": str(source.module.max_accumulator_bits),
    }
    if source.feature_names is not None:
        facts["feature_names"] = json.dumps(source.feature_names)
    onnx.helper.set_model_props(proto, facts)
    try:
        onnx.checker.check_model(proto, full_check=True)
    except (onnx.checker.ValidationError, onnx.shape_inference.InferenceError) as error:
        raise ConversionError(f"The program does not form a valid ONNX model: {error}") from error
    return proto
