"""Every quantized operator against its float form, alone in a graph and alone as an object."""

from __future__ import annotations

import inspect
import pickle
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pytest

from skq.engines.reference import evaluate
from skq.graph.graph import FloatGraph, Node, TensorInfo
from skq.quantization import (
    ALL_QUANTIZED_OPS,
    ONNX_OPS_TO_NUMPY_IMPL,
    ONNX_OPS_TO_QUANTIZED_IMPL,
    NumpyModule,
    PostTrainingAffineQuantization,
    QuantizedArray,
    QuantizedModule,
    quantized_ops,
)

N_BITS = 10
N_ROWS = 60


@dataclass(frozen=True)
class Case:
    """One operator on random inputs.

    Parameters
    ----------
    op_type : str
    shapes : tuple of shape
        Of a row of each input tensor.
    constants : dict of int to array
        Constant inputs by position.
    lo, hi : float
        Range of the inputs.
    steps : float
        Largest error allowed, in steps of the output's grid of N_BITS bits.
    n_outputs : int
    """

    op_type: str
    shapes: tuple[tuple[int, ...], ...] = ((5,),)
    constants: dict[int, Any] = field(default_factory=dict)
    attributes: dict[str, Any] = field(default_factory=dict)
    lo: float = -2.0
    hi: float = 3.0
    steps: float = 3.0
    n_outputs: int = 1

    @property
    def label(self) -> str:
        return f"{self.op_type}-{'-'.join('x'.join(map(str, s)) for s in self.shapes)}"

    def node(self) -> tuple[Node, list[str], dict[str, Any]]:
        n_inputs = max([len(self.shapes) + len(self.constants), *(i + 1 for i in self.constants)])
        variables = [f"x{i}" for i in range(len(self.shapes))]
        left, names = list(variables), []
        for position in range(n_inputs):
            if position in self.constants:
                names.append("" if self.constants[position] is None else f"c{position}")
            else:
                names.append(left.pop(0))
        outputs = tuple(f"y{i}" for i in range(self.n_outputs))
        constants = {f"c{i}": np.asarray(v) for i, v in self.constants.items() if v is not None}
        return Node(self.op_type, tuple(names), outputs, self.attributes), variables, constants

    def data(self, seed: int = 0, n_rows: int = N_ROWS) -> list[np.ndarray]:
        rng = np.random.default_rng(seed)
        return [rng.uniform(self.lo, self.hi, (n_rows, *shape)) for shape in self.shapes]

    def graph(self) -> FloatGraph:
        node, variables, constants = self.node()
        infos = tuple(
            TensorInfo(v, "float64", (None, *s))
            for v, s in zip(variables, self.shapes, strict=True)
        )
        unknown = tuple(TensorInfo(name, "float64", ()) for name in node.outputs)
        probe = NumpyModule(FloatGraph((node,), constants, infos, unknown, {"": 17})).forward(
            *self.data(n_rows=2)
        )
        arrays = probe if isinstance(probe, tuple) else (probe,)
        outputs = tuple(
            TensorInfo(n, a.dtype.name, (None, *a.shape[1:]))
            for n, a in zip(node.outputs, arrays, strict=True)
        )
        return FloatGraph((node,), constants, infos, outputs, {"": 17})


IMAGE = (3, 6, 5)


def w(*shape: int) -> np.ndarray:
    return np.random.default_rng(sum(shape)).normal(size=shape)


