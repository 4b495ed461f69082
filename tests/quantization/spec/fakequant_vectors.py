"""The test vectors of fake quantization, as tensors and specs."""

from __future__ import annotations

import gzip
import json
from pathlib import Path
from typing import Any

import torch

from skq.quantization.spec import (
    CompressionTargetTensor,
    FakeQuantizeImplBase,
    QuantizationComponentFactory,
    QuantizationSpec,
)

PATH = Path(__file__).resolve().parents[2] / "data" / "fakequant-vectors.json.gz"
VECTORS = json.loads(gzip.decompress(PATH.read_bytes()))


class AveragingSpec(QuantizationSpec):
    averaging_constant: float = 0.25


def tensor_of(vector: dict[str, Any] | None) -> torch.Tensor | None:
    """Tensor of a vector, exactly: hexadecimal floats by value, integers as they are."""
    if vector is None:
        return None
    dtype = getattr(torch, vector["dtype"])
    values = [float.fromhex(v) if isinstance(v, str) else v for v in vector["values"]]
    wide = torch.float64 if dtype.is_floating_point else torch.int64
    return torch.tensor(values, dtype=wide).reshape(vector["shape"]).to(dtype)


def assert_same(actual: torch.Tensor | None, vector: dict[str, Any] | None, what: str) -> None:
    """Bit-identity: dtype, shape and every bit, the sign of zero too; NaN is NaN."""
    expected = tensor_of(vector)
    if expected is None:
        assert actual is None, what
        return
    assert actual is not None, what
    assert (actual.dtype, actual.shape) == (expected.dtype, expected.shape), what
    if not expected.dtype.is_floating_point:
        assert torch.equal(actual, expected), f"{what}: {actual} is not {expected}"
        return
    actual, expected = actual.detach().double(), expected.double()
    nan = expected.isnan()
    assert torch.equal(actual.isnan(), nan), f"{what}: {actual} is not {expected}"
    same_bits = actual.view(torch.int64) == expected.view(torch.int64)
    assert bool((same_bits | nan).all()), f"{what}: {actual} is not {expected}"


def spec_of(case: dict[str, Any]) -> QuantizationSpec:
    arguments = case.get("calculator_attributes", {})
    kind = AveragingSpec if arguments else QuantizationSpec
    return kind(**case["spec"], **arguments)


def fake_quantizer_of(case: dict[str, Any]) -> FakeQuantizeImplBase:
    target = CompressionTargetTensor(case.get("target", "weight"))
    return QuantizationComponentFactory.create_fake_quantizer(spec_of(case), target)
