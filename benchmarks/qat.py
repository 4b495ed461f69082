"""Digits at 2, 3 and 4 bits: rounding after training against training with fake quantization.

Run ``python benchmarks/qat.py``. Widths are strict: inputs, weights and activations have n bits.
Accuracies are means over five splits; a network's learned codes come from `skq.training`.
"""

from __future__ import annotations

import argparse
import warnings
from typing import Any

import numpy as np
import torch
from sklearn.datasets import load_digits
from sklearn.exceptions import ConvergenceWarning
from sklearn.model_selection import train_test_split
from tables import line, print_header
from torch import nn

from skq.quantization import NumpyModule, PostTrainingAffineQuantization
from skq.training import QATSchedule, convert_qat, prepare_qat

WIDTHS = (4, 3, 2)
KEYS = ("model_inputs", "op_inputs", "op_weights", "model_outputs")


def mlp() -> nn.Module:
    return nn.Sequential(nn.Linear(64, 100), nn.ReLU(), nn.Linear(100, 10))


def cnn() -> nn.Module:
    return nn.Sequential(
        nn.Conv2d(1, 16, 3, padding=1),
        nn.BatchNorm2d(16),
        nn.ReLU(),
        nn.Conv2d(16, 32, 3, padding=1),
        nn.BatchNorm2d(32),
        nn.ReLU(),
        nn.MaxPool2d(2),
        nn.Flatten(),
        nn.Linear(512, 10),
    )


def train(module: nn.Module, X: Any, y: Any, epochs: int, rate: float, seed: int) -> None:
    """Cross-entropy with Adam, a cosine schedule and batches of 64."""
    torch.manual_seed(seed)
    module.train()
    optimizer = torch.optim.Adam(module.parameters(), lr=rate, weight_decay=1e-5)
    n_steps = epochs * (len(X) // 64)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, n_steps)
    for _ in range(epochs):
        order = torch.randperm(len(X))
        for start in range(0, len(X) - 63, 64):
            rows = order[start : start + 64]
            optimizer.zero_grad()
            nn.functional.cross_entropy(module(X[rows]), y[rows]).backward()
            optimizer.step()
            schedule.step()
    module.eval()


def accuracies(make: Any, seed: int, epochs: int) -> dict[str, float]:
    X, y = load_digits(return_X_y=True)
    X = X.astype(np.float32) / 16
    if make is cnn:
        X = X.reshape(-1, 1, 8, 8)
    parts = train_test_split(X, y, test_size=0.3, random_state=seed, stratify=y)
    X_train, X_test = (torch.from_numpy(part) for part in parts[:2])
    y_train = torch.from_numpy(parts[2])

    def score(scores: Any) -> float:
        return float((np.asarray(scores).argmax(axis=1) == parts[3]).mean())

    torch.manual_seed(seed)
    network = make()
    train(network, X_train, y_train, epochs, 3e-3, seed)
    found = {"float": score(network(X_test).detach())}
    model = NumpyModule(network, X_train[:1])
    for n in WIDTHS:
        rounded = PostTrainingAffineQuantization(dict.fromkeys(KEYS, n), model)
        module = rounded.quantize_module(X_train.numpy())
        found[f"rounded {n}"] = score(module.forward(X_test.numpy()))
        prepared = prepare_qat(network, X_train, n_bits=n)
        with QATSchedule(prepared):
            train(prepared, X_train, y_train, epochs, 2e-3, seed)
        trained = convert_qat(prepared, X_train.numpy())
        found[f"trained {n}"] = score(trained.forward(X_test.numpy()))
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--epochs", type=int, default=40)
    parser.add_argument("--networks", nargs="+", default=["mlp", "cnn"])
    options = parser.parse_args()
    for name in options.networks:
        make = {"mlp": mlp, "cnn": cnn}[name]
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", ConvergenceWarning)
            results = [accuracies(make, seed, options.epochs) for seed in range(options.seeds)]
        mean = {key: float(np.mean([result[key] for result in results])) for key in results[0]}
        widths = (14, 10, 22, 10)
        print_header([f"digits, {name}", "float", "rounded afterwards", "trained"], widths)
        for n in WIDTHS:
            cells = (f"{mean[key]:.4f}" for key in ("float", f"rounded {n}", f"trained {n}"))
            print(line([f"{n} bits", *cells], widths))


if __name__ == "__main__":
    main()