UNIVARIATE = [
    *(
        Case(op)
        for op in (
            "Abs",
            "Atan",
            "Asinh",
            "Celu",
            "Cos",
            "Elu",
            "Erf",
            "Exp",
            "HardSigmoid",
            "HardSwish",
            "Identity",
            "LeakyRelu",
            "Neg",
            "Relu",
            "Selu",
            "Sigmoid",
            "Sin",
            "Sinh",
            "Cosh",
            "Softplus",
            "Tanh",
        )
    ),
    *(Case(op, lo=-0.95, hi=0.95, steps=8) for op in ("Acos", "Asin", "Atanh")),
    Case("Acosh", lo=1.5, hi=4.0),
    Case("Log", lo=0.5, hi=4.0),
    Case("Sqrt", lo=0.1, hi=4.0),
    Case("Tan", lo=-1.0, hi=1.0, steps=4),
    Case("ThresholdedRelu", attributes={"alpha": -9.0}),
    Case("Clip", constants={1: -0.5, 2: 1.25}),
    Case("Clip", ((4, 3),), constants={1: None, 2: 1.25}),
    Case("Pow", constants={1: 2.0}),
    Case("Pow", constants={0: 2.0}),
    Case("Mod", lo=0.1, hi=2.9, constants={1: 3.0}, attributes={"fmod": 1}),
    Case("Reciprocal", lo=1.0, hi=4.0),
    Case("PRelu", constants={1: np.array([0.1, 0.5, -0.2, 0.0, 1.0])}),
    Case("PRelu", (IMAGE,), constants={1: w(3, 1, 1)}, steps=4),
    Case("BatchNormalization", (IMAGE,), {1: w(3), 2: w(3), 3: w(3), 4: w(3) ** 2 + 0.5}),
    Case("BatchNormalization", ((3,),), {1: w(3), 2: w(3), 3: w(3), 4: w(3) ** 2 + 0.5}),
]
ARITHMETIC = [
    *(Case(op, ((5,), (5,))) for op in ("Add", "Sub", "Mul", "Sum", "Mean", "Max", "Min")),
    *(Case(op, (IMAGE, (3, 1, 5))) for op in ("Add", "Sub", "Mul", "Max")),
    *(
        Case(op, ((5,),), {1: w(5) + 3})
        for op in ("Add", "Sub", "Mul", "Div", "Sum", "Mean", "Max", "Min")
    ),
    *(Case(op, (IMAGE,), {1: w(3, 6, 1) + 3}) for op in ("Add", "Sub", "Mul", "Div")),
    *(Case(op, ((5,),), {0: w(5)}) for op in ("Add", "Sub", "Mul")),
    Case("Div", ((5,),), {0: w(5)}, lo=1.0),
    Case("Sum", ((4,), (4,), (4,)), {1: w(4)}),
    Case("Mean", ((4,), (4,), (1,))),
    Case("Max", ((4,), (4,)), {2: np.array(0.5)}),
    Case("Min", ((4,), (4,)), {2: np.array(0.5)}),
]
LAYERS = [
    Case("Gemm", ((5,),), {1: w(5, 3), 2: w(3)}),
    Case("Gemm", ((5,),), {1: w(3, 5)}, {"transB": 1, "alpha": 0.5}),
    Case("Gemm", ((5,), (3,)), {1: w(5, 3)}, {"alpha": 0.5, "beta": -2.0}),
    Case("MatMul", ((5,),), {1: w(5, 3)}),
    Case("MatMul", ((5,),), {1: w(5)}),
    Case("MatMul", ((4, 5),), {1: w(5, 3)}),
    Case("MatMul", ((4, 5),), {0: w(3, 4)}),
    Case("MatMul", ((4, 5), (5, 2))),
    Case("MatMul", ((2, 4, 5), (1, 5, 2))),
    Case("Conv", (IMAGE,), {1: w(4, 3, 3, 3), 2: w(4)}, {"pads": (1, 1, 1, 1)}),
    Case("Conv", (IMAGE,), {1: w(4, 3, 3, 2)}, {"strides": (2, 1), "dilations": (1, 2)}),
    Case("Conv", ((4, 7),), {1: w(6, 2, 3)}, {"group": 2, "pads": (1, 1)}),
    Case("Conv", (IMAGE,), {1: w(3, 1, 3, 3)}, {"group": 3, "auto_pad": "SAME_UPPER"}, lo=1.0),
    Case("ConvTranspose", (IMAGE,), {1: w(3, 4, 3, 3), 2: w(4)}),
    Case(
        "ConvTranspose",
        (IMAGE,),
        {1: w(3, 4, 3, 2)},
        {"strides": (2, 3), "pads": (1, 0, 0, 1), "output_padding": (1, 2), "dilations": (1, 2)},
        lo=1.0,
    ),
    Case(
        "ConvTranspose",
        ((4, 7),),
        {1: w(4, 3, 3), 2: w(6)},
        {"group": 2, "strides": (2,), "pads": (2, 2)},
    ),
    Case("ConvTranspose", ((2, 5),), {1: w(2, 1, 4)}, {"strides": (2,), "auto_pad": "SAME_UPPER"}),
    Case("ConvTranspose", ((2, 5),), {1: w(2, 1, 3)}, {"strides": (2,), "output_shape": (12,)}),
    Case("MaxPool", (IMAGE,), {}, {"kernel_shape": (2, 2), "strides": (2, 2)}),
    Case("MaxPool", (IMAGE,), {}, {"kernel_shape": (3, 3), "pads": (1, 1, 1, 1)}, hi=-0.5),
    Case("AveragePool", (IMAGE,), {}, {"kernel_shape": (2, 2), "strides": (2, 2)}),
    Case("AveragePool", (IMAGE,), {}, {"kernel_shape": (3, 3), "pads": (1, 1, 1, 1)}, lo=1.0),
    Case(
        "AveragePool",
        (IMAGE,),
        {},
        {"kernel_shape": (3, 2), "pads": (1, 1, 1, 1), "count_include_pad": 1},
    ),
    *(
        Case(
            "AveragePool",
            (IMAGE,),
            {},
            {
                "kernel_shape": (3, 2),
                "strides": (2, 2),
                "pads": (1, 1, 1, 1),
                "ceil_mode": 1,
                "count_include_pad": include,
            },
            lo=1.0,
        )
        for include in (0, 1)
    ),
    Case("GlobalAveragePool", (IMAGE,)),
    Case("ReduceSum", (IMAGE,), {1: np.array([2, 3])}, {"keepdims": 0}),
    Case("ReduceSum", ((5,),), {1: np.array([-1])}),
    Case("ReduceSum", ((5,),), {1: np.array([], np.int64)}, {"noop_with_empty_axes": 1}),
    Case("ReduceMean", (IMAGE,), {}, {"axes": (1,)}),
    # half a step of the input is three of the outputs', whose range is small
    Case("Div", ((5,), (5,)), lo=1.0, steps=5),
    Case("Div", (IMAGE, (3, 1, 1)), lo=-3.0, hi=-1.0, steps=6),
    Case("LayerNormalization", ((6,),), {1: w(6), 2: w(6)}, steps=16),
    Case("LayerNormalization", ((4, 6),), {1: w(4, 6)}, {"axis": 1}, steps=28),
    Case("InstanceNormalization", (IMAGE,), {1: w(3), 2: w(3)}, steps=16),
    Case("GlobalMaxPool", (IMAGE,), steps=4),
    Case("ReduceMax", (IMAGE,), {}, {"axes": (2, 3), "keepdims": 0}, steps=4),
    Case("ReduceMax", ((5,),), {}, {"axes": (1,)}),
    Case("ReduceMin", (IMAGE,), {}, {"axes": (-1,)}),
    Case("ReduceMin", ((5,),), {}, {"axes": (1,)}),
    Case("ReduceMean", ((5, 4),), {}, {"axes": (1, 2), "keepdims": 0}),
    Case("ReduceProd", ((5,),), {}, {"axes": (1,)}, lo=0.5, hi=1.5, steps=8),
    Case("ReduceProd", ((4, 3),), {}, {"axes": (2,), "keepdims": 0}, steps=4),
    Case("ReduceProd", ((2, 3),), {}, {"axes": (-2,)}, steps=4),
    Case("LRN", ((5, 3, 2),), {}, {"size": 3, "alpha": 2.0, "beta": 0.75}, steps=12),
    Case("LRN", ((3, 4),), {}, {"size": 4, "alpha": 1.0, "bias": 2.0, "beta": 0.5}, steps=12),
]
SHAPES = [
    Case("Concat", ((5,), (3,)), {}, {"axis": 1}),
    Case("Concat", (IMAGE, (2, 6, 5)), {}, {"axis": -3}),
    Case("Expand", ((3, 1, 5),), {1: np.array([1, 1, 4, 5])}),
    Case("Flatten", (IMAGE,)),
    Case("Gather", (IMAGE,), {1: np.array([2, 0])}, {"axis": 2}),
    Case("Gather", ((5,),), {1: np.array(3)}, {"axis": 1}),
    Case("Pad", (IMAGE,), {1: np.array([0, 0, 1, 0, 0, 1, 2, 0])}),
    Case("Pad", ((5,),), {1: np.array([0, 2, 0, 1]), 2: np.array(1.5)}),
    Case("Pad", ((5,),), {1: np.array([0, 2, 0, 1])}, {"mode": "reflect"}),
    Case("Reshape", (IMAGE,), {1: np.array([0, 18, -1])}),
    Case(
        "Slice", (IMAGE,), {1: np.array([1]), 2: np.array([99]), 3: np.array([2]), 4: np.array([2])}
    ),
    Case("Split", ((6,),), {1: np.array([2, 4])}, {"axis": 1}, n_outputs=2),
    Case("Squeeze", ((1, 5, 1),), {1: np.array([3])}),
    Case("Squeeze", ((1, 5, 1),)),
    Case("Transpose", (IMAGE,), {}, {"perm": (0, 3, 1, 2)}),
    Case("Unsqueeze", ((5,),), {1: np.array([1, 3])}),
    Case("Cast", ((5,),), {}, {"to": 1}),
    Case("Dropout", ((5,),)),
    Case("DepthToSpace", ((8, 2, 3),), {}, {"blocksize": 2}),
    Case("DepthToSpace", ((8, 2, 3),), {}, {"blocksize": 2, "mode": "CRD"}),
    Case("SpaceToDepth", ((2, 4, 6),), {}, {"blocksize": 2}),
    Case("Resize", (IMAGE,), {1: None, 2: np.array([1.0, 1.0, 2.0, 2.0])}),
    Case(
        "Resize",
        (IMAGE,),
        {1: None, 2: None, 3: np.array([9, 4])},
        {"axes": (2, 3), "coordinate_transformation_mode": "asymmetric", "nearest_mode": "floor"},
    ),
]
CLOSE = UNIVARIATE + ARITHMETIC + LAYERS + SHAPES


