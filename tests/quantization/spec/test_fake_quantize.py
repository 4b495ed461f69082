"""Fake quantizers as modules: gradients, state, copies, subclasses, bad input."""

from __future__ import annotations

import copy
from typing import Any

import pytest
import torch

import skq.quantization
from skq.quantization.spec import (
    CompressionTargetTensor,
    FakeQuantizeImplBase,
    PerBlockGranularity,
    PerChannelGranularity,
    QParamsCalculatorBase,
    QuantizationComponentFactory,
    QuantizationSpec,
    RangeError,
    RunningRangeMixin,
)

ACTIVATION, WEIGHT = CompressionTargetTensor.ACTIVATION, CompressionTargetTensor.WEIGHT


def made(target: CompressionTargetTensor = WEIGHT, **fields: Any) -> FakeQuantizeImplBase:
    return QuantizationComponentFactory.create_fake_quantizer(QuantizationSpec(**fields), target)


def values(*shape: int, seed: int = 0) -> torch.Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed))


def test_package_is_an_attribute_of_its_parent() -> None:
    assert skq.quantization.spec.QuantizationSpec is QuantizationSpec


@pytest.mark.parametrize("axis", [None, 0, 1])
def test_same_numbers_as_torch(axis: int | None) -> None:
    x = values(6, 5).requires_grad_()
    granularity = {"type": "per_tensor"} if axis is None else {"type": "per_channel", "axis": axis}
    fake_quantize = made(dtype="uint4", qscheme="asymmetric", granularity=granularity)
    fake_quantize(values(6, 5, seed=1))
    fake_quantize.disable_observer()
    scale, zero_point, _ = fake_quantize.calculate_qparams()
    y = x.detach().clone().requires_grad_()
    if axis is None:
        expected = torch.fake_quantize_per_tensor_affine(y, scale.item(), zero_point.item(), 0, 15)
    else:
        given = scale.reshape(-1), zero_point.reshape(-1)
        expected = torch.fake_quantize_per_channel_affine(y, *given, axis, 0, 15)
    result = fake_quantize(x)
    torch.testing.assert_close(result, expected)
    weights = values(6, 5, seed=2)
    result.backward(weights)
    expected.backward(weights)
    assert torch.equal(x.grad, y.grad)


@pytest.mark.parametrize("key", ["static", "moving_average", "global_minmax"])
def test_a_state_loads_into_a_fresh_module(key: str) -> None:
    fields = {"dtype": "int4", "granularity": {"type": "per_channel", "axis": 0}}
    first, second = (made(**fields, qparam_calculator_cls=key) for _ in range(2))
    first(values(3, 4))
    first.disable_observer()
    second.load_state_dict(first.state_dict())
    assert torch.equal(second(values(3, 4, seed=1)), first(values(3, 4, seed=1)))
    assert not second.observer_enabled.item()
    second.enable_observer()
    second(values(3, 4, seed=2))
    with pytest.raises(RuntimeError, match="number of channels"):
        second(values(5, 4))


def test_copies_are_independent() -> None:
    first = made(qparam_calculator_cls="global_minmax")
    first(values(5))
    second = copy.deepcopy(first)
    second(10 * values(5))
    assert second.qparams_calculator.scale > first.qparams_calculator.scale


@pytest.mark.parametrize("key", ["static", "moving_average", "global_minmax"])
def test_a_calculator_by_itself_is_differentiable(key: str) -> None:
    calculator = made(qparam_calculator_cls=key, qscheme="asymmetric").qparams_calculator
    calculator(torch.tensor([-1.0, 0.5]))
    x = torch.tensor([-1.0, 2.0], requires_grad=True)
    calculator(x)[0].backward(torch.ones(1))
    assert x.grad is not None
    assert x.grad[1] > 0
    assert not calculator.scale.requires_grad


def test_the_module_cuts_the_path_through_the_scale() -> None:
    x = torch.tensor([-1.0, 2.0, 0.3], requires_grad=True)
    made(qscheme="asymmetric")(x).sum().backward()
    assert torch.equal(x.grad, torch.ones(3))


def test_backward_keeps_a_mask_only() -> None:
    kept = []
    with torch.autograd.graph.saved_tensors_hooks(lambda t: kept.append(t) or t, lambda t: t):
        made(granularity=PerChannelGranularity(axis=0))(values(3, 4).requires_grad_())
    assert [(t.dtype, t.shape) for t in kept] == [(torch.bool, (3, 4))]


@pytest.mark.parametrize("bad", [float("nan"), float("inf"), -float("inf")])
def test_a_bad_value_does_not_spoil_a_running_range(bad: float) -> None:
    fake_quantize = made(ACTIVATION)
    fake_quantize(torch.tensor([-1.0, 2.0]))
    with pytest.raises(RangeError, match="NaN or infinite"):
        fake_quantize(torch.tensor([0.0, bad]))
    assert fake_quantize.qparams_calculator.running_max.item() == 2


