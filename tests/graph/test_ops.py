"""The NumPy operators against ONNX's own test data, and what that data leaves open."""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import numpy_helper
from onnx.backend.test.case.test_case import TestCase as BackendCase
from onnx.backend.test.loader import load_model_tests

from skq.exceptions import ConversionError, UnsupportedModelError
from skq.frontend.numpy_module import NumpyModule
from skq.graph.graph import Node
from skq.graph.ops import ONNX_OPS_TO_NUMPY_IMPL, bind_node, numpy_op

#: ONNX's tests of our operators that are refused when the graph is loaded -> why.
LEFT_OUT = {
    r"^test_cast(like)?_.*(BFLOAT16|FLOAT8)": "NumPy has no bfloat16 and no 8-bit float",
    r"^test_cast_.*U?INT4(_|$)": "NumPy has no 4-bit integer",
    r"^test_(de)?quantizelinear_e[45]m": "NumPy has no 8-bit float",
    r"^test_(de)?quantizelinear_u?int4$": "NumPy has no 4-bit integer",
    r"^test_identity_(sequence|opt)$": "graphs hold tensors, no sequences or optionals",
}

#: Modes of Resize that are refused.
LEFT_OUT |= {
    r"^test_resize_.*(linear|cubic)": "only the nearest neighbour is taken",
    r"^test_resize_tf_crop": "only whole tensors are resized",
    r"^test_resize_.*_nearest_not_(larger|smaller)": "aspect ratios are not computed",
}

#: ONNX's test data that torch and ONNX Runtime do not give either -> why.
WRONG_DATA = {
    "test_averagepool_3d_dilations_large_count_include_pad_is_1_ceil_mode_is_True": (
        "it counts cells beyond the padding, which ceil_mode adds"
    ),
}

#: Operators that ONNX has no test data for; they are tested elsewhere.
WITHOUT_BACKEND_TESTS = {
    "TreeEnsembleRegressor": "test_tree_ensemble.py",
    "WeightedMedian": "test_onnx_proto.py",
}


@cache
def backend_models() -> dict[str, tuple[BackendCase, onnx.ModelProto]]:
    """ONNX's node tests of which we implement every operator."""
    models = {}
    for case in load_model_tests(kind="node"):
        model = onnx.load(Path(case.model_dir) / "model.onnx")
        if operators(model) <= set(ONNX_OPS_TO_NUMPY_IMPL):
            models[case.name] = (case, model)
    return models


def operators(model: onnx.ModelProto) -> set[str]:
    return {node.op_type for node in model.graph.node}


def left_out(name: str) -> bool:
    return any(re.search(pattern, name) for pattern in LEFT_OUT)


def read_array(path: Path) -> np.ndarray:
    return numpy_helper.to_array(onnx.load_tensor(path))


RUN = sorted(name for name in backend_models() if not left_out(name) and name not in WRONG_DATA)
REFUSED = sorted(name for name in backend_models() if left_out(name))


@pytest.mark.parametrize("name", RUN)
def test_backend_case(name):
    case, model = backend_models()[name]
    module = NumpyModule(model)
    data_sets = sorted(Path(case.model_dir).glob("test_data_set_*"))
    assert data_sets
    for data_set in data_sets:
        feeds = {
            info.name: read_array(data_set / f"input_{index}.pb")
            for index, info in enumerate(model.graph.input)
        }
        outputs = [info.name for info in model.graph.output]
        results = module.run(feeds, outputs)
        for index, output in enumerate(outputs):
            expected = read_array(data_set / f"output_{index}.pb")
            actual = results[output]
            assert actual.dtype == expected.dtype
            assert actual.shape == expected.shape
            if expected.dtype.hasobject:
                np.testing.assert_array_equal(actual.astype(str), expected.astype(str))
            else:
                np.testing.assert_allclose(actual, expected, rtol=case.rtol, atol=case.atol)


@pytest.mark.parametrize("name", WRONG_DATA)
def test_wrong_data_of_onnx_is_still_wrong(name):
    with pytest.raises(AssertionError):
        test_backend_case(name)


@pytest.mark.parametrize("name", REFUSED)
def test_left_out_backend_case_is_refused_when_loaded(name):
    _, model = backend_models()[name]
    with pytest.raises(ConversionError):
        NumpyModule(model)


def test_every_operator_with_backend_tests_passes_some():
    run = set().union(*(operators(backend_models()[name][1]) for name in RUN))
    assert set(ONNX_OPS_TO_NUMPY_IMPL) - run == set(WITHOUT_BACKEND_TESTS)


