"""The matrix operator × fact, and the analyses that read it."""

import numpy as np
import pytest

from skq.graph.graph import Node
from skq.quantization import ALL_QUANTIZED_OPS, ONNX_OPS_TO_QUANTIZED_IMPL
from skq.quantization.operator_facts import FACTS, ErrorStep, has_fact, operators_with

MATRIX = {
    "moves_elements": {
        "Concat", "Expand", "Flatten", "Gather", "Identity", "Pad", "Reshape", "Slice", "Split",
        "Squeeze", "Transpose", "Unsqueeze",
    },
    "keeps_element_order": {"Flatten", "Identity", "Reshape", "Squeeze", "Unsqueeze"},
    "is_link": {"Clip", "Exp", "Log", "Sigmoid", "Softmax"},
    "follows_link": {
        "Add", "ArgMax", "Cast", "Concat", "Constant", "Div", "Equal", "Gather", "Identity", "Mul",
        "Neg", "ReduceSum", "Reshape", "Slice", "Squeeze", "Sub", "Unsqueeze",
    },
    "decides": {"ArgMax", "Greater", "GreaterOrEqual", "Less", "LessOrEqual"},
    "is_layer": {"Conv", "ConvTranspose", "Gemm", "MatMul", "TreeEnsembleRegressor"},
    "selects_elements": {
        "DepthToSpace", "Dropout", "Expand", "Flatten", "Gather", "Identity", "Reshape", "Resize",
        "Slice", "SpaceToDepth", "Split", "Squeeze", "Transpose", "Unsqueeze",
    },
    "stays_on_grid": {"Clip", "Concat", "GlobalMaxPool", "MaxPool", "Pad", "ReduceMax", "Relu"},
    "jumps": {
        "And", "Ceil", "Equal", "Floor", "Greater", "GreaterOrEqual", "LabelEncoder", "Less",
        "LessOrEqual", "Mod", "Not", "Or", "Round", "Sign", "Where",
    },
    "tells_integers_apart": {"Equal", "LabelEncoder", "Mod"},
}  # fmt: skip


def test_the_matrix_of_operators_and_facts(capsys):
    names = sorted(ONNX_OPS_TO_QUANTIZED_IMPL)
    width = max(map(len, names))
    print(" " * width, *FACTS)
    for name in names:
        marks = [("x" if has_fact(name, fact) else ".").center(len(fact)) for fact in FACTS]
        print(f"{name:<{width}}", *marks)
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == 1 + len(names)
    assert all(fact in lines[0] for fact in FACTS)
    assert sum(line.count(" x ") + line.endswith(" x") for line in lines) > 0


@pytest.mark.parametrize("fact", FACTS)
def test_operators_with_a_fact(fact):
    assert operators_with(fact) >= MATRIX[fact]


def test_what_keeps_the_order_of_elements_moves_them():
    assert operators_with("keeps_element_order") <= operators_with("moves_elements")


def test_what_selects_elements_stays_on_the_grid_and_adds_none():
    assert operators_with("selects_elements") <= operators_with("stays_on_grid")
    assert not operators_with("selects_elements") & {"Concat", "Pad"}
    assert operators_with("tells_integers_apart") <= operators_with("jumps")


def test_facts_are_class_attributes():
    for cls in ALL_QUANTIZED_OPS:
        for fact in FACTS:
            assert isinstance(getattr(cls, fact), bool | str)


def weight_before(op_type, values, weight, *constants, position=0, **attributes):
    """`input_error_weight` of one node whose other inputs are constants."""
    inputs = [f"c{i}" for i in range(len(constants))]
    inputs.insert(position, "x")
    arguments = list(constants)
    arguments.insert(position, values)
    node = Node(op_type, tuple(inputs), ("y",), attributes)
    rows = np.full(len(values), 1.0 / len(values))
    step = ErrorStep(node, position, arguments, values, weight, rows)
    return ONNX_OPS_TO_QUANTIZED_IMPL[op_type].input_error_weight(step)


def test_weights_of_errors_before_operators():
    rng = np.random.default_rng(0)
    x, w = rng.normal(size=(20, 3)), rng.normal(size=(3, 2))
    weight = rng.uniform(size=(20, 2))
    np.testing.assert_allclose(weight_before("MatMul", x, weight, w), weight @ (w * w).T)
    np.testing.assert_allclose(
        weight_before("Gemm", x, weight, w.T, transB=1, alpha=3.0), 9 * weight @ (w * w).T
    )
    square = rng.uniform(size=(20, 3))
    for op_type in ("Add", "Sub"):
        np.testing.assert_array_equal(weight_before(op_type, x, square, np.ones(3)), square)
    far = np.where(x > 0, x + 1, x - 1)  # from the kink
    np.testing.assert_allclose(weight_before("Relu", far, square), (far > 0) * square)
    doubled = weight_before("LeakyRelu", far, square, alpha=2.0)
    np.testing.assert_allclose(doubled, np.where(far > 0, 1, 4) * square, rtol=1e-9)
    np.testing.assert_array_equal(
        weight_before("Reshape", x, square.reshape(20, 3, 1), np.array([0, 3, 1])), square
    )
    np.testing.assert_allclose(
        weight_before("Mul", x, square, np.full(3, 2.0)), 4 * square, rtol=1e-9
    )
    assert weight_before("ArgMax", x, square[:, 0]) is None