def convert(case: Case, n_bits: int = N_BITS) -> tuple[NumpyModule, QuantizedModule]:
    model = NumpyModule(case.graph())
    return model, PostTrainingAffineQuantization(n_bits, model).quantize_module(*case.data())


def check_intervals(module: QuantizedModule, *data: np.ndarray) -> None:
    """Every integer of the program stays in its proven interval, also for wild inputs."""
    program = module.program
    numbers = [n for n, _, t in program.steps() if t.is_integer]
    values = evaluate(program, dict(enumerate(data)), numbers)
    for number, value in zip(numbers, values, strict=True):
        lo, hi = program.types[number].interval
        assert value.shape[1:] == program.types[number].shape
        assert lo <= value.min() <= value.max() <= hi, number


def as_tuple(result: Any) -> tuple[np.ndarray, ...]:
    return result if isinstance(result, tuple) else (result,)


@pytest.mark.parametrize("case", CLOSE, ids=lambda case: case.label)
def test_operator_is_close_to_float(case: Case) -> None:
    model, module = convert(case)
    data = case.data()
    expected, found = as_tuple(model.forward(*data)), as_tuple(module.forward(*data))
    for e, f in zip(expected, found, strict=True):
        assert f.shape == e.shape
        step = np.ptp(e) / (2**N_BITS - 1)
        assert np.abs(f - e).max() <= case.steps * step, np.abs(f - e).max() / step
    check_intervals(module, *(100 * x for x in data))


