"""`FloatGraph` <-> ``onnx.ModelProto``: the only file that touches protobuf.

A `FloatGraph` is unchanged by a round trip. What does not affect the result is dropped:
documentation, producer, symbolic names of dimensions, types of intermediate tensors.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from skq.exceptions import ConversionError, UnsupportedModelError
from skq.graph.four_bits import FOUR_BITS, four_bit_tensors, with_clips
from skq.graph.graph import ML_DOMAIN, SKQ_DOMAIN, FloatGraph, Node, TensorInfo
from skq.graph.local_functions import LOCAL_FUNCTIONS
from skq.graph.naming import unique_name
from skq.graph.ops.element_types import ELEMENT_TYPE_CODES, element_dtype

if TYPE_CHECKING:
    import onnx

#: Models of older operator sets are converted to this one.
OLDEST_OPSET = 13

#: First IR version whose models may hold local functions.
FUNCTIONS_IR_VERSION = 8


def graph_from_proto(model: onnx.ModelProto) -> FloatGraph:
    """Read an ONNX model.

    Parameters
    ----------
    model : onnx.ModelProto

    Returns
    -------
    FloatGraph
        Lists of numbers and strings become tuples, or arrays in the domain ai.onnx.ml, where trees
        have hundreds of thousands of them.

    Raises
    ------
    ConversionError
        If the model is invalid, or uses external data, local functions other than skq's, sparse
        tensors, sequences, optionals or element types that NumPy lacks.
    """
    import onnx

    _require_model(model)
    for tensor in model.graph.initializer:
        _refuse_external_data(tensor)
    try:
        onnx.checker.check_model(model)
    except onnx.checker.ValidationError as error:
        raise ConversionError(f"The ONNX model is not valid: {error}") from error
    known = [(SKQ_DOMAIN, name) for name in LOCAL_FUNCTIONS]
    others = [f.name for f in model.functions if (f.domain, f.name) not in known]
    if others:
        names = ", ".join(sorted(others))
        raise ConversionError(
            f"The ONNX model has local functions ({names}). Inline them first, for instance with "
            f"onnx.inliner.inline_local_functions."
        )
    opsets = {entry.domain: int(entry.version) for entry in model.opset_import}
    return _read_graph(model.graph, opsets)


def at_supported_opset(model: onnx.ModelProto) -> onnx.ModelProto:
    """The model itself, or converted by onnx where its operator set is an older one.

    Parameters
    ----------
    model : onnx.ModelProto

    Returns
    -------
    onnx.ModelProto
        Of operator set `OLDEST_OPSET` or newer.

    Raises
    ------
    UnsupportedModelError
        If onnx cannot convert it.
    """
    import onnx
    from onnx import version_converter

    _require_model(model)
    versions = {entry.domain: entry.version for entry in model.opset_import}
    version = versions.get("", versions.get("ai.onnx", OLDEST_OPSET))
    if version >= OLDEST_OPSET:
        return model
    try:
        return version_converter.convert_version(model, OLDEST_OPSET)
    except Exception as error:  # the converter raises classes of onnx and RuntimeErrors
        unknown = [node.op_type for node in model.graph.node if not onnx.defs.has(node.op_type)]
        reason = str(error).strip().rpartition("failed: ")[2].rstrip(".") or type(error).__name__
        if unknown:
            reason = f"ONNX has no operator {unknown[0]!r}"
        raise UnsupportedModelError(
            f"The ONNX model has the operator set {version}, and onnx cannot convert it to "
            f"{OLDEST_OPSET}: {reason}. Export it again with opset_version={OLDEST_OPSET} or newer."
        ) from error


def graph_to_proto(graph: FloatGraph) -> onnx.ModelProto:
    """Write an ONNX model.

    Parameters
    ----------
    graph : FloatGraph

    Returns
    -------
    onnx.ModelProto
        Checked by ``onnx.checker``, with the oldest IR version that supports its operator sets.

    Raises
    ------
    ConversionError
        If an attribute cannot be written or the checker rejects the result.
    """
    import onnx
    from onnx import helper

    opsets = [helper.make_opsetid(domain, version) for domain, version in graph.opsets.items()]
    functions = _write_functions(graph)
    model = helper.make_model(
        _write_graph(graph, "skq"), opset_imports=opsets, producer_name="skq", functions=functions
    )
    standard = [entry for entry in opsets if entry.domain != SKQ_DOMAIN]
    oldest = helper.find_min_ir_version_for(standard)
    model.ir_version = max(oldest, FUNCTIONS_IR_VERSION) if functions else oldest
    try:
        onnx.checker.check_model(model)
    except onnx.checker.ValidationError as error:
        raise ConversionError(f"The graph is not a valid ONNX model: {error}") from error
    return model


def _require_model(model: Any) -> None:
    import onnx

    if not isinstance(model, onnx.ModelProto):
        raise TypeError(
            f"Expected an onnx.ModelProto. Got {type(model).__name__}; load a file with onnx.load."
        )


def _read_graph(graph: onnx.GraphProto, opsets: Mapping[str, int]) -> FloatGraph:
    if graph.sparse_initializer:
        raise ConversionError(
            "The ONNX graph has sparse initializers; store them as dense tensors."
        )
    # the dictionaries of a ZipMap are read as its input array
    maps = frozenset(node.output[0] for node in graph.node if node.op_type == "ZipMap")
    read = (_read_node(node, opsets) for node in graph.node)
    nodes, constants = with_clips(read, four_bit_tensors(graph))
    tensors = {tensor.name: _read_tensor(tensor) for tensor in graph.initializer}
    return FloatGraph(
        nodes=nodes,
        initializers={**tensors, **constants},
        inputs=tuple(_read_info(info, "input") for info in graph.input),
        outputs=tuple(_read_info(info, "output", maps) for info in graph.output),
        opsets=dict(opsets),
    )


def _read_info(
    info: onnx.ValueInfoProto, role: str, maps: frozenset[str] = frozenset()
) -> TensorInfo:
    kind = info.type.WhichOneof("value")
    if info.name in maps:
        return TensorInfo(info.name, "float32", (None, None))
    if kind != "tensor_type":
        raise ConversionError(
            f"Graph {role} {info.name!r} must be a tensor. Got {kind or 'no type'} instead."
        )
    tensor = info.type.tensor_type
    if not tensor.HasField("shape"):
        raise ConversionError(
            f"Graph {role} {info.name!r} has no shape; its number of axes must be known."
        )
    shape = tuple(
        int(dim.dim_value) if dim.HasField("dim_value") else None for dim in tensor.shape.dim
    )
    return TensorInfo(info.name, element_dtype(tensor.elem_type).name, shape)


def _refuse_external_data(tensor: onnx.TensorProto) -> None:
    if tensor.data_location == tensor.EXTERNAL:
        raise ConversionError(
            f"Tensor {tensor.name!r} has its data in another file. Load the model with its data: "
            f"onnx.load(path), from the folder of that file."
        )


def _read_tensor(tensor: onnx.TensorProto) -> NDArray[Any]:
    from onnx import numpy_helper

    _refuse_external_data(tensor)
    if tensor.data_type in FOUR_BITS:
        return np.asarray(numpy_helper.to_array(tensor)).astype(FOUR_BITS[tensor.data_type].dtype)
    dtype = element_dtype(tensor.data_type)
    array = np.asarray(numpy_helper.to_array(tensor))
    if dtype.hasobject:
        texts = [v.decode() if isinstance(v, bytes) else str(v) for v in array.ravel().tolist()]
        array = np.array(texts, dtype=object).reshape(array.shape)
    return array


def _read_node(node: onnx.NodeProto, opsets: Mapping[str, int]) -> Node:
    return Node(
        op_type=node.op_type,
        inputs=tuple(node.input),
        outputs=tuple(node.output),
        attributes={
            attribute.name: _read_attribute(attribute, node.domain, opsets)
            for attribute in node.attribute
        },
        name=node.name,
        domain=node.domain,
        doc_string=node.doc_string,
    )


def _read_attribute(attribute: onnx.AttributeProto, domain: str, opsets: Mapping[str, int]) -> Any:
    kind = attribute.AttributeType.Name(attribute.type)
    as_array = domain == ML_DOMAIN
    if kind == "INT":
        return int(attribute.i)
    if kind == "FLOAT":
        return float(attribute.f)
    if kind == "STRING":
        return attribute.s.decode()
    if kind == "TENSOR":
        return _read_tensor(attribute.t)
    if kind == "GRAPH":
        return _read_graph(attribute.g, opsets)
    if kind == "INTS":
        ints = attribute.ints
        return np.fromiter(ints, np.int64, len(ints)) if as_array else tuple(ints)
    if kind == "FLOATS":
        floats = attribute.floats
        return np.fromiter(floats, np.float32, len(floats)) if as_array else tuple(floats)
    if kind == "STRINGS":
        return _read_strings(attribute.strings, as_array)
    if kind == "TENSORS":
        return tuple(_read_tensor(tensor) for tensor in attribute.tensors)
    if kind == "GRAPHS":
        return tuple(_read_graph(graph, opsets) for graph in attribute.graphs)
    raise ConversionError(
        f"Attribute {attribute.name!r} is of the type {kind}, which skq does not read. Supported: "
        f"numbers, strings, dense tensors, graphs and lists of them."
    )


def _read_strings(strings: Sequence[bytes], as_array: bool) -> Any:
    raw = list(strings)
    decoded = {text: text.decode() for text in set(raw)}
    texts = tuple(map(decoded.__getitem__, raw))
    return np.array(texts, dtype=np.str_) if as_array else texts


def _write_graph(graph: FloatGraph, name: str) -> onnx.GraphProto:
    from onnx import helper

    return helper.make_graph(
        nodes=_write_nodes(graph),
        name=name,
        inputs=[_write_info(info) for info in graph.inputs],
        outputs=[_write_info(info) for info in graph.outputs],
        initializer=[_write_tensor(array, key) for key, array in graph.initializers.items()],
    )


def _write_functions(graph: FloatGraph) -> list[onnx.FunctionProto]:
    """The functions of skq's own operators that a graph uses."""
    from onnx import helper

    opsets = {"": graph.opsets.get("", OLDEST_OPSET)}
    used = sorted({node.op_type for node in graph.nodes if node.domain == SKQ_DOMAIN})
    return [
        helper.make_function(
            SKQ_DOMAIN,
            name,
            LOCAL_FUNCTIONS[name].inputs,
            LOCAL_FUNCTIONS[name].outputs,
            [_write_node(node, opsets) for node in LOCAL_FUNCTIONS[name].nodes],
            [helper.make_opsetid("", opsets[""])],
        )
        for name in used
        if name in LOCAL_FUNCTIONS
    ]


