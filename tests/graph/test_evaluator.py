"""NumpyModule: what it checks, what it computes, and what it keeps."""

from __future__ import annotations

import pickle
import subprocess
import sys
import tracemalloc
from itertools import pairwise

import numpy as np
import onnx
import pytest

from skq.exceptions import ConversionError, UnsupportedModelError
from skq.frontend.numpy_module import NumpyModule
from skq.graph.graph import FloatGraph, Node, TensorInfo


def graph_of(nodes, *, initializers=None, inputs=None, outputs=("y",), opsets=None):
    return FloatGraph(
        nodes=tuple(nodes),
        initializers=initializers or {},
        inputs=inputs or (TensorInfo("x", "float32", (None, 2)),),
        outputs=tuple(TensorInfo(name, "float32", (None, 2)) for name in outputs),
        opsets=opsets or {"": 17},
    )


@pytest.fixture
def two_layers():
    """``h = relu(x @ w)``, ``y = h + b``, ``z = -h``."""
    return graph_of(
        [
            Node("MatMul", ("x", "w"), ("m",)),
            Node("Relu", ("m",), ("h",)),
            Node("Add", ("h", "b"), ("y",)),
            Node("Neg", ("h",), ("z",)),
        ],
        initializers={
            "w": np.array([[1.0, -1.0], [0.5, 2.0]], np.float32),
            "b": np.array([10.0, 20.0], np.float32),
        },
        outputs=("y", "z"),
    )


X = np.array([[1.0, 2.0], [-3.0, 1.0]], np.float32)
HIDDEN = np.array([[2.0, 3.0], [0.0, 5.0]], np.float32)


def test_forward_gives_the_outputs_in_order(two_layers):
    y, z = NumpyModule(two_layers)(X)
    np.testing.assert_array_equal(y, HIDDEN + np.array([10, 20]))
    np.testing.assert_array_equal(z, -HIDDEN)
    assert y.dtype == z.dtype == np.float32


def test_forward_of_one_output_is_an_array(two_layers):
    module = NumpyModule(two_layers)
    np.testing.assert_array_equal(module.forward(X, outputs=["z"]), -HIDDEN)
    np.testing.assert_array_equal(module.forward(X, outputs=["h"]), HIDDEN)
    z, h = module.forward(X, outputs=("z", "h"))
    np.testing.assert_array_equal(z, -h)


def test_run_gives_any_tensor_by_name(two_layers):
    results = NumpyModule(two_layers).run({"x": X}, ["h", "w", "x", "y"])
    assert list(results) == ["h", "w", "x", "y"]
    np.testing.assert_array_equal(results["h"], HIDDEN)
    np.testing.assert_array_equal(results["w"], two_layers.initializers["w"])
    np.testing.assert_array_equal(results["x"], X)


def test_run_starts_at_inner_tensors(two_layers):
    results = NumpyModule(two_layers).run({"h": HIDDEN}, ["z"])
    np.testing.assert_array_equal(results["z"], -HIDDEN)


def test_fed_tensors_are_not_computed_again():
    graph = graph_of([Node("Split", ("x",), ("y", "z"))], outputs=("y", "z"))
    results = NumpyModule(graph).run({"x": X, "y": -X}, ["y", "z"])
    np.testing.assert_array_equal(results["y"], -X)
    np.testing.assert_array_equal(results["z"], X[1:])


def test_outputs_that_an_operator_does_not_compute():
    module = NumpyModule(graph_of([Node("Relu", ("x",), ("y", "z"))], outputs=("y", "z")))
    with pytest.raises(ValueError, match=r"Relu node 'y' .*it has 2 outputs but computes 1"):
        module(X)


def test_only_what_is_needed_is_run():
    nodes = [Node("Relu", ("x",), ("y",)), Node("Reshape", ("x", "shape"), ("never",))]
    graph = graph_of(nodes, initializers={"shape": np.array([7, 7])}, outputs=("y", "never"))
    module = NumpyModule(graph)
    np.testing.assert_array_equal(module(X, outputs=["y"]), np.maximum(X, 0))
    with pytest.raises(ValueError, match=r"Reshape node 'never' cannot take .*float32\[2, 2\]"):
        module(X)


def test_intermediate_tensors_are_freed():
    depth, shape = 40, (2, 100_000)
    names = ["x", *(f"t{step}" for step in range(depth))]
    nodes = [Node("Neg", (a,), (b,)) for a, b in pairwise(names)]
    info = (TensorInfo("x", "float64", (None, None)),)
    module = NumpyModule(graph_of(nodes, inputs=info, outputs=names[-1:]))
    x = np.ones(shape)
    tracemalloc.start()
    module(x)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 4 * x.nbytes