@pytest.mark.parametrize("case", CLOSE, ids=lambda case: case.label)
def test_operator_alone(case: Case) -> None:
    data = case.data()
    constants = {i: np.asarray(v) for i, v in case.constants.items() if v is not None}
    op = ONNX_OPS_TO_QUANTIZED_IMPL[case.op_type](
        N_BITS, "op", {f"x{i}" for i in range(len(data))}, constants, **case.attributes
    )
    expected = as_tuple(op.calibrate(*data))
    found = as_tuple(op(*(QuantizedArray(N_BITS, x) for x in data)))
    for e, f in zip(expected, found, strict=True):
        assert isinstance(f, QuantizedArray)
        assert f.n_bits == N_BITS
        step = np.ptp(e) / (2**N_BITS - 1)
        assert np.abs(f.values - e).max() <= (case.steps + 1.5) * step
        assert 0 <= f.qvalues.min() <= f.qvalues.max() < 2**N_BITS
    again = type(op).load_dict(op.dump_dict())
    for f, g in zip(
        found, as_tuple(again(*(QuantizedArray(N_BITS, x) for x in data))), strict=True
    ):
        np.testing.assert_array_equal(f.qvalues, g.qvalues)


#: Operators that a test of their own covers, in test_exact_operators.py, test_missing.py and
#: test_converter.py.
ELSEWHERE = {
    *("And", "ArgMax", "Ceil", "Equal", "Floor", "Greater", "GreaterOrEqual", "IsNaN", "Less"),
    *("LessOrEqual", "Not", "Or", "Round", "Sign", "Where", "QuantizeLinear", "DequantizeLinear"),
    *(
        "WeightedMedian",
        "Constant",
        "ConstantOfShape",
        "LabelEncoder",
        "Shape",
        "LayerNormalization",
        "InstanceNormalization",
        "LogSoftmax",
        "Softmax",
        "TreeEnsembleRegressor",
    ),
}

