"""Fake quantization gives the reference's numbers, bit for bit."""

from __future__ import annotations

from typing import Any

import pytest
import torch

from skq.quantization.spec import FakeQuantizeImplBase, QuantizationSpec, RangeError
from tests.quantization.spec.fakequant_vectors import (
    VECTORS,
    assert_same,
    fake_quantizer_of,
    tensor_of,
)

#: Fields that no range is needed for: what is left where the range of a step is not finite.
UNUSABLE = "The observed range is not finite|is too wide"


def by_id(entries: list[dict[str, Any]]) -> list[Any]:
    return [pytest.param(entry, id=entry["id"]) for entry in entries]


def has_finite_range(step: dict[str, Any]) -> bool:
    scale = tensor_of(step["scale"])
    values = tensor_of(step["input"])
    return bool(torch.isfinite(scale).all()) and bool(torch.isfinite(values).all())


@pytest.mark.parametrize("row", VECTORS["quant_ranges"], ids=str)
def test_ranges_of_codes(row: dict[str, Any]) -> None:
    spec = QuantizationSpec(dtype=row["dtype"], qscheme=row["qscheme"])
    found = spec.quant_min, spec.quant_max, spec.n_bits, str(spec.target_dtype)
    expected = row["quant_min"], row["quant_max"], row["n_bits"], f"torch.{row['target_dtype']}"
    assert found == expected
    assert [type(end) for end in found[:2]] == [type(end) for end in expected[:2]]
    if row.get("zero_point_symmetric") is not None and row["qscheme"] != "asymmetric":
        fake_quantize = fake_quantizer_of({"spec": {**row}})
        fake_quantize(torch.ones(2))
        assert fake_quantize.qparams_calculator.zero_point.item() == row["zero_point_symmetric"]


@pytest.mark.parametrize("case", by_id(VECTORS["cases"]))
def test_case(case: dict[str, Any]) -> None:
    fake_quantize = fake_quantizer_of(case)
    described = {
        "quant_min": fake_quantize.quant_min,
        "quant_max": fake_quantize.quant_max,
        "n_bits": fake_quantize.n_bits,
        "target_dtype": str(fake_quantize.target_dtype).removeprefix("torch."),
    }
    assert described == {name: case[name] for name in described}
    observes = True
    for step in case["steps"]:
        if step["op"] != "forward":
            getattr(fake_quantize, step["op"])(*step["args"])
            observes = fake_quantize.observer_enabled.item() == 1
        elif observes and step.get("unspecified") and not has_finite_range(step):
            with pytest.raises(RangeError, match=UNUSABLE):
                fake_quantize(tensor_of(step["input"]))
        else:
            run(fake_quantize, step)
    if not any(observes and step.get("unspecified") for step in case["steps"]):
        assert fake_quantize.extra_repr() == case["extra_repr_after"]
    assert fake_quantize.is_disabled() == case["is_disabled_after"]


def run(fake_quantize: FakeQuantizeImplBase, step: dict[str, Any]) -> None:
    tensor = tensor_of(step["input"])
    assert tensor is not None
    tensor.requires_grad_()
    calculator = fake_quantize.qparams_calculator
    output = fake_quantize(tensor)
    output.backward(tensor_of(step["grad_output"]))
    qparams = calculator.scale, calculator.zero_point, calculator.minval
    found = {
        "output": output,
        "grad_input": tensor.grad,
        **dict(zip(("scale", "zero_point", "minval"), qparams, strict=True)),
        **{name: getattr(calculator, name, None) for name in ("running_min", "running_max")},
    }
    assert all(value is None or not value.requires_grad for value in qparams)
    if "codes_error" in step:
        kind = {"RuntimeError": RuntimeError, "_BlockSizeMismatchError": ValueError}
        with pytest.raises(kind[step["codes_error"]]):
            fake_quantize.quantize(tensor, *qparams)
    else:
        codes = fake_quantize.quantize(tensor, *qparams)
        found["codes"] = codes
        found["codes_uncast"] = fake_quantize.quantize(tensor, *qparams, cast_to_target_dtype=False)
        found["dequantized"] = fake_quantize.dequantize(codes, *qparams)
    unspecified = set(step.get("unspecified", []))
    for name, value in found.items():
        if name in step and name not in unspecified:
            assert_same(value, step[name], name)


@pytest.mark.parametrize("case", by_id(VECTORS["casts"]))
def test_dtypes_of_codes_and_values(case: dict[str, Any]) -> None:
    fake_quantize = fake_quantizer_of(case)
    tensor = tensor_of(case["input"])
    assert tensor is not None
    assert str(fake_quantize(tensor).dtype) == f"torch.{case['forward_dtype']}"
    fresh = fake_quantizer_of(case).qparams_calculator(tensor)
    for name, value in zip(("scale", "zero_point", "minval"), fresh, strict=True):
        assert_same(value, case[name], name)
    codes = fake_quantize.quantize(tensor, *fresh)
    assert_same(codes, case["quantize_cast"], "codes")
    uncast = fake_quantize.quantize(tensor, *fresh, cast_to_target_dtype=False)
    assert_same(uncast, case["quantize_uncast"], "uncast codes")
    assert_same(fake_quantize.dequantize(codes, *fresh), case["dequantize_default"], "values")
    half = fake_quantize.dequantize(codes, *fresh, output_dtype=torch.float16)
    assert_same(half, case["dequantize_float16"], "values in float16")


@pytest.mark.parametrize("case", by_id(VECTORS["explicit"]))
def test_given_parameters(case: dict[str, Any]) -> None:
    fake_quantize = fake_quantizer_of(case)
    qparams = [tensor_of(case[name]) for name in ("scale", "zero_point", "minval")]
    codes = fake_quantize.quantize(tensor_of(case["input"]), *qparams)
    assert_same(codes, case["codes"], "codes")
    assert_same(fake_quantize.dequantize(codes, *qparams), case["dequantized"], "values")
