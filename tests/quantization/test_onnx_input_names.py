"""Inputs of operators by the names that ONNX's specification gives them; classes at the package."""

import numpy as np
import pytest

import skq.quantization
from skq.quantization import quantized_ops
from skq.quantization.quantized_ops import ONNX_OPS_TO_QUANTIZED_IMPL, QuantizedBatchNormalization

DEFAULT_DOMAIN = sorted(n for n, c in ONNX_OPS_TO_QUANTIZED_IMPL.items() if not c._domain)


@pytest.mark.parametrize("op_type", DEFAULT_DOMAIN)
def test_names_of_the_specification_have_their_position(op_type):
    schema = pytest.importorskip("onnx.defs").get_schema(op_type, 17, "")
    cls = ONNX_OPS_TO_QUANTIZED_IMPL[op_type]
    for position, parameter in enumerate(schema.inputs):
        assert cls._position(parameter.name) == position


def test_constants_by_the_names_of_the_specification():
    rng = np.random.default_rng(0)
    x, (scale, bias, mean) = rng.normal(size=(40, 3)), rng.normal(size=(3, 3))
    variance = rng.uniform(0.5, 2, size=3)
    ours = {"scale": scale, "bias": bias, "mean": mean, "variance": variance}
    onnx_names = {"scale": scale, "B": bias, "input_mean": mean, "input_var": variance}
    results = [
        QuantizedBatchNormalization(8, "norm", None, constants).calibrate(x)
        for constants in (ours, onnx_names, {1: scale, 2: bias, 3: mean, 4: variance})
    ]
    np.testing.assert_array_equal(results[0], results[1])
    np.testing.assert_array_equal(results[0], results[2])
    with pytest.raises(ValueError, match="BatchNormalization has no input 'input_median'"):
        QuantizedBatchNormalization(8, "norm", None, {"input_median": mean})


def test_classes_of_operators_are_names_of_the_package():
    for name, cls in vars(quantized_ops).items():
        if isinstance(cls, type) and name.startswith("Quantized"):
            assert getattr(skq.quantization, name) is cls
    with pytest.raises(AttributeError, match="no attribute 'QuantizedNothing'"):
        skq.quantization.QuantizedNothing  # noqa: B018
