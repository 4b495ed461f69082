"""Nothing that counts is lost between ``onnx.ModelProto`` and `FloatGraph`."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper
from onnx.backend.test.loader import load_model_tests

from skq.exceptions import ConversionError
from skq.frontend.numpy_module import NumpyModule
from skq.graph.graph import ML_DOMAIN, SKQ_DOMAIN, FloatGraph, Node, TensorInfo
from skq.graph.onnx_proto import graph_from_proto, graph_to_proto

#: What a FloatGraph does not hold: beginnings of the messages that refuse it.
REFUSALS = (
    "ONNX element type",
    "Graph input",
    "Graph output",
    "The ONNX model has local functions",
)


def test_own_operators_are_local_functions_that_runtimes_compute():
    onnxruntime = pytest.importorskip("onnxruntime")
    rng = np.random.default_rng(0)
    x, weights = rng.integers(0, 9, size=(50, 7)).astype(np.float64), np.arange(1, 8) * 2**57
    graph = FloatGraph(
        nodes=(Node("WeightedMedian", ("x", "w", "t"), ("y",), domain=SKQ_DOMAIN),),
        initializers={"w": weights, "t": np.array(14 * 2**57 + 1)},
        inputs=(TensorInfo("x", "float64", (None, 7)),),
        outputs=(TensorInfo("y", "float64", (None, 1)),),
        opsets={"": 17, SKQ_DOMAIN: 1},
    )
    proto = graph_to_proto(graph)
    session = onnxruntime.InferenceSession(proto.SerializeToString())
    (found,) = session.run(None, {"x": x})
    np.testing.assert_array_equal(found, NumpyModule(graph)(x))
    assert same(graph_from_proto(proto), graph)


def node_models():
    for case in load_model_tests(kind="node"):
        yield case.name, onnx.load(Path(case.model_dir) / "model.onnx")


def model_of(*nodes, inputs=("x",), outputs=("y",), initializers=(), opset=17, **options):
    """Build a small float32 model, unchecked."""
    graph = helper.make_graph(
        list(nodes),
        "test",
        [helper.make_tensor_value_info(n, TensorProto.FLOAT, [None, 2]) for n in inputs],
        [helper.make_tensor_value_info(n, TensorProto.FLOAT, [None, 2]) for n in outputs],
        list(initializers),
    )
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", opset)], **options)


def same(a, b):
    """Whether two parts of a graph are equal, with their types."""
    if type(a) is not type(b):
        return False
    if isinstance(a, np.ndarray):
        return a.dtype == b.dtype and a.shape == b.shape and a.tobytes() == b.tobytes()
    if isinstance(a, tuple):
        return len(a) == len(b) and all(map(same, a, b))
    if isinstance(a, dict):
        return list(a) == list(b) and all(same(a[key], b[key]) for key in a)
    if isinstance(a, FloatGraph | Node):
        return same(vars(a), vars(b))
    return a == b


def canonical(node):
    """Leave out what may be written in two ways; subgraphs are compared as graphs."""
    node = onnx.NodeProto.FromString(node.SerializeToString())
    for field in ("name", "domain"):
        if not getattr(node, field):
            node.ClearField(field)
    for attribute in node.attribute:
        attribute.ClearField("doc_string")
        attribute.ClearField("g")
        if attribute.type == onnx.AttributeProto.TENSOR:
            attribute.t.CopyFrom(numpy_helper.from_array(numpy_helper.to_array(attribute.t)))
    return node


def test_backend_models_survive_the_round_trip():
    n_kept, refused = 0, []
    for name, model in node_models():
        try:
            graph = graph_from_proto(model)
        except ConversionError as error:
            refused.append((name, str(error)))
            continue
        written = graph_to_proto(graph)
        onnx.checker.check_model(written)
        assert [canonical(n) for n in written.graph.node] == [
            canonical(n) for n in model.graph.node
        ], name
        assert same(graph_from_proto(written), graph), name
        n_kept += 1
    assert [pair for pair in refused if not pair[1].startswith(REFUSALS)] == []
    assert n_kept > 900


@pytest.fixture
def tree_graph():
    """A stump with double thresholds, beside initializers of many types."""
    attributes = {
        "nodes_treeids": np.array([0, 0, 0]),
        "nodes_nodeids": np.array([0, 1, 2]),
        "nodes_featureids": np.array([1, 0, 0]),
        "nodes_modes": np.array(["BRANCH_LEQ", "LEAF", "LEAF"]),
        "nodes_truenodeids": np.array([1, 0, 0]),
        "nodes_falsenodeids": np.array([2, 0, 0]),
        "nodes_values_as_tensor": np.array([0.1, 0.0, 0.0]),
        "target_treeids": np.array([0, 0]),
        "target_nodeids": np.array([1, 2]),
        "target_ids": np.array([0, 0]),
        "target_weights": np.array([-1.5, 1.1], np.float32),
        "n_targets": 1,
        "aggregate_function": "SUM",
    }
    return FloatGraph(
        nodes=(
            Node("TreeEnsembleRegressor", ("x",), ("t",), attributes, "trees", ML_DOMAIN),
            Node("Cast", ("t",), ("d",), {"to": 11}),
            Node("Add", ("d", "b"), ("y",), name="bias"),
        ),
        initializers={
            "b": np.array(0.1),
            "empty": np.zeros((0, 3), np.float32),
            "half": np.array([1.5], np.float16),
            "flags": np.array([True, False]),
            "large": np.array([2**63 - 1, -(2**63)]),
        },
        inputs=(TensorInfo("x", "float64", (None, 2)),),
        outputs=(TensorInfo("y", "float64", (None, 1)),),
        opsets={"": 17, ML_DOMAIN: 3},
    )


def test_tree_graph_survives_the_round_trip(tree_graph):
    copy = graph_from_proto(graph_to_proto(tree_graph))
    assert copy.inputs == tree_graph.inputs
    assert copy.outputs == tree_graph.outputs
    assert copy.opsets == tree_graph.opsets
    assert same(dict(copy.initializers), dict(tree_graph.initializers))
    assert same(copy.nodes, tree_graph.nodes)
    x = np.array([[0.0, 0.1], [0.0, np.nextafter(0.1, 1)]])
    np.testing.assert_array_equal(NumpyModule(copy)(x), NumpyModule(tree_graph)(x))


def test_many_tree_nodes_survive_the_round_trip():
    n = 50_000
    is_leaf = np.arange(n) % 2 == 0
    is_leaf[-1] = True
    attributes = {
        "nodes_nodeids": np.arange(n),
        "nodes_modes": np.where(is_leaf, "LEAF", "BRANCH_LEQ"),
        "nodes_values": np.random.default_rng(0).normal(size=n).astype(np.float32),
        "n_targets": 1,
    }
    graph = FloatGraph(
        nodes=(Node("TreeEnsembleRegressor", ("x",), ("y",), attributes, domain=ML_DOMAIN),),
        initializers={},
        inputs=(TensorInfo("x", "float32", (None, 2)),),
        outputs=(TensorInfo("y", "float32", (None, 1)),),
        opsets={"": 17, ML_DOMAIN: 3},
    )
    copy = graph_from_proto(graph_to_proto(graph))
    assert same(dict(copy.nodes[0].attributes), attributes)


@pytest.mark.parametrize("value", [(), (1, 2), (1.5, -0.25), ("a", "é"), 3, 0.5, "text"])
def test_attribute_values_survive_the_round_trip(value):
    name = {int: "value_int", float: "value_float", str: "value_string"}.get(type(value))
    if name is None:
        kinds = {int: "value_ints", float: "value_floats", str: "value_strings"}
        name = kinds[type(value[0])] if value else "value_floats"
    node = Node("Constant", (), ("y",), {name: value})
    kind = "object" if "string" in name else "int64" if "int" in name else "float32"
    output = TensorInfo("y", kind, (None,) if isinstance(value, tuple) else ())
    proto = graph_to_proto(FloatGraph((node,), {}, (), (output,)))
    assert same(graph_from_proto(proto).nodes[0].attributes, node.attributes)
    expected = {"i": "INT", "f": "FLOAT", "s": "STRING"}[name.removeprefix("value_")[0]]
    expected += "S" if isinstance(value, tuple) else ""
    attribute = proto.graph.node[0].attribute[0]
    assert onnx.AttributeProto.AttributeType.Name(attribute.type) == expected


def test_subgraphs_are_graphs():
    branch = FloatGraph(
        nodes=(Node("Relu", ("x",), ("z",)),),
        initializers={},
        inputs=(),
        outputs=(TensorInfo("z", "float32", (None,)),),
    )
    graph = FloatGraph(
        nodes=(Node("If", ("c",), ("y",), {"then_branch": branch, "else_branch": branch}),),
        initializers={},
        inputs=(TensorInfo("c", "bool", ()), TensorInfo("x", "float32", (None,))),
        outputs=(TensorInfo("y", "float32", (None,)),),
    )
    copy = graph_from_proto(graph_to_proto(graph))
    assert same(copy.nodes[0].attributes["then_branch"], branch)


def test_ir_version_is_the_oldest_that_will_do(tree_graph):
    assert graph_to_proto(tree_graph).ir_version == 8  # of opset 17


def test_external_data_is_refused():
    tensor = numpy_helper.from_array(np.ones(2, np.float32), "w")
    onnx.external_data_helper.set_external_data(tensor, "weights.bin")
    tensor.ClearField("raw_data")
    model = model_of(helper.make_node("Add", ["x", "w"], ["y"]), initializers=[tensor])
    with pytest.raises(ConversionError, match="'w' has its data in another file"):
        graph_from_proto(model)


def test_sparse_initializers_are_refused():
    model = model_of(helper.make_node("Add", ["x", "w"], ["y"]))
    values = numpy_helper.from_array(np.ones(1, np.float32), "w")
    indices = numpy_helper.from_array(np.array([[0, 1]]), "indices")
    model.graph.sparse_initializer.append(helper.make_sparse_tensor(values, indices, [2, 2]))
    with pytest.raises(ConversionError, match="sparse initializers"):
        graph_from_proto(model)


def test_sequences_are_refused():
    model = model_of(helper.make_node("SequenceAt", ["x", "i"], ["y"]), inputs=("i",))
    info = helper.make_tensor_sequence_value_info("x", TensorProto.FLOAT, [2])
    model.graph.input.insert(0, info)
    with pytest.raises(ConversionError, match=r"'x' must be a tensor\. Got sequence_type"):
        graph_from_proto(model)


def test_inputs_of_unknown_rank_are_refused():
    model = model_of(helper.make_node("Relu", ["x"], ["y"]))
    model.graph.input[0].type.tensor_type.ClearField("shape")
    with pytest.raises(ConversionError, match="'shape' of 'type' is required"):
        graph_from_proto(model)


def test_invalid_models_are_refused():
    model = model_of(helper.make_node("Relu", ["nowhere"], ["y"]))
    with pytest.raises(ConversionError, match="not valid"):
        graph_from_proto(model)


def test_only_model_protos_are_read():
    with pytest.raises(TypeError, match=r"Expected an onnx\.ModelProto\. Got bytes"):
        graph_from_proto(b"")


@pytest.mark.parametrize(
    ("attributes", "domain", "message"),
    [
        ({"alpha": 1j}, "", "must be a number, a string, an array"),
        ({"alpha": (1, "a")}, "", "must be a number, a string, an array"),
        ({"nodes_values": np.zeros(2)}, ML_DOMAIN, "for doubles.*'nodes_values_as_tensor'"),
        ({"nodes_modes": np.zeros(2)}, ML_DOMAIN, "type STRINGS in ONNX. Got an array of float64"),
        ({"value": np.zeros(2, complex)}, "", "dtype complex128"),
    ],
)
def test_values_without_onnx_form_are_refused(attributes, domain, message):
    op_type = "TreeEnsembleRegressor" if domain else "Elu"
    graph = FloatGraph(
        nodes=(Node(op_type, ("x",), ("y",), attributes, domain=domain),),
        initializers={},
        inputs=(TensorInfo("x", "float32", (2,)),),
        outputs=(TensorInfo("y", "float32", (2,)),),
        opsets={"": 17, ML_DOMAIN: 3},
    )
    with pytest.raises(ConversionError, match=message):
        graph_to_proto(graph)


def test_invalid_graphs_are_not_written():
    graph = FloatGraph((Node("Relu", ("nowhere",), ("y",)),), {}, (), ())
    with pytest.raises(ConversionError, match="is not a valid ONNX model"):
        graph_to_proto(graph)