@pytest.mark.parametrize("pattern", LEFT_OUT)
def test_left_out_pattern_is_needed(pattern):
    assert any(re.search(pattern, name) for name in backend_models())


def test_average_of_windows_that_ceil_mode_adds():
    """An overhang never counts, padding where asked; the values are torch's and ONNX Runtime's."""
    x = np.ones((1, 1, 4, 4), np.float32)
    attributes = {"kernel_shape": (3, 3), "strides": (2, 2), "pads": (1, 1, 1, 1), "ceil_mode": 1}
    counted = call("AveragePool", x, **attributes, count_include_pad=1)[0, 0]
    edge, corner = np.float32(2 / 3), np.float32(4 / 9)
    np.testing.assert_array_equal(
        counted, np.array([[corner, edge, 1 / 3], [edge, 1, 0.5], [1 / 3, 0.5, 0.25]], np.float32)
    )
    np.testing.assert_array_equal(call("AveragePool", x, **attributes), np.ones((1, 1, 3, 3)))


@pytest.mark.parametrize("include", [False, True])
@pytest.mark.parametrize(
    ("kernel", "stride", "padding"), [(3, 2, 1), (2, 3, 0), (3, 3, 1), (3, 2, 0), (2, 2, 1)]
)
def test_average_pool_with_ceil_mode_as_in_torch(include, kernel, stride, padding):
    torch = pytest.importorskip("torch")
    x = np.random.default_rng(0).normal(size=(3, 2, 5, 8)).astype(np.float32)
    module = torch.nn.AvgPool2d(kernel, stride, padding, ceil_mode=True, count_include_pad=include)
    expected = module(torch.tensor(x)).numpy()
    found = NumpyModule(module, x).forward(x)
    np.testing.assert_allclose(found, expected, rtol=1e-5, atol=1e-6)


def call(op_type: str, *inputs, n_outputs: int = 1, domain: str = "", **attributes):
    """Run one node as NumpyModule does."""
    arrays = [None if value is None else np.asarray(value) for value in inputs]
    names = tuple("" if value is None else f"i{k}" for k, value in enumerate(inputs))
    outputs = tuple(f"o{k}" for k in range(n_outputs))
    results = bind_node(Node(op_type, names, outputs, attributes, domain=domain))(*arrays)
    return results[0] if n_outputs == 1 else results


def test_registering_a_name_twice_raises():
    with pytest.raises(ValueError, match="'Relu' is implemented already"):
        numpy_op("Relu")(lambda x: x)


@pytest.mark.parametrize("op_type", ["Softmax", "Softplus", "Sigmoid"])
def test_large_values_do_not_overflow(op_type):
    x = np.array([[-1e30, -1000.0, 0.0, 1000.0]], np.float32)
    expected = {
        "Softmax": [[0, 0, 0, 1]],
        "Softplus": [[0, 0, np.log(2), 1000]],
        "Sigmoid": [[0, 0, 0.5, 1]],
    }[op_type]
    with np.errstate(all="raise", under="ignore"):
        result = call(op_type, x)
    assert result.dtype == np.float32
    np.testing.assert_allclose(result, expected, rtol=1e-7)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize(
    ("op_type", "attributes"),
    [
        ("Relu", {}),
        ("LeakyRelu", {"alpha": 0.3}),
        ("Elu", {"alpha": 0.7}),
        ("Selu", {}),
        ("Celu", {"alpha": 2.0}),
        ("HardSigmoid", {}),
        ("HardSwish", {}),
        ("ThresholdedRelu", {"alpha": 0.5}),
        ("Softplus", {}),
        ("Sigmoid", {}),
        ("Erf", {}),
    ],
)
@pytest.mark.parametrize("shape", [(), (3,), (2, 3)])
def test_univariate_operators_keep_dtype_and_shape(op_type, attributes, dtype, shape):
    result = call(op_type, np.full(shape, -0.25, dtype), **attributes)
    assert result.dtype == dtype
    assert result.shape == shape


def test_integer_division_truncates_towards_zero():
    a = np.array([7, -7, 7, -7, 6, -6], np.int32)
    b = np.array([2, 2, -2, -2, 3, 3], np.int32)
    result = call("Div", a, b)
    assert result.dtype == np.int32
    np.testing.assert_array_equal(result, [3, -3, -3, 3, 2, -2])