def _write_info(info: TensorInfo) -> onnx.ValueInfoProto:
    from onnx import helper

    return helper.make_tensor_value_info(
        info.name, _element_type(info.dtype, info.name), info.shape
    )


def _element_type(dtype: str, name: str) -> int:
    if dtype not in ELEMENT_TYPE_CODES:
        raise ConversionError(
            f"Tensor {name!r} has the dtype {dtype}, which ONNX has no element type for. "
            f"Supported: {', '.join(sorted(ELEMENT_TYPE_CODES))}."
        )
    return ELEMENT_TYPE_CODES[dtype]


def _write_tensor(array: NDArray[Any], name: str) -> onnx.TensorProto:
    from onnx import numpy_helper

    array = np.asarray(array)
    if array.dtype.kind == "U":
        array = array.astype(object)
    _element_type(array.dtype.name, name)
    return numpy_helper.from_array(array, name)


def _write_nodes(graph: FloatGraph) -> list[onnx.NodeProto]:
    """The nodes, with distinct names: ONNX Runtime refuses graphs in which two are the same."""
    taken: set[str] = set()
    protos = []
    for node in graph.nodes:
        proto = _write_node(node, graph.opsets)
        if node.name:
            proto.name = unique_name(node.name, taken)
            taken.add(proto.name)
        protos.append(proto)
    return protos