def test_inputs_are_not_modified(two_layers):
    x = X.copy()
    NumpyModule(two_layers)(x)
    np.testing.assert_array_equal(x, X)


@pytest.mark.parametrize("dtype", [np.float64, np.float16, np.int64, np.uint8, bool])
def test_real_inputs_are_cast_to_the_float_of_the_graph(two_layers, dtype):
    x = np.array([[1, 0], [0, 1]], dtype)
    expected = NumpyModule(two_layers)(x.astype(np.float32), outputs=["y"])
    actual = NumpyModule(two_layers)(x, outputs=["y"])
    assert actual.dtype == np.float32
    np.testing.assert_array_equal(actual, expected)


def test_lists_are_taken_as_arrays(two_layers):
    np.testing.assert_array_equal(NumpyModule(two_layers)(X.tolist(), outputs=["h"]), HIDDEN)


@pytest.mark.parametrize(
    ("x", "message"),
    [
        (
            np.ones((3, 4), np.float32),
            r"x float32\[\?, 2\] cannot take .*float32 and shape \(3, 4\)",
        ),
        (np.ones(2, np.float32), r"x float32\[\?, 2\] cannot take .*shape \(2,\)"),
        (np.ones((3, 2), complex), r"cannot take an array of dtype complex128"),
        ([["a", "b"]], r"cannot take an array of dtype <U1"),
    ],
)
def test_wrong_inputs_say_what_was_expected(two_layers, x, message):
    with pytest.raises(ValueError, match=message):
        NumpyModule(two_layers)(x)


def test_integer_inputs_are_not_rounded_from_floats():
    info = (TensorInfo("x", "int64", (None,)),)
    module = NumpyModule(graph_of([Node("Neg", ("x",), ("y",))], inputs=info))
    np.testing.assert_array_equal(module(np.array([1, 2], np.int32)), [-1, -2])
    with pytest.raises(ValueError, match=r"x int64\[\?\] cannot take an array of dtype float64"):
        module(np.array([1.5]))


def test_wrong_number_of_inputs(two_layers):
    with pytest.raises(ValueError, match=r"Expected 1 input\(s\): x float32\[\?, 2\]. Got 2"):
        NumpyModule(two_layers)(X, X)


def test_wrong_names(two_layers):
    module = NumpyModule(two_layers)
    with pytest.raises(ValueError, match=r"'nothing'.*asked for.*inputs are .'x'"):
        module.run({"x": X}, ["nothing"])
    with pytest.raises(ValueError, match=r"'u'.*were fed"):
        module.run({"u": X}, ["y"])
    with pytest.raises(ValueError, match="input 'x' is needed"):
        module.run({}, ["y"])


def test_constants_listed_as_inputs_need_no_feeding():
    infos = (TensorInfo("x", "float32", (None, 2)), TensorInfo("b", "float32", (2,)))
    graph = graph_of(
        [Node("Add", ("x", "b"), ("y",))],
        initializers={"b": np.ones(2, np.float32)},
        inputs=infos,
    )
    module = NumpyModule(graph)
    np.testing.assert_array_equal(module(X), X + 1)
    np.testing.assert_array_equal(module.run({"x": X, "b": [5, 5]}, ["y"])["y"], X + 5)


def test_omitted_optional_inputs_are_none():
    node = Node("Clip", ("x", "", "top"), ("y",))
    graph = graph_of([node], initializers={"top": np.array(0.5, np.float32)})
    np.testing.assert_array_equal(NumpyModule(graph)(X), np.minimum(X, 0.5))


@pytest.mark.parametrize(
    ("nodes", "error", "message"),
    [
        (
            [Node("Fft", ("x",), ("y",), name="n")],
            UnsupportedModelError,
            "Fft node 'n'.*no NumPy implementation",
        ),
        ([Node("Neg", ("u",), ("y",))], ConversionError, "'u', which no input"),
        (
            [Node("Neg", ("t",), ("y",)), Node("Neg", ("x",), ("t",))],
            ConversionError,
            "reads 't' before it is computed",
        ),
        ([Node("Neg", ("x",), ("x",))], ConversionError, "'x', which is defined already"),
        ([Node("Neg", ("x",), ("t",))], ConversionError, "output 'y' is never computed"),
        ([Node("Cast", ("x",), ("y",))], ConversionError, "Cast node 'y': missing.*'to'"),
        ([Node("Cast", ("x",), ("y",), {"to": 17})], UnsupportedModelError, "element type 17"),
        ([Node("Neg", ("x",), ("y",), domain="other")], ConversionError, "'other'.*operator set"),
    ],
)
def test_malformed_graphs_are_refused_when_loaded(nodes, error, message):
    with pytest.raises(error, match=message):
        NumpyModule(graph_of(nodes))


