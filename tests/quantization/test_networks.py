"""Networks trained in torch, quantized after training: accuracy, and equal bits on all engines."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from sklearn.datasets import load_digits

from skq import config_context
from skq.engines.reference import evaluate
from skq.quantization import NumpyModule, PostTrainingAffineQuantization

torch = pytest.importorskip("torch")
from torch import nn  # noqa: E402

N_TRAIN = 1200

#: Points of accuracy that may be lost, by n_bits.
ALLOWED_LOSS = {8: 0.5, 6: 1.5, 4: 6.0}


def digits() -> tuple[np.ndarray, np.ndarray]:
    X, y = load_digits(return_X_y=True)
    order = np.random.default_rng(0).permutation(len(X))
    return (X[order] / 16).astype(np.float32).reshape(-1, 1, 8, 8), y[order]


X, Y = digits()


class Convolutional(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.net = nn.Sequential(
            nn.Conv2d(1, 12, 3, padding=1),
            nn.BatchNorm2d(12),
            nn.ReLU(),
            nn.MaxPool2d(2),
            nn.Conv2d(12, 24, 3, padding=1),
            nn.BatchNorm2d(24),
            nn.ReLU(),
            nn.MaxPool2d(2),
            nn.Flatten(),
            nn.Linear(96, 32),
            nn.ReLU(),
            nn.Linear(32, 10),
        )

    def forward(self, x: Any) -> Any:
        return self.net(x)


class Residual(nn.Module):
    """Add, Concat, a batch norm that stands alone, and a flattening by ``x.shape``."""

    def __init__(self) -> None:
        super().__init__()
        self.stem = nn.Conv2d(1, 12, 3, padding=1)
        self.norm = nn.BatchNorm2d(12)
        self.first = nn.Conv2d(12, 12, 3, padding=1)
        self.second = nn.Conv2d(12, 12, 3, padding=1)
        self.third = nn.Conv2d(12, 12, 3, padding=1)
        self.head = nn.Linear(24 * 16, 10)

    def forward(self, x: Any) -> Any:
        x = torch.relu(self.stem(x))
        x = torch.relu(x + self.second(torch.relu(self.first(self.norm(x)))))
        x = torch.max_pool2d(x, 2)
        x = torch.cat([x, torch.relu(self.third(x))], dim=1)
        return self.head(x.reshape(x.shape[0], -1))


class Perceptron(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.net = nn.Sequential(
            nn.Flatten(),
            nn.Linear(64, 48),
            nn.ReLU(),
            nn.Linear(48, 32),
            nn.Tanh(),
            nn.Linear(32, 10),
        )

    def forward(self, x: Any) -> Any:
        return self.net(x)


@pytest.fixture(scope="module", params=[Convolutional, Residual, Perceptron])
def trained(request: pytest.FixtureRequest) -> NumpyModule:
    torch.manual_seed(0)
    n_threads = torch.get_num_threads()
    torch.set_num_threads(1)  # the steps are too small to share
    module = request.param()
    optimizer = torch.optim.Adam(module.parameters(), 3e-3)
    inputs, labels = torch.tensor(X[:N_TRAIN]), torch.tensor(Y[:N_TRAIN])
    for _ in range(12):
        for rows in torch.randperm(N_TRAIN).split(64):
            optimizer.zero_grad()
            nn.functional.cross_entropy(module(inputs[rows]), labels[rows]).backward()
            optimizer.step()
    torch.set_num_threads(n_threads)
    return NumpyModule(module.eval(), X[:2])


def accuracy(scores: np.ndarray) -> float:
    return 100 * float(np.mean(scores.argmax(axis=1) == Y[N_TRAIN:]))


@pytest.mark.parametrize("n_bits", sorted(ALLOWED_LOSS))
def test_accuracy_and_engines(trained: NumpyModule, n_bits: int) -> None:
    module = PostTrainingAffineQuantization(n_bits, trained).quantize_module(X[:500])
    test = X[N_TRAIN:]
    expected = trained.forward(test)
    assert accuracy(expected) > 95
    scores = module.forward(test)
    assert accuracy(expected) - accuracy(scores) <= ALLOWED_LOSS[n_bits]
    for engine in ("reference", "numpy"):
        with config_context(engine=engine):
            np.testing.assert_array_equal(module.forward(test), scores)
    program = module.program
    numbers = [number for number, _, type_ in program.steps() if type_.is_integer]
    for rows in (test[:50], 1e6 * (test[:50] - 0.5)):
        values = evaluate(program, {0: rows}, numbers)
        for number, value in zip(numbers, values, strict=True):
            lo, hi = program.types[number].interval
            assert lo <= value.min() <= value.max() <= hi
    assert module.max_accumulator_bits <= 2 * n_bits + 9
    again = type(module).loads(module.dumps())
    np.testing.assert_array_equal(again.forward(test), scores)