def test_division_by_zero_is_silent():
    with np.errstate(all="raise"):
        np.testing.assert_array_equal(call("Div", [1.0, -1.0], [0.0, 0.0]), [np.inf, -np.inf])


def test_clip_with_crossed_bounds_gives_the_maximum():
    np.testing.assert_array_equal(call("Clip", [-5.0, 0.0, 5.0], 3.0, 1.0), [1.0, 1.0, 1.0])


def test_round_is_half_to_even():
    np.testing.assert_array_equal(call("Round", [0.5, 1.5, 2.5, -0.5]), [0.0, 2.0, 2.0, -0.0])


def test_integer_powers():
    np.testing.assert_array_equal(call("Pow", [2.0, 4.0], np.array([-1, -2])), [0.5, 0.0625])
    assert call("Pow", np.array([2], np.int32), [2.5]).dtype == np.int32


@pytest.mark.parametrize("axes_are", ["attribute", "input"])
def test_reduce_mean_takes_axes_of_both_opsets(axes_are):
    x = np.arange(12, dtype=np.float32).reshape(3, 4)
    if axes_are == "attribute":
        result = call("ReduceMean", x, axes=(-1,), keepdims=0)
    else:
        result = call("ReduceMean", x, np.array([-1]), keepdims=0)
    np.testing.assert_array_equal(result, [1.5, 5.5, 9.5])


def test_reduce_sum_keeps_narrow_integers():
    result = call("ReduceSum", np.full((2, 3), 100, np.int32), np.array([0]), keepdims=1)
    assert result.dtype == np.int32
    np.testing.assert_array_equal(result, [[200, 200, 200]])


def test_split_without_lengths_follows_the_number_of_outputs():
    parts = call("Split", np.arange(7), n_outputs=3)
    assert [part.tolist() for part in parts] == [[0, 1, 2], [3, 4, 5], [6]]


def test_split_called_by_itself_needs_a_number():
    with pytest.raises(ValueError, match="lengths of the parts or num_outputs"):
        ONNX_OPS_TO_NUMPY_IMPL["Split"](np.arange(4))


def test_pad_removes_cells_where_negative():
    x = np.arange(12.0).reshape(3, 4)
    result = call("Pad", x, np.array([1, -1, 0, -2]), 9.0)
    np.testing.assert_array_equal(result, [[9.0], [1.0], [5.0], [9.0]])


def test_slice_backwards_to_the_beginning():
    result = call("Slice", np.arange(5), [-1], [np.iinfo(np.int64).min], [0], [-2])
    np.testing.assert_array_equal(result, [4, 2, 0])


def test_gemm_applies_its_factors():
    rng = np.random.default_rng(0)
    a, b, c = rng.normal(size=(4, 3)), rng.normal(size=(5, 4)), rng.normal(size=(5,))
    result = call("Gemm", a, b, c, alpha=0.5, beta=-2.0, transA=1, transB=1)
    np.testing.assert_allclose(result, 0.5 * a.T @ b.T - 2.0 * c, rtol=1e-13)


def test_gemm_keeps_float32():
    a = np.ones((2, 2), np.float32)
    assert call("Gemm", a, a, a[0], alpha=0.1, beta=0.3).dtype == np.float32


def naive_convolution(x, weights, bias, strides, dilations, pads, group):
    """Convolution by its definition, one multiplication at a time; ``pads`` as in ONNX."""
    n_axes = x.ndim - 2
    x = np.pad(x, [(0, 0), (0, 0), *zip(pads[:n_axes], pads[n_axes:], strict=True)])
    kernel = weights.shape[2:]
    output = [
        (length - (size - 1) * dilation - 1) // stride + 1
        for length, size, dilation, stride in zip(
            x.shape[2:], kernel, dilations, strides, strict=True
        )
    ]
    y = np.zeros((len(x), len(weights), *output))
    filters_in_group, channels_in_group = len(weights) // group, weights.shape[1]
    for sample, filter_, *place in np.ndindex(*y.shape):
        total = bias[filter_]
        first_channel = filter_ // filters_in_group * channels_in_group
        for channel, *cell in np.ndindex(channels_in_group, *kernel):
            position = [
                p * s + c * d for p, s, c, d in zip(place, strides, cell, dilations, strict=True)
            ]
            value = x[(sample, first_channel + channel, *position)]
            total += value * weights[(filter_, channel, *cell)]
        y[(sample, filter_, *place)] = total
    return y


