"""Inner tensors get readable, unique names; what the graph computes stays."""

import numpy as np
from sklearn.datasets import load_iris
from sklearn.neural_network import MLPClassifier

from skq.frontend.convert import float_graph
from skq.frontend.numpy_module import NumpyModule
from skq.graph.graph import FloatGraph, Node, TensorInfo
from skq.graph.naming import with_short_names


def test_paths_are_cut_and_names_stay_unique():
    info = TensorInfo("x", "float64", (None,))
    graph = FloatGraph(
        nodes=(
            Node("Neg", ("x",), ("/a/Neg_output_0",), name="/a/Neg"),
            Node("Neg", ("/a/Neg_output_0",), ("/b/Neg_output_0",)),
            Node("Add", ("/b/Neg_output_0", "m.k.bias"), ("y",)),
        ),
        initializers={"m.k.bias": np.array(2.0)},
        inputs=(info,),
        outputs=(TensorInfo("y", "float64", (None,)),),
    )
    short = with_short_names(graph)
    assert [node.outputs[0] for node in short.nodes] == ["Neg", "Neg_2", "y"]
    assert list(short.initializers) == ["k.bias"]
    assert short.nodes[0].name == "Neg"
    assert NumpyModule(short)(np.array([1.0, 5.0])).tolist() == [3.0, 7.0]


def test_converted_models_have_no_paths_left():
    X, y = load_iris(return_X_y=True)
    graph = float_graph(MLPClassifier(max_iter=20).fit(X, y), X)
    names = {name for node in graph.nodes for name in (*node.inputs, *node.outputs)}
    assert not any("/" in name for name in names)
    assert {"X", "Gemm", "Relu", "predict"} <= names
