"""The converter: arguments, several inputs and outputs, shapes by batch, grids of QAT, refusals."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from skq import config_context
from skq.exceptions import ConversionError, UnsupportedModelError
from skq.graph.graph import FloatGraph, Node, TensorInfo
from skq.program import MatMul, Table
from skq.quantization import (
    NumpyModule,
    ONNXConverter,
    PostTrainingAffineQuantization,
    PostTrainingQATImporter,
    QuantizedModule,
    get_n_bits_dict,
)

RNG = np.random.default_rng(11)
X = RNG.normal(size=(300, 5))
W = RNG.normal(size=(5, 4))
V = RNG.normal(size=(4, 3))


def model_of(
    *nodes: Node,
    inputs: dict[str, tuple[int, ...]] | None = None,
    outputs: tuple[str, ...] = ("y",),
    **constants: Any,
) -> NumpyModule:
    inputs = {"x": (5,)} if inputs is None else inputs
    return NumpyModule(
        FloatGraph(
            nodes,
            {"w": W, "v": V, **{k: np.asarray(c) for k, c in constants.items()}},
            tuple(TensorInfo(n, "float64", (None, *s)) for n, s in inputs.items()),
            tuple(TensorInfo(n, "float64", ()) for n in outputs),
            {"": 17},
        )
    )


def two_layers(*between: Node) -> NumpyModule:
    return model_of(
        Node("MatMul", ("x", "w"), ("s",)),
        *(between or (Node("Tanh", ("s",), ("t",)),)),
        Node("MatMul", ("t", "v"), ("y",)),
    )


def quantize(model: NumpyModule, *data: np.ndarray, n_bits: Any = 8, **kw: Any) -> QuantizedModule:
    return PostTrainingAffineQuantization(n_bits, model, **kw).quantize_module(*data)


def relative_error(model: NumpyModule, module: QuantizedModule, *data: np.ndarray) -> float:
    expected = model.forward(*data)
    return float(np.abs(module.forward(*data) - expected).max() / np.ptp(expected))


# ------------------------------------------------------------------ arguments


def test_n_bits_properties() -> None:
    converter = PostTrainingAffineQuantization(3, two_layers())
    assert converter.n_bits_op_inputs == converter.n_bits_op_weights == 3
    assert converter.n_bits_model_inputs == converter.n_bits_model_outputs == 5
    widths = {"model_inputs": 7, "op_inputs": 6, "op_weights": 4, "model_outputs": 9}
    converter = PostTrainingAffineQuantization(widths, two_layers())
    assert converter.n_bits == widths == get_n_bits_dict(widths)
    module = converter.quantize_module(X)
    assert module.n_bits == widths
    report = module.bitwidth_and_range_report()
    assert report["%1 Quantize"] == {"range": (0, 127), "bitwidth": 7, "node": "s"}
    weights = [s.weights for s in module.program.instructions if isinstance(s, MatMul)]
    assert all(np.abs(w).max() <= 7 for w in weights)


@pytest.mark.parametrize(
    ("arguments", "error", "text"),
    [
        ((0, None), ValueError, "n_bits must be an int from 1 to 16"),
        ((True, None), ValueError, "n_bits"),
        (({"op_inputs": 3}, None), ValueError, "op_weights"),
        ((8, 17), ValueError, "rounding_threshold_bits"),
        ((8, {"n_bits": 4, "method": "quick"}), ValueError, "exact, approximate"),
        ((8, {"method": "exact"}), ValueError, "n_bits"),
        ((8, None, "yes"), TypeError, "is_signed"),
    ],
)
def test_bad_arguments(arguments: tuple[Any, ...], error: type, text: str) -> None:
    n_bits, *rest = arguments
    with pytest.raises(error, match=text):
        PostTrainingAffineQuantization(n_bits, two_layers(), *rest)


def test_model_must_be_a_numpy_module() -> None:
    with pytest.raises(TypeError, match="must be a NumpyModule"):
        PostTrainingAffineQuantization(8, object())  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="calibration must be one of"):
        PostTrainingAffineQuantization(8, two_layers(), calibration="best")


@pytest.mark.parametrize(
    ("rounding", "bits"),
    [(None, 10), (6, 6), ({"n_bits": 5}, 5), ({"n_bits": "auto", "method": "approximate"}, 10)],
)
def test_rounding_threshold_bits_limits_table_indices(rounding: Any, bits: int) -> None:
    module = quantize(two_layers(), X, rounding_threshold_bits=rounding)
    (table,) = [s for s in module.program.instructions if isinstance(s, Table)]
    assert module.program.types[table.inputs[0]].bits == bits


def test_calibration_data_are_checked() -> None:
    converter = PostTrainingAffineQuantization(8, two_layers())
    with pytest.raises(ValueError, match="1 inputs"):
        converter.quantize_module(X, X)
    with pytest.raises(ValueError, match="at least one row"):
        converter.quantize_module(X[:0])
    with pytest.raises(ValueError, match="'x' must not hold infinity"):
        converter.quantize_module(np.where(X > 1, np.inf, X))
    with pytest.raises(ValueError, match="sample_weight must be finite"):
        converter.quantize_module(X, sample_weight=np.zeros(len(X)))


def test_rows_of_weight_zero_count_as_absent() -> None:
    far = np.concatenate([X, 100 * X])
    weight = np.repeat([1.0, 0.0], len(X))
    converter = PostTrainingAffineQuantization(8, two_layers())
    with_weights = converter.quantize_module(far, sample_weight=weight)
    assert with_weights.dumps() == converter.quantize_module(X).dumps()


def test_equal_instructions_are_written_once() -> None:
    """Two layers read one tensor: it is requantized once."""
    model = model_of(
        Node("MatMul", ("x", "w"), ("s",)),
        Node("Relu", ("s",), ("r",)),
        Node("MatMul", ("r", "v"), ("a",)),
        Node("MatMul", ("r", "u"), ("b",)),
        Node("Sub", ("a", "b"), ("y",)),
        u=V[::-1],
    )
    module = quantize(model, X, calibration="minmax")
    texts = [(type(s).__name__, s.inputs) for s in module.program.instructions]
    assert texts.count(("Requantize", (2,))) == 1
    assert relative_error(model, module, X) < 0.02


def test_edges_of_a_domain_stay_defined() -> None:
    model = model_of(
        Node("Sigmoid", ("x",), ("p",)),
        Node("Sub", ("p", "half"), ("q",)),
        Node("MatMul", ("q", "one"), ("s",)),
        Node("Clip", ("s", "low", "high"), ("c",)),
        Node("Acos", ("c",), ("y",)),
        half=0.5,
        one=4 * np.eye(5),
        low=-1.0,
        high=1.0,
    )
    module = quantize(model, 3 * X, n_bits=10)
    result = module.forward(300 * X)
    assert np.isfinite(result).all()
    assert np.abs(result - model.forward(300 * X)).max() < 0.1


def test_unsigned_weights_use_the_whole_range_of_each_channel() -> None:
    weights = np.abs(W) + 3.0
    model = model_of(Node("MatMul", ("x", "w2"), ("y",)), w2=weights)
    symmetric, affine = (quantize(model, X, n_bits=4, is_signed=s) for s in (True, False))
    for module, extent in ((symmetric, 14), (affine, 15)):
        (matmul,) = [s for s in module.program.instructions if isinstance(s, MatMul)]
        assert np.abs(matmul.weights).max() <= extent
    assert relative_error(model, affine, X) < 0.1
    negative = model_of(Node("MatMul", ("x", "w2"), ("y",)), w2=W)
    assert relative_error(negative, quantize(negative, X, is_signed=False), X) < 0.01


def test_minmax_calibration() -> None:
    assert relative_error(two_layers(), quantize(two_layers(), X, calibration="minmax"), X) < 0.03


@pytest.mark.parametrize("cls", [PostTrainingAffineQuantization, PostTrainingQATImporter])
def test_converter_in_a_file(cls: type[ONNXConverter]) -> None:
    converter = cls(
        4,
        two_layers(),
        {"n_bits": 6, "method": "approximate"},
        is_signed=False,
        calibration="minmax",
    )
    again = cls.loads(converter.dumps())
    assert type(again) is cls
    model = NumpyModule.loads(converter.numpy_model.dumps())
    np.testing.assert_array_equal(model.forward(X), converter.numpy_model.forward(X))
    assert again.quantize_module(X).dumps() == converter.quantize_module(X).dumps()


# ------------------------------------------------------------------ graphs


def test_several_inputs_and_outputs() -> None:
    z = RNG.normal(size=(300, 4))
    model = model_of(
        Node("MatMul", ("x", "w"), ("s",)),
        Node("Add", ("s", "z"), ("a",)),
        Node("Relu", ("a",), ("r",)),
        Node("MatMul", ("r", "v"), ("y",)),
        Node("ArgMax", ("y",), ("label",), {"axis": 1, "keepdims": 0}),
        inputs={"x": (5,), "z": (4,)},
        outputs=("a", "y", "label"),
    )
    module = quantize(model, X, z)
    assert module.output_names == ("a", "y", "label")
    expected, found = model.forward(X, z), module.forward(X, z)
    for e, f in zip(expected[:2], found[:2], strict=True):
        assert np.abs(e - f).max() < 0.02 * np.ptp(e)
    np.testing.assert_array_equal(found[1].argmax(axis=1), found[2])
    np.testing.assert_array_equal(module.forward(X, z, outputs=["label"]), found[2])
    with pytest.raises(ValueError, match="Unknown outputs"):
        module.forward(X, z, outputs=["nothing"])
    with pytest.raises(ValueError, match="2 inputs"):
        module.forward(X)


def test_functions_of_one_tensor_are_one_table() -> None:
    """``x * sigmoid(x)``, and a chain behind it."""
    model = two_layers(
        Node("Sigmoid", ("s",), ("a",)),
        Node("Mul", ("s", "a"), ("b",)),
        Node("Tanh", ("b",), ("c",)),
        Node("Add", ("c", "s"), ("t",)),
    )
    module = quantize(model, X)
    assert sum(isinstance(s, Table) for s in module.program.instructions) == 1
    assert relative_error(model, module, X) < 0.02


def test_batch_norm_behind_a_convolution_costs_nothing() -> None:
    constants = {
        "f": RNG.normal(size=(4, 2, 3, 3)),
        "gain": np.array([1.0, -0.5, 2.0, 0.1]),
        "bias": RNG.normal(size=4),
        "mean": RNG.normal(size=4),
        "var": RNG.uniform(0.5, 2.0, 4),
    }
    data = RNG.normal(size=(200, 2, 6, 6))
    conv = Node("Conv", ("x", "f"), ("c",), {"pads": (1, 1, 1, 1)})
    norm = Node("BatchNormalization", ("c", "gain", "bias", "mean", "var"), ("n",))
    counts = []
    for nodes, name in (((conv,), "c"), ((conv, norm), "n")):
        rest = (Node("Relu", (name,), ("r",)), Node("Conv", ("r", "g"), ("y",)))
        model = model_of(
            *nodes, *rest, inputs={"x": (2, 6, 6)}, g=RNG.normal(size=(3, 4, 2, 2)), **constants
        )
        module = quantize(model, data)
        assert relative_error(model, module, data) < 0.02
        counts.append(len(module.program.instructions))
    assert counts[0] == counts[1]


def test_batch_size_of_the_graph_is_free() -> None:
    """What torch writes for ``x.reshape(len(x), 2, -1)``."""
    model = model_of(
        Node("Shape", ("x",), ("shape",)),
        Node("Gather", ("shape", "zero"), ("n",), {"axis": 0}),
        Node("Unsqueeze", ("n", "axes"), ("n1",)),
        Node("Concat", ("n1", "rest"), ("target",), {"axis": 0}),
        Node("MatMul", ("x", "w"), ("s",)),
        Node("Reshape", ("s", "target"), ("r",)),
        Node("ReduceSum", ("r", "last"), ("y",), {"keepdims": 0}),
        zero=0,
        axes=[0],
        rest=[2, 2],
        last=[2],
    )
    module = quantize(model, X)
    for n in (1, 7, 300):
        assert np.abs(module.forward(X[:n]) - model.forward(X[:n])).max() < 0.1


def test_constant_of_the_batch_size_joins_rows() -> None:
    model = model_of(
        Node("Shape", ("x",), ("n",), {"start": 0, "end": 1}),
        Node("Concat", ("n", "one"), ("shape",), {"axis": 0}),
        Node("ConstantOfShape", ("shape",), ("ones",), {"value": np.array([2.5])}),
        Node("MatMul", ("x", "w"), ("s",)),
        Node("Concat", ("s", "ones"), ("y",), {"axis": 1}),
        one=[1],
    )
    module = quantize(model, X)
    assert module.forward(X[:9]).shape == (9, 5)
    np.testing.assert_array_equal(module.forward(X[:9])[:, 4], np.full(9, 2.5))
    assert np.abs(module.forward(X) - model.forward(X)).max() < 0.1


def test_softmax_at_the_end_is_applied_to_scores() -> None:
    model = model_of(
        Node("MatMul", ("x", "w"), ("s",)), Node("Softmax", ("s",), ("y",), {"axis": 1})
    )
    module = quantize(model, X)
    assert [node.op_type for node in module.epilogue.nodes] == ["Softmax"]
    np.testing.assert_allclose(module.forward(X).sum(axis=1), 1.0, atol=1e-12)
    assert np.abs(module.forward(X) - model.forward(X)).max() < 0.02


def test_every_engine_gives_the_same_bits() -> None:
    module = quantize(two_layers(), X, n_bits=5)
    results = []
    for engine in ("reference", "numpy", "auto"):
        with config_context(engine=engine):
            results.append(module.forward(3 * X))
    np.testing.assert_array_equal(results[0], results[1])
    np.testing.assert_array_equal(results[0], results[2])


def test_can_fuse_knows_where_integers_come_from(monkeypatch: pytest.MonkeyPatch) -> None:
    from skq.quantization.quantized_ops import arithmetic

    seen: list[tuple[set[str], bool]] = []
    lower = arithmetic.CombiningOp.lower

    def spy(self: Any, *arguments: Any) -> Any:
        seen.append((self.int_input_names, self.can_fuse()))
        return lower(self, *arguments)

    monkeypatch.setattr(arithmetic.CombiningOp, "lower", spy)
    quantize(
        model_of(
            Node("MatMul", ("x", "w"), ("s",)),
            Node("MatMul", ("x", "w2"), ("u",)),
            Node("Sigmoid", ("s",), ("a",)),
            Node("Max", ("a", "s"), ("b",)),
            Node("Max", ("b", "u"), ("y",)),
            w2=W[::-1],
        ),
        X,
        calibration="minmax",
    )
    assert seen == [({"s"}, True), ({"s", "u"}, False)]


# ------------------------------------------------------------------ grids that are there already


def test_qat_importer_keeps_quantize_dequantize_pairs() -> None:
    codes = RNG.integers(-7, 8, (5, 4)).astype(np.int8)
    model = model_of(
        Node("QuantizeLinear", ("x", "sx", "zx"), ("qx",)),
        Node("DequantizeLinear", ("qx", "sx", "zx"), ("dx",)),
        Node("DequantizeLinear", ("codes", "sw"), ("dw",)),
        Node("MatMul", ("dx", "dw"), ("s",)),
        Node("Relu", ("s",), ("r",)),
        Node("QuantizeLinear", ("r", "sr", "zr"), ("qr",)),
        Node("DequantizeLinear", ("qr", "sr", "zr"), ("t",)),
        Node("MatMul", ("t", "v2"), ("y",)),
        codes=codes,
        sw=0.125,
        sx=1 / 32,
        zx=np.uint8(128),
        sr=1 / 16,
        zr=np.uint8(0),
        v2=RNG.integers(-7, 8, (4, 3)) * 0.25,
    )
    converter = PostTrainingQATImporter({"op_inputs": 8, "op_weights": 4}, model)
    module = converter.quantize_module(X)
    first, second = [s.weights for s in module.program.instructions if isinstance(s, MatMul)]
    # a channel whose codes have a common divisor gets a grid that is coarser by it
    divisor = np.gcd.reduce(codes.astype(np.int64), axis=0)
    np.testing.assert_array_equal(first * divisor, codes)
    assert np.abs(second).max() <= 7
    # half a step of the inner grid, rounded the other way at ties, times the weights of a channel
    off = np.abs(module.forward(X) - model.forward(X)).max(axis=1)
    assert np.mean(off < 1e-9) > 0.9
    assert off.max() <= 4 / 16 * 1.75


def test_qat_importer_finds_grids_in_values() -> None:
    """Fake quantization written as arithmetic: divide, round, clip, multiply."""
    weights = RNG.integers(-7, 8, (4, 3)) * 0.2
    weights[0], weights[1] = 1.4, 0.2
    model = model_of(
        Node("MatMul", ("x", "w"), ("s",)),
        Node("Mul", ("s", "inverse"), ("a",)),
        Node("Round", ("a",), ("b",)),
        Node("Clip", ("b", "low", "high"), ("c",)),
        Node("Mul", ("c", "step"), ("t",)),
        Node("MatMul", ("t", "v2"), ("y",)),
        v2=weights,
        inverse=2.0,
        step=0.5,
        low=0.0,
        high=7.0,
    )
    module = PostTrainingQATImporter(
        {"op_inputs": 3, "op_weights": 4, "model_inputs": 12}, model
    ).quantize_module(X)
    matmul = [s for s in module.program.instructions if isinstance(s, MatMul)][1]
    np.testing.assert_array_equal(matmul.weights, np.rint(weights / 0.2))
    lo, hi = module.program.types[matmul.inputs[0]].interval
    assert (lo, hi) == (0, 7)
    assert issubclass(PostTrainingQATImporter, ONNXConverter)


# ------------------------------------------------------------------ refusals

IMAGE = {"x": (2, 4, 4)}
REFUSED: dict[str, tuple[NumpyModule, str]] = {
    "softmax over rows": (two_layers(Node("Softmax", ("s",), ("t",), {"axis": 0})), "over rows"),
    "sum over rows": (
        model_of(Node("ReduceSum", ("x", "a"), ("y",), {"keepdims": 1}), a=[0]),
        "adds up rows",
    ),
    "sum over everything": (model_of(Node("ReduceMean", ("x",), ("y",))), "adds up rows"),
    "rows in another order": (model_of(Node("Transpose", ("x",), ("y",))), "between rows"),
    "rows merged": (model_of(Node("Reshape", ("x", "a"), ("y",)), a=[-1]), "between rows"),
    "rows joined": (model_of(Node("Concat", ("x", "x"), ("y",), {"axis": 0})), "joins rows"),
    "quotient": (
        model_of(
            Node("MatMul", ("x", "w"), ("s",)),
            Node("MatMul", ("x", "u"), ("t",)),
            Node("Div", ("s", "t"), ("y",)),
            u=W + 1,
        ),
        "integers cannot be divided",
    ),
    "power of tensors": (
        model_of(
            Node("MatMul", ("x", "w"), ("s",)),
            Node("MatMul", ("x", "u"), ("t",)),
            Node("Pow", ("s", "t"), ("y",)),
            u=W + 1,
        ),
        "different integer tensors",
    ),
    "positions of maxima": (
        model_of(
            Node("MaxPool", ("x",), ("a", "b"), {"kernel_shape": (2, 2)}),
            Node("Flatten", ("a",), ("y",)),
            inputs=IMAGE,
        ),
        "positions of the maxima",
    ),
    "moving filters": (
        model_of(Node("Conv", ("x", "x"), ("y",)), inputs={"x": (2, 1, 1)}),
        "filters must be constant",
    ),
    "two tensors": (
        model_of(Node("Gemm", ("x", "x"), ("y",), {"transB": 1})),
        "the second factor, 'x', must be a constant.*add up rows",
    ),
    "long products": (
        model_of(
            Node("Concat", ("x", "x"), ("d",), {"axis": 1}),
            Node("ReduceProd", ("d",), ("y",), {"axes": (1,)}),
        ),
        "multiplies 10 elements.*1 to 8",
    ),
    "products over rows": (
        model_of(Node("ReduceProd", ("x",), ("y",), {"axes": (0,)})),
        "multiplies rows",
    ),
    "divisor of LRN": (
        model_of(
            Node("LRN", ("x",), ("n",), {"size": 3, "alpha": -9.0}),
            Node("Flatten", ("n",), ("y",)),
            inputs=IMAGE,
        ),
        "a divisor that is not above 0",
    ),
    "moving filters of a transposed convolution": (
        model_of(Node("ConvTranspose", ("x", "x"), ("y",)), inputs={"x": (2, 1, 1)}),
        "filters must be constant",
    ),
    "transposed rows": (
        model_of(Node("Gemm", ("x", "c"), ("y",), {"transA": 1}), c=np.ones((300, 2))),
        "transA=1",
    ),
    "lookup along another axis": (
        model_of(
            Node("Abs", ("x",), ("i",)),
            Node("Cast", ("i",), ("j",), {"to": 7}),
            Node("Gather", ("table", "j"), ("y",), {"axis": 1}),
            table=np.ones((3, 99)),
        ),
        "along axis 0",
    ),
    "constants by row": (
        model_of(Node("Add", ("x", "c"), ("y",)), c=np.ones((300, 5))),
        "not the same for all rows",
    ),
    "number of rows": (
        model_of(
            Node("Shape", ("x",), ("n",), {"start": 0, "end": 1}),
            Node("Cast", ("n",), ("m",), {"to": 11}),
            Node("Mul", ("x", "m"), ("y",)),
        ),
        "number of rows",
    ),
    "grid a channel": (
        model_of(
            Node("QuantizeLinear", ("x", "s"), ("q",), {"axis": 1}),
            Node("DequantizeLinear", ("q", "s"), ("y",), {"axis": 1}),
            s=np.ones(3),
            inputs={"x": (3, 2, 2)},
        ),
        "'x' has several scales, 's'",
    ),
}


@pytest.mark.parametrize("case", sorted(REFUSED))
def test_refusal_names_node_operator_and_reason(case: str) -> None:
    model, reason = REFUSED[case]
    shapes = [info.shape[1:] for info in model.inputs]
    data = [RNG.normal(size=(300, *shape)) for shape in shapes]
    if case.startswith("moving filters"):
        data = [array[:2] for array in data]
    with pytest.raises(UnsupportedModelError, match=reason) as caught:
        quantize(model, *data)
    assert any(str(caught.value).startswith(str(node)) for node in model.graph.nodes)


def test_unknown_operator_is_refused_before_anything_runs(monkeypatch: pytest.MonkeyPatch) -> None:
    from skq.quantization import conversion

    registry = dict(conversion.ONNX_OPS_TO_QUANTIZED_IMPL)
    del registry["Tanh"]
    monkeypatch.setattr(conversion, "ONNX_OPS_TO_QUANTIZED_IMPL", registry)
    monkeypatch.setattr(conversion.Conversion, "_lower", lambda *_: pytest.fail("it ran"))
    with pytest.raises(UnsupportedModelError, match=r"Tanh node 't'.*no quantized form"):
        quantize(two_layers(), X)


def test_output_that_depends_on_the_number_of_rows_alone() -> None:
    model = model_of(Node("Shape", ("x",), ("y",)))
    with pytest.raises(ConversionError, match="number of rows"):
        quantize(model, X)


def test_fixed_batch_is_refused_by_the_name_of_the_input() -> None:
    graph = two_layers().graph
    fixed = FloatGraph(
        graph.nodes,
        graph.initializers,
        (TensorInfo("x", "float64", (1, 5)),),
        graph.outputs,
        graph.opsets,
    )
    with pytest.raises(UnsupportedModelError, match=r"'x'.*\(1, 5\).*batch of 1 rows.*take 300"):
        quantize(NumpyModule(fixed), X)
    with pytest.raises(ValueError, match=r"'x' must have the shape \(n_rows, 5\).*\(300, 4\)"):
        quantize(two_layers(), X[:, :4])


def test_search_of_a_layer_is_bounded_by_its_weights() -> None:
    from skq.quantization.search.settings import LAYERS
    from skq.quantization.search.weights import n_sweeps

    assert n_sweeps(64, 32) == LAYERS.sweeps
    for width in (512, 784, 1500):
        assert n_sweeps(width, 512) * width * width * 512 <= LAYERS.descent_cost
    assert LAYERS.max_fitted_weights >= 100 * 100


@pytest.mark.parametrize("n_bits", [4, 8])
def test_wide_layers_are_not_fitted_and_still_better_than_minmax(
    n_bits: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    from skq.quantization.lower import layers
    from skq.quantization.search.settings import LAYERS

    rng = np.random.default_rng(0)
    x = rng.normal(size=(400, 210))
    model = model_of(
        Node("MatMul", ("x", "a"), ("s",)),
        Node("Relu", ("s",), ("t",)),
        Node("MatMul", ("t", "b"), ("y",)),
        inputs={"x": (210,)},
        a=rng.normal(size=(210, 200)) / 14,
        b=rng.normal(size=(200, 3)) / 14,
    )
    sizes = []
    fit = layers.fit_layer
    monkeypatch.setattr(
        layers, "fit_layer", lambda data: (sizes.append(data.weights.size), fit(data))[1]
    )
    error = relative_error(model, quantize(model, x, n_bits=n_bits), x)
    assert max(sizes, default=0) <= LAYERS.max_fitted_weights
    assert error <= relative_error(
        model, quantize(model, x, n_bits=n_bits, calibration="minmax"), x
    )
