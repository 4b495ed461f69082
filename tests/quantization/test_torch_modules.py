"""Small torch modules, quantized after training: close to float, and equal on all engines.

An error is counted in steps of the output's grid of `n_bits` bits, over the range that the float
model gives: half a step of the output, and half a step of each code that goes into it. At 16 bits
tables have an index of 14 bits, so there a step is at least that of 14 bits. Ranges are those of
the values ("minmax"), as a range that is chosen by the mean error cuts off the largest on purpose.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
import pytest

from skq import config_context
from skq.quantization import NumpyModule, PostTrainingAffineQuantization

torch = pytest.importorskip("torch")
from torch import nn  # noqa: E402
from torch.nn import functional as F  # noqa: E402

ROW, SIGNAL, IMAGE = (6,), (4, 9), (4, 6, 6)


class Case(NamedTuple):
    """A module, the shape of a row, and the steps by which it may be off."""

    make: Callable[[], Any]
    shape: tuple[int, ...] = ROW
    steps: float = 6.0
    n_words: int = 0


class Function(nn.Module):
    """A function, perhaps after a layer."""

    def __init__(self, function: Callable[[Any], Any], *layers: nn.Module) -> None:
        super().__init__()
        self.layers = nn.Sequential(*layers)
        self.function = function

    def forward(self, x: Any) -> Any:
        return self.function(self.layers(x))


class Attention(nn.Module):
    """One head, by the formula."""

    def __init__(self) -> None:
        super().__init__()
        self.q, self.k, self.v = (nn.Linear(9, 4) for _ in range(3))

    def forward(self, x: Any) -> Any:
        shares = torch.softmax(self.q(x) @ self.k(x).transpose(1, 2) / 2, dim=-1)
        return shares @ self.v(x)


class Residual(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.first, self.second = nn.Conv2d(4, 4, 3, padding=1), nn.Conv2d(4, 4, 3, padding=1)
        self.norm = nn.BatchNorm2d(4)

    def forward(self, x: Any) -> Any:
        return torch.relu(x + self.second(torch.relu(self.norm(self.first(x)))))


class Words(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.words, self.last = nn.Embedding(30, 5), nn.Linear(30, 4)

    def forward(self, x: Any) -> Any:
        return self.last(self.words(x).flatten(1))


def function(f: Callable[[Any], Any], *layers: nn.Module) -> Callable[[], nn.Module]:
    return lambda: Function(f, *layers)


def of(module: Callable[..., nn.Module], *args: Any, **kw: Any) -> Callable[[], nn.Module]:
    return lambda: module(*args, **kw)


CASES = {
    "linear": Case(of(nn.Linear, 6, 4)),
    "linear without bias": Case(of(nn.Linear, 6, 4, bias=False)),
    "mlp": Case(lambda: nn.Sequential(nn.Linear(6, 16), nn.ReLU(), nn.Linear(16, 3)), steps=8),
    "batch norm 1d": Case(lambda: nn.Sequential(nn.Linear(6, 8), nn.BatchNorm1d(8))),
    "conv 1d": Case(of(nn.Conv1d, 4, 6, 3, padding=1), SIGNAL),
    "conv 1d, strides": Case(of(nn.Conv1d, 4, 6, 3, stride=2, dilation=2), SIGNAL),
    "conv 2d": Case(of(nn.Conv2d, 4, 6, 3, padding=1), IMAGE),
    "conv 2d, groups": Case(of(nn.Conv2d, 4, 8, 3, groups=4), IMAGE),
    "conv 2d, reflect": Case(of(nn.Conv2d, 4, 2, 3, padding=1, padding_mode="reflect"), IMAGE),
    "conv 3d": Case(of(nn.Conv3d, 2, 3, 2), (2, 3, 4, 4)),
    "conv transpose 1d": Case(of(nn.ConvTranspose1d, 4, 3, 4, stride=2, padding=1), SIGNAL),
    "conv transpose 2d": Case(of(nn.ConvTranspose2d, 4, 3, 3), IMAGE),
    "conv transpose 2d, output padding": Case(
        of(nn.ConvTranspose2d, 4, 6, 3, stride=2, padding=1, output_padding=1, groups=2), IMAGE
    ),
    "conv transpose 2d, dilation": Case(of(nn.ConvTranspose2d, 4, 2, 2, dilation=2), IMAGE),
    "autoencoder": Case(
        lambda: nn.Sequential(
            nn.Conv2d(4, 6, 3, stride=2, padding=1), nn.ReLU(), nn.ConvTranspose2d(6, 4, 2, 2)
        ),
        IMAGE,
        steps=8,
    ),
    "pixel shuffle": Case(lambda: nn.Sequential(nn.Conv2d(4, 8, 3), nn.PixelShuffle(2)), IMAGE),
    "pixel unshuffle": Case(
        lambda: nn.Sequential(nn.PixelUnshuffle(2), nn.Conv2d(16, 3, 1)), IMAGE
    ),
    "upsample": Case(lambda: nn.Sequential(nn.Upsample(scale_factor=2), nn.Conv2d(4, 3, 3)), IMAGE),
    "residual": Case(Residual, IMAGE, steps=8),
    "max pool": Case(of(nn.MaxPool2d, 2), IMAGE),
    "max pool, padding": Case(of(nn.MaxPool2d, 3, 2, 1), IMAGE),
    "average pool": Case(of(nn.AvgPool2d, 2), IMAGE),
    "average pool, ceil": Case(of(nn.AvgPool2d, 3, 2, 1, ceil_mode=True), IMAGE),
    "adaptive average pool": Case(of(nn.AdaptiveAvgPool2d, 1), IMAGE),
    "adaptive max pool": Case(of(nn.AdaptiveMaxPool2d, 1), IMAGE),
    "zero pad": Case(of(nn.ZeroPad2d, 1), IMAGE),
    "constant pad": Case(of(nn.ConstantPad1d, 2, 0.5), SIGNAL),
    "reflection pad": Case(of(nn.ReflectionPad2d, 1), IMAGE),
    "replication pad": Case(of(nn.ReplicationPad2d, 1), IMAGE),
    "group norm": Case(of(nn.GroupNorm, 2, 4), IMAGE, steps=24),
    "instance norm": Case(of(nn.InstanceNorm2d, 4, affine=True), IMAGE, steps=24),
    "layer norm": Case(lambda: nn.Sequential(nn.Linear(6, 8), nn.LayerNorm(8)), steps=24),
    "embedding": Case(Words, n_words=30),
    "dropout": Case(lambda: nn.Sequential(nn.Dropout(0.5), nn.Linear(6, 3))),
    "flatten": Case(lambda: nn.Sequential(nn.Flatten(), nn.Linear(36, 3)), SIGNAL),
    "softmax at the end": Case(lambda: nn.Sequential(nn.Linear(6, 4), nn.Softmax(-1)), steps=8),
    "log softmax at the end": Case(lambda: nn.Sequential(nn.Linear(6, 4), nn.LogSoftmax(-1))),
    "softmax inside": Case(
        lambda: nn.Sequential(nn.Linear(6, 4), nn.Softmax(-1), nn.Linear(4, 2)), steps=12
    ),
    "attention": Case(Attention, SIGNAL, steps=16),
    **{
        name: Case(lambda name=name: nn.Sequential(nn.Linear(6, 8), getattr(nn, name)()), steps=8)
        for name in (
            *("ReLU", "ReLU6", "LeakyReLU", "ELU", "CELU", "SELU", "GELU", "SiLU", "Mish"),
            *("Sigmoid", "Tanh", "Softplus", "Softsign", "Hardswish", "Hardsigmoid", "Hardtanh"),
            *("LogSigmoid", "Tanhshrink", "PReLU"),
        )
    },
    "sum": Case(function(lambda x: x + torch.tanh(x), nn.Linear(6, 5)), steps=8),
    "product": Case(function(lambda x: x[:, :3] * x[:, 3:], nn.Linear(6, 6)), steps=8),
    "quotient": Case(function(lambda x: x[:, :3] / (2 + torch.sigmoid(x[:, 3:]))), steps=12),
    "rolled": Case(function(lambda x: torch.roll(x, 1, 1) + x), steps=8),
    "concatenated": Case(function(lambda x: torch.cat([x, -x, x[:, :2]], 1), nn.Linear(6, 4))),
    "mean": Case(function(lambda x: x.mean(dim=(2, 3)), nn.Conv2d(4, 5, 3)), IMAGE),
    "greatest": Case(function(lambda x: x.amax(dim=2), nn.Conv1d(4, 5, 3)), SIGNAL),
    "product of elements": Case(
        function(lambda x: torch.prod(1 + x / 8, dim=2), nn.Conv1d(4, 3, 5)), SIGNAL, steps=12
    ),
    "norm": Case(function(lambda x: F.normalize(x + 9, dim=1)), steps=24),
    "matrices": Case(function(lambda x: x @ x.transpose(1, 2), nn.Linear(9, 3)), SIGNAL, steps=12),
    "transposed": Case(function(lambda x: x.transpose(1, 2).reshape(x.shape[0], -1)), SIGNAL),
    "clipped": Case(function(lambda x: x.clamp(-0.5, 1.0), nn.Linear(6, 5))),
    "square root": Case(function(lambda x: torch.sqrt(x * x + 1), nn.Linear(6, 5)), steps=8),
}


@pytest.fixture(scope="module", params=list(CASES))
def model(request: Any) -> tuple[Case, NumpyModule, np.ndarray]:
    case: Case = CASES[request.param]
    torch.manual_seed(0)
    rng = np.random.default_rng(0)
    module = case.make()
    x = rng.normal(size=(300, *case.shape)).astype(np.float32)
    if case.n_words:
        x = rng.integers(0, case.n_words, (300, *case.shape))
    with torch.no_grad():
        module.train()(torch.tensor(x))  # statistics of batch normalization
    return case, NumpyModule(module.eval(), x[:2]), x


@pytest.mark.parametrize("n_bits", [8, 16])
def test_module(model: tuple[Case, NumpyModule, np.ndarray], n_bits: int) -> None:
    case, floats, x = model
    converter = PostTrainingAffineQuantization(n_bits, floats, calibration="minmax")
    module = converter.quantize_module(x)
    expected, found = floats.forward(x), module.forward(x)
    assert found.shape == expected.shape
    step = np.ptp(expected) / (2 ** min(n_bits, 14) - 1)
    assert np.abs(found - expected).max() <= case.steps * step, (
        np.abs(found - expected).max() / step
    )
    rows = x if case.n_words else np.concatenate([x[:60], 100 * x[:20]])
    found = module.forward(rows)
    for engine in ("reference", "numpy"):
        with config_context(engine=engine):
            np.testing.assert_array_equal(module.forward(rows), found)
