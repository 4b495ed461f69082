"""What torch cannot export, or skq not quantize, is refused in one sentence of skq's own."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from skq.exceptions import UnsupportedModelError
from skq.quantization import NumpyModule, PostTrainingAffineQuantization

torch = pytest.importorskip("torch")
from torch import nn  # noqa: E402

X = np.random.default_rng(0).normal(size=(50, 6, 8)).astype(np.float32)


class Differences(nn.Module):
    def forward(self, x: Any) -> Any:
        return torch.diff(x, dim=1)


class WrongShape(nn.Module):
    def forward(self, x: Any) -> Any:
        return x @ torch.ones(3, 3)


class Attention(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.attention = nn.MultiheadAttention(8, 2, batch_first=True)

    def forward(self, x: Any) -> Any:
        return self.attention(x, x, x)[0]


class SelfAttention(nn.Module):
    """Rows stay the first axis, which they do not inside of nn.MultiheadAttention."""

    def __init__(self) -> None:
        super().__init__()
        self.queries, self.keys, self.values = (nn.Linear(8, 8) for _ in range(3))

    def forward(self, x: Any) -> Any:
        weights = torch.softmax(self.queries(x) @ self.keys(x).transpose(-2, -1) / 8**0.5, dim=-1)
        return weights @ self.values(x)


NOT_EXPORTED = {
    "Differences": (Differences(), "diff"),
    "WrongShape": (WrongShape(), "cannot be multiplied"),
    "TransformerEncoderLayer": (
        nn.TransformerEncoderLayer(8, 2, 16, batch_first=True),
        "attention",
    ),
    "PixelShuffle": (nn.PixelShuffle(1), "4d input"),
}


@pytest.mark.parametrize("name", NOT_EXPORTED)
def test_failed_export_names_the_module(name: str) -> None:
    module, reason = NOT_EXPORTED[name]
    module.train()
    pattern = rf"^The torch module {name} cannot be exported to ONNX .*\[4, 6, 8\].*{reason}.*\.$"
    with pytest.raises(UnsupportedModelError, match=pattern) as caught:
        NumpyModule(module, X[:4])
    assert "\n" not in str(caught.value)
    assert module.training
    assert torch.backends.mha.get_fastpath_enabled()


def test_attention_is_exported_without_fused_kernels() -> None:
    module = Attention().eval()
    with torch.no_grad():
        expected = module(torch.tensor(X)).numpy()
    np.testing.assert_allclose(NumpyModule(module, X[:4]).forward(X), expected, atol=1e-5)


@pytest.mark.parametrize("module", [nn.GroupNorm(2, 6), nn.LayerNorm(8), SelfAttention()], ids=type)
def test_normalization_inside_a_network_is_close_to_float(module: Any) -> None:
    model = NumpyModule(nn.Sequential(module, nn.Linear(8, 3)), X[:4])
    expected = model.forward(X)
    found = PostTrainingAffineQuantization(8, model).quantize_module(X).forward(X)
    assert np.abs(found - expected).max() < 0.03 * np.ptp(expected)


def test_unknown_operator_is_named_in_a_short_message() -> None:
    with pytest.raises(UnsupportedModelError, match="'LSTM'.*no NumPy implementation") as caught:
        NumpyModule(nn.LSTM(8, 4, batch_first=True), X[:4])
    assert len(str(caught.value)) < 250
