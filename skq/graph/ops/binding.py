"""The table of operators: ONNX name -> NumPy implementation, and how a node is bound to it."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from functools import lru_cache, partial
from importlib import import_module
from typing import Any

import numpy as np
from numpy.typing import NDArray

from skq.exceptions import ConversionError, UnsupportedModelError
from skq.graph.graph import Node

Implementation = Callable[..., Any]
Binder = Callable[[Mapping[str, Any], int], Implementation]
BoundNode = Callable[..., tuple[NDArray[Any], ...]]

#: ``f(*inputs, **attributes)`` -> array or tuple of arrays, by ONNX operator. An omitted optional
#: input is None; attributes have ONNX's names and defaults.
ONNX_OPS_TO_NUMPY_IMPL: dict[str, Implementation] = {}

#: Modules of operators; those of functions that end models come first, as loaded models need them.
FAMILIES = (
    "activations",
    "elementwise",
    "shape",
    "reduction",
    "casting",
    "comparison",
    "linear_algebra",
    "normalization",
    "pooling",
    "quantize_linear",
    "resize",
    "labels",
    "tree_ensemble",
    "median",
)

_DOMAINS: dict[str, str] = {}
_BINDERS: dict[str, Binder] = {}


def numpy_op(
    name: str, *, domain: str = "", bind: Binder | None = None
) -> Callable[[Implementation], Implementation]:
    """Register the decorated function as the implementation of an ONNX operator.

    Parameters
    ----------
    name : str
        ONNX operator, such as ``"Gemm"``.
    domain : str, default=""
        Domain of the operator; ``""`` is ai.onnx.
    bind : callable, default=None
        ``bind(attributes, n_outputs)`` returns a function of the inputs alone. It runs once, when a
        graph is loaded, for preparations and early errors. By default the
        attributes become keyword arguments.

    Raises
    ------
    ValueError
        If the operator has an implementation already.
    """

    def register(function: Implementation) -> Implementation:
        if name in ONNX_OPS_TO_NUMPY_IMPL:
            raise ValueError(
                f"Operator {name!r} is implemented already, by "
                f"{ONNX_OPS_TO_NUMPY_IMPL[name].__qualname__}. Register each operator once."
            )
        ONNX_OPS_TO_NUMPY_IMPL[name] = function
        _DOMAINS[name] = domain
        if bind is not None:
            _BINDERS[name] = bind
        return function

    return register


def load_families(until: str | None = None) -> dict[str, Implementation]:
    """Import families of operators: all, or until an operator is registered."""
    for family in FAMILIES:
        if until in ONNX_OPS_TO_NUMPY_IMPL:
            break
        import_module(f"skq.graph.ops.{family}")
    return ONNX_OPS_TO_NUMPY_IMPL


def bind_node(node: Node) -> BoundNode:
    """Turn a node into a function of its input arrays that returns a tuple of arrays.

    Parameters
    ----------
    node : Node
        Its attributes and its number of inputs are checked here, before anything runs.

    Returns
    -------
    callable
        ``f(*inputs)``, where an omitted optional input is None, gives one array per output.

    Raises
    ------
    UnsupportedModelError
        If the operator is unknown.
    ConversionError
        If the operator does not take these inputs or attributes.
    """
    implementation = load_families(node.op_type).get(node.op_type)
    if implementation is None or _DOMAINS[node.op_type] != node.domain:
        raise UnsupportedModelError(_unknown_operator(node))
    try:
        _signature(implementation).bind(*node.inputs, **node.attributes)
    except TypeError as error:
        raise ConversionError(
            f"{node}: {error}. Got {len(node.inputs)} input(s) and the attributes "
            f"{sorted(node.attributes)}; see the ONNX specification of {node.op_type}."
        ) from None
    try:
        if (bind := _BINDERS.get(node.op_type)) is not None:
            function = bind(node.attributes, len(node.outputs))
        else:
            function = partial(implementation, **node.attributes)
    except ConversionError as error:
        raise type(error)(f"{node}: {error}") from error
    return partial(_call, function)


#: Signatures of implementations: looking one up takes longer than many small nodes.
_signature = lru_cache(maxsize=512)(inspect.signature)


def _call(function: Implementation, *inputs: NDArray[Any] | None) -> tuple[NDArray[Any], ...]:
    """Call with ONNX's arithmetic: overflow, division by zero and NaN are silent."""
    with np.errstate(all="ignore"):
        results = function(*inputs)
    if not isinstance(results, tuple):
        results = (results,)
    return tuple(np.asarray(result) for result in results)


def _unknown_operator(node: Node) -> str:
    domain = node.domain or "ai.onnx"
    known = sorted(ONNX_OPS_TO_NUMPY_IMPL)
    import difflib  # not imported to load a model

    alike = difflib.get_close_matches(node.op_type, known, n=3, cutoff=0.75)
    hint = f" Did you mean {' or '.join(alike)}?" if alike else ""
    return (
        f"{node}: operator {node.op_type!r} of domain {domain!r} has no NumPy implementation."
        f"{hint} skq.quantization.ONNX_OPS_TO_NUMPY_IMPL lists the operators that have one."
    )