#: What `skq.quantization` promises to have.
PROMISED = [
    "Abs",
    "Acos",
    "Acosh",
    "Add",
    "Asin",
    "Asinh",
    "Atan",
    "Atanh",
    "AveragePool",
    "BatchNormalization",
    "Cast",
    "Ceil",
    "Celu",
    "Clip",
    "Concat",
    "Constant",
    "ConstantOfShape",
    "Conv",
    "Cos",
    "Cosh",
    "Div",
    "Elu",
    "Equal",
    "Erf",
    "Exp",
    "Expand",
    "Flatten",
    "Floor",
    "Gather",
    "Gemm",
    "GlobalAveragePool",
    "Greater",
    "GreaterOrEqual",
    "HardSigmoid",
    "HardSwish",
    "Identity",
    "LeakyRelu",
    "Less",
    "LessOrEqual",
    "Log",
    "MatMul",
    "Max",
    "MaxPool",
    "Mean",
    "Min",
    "Mul",
    "Neg",
    "Not",
    "Or",
    "PRelu",
    "Pad",
    "Pow",
    "ReduceMean",
    "ReduceSum",
    "Relu",
    "Reshape",
    "Round",
    "Selu",
    "Shape",
    "Sigmoid",
    "Sign",
    "Sin",
    "Sinh",
    "Slice",
    "Softplus",
    "Softmax",
    "Split",
    "Sqrt",
    "Squeeze",
    "Sub",
    "Sum",
    "Tan",
    "Tanh",
    "ThresholdedRelu",
    "Transpose",
    "Unsqueeze",
    "Where",
    "ArgMax",
    "DequantizeLinear",
    "QuantizeLinear",
]


#: Operators of skq itself; a documentation page adds others.
OWN = sorted(
    op_type
    for op_type, cls in ONNX_OPS_TO_QUANTIZED_IMPL.items()
    if cls.__module__.startswith("skq.")
)


def test_every_operator_is_there_and_tested() -> None:
    assert set(PROMISED) <= set(OWN) <= set(ONNX_OPS_TO_NUMPY_IMPL)
    assert set(OWN) == {case.op_type for case in CLOSE} | ELSEWHERE


@pytest.mark.parametrize("op_type", OWN)
def test_class_is_named_after_its_operator(op_type: str) -> None:
    cls = ONNX_OPS_TO_QUANTIZED_IMPL[op_type]
    assert cls in ALL_QUANTIZED_OPS
    assert cls.op_type() == op_type
    assert cls.__name__ == f"Quantized{op_type}"
    assert getattr(quantized_ops, cls.__name__) is cls
    assert pickle.loads(pickle.dumps(cls)) is cls
    assert cls.__doc__
    assert list(inspect.signature(cls).parameters)[:1] in (["n_bits_output"], ["args"])