def _write_node(node: Node, opsets: Mapping[str, int]) -> onnx.NodeProto:
    from onnx import NodeProto

    proto = NodeProto(
        op_type=node.op_type,
        input=node.inputs,
        output=node.outputs,
        name=node.name or None,
        domain=node.domain or None,
        doc_string=node.doc_string or None,
    )
    for name, value in node.attributes.items():
        proto.attribute.append(_write_attribute(name, value, node, opsets))
    return proto


def _write_attribute(
    name: str, value: Any, node: Node, opsets: Mapping[str, int]
) -> onnx.AttributeProto:
    from onnx import AttributeProto

    proto = AttributeProto(name=name)
    if isinstance(value, FloatGraph):
        proto.type = AttributeProto.GRAPH
        proto.g.CopyFrom(_write_graph(value, name))
    elif isinstance(value, np.ndarray):
        _write_array(proto, value, node, opsets)
    elif isinstance(value, str):
        proto.type = AttributeProto.STRING
        proto.s = value.encode()
    elif isinstance(value, bool | int | np.integer | np.bool_):
        proto.type = AttributeProto.INT
        proto.i = int(value)
    elif isinstance(value, float | np.floating):
        proto.type = AttributeProto.FLOAT
        proto.f = float(value)
    elif isinstance(value, tuple | list):
        _write_list(proto, tuple(value), node, opsets)
    else:
        raise _not_an_attribute(proto, value, node)
    return proto