@pytest.mark.parametrize("dtype", [torch.int64, torch.uint8, torch.bool, torch.complex64])
def test_only_floats_are_quantized(dtype: Any) -> None:
    with pytest.raises(TypeError, match="floating-point"):
        made()(torch.ones(3).to(dtype))


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float64])
@pytest.mark.parametrize("float_range", [(0, None), (None, 6), (0, 6)])
def test_one_given_end_serves_every_dtype(dtype: Any, float_range: Any) -> None:
    fake_quantize = made(ACTIVATION, dtype="uint4", float_range=float_range, qscheme="asymmetric")
    result = fake_quantize(torch.tensor([0.5, 1.0, 6.0], dtype=dtype))
    assert result.dtype == dtype
    assert fake_quantize.qparams_calculator.scale.item() == pytest.approx(6 / 15, rel=0.01)


def test_blocks_have_parameters_of_their_own() -> None:
    fake_quantize = made(dtype="int8", granularity=PerBlockGranularity(block_size=(2, 1, -1)))
    x = values(4, 3, 5)
    whole = fake_quantize(x)
    assert fake_quantize.qparams_calculator.scale.shape == (2, 3, 1)
    for row in range(2):
        for column in range(3):
            block = x[2 * row : 2 * row + 2, column]
            assert torch.equal(whole[2 * row : 2 * row + 2, column], made(dtype="int8")(block))


def test_a_rank_change_keeps_the_shape_where_the_observer_is_off() -> None:
    fake_quantize = made()
    fake_quantize(values(2, 2))
    fake_quantize.disable_observer()
    assert fake_quantize(values(4)).shape == (4,)


def test_a_mismatch_of_blocks_is_logged_and_disables(caplog: pytest.LogCaptureFixture) -> None:
    fake_quantize = made(granularity=PerBlockGranularity(axis=1, block_size=3))
    x = values(2, 4)
    assert fake_quantize(x) is x
    assert fake_quantize.is_disabled()
    assert "block size 3" in caplog.text


def test_a_subclass_needs_only_codes_and_values() -> None:
    @FakeQuantizeImplBase.register("halves for this test")
    class Halves(FakeQuantizeImplBase):
        def quantize(self, tensor, scale, zero_point, minval, cast_to_target_dtype=True):
            return torch.round(tensor * 2).clamp(self.quant_min, self.quant_max)

        def dequantize(self, tensor, scale, zero_point, minval, output_dtype=torch.float32):
            return (tensor / 2).to(output_dtype)

    try:
        fake_quantize = made(dtype="int4", fake_quantize_cls=Halves, float_range=(-3.75, 3.75))
        x = torch.tensor([0.2, 0.3, 9.0], requires_grad=True)
        result = fake_quantize(x)
        result.sum().backward()
        assert result.tolist() == [0.0, 0.5, 3.5]
        assert x.grad.tolist() == [1, 1, 0]
    finally:
        del FakeQuantizeImplBase._registry["halves for this test"]


def test_a_later_class_takes_a_key_over_with_a_warning(caplog: pytest.LogCaptureFixture) -> None:
    base = type("Base", (QParamsCalculatorBase,), {})
    first, second = (type(name, (base,), {}) for name in ("First", "Second"))
    assert base.register("key")(first) is first
    base.register("key")(second)
    assert base.get_class("key") is second
    assert "First" in caplog.text
    assert "Second" in caplog.text
    assert base.list_registry_values() == {second}


def test_a_running_range_of_ones_own_gets_the_fields_of_its_spec() -> None:
    @QParamsCalculatorBase.register("shrinking for this test")
    class Shrinking(RunningRangeMixin, QParamsCalculatorBase):
        def __init__(self, *args: Any, factor: float, **kwargs: Any) -> None:
            super().__init__(*args, **kwargs)
            self.factor = factor

        def update_running_range(self, min_val, max_val):
            return self.factor * self.running_min, self.factor * self.running_max

    class ShrinkingSpec(QuantizationSpec):
        factor: float = 0.5

    class OtherSpec(QuantizationSpec):
        other: int = 1

    try:
        fields = {"dtype": "uint4", "qscheme": "asymmetric", "qparam_calculator_cls": Shrinking}
        make = QuantizationComponentFactory.create_fake_quantizer
        fake_quantize = make(ShrinkingSpec(**fields), ACTIVATION)
        for _ in range(3):
            fake_quantize(torch.tensor([0.0, 6.0]))
        assert fake_quantize.qparams_calculator.running_max.item() == 1.5
        with pytest.raises(TypeError, match="factor"):
            make(OtherSpec(**fields), ACTIVATION)
    finally:
        del QParamsCalculatorBase._registry["shrinking for this test"]


def test_a_schedule_of_torch_switches_them() -> None:
    network = torch.nn.Sequential(made(), torch.nn.Linear(2, 2))
    network.apply(torch.ao.quantization.disable_observer)
    network.apply(torch.ao.quantization.disable_fake_quant)
    assert network[0].extra_repr() == "qformulation=zp, observer=off, fake_quant=off"