@pytest.mark.parametrize("group", [1, 2, 4])
@pytest.mark.parametrize(
    ("spatial", "kernel", "strides", "dilations", "pads"),
    [
        ((7,), (3,), (2,), (1,), (0, 0)),
        ((7,), (3,), (1,), (2,), (2, 1)),
        ((5, 6), (2, 3), (1, 2), (2, 1), (1, 0, 2, 1)),
        ((4, 3, 5), (2, 1, 3), (2, 1, 1), (1, 1, 1), (0, 1, 0, 1, 0, 0)),
    ],
)
def test_convolution_follows_its_definition(group, spatial, kernel, strides, dilations, pads):
    rng = np.random.default_rng(3)
    x = rng.normal(size=(2, 4, *spatial))
    weights, bias = rng.normal(size=(4, 4 // group, *kernel)), rng.normal(size=4)
    options = {"strides": strides, "dilations": dilations, "pads": pads, "group": group}
    result = call("Conv", x, weights, bias, **options)
    expected = naive_convolution(x, weights, bias, **options)
    np.testing.assert_allclose(result, expected, rtol=1e-12, atol=1e-13)


def test_max_pool_indices_point_at_the_maxima():
    x = np.random.default_rng(4).normal(size=(2, 3, 6, 5))
    options = {"kernel_shape": (3, 2), "strides": (2, 1), "pads": (1, 0, 1, 1)}
    maxima, indices = call("MaxPool", x, n_outputs=2, **options)
    np.testing.assert_array_equal(x.ravel()[indices], maxima)
    _, by_column = call("MaxPool", x, n_outputs=2, storage_order=1, **options)
    np.testing.assert_array_equal(x.transpose(0, 1, 3, 2).ravel()[by_column], maxima)


@pytest.mark.parametrize("dtype", [np.uint8, np.int8, np.uint16, np.int16])
def test_quantize_then_dequantize_is_within_half_a_step(dtype):
    limits = np.iinfo(dtype)
    zero_point = np.array((limits.min + limits.max) // 2, dtype)
    scale = np.array(0.01, np.float32)
    x = np.linspace(-1, 1, 101, dtype=np.float32)
    codes = call("QuantizeLinear", x, scale, zero_point)
    assert codes.dtype == dtype
    np.testing.assert_allclose(
        call("DequantizeLinear", codes, scale, zero_point), x, atol=0.00501, rtol=0
    )


def test_quantize_linear_saturates():
    codes = call("QuantizeLinear", np.array([-1e9, 1e9], np.float32), np.float32(0.1))
    np.testing.assert_array_equal(codes, np.array([0, 255], np.uint8))


@pytest.mark.parametrize(
    ("op_type", "attributes", "error", "message"),
    [
        ("Cast", {"to": 16}, UnsupportedModelError, "element type 16"),
        ("Constant", {}, ConversionError, "exactly one of"),
        ("Constant", {"sparse_value": 0}, UnsupportedModelError, "dense tensor"),
        ("QuantizeLinear", {"output_dtype": 17}, UnsupportedModelError, "element type 17"),
    ],
)
def test_attributes_are_refused_when_bound(op_type, attributes, error, message):
    n_inputs = {"Cast": 1, "Constant": 0, "QuantizeLinear": 2}[op_type]
    node = Node(op_type, ("x",) * n_inputs, ("y",), attributes, name="culprit")
    with pytest.raises(error, match=rf"{op_type} node 'culprit': .*{message}"):
        bind_node(node)


@pytest.mark.parametrize(
    ("op_type", "n_inputs", "attributes"),
    [("Relu", 2, {}), ("Add", 1, {}), ("Relu", 1, {"alpha": 1.0})],
)
def test_wrong_inputs_or_attributes_are_refused_when_bound(op_type, n_inputs, attributes):
    with pytest.raises(ConversionError, match=f"{op_type} node 'y'.*ONNX specification"):
        bind_node(Node(op_type, ("x",) * n_inputs, ("y",), attributes))


def test_unknown_operator_names_alternatives():
    with pytest.raises(UnsupportedModelError, match=r"'Sigmod'.*Did you mean Sigmoid"):
        bind_node(Node("Sigmod", ("x",), ("y",)))


def test_operator_of_another_domain_is_unknown():
    with pytest.raises(UnsupportedModelError, match=r"domain 'com\.example'"):
        bind_node(Node("Relu", ("x",), ("y",), domain="com.example"))