@pytest.mark.parametrize("version", [12, 22])
def test_operator_sets_out_of_range_are_refused(version):
    graph = graph_of([Node("Neg", ("x",), ("y",))], opsets={"": version})
    with pytest.raises(UnsupportedModelError, match=rf"set {version} .*\[13, 21\]"):
        NumpyModule(graph)


def test_other_models_are_refused():
    with pytest.raises(TypeError, match=r"FloatGraph, an onnx\.ModelProto or a torch\.nn\.Module"):
        NumpyModule([1, 2])


def test_dummy_input_is_for_torch_only(two_layers):
    with pytest.raises(ValueError, match=r"dummy_input is for a torch\.nn\.Module only"):
        NumpyModule(two_layers, X)


def test_onnx_model_can_be_read_again(two_layers):
    model = NumpyModule(two_layers).onnx_model
    assert isinstance(model, onnx.ModelProto)
    for actual, expected in zip(NumpyModule(model)(X), NumpyModule(two_layers)(X), strict=True):
        np.testing.assert_array_equal(actual, expected)


def test_module_survives_pickling(two_layers):
    module = pickle.loads(pickle.dumps(NumpyModule(two_layers)))
    np.testing.assert_array_equal(module(X, outputs=["h"]), HIDDEN)


def test_repr_shows_inputs_and_outputs(two_layers):
    expected = "NumpyModule(4 nodes: x float32[?, 2] -> y float32[?, 2], z float32[?, 2])"
    assert repr(NumpyModule(two_layers)) == expected


def test_running_a_graph_imports_neither_onnx_nor_torch():
    code = (
        "import sys, numpy as np\n"
        "from skq.graph.graph import FloatGraph, Node, TensorInfo\n"
        "from skq.frontend.numpy_module import NumpyModule\n"
        "info = lambda name: (TensorInfo(name, 'float32', (None,)),)\n"
        "graph = FloatGraph((Node('Relu', ('x',), ('y',)),), {}, info('x'), info('y'))\n"
        "NumpyModule(graph)(np.zeros(3))\n"
        "print(sorted({'onnx', 'torch', 'hummingbird'} & set(sys.modules)))"
    )
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert result.stdout.strip() == "[]", result.stderr


@pytest.mark.parametrize("dummy", ["tuple", "array", "double"])
def test_torch_module_is_exported(dummy):
    torch = pytest.importorskip("torch")
    torch.manual_seed(0)
    network = torch.nn.Sequential(
        torch.nn.Linear(3, 5), torch.nn.GELU(), torch.nn.Linear(5, 2), torch.nn.Softmax(dim=1)
    )
    x = torch.randn(6, 3)
    examples = {"tuple": (x[:2],), "array": x[:2].numpy(), "double": x[:2].double()}
    module = NumpyModule(network, dummy_input=examples[dummy])
    assert module.inputs[0].shape == (None, 3)
    assert module.inputs[0].dtype == "float32"
    expected = network(x).detach().numpy()
    np.testing.assert_allclose(module(x.numpy()), expected, rtol=1e-5, atol=1e-6)


def test_torch_convolutional_network_is_exported():
    torch = pytest.importorskip("torch")
    torch.manual_seed(0)
    network = torch.nn.Sequential(
        torch.nn.Conv2d(2, 4, 3, padding=1, stride=2, groups=2),
        torch.nn.BatchNorm2d(4),
        torch.nn.ReLU(),
        torch.nn.MaxPool2d(2, ceil_mode=True),
        torch.nn.AvgPool2d(2, padding=1, count_include_pad=True),
        torch.nn.Flatten(),
        torch.nn.Linear(16, 3),
    ).eval()
    x = torch.randn(4, 2, 10, 9)
    module = NumpyModule(network, x[:1])
    expected = network(x).detach().numpy()
    np.testing.assert_allclose(module(x.numpy()), expected, rtol=1e-5, atol=1e-6)


def test_torch_module_needs_a_dummy_input():
    torch = pytest.importorskip("torch")
    with pytest.raises(ValueError, match="needs dummy_input"):
        NumpyModule(torch.nn.Linear(2, 1))