def _write_array(
    proto: onnx.AttributeProto, array: NDArray[Any], node: Node, opsets: Mapping[str, int]
) -> None:
    """Write a tensor, or a list if the attribute is a list in the operator's schema."""
    declared = _declared_type(proto.name, node, opsets)
    if declared == proto.INTS and array.dtype.kind in "iub":
        proto.ints.extend(array.ravel().tolist())
    elif declared == proto.FLOATS and array.dtype in (np.float32, np.float16):
        proto.floats.extend(array.ravel().tolist())
    elif declared == proto.STRINGS and array.dtype.kind in "UO":
        texts = array.ravel().tolist()
        encoded = {text: str(text).encode() for text in set(texts)}
        proto.strings.extend(map(encoded.__getitem__, texts))
    elif declared in (proto.INTS, proto.FLOATS, proto.STRINGS):
        kind = proto.AttributeType.Name(declared)
        raise ConversionError(
            f"{node}: attribute {proto.name!r} is a list of the type {kind} in ONNX. Got an array "
            f"of {array.dtype}. Cast it; for doubles, give the attribute "
            f"{proto.name + '_as_tensor'!r} where the operator has it."
        )
    else:
        declared = proto.TENSOR
        proto.t.CopyFrom(_write_tensor(array, ""))
    proto.type = declared


def _write_list(
    proto: onnx.AttributeProto, values: tuple[Any, ...], node: Node, opsets: Mapping[str, int]
) -> None:
    if not values:
        proto.type = _declared_type(proto.name, node, opsets) or proto.INTS
    elif all(isinstance(value, FloatGraph) for value in values):
        proto.type = proto.GRAPHS
        proto.graphs.extend(_write_graph(value, proto.name) for value in values)
    elif all(isinstance(value, np.ndarray) for value in values):
        proto.type = proto.TENSORS
        proto.tensors.extend(_write_tensor(value, "") for value in values)
    elif all(isinstance(value, str) for value in values):
        proto.type = proto.STRINGS
        proto.strings.extend(value.encode() for value in values)
    elif all(isinstance(value, int | np.integer) for value in values):
        proto.type = proto.INTS
        proto.ints.extend(int(value) for value in values)
    elif all(isinstance(value, int | float | np.integer | np.floating) for value in values):
        proto.type = proto.FLOATS
        proto.floats.extend(float(value) for value in values)
    else:
        raise _not_an_attribute(proto, values, node)


def _declared_type(name: str, node: Node, opsets: Mapping[str, int]) -> int | None:
    """Return the type of an attribute in the operator's schema; None if ONNX has neither."""
    from onnx import defs

    try:
        schema = defs.get_schema(node.op_type, opsets[node.domain], node.domain)
        return int(schema.attributes[name].type)
    except (KeyError, defs.SchemaError):
        return None


def _not_an_attribute(proto: onnx.AttributeProto, value: Any, node: Node) -> ConversionError:
    return ConversionError(
        f"{node}: attribute {proto.name!r} must be a number, a string, an array, a FloatGraph or a "
        f"tuple of one of them. Got {value!r}."
    )
