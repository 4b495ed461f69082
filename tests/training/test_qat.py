"""Quantization-aware training: where quantizers stand, schedules, and the codes of what is made."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

import skq.training
from skq import config_context
from skq.exceptions import UnsupportedModelError
from skq.graph.graph import FloatGraph, TensorInfo
from skq.quantization import NumpyModule
from skq.quantization.spec import (
    FakeQuantizeImplBase,
    PerBlockGranularity,
    PerTensorGranularity,
    QuantizationSpec,
)
from skq.training import QATSchedule, calibrating, convert_qat, prepare_qat
from skq.training.layers import QATLayer

X = torch.randn(400, 6, generator=torch.Generator().manual_seed(0))
IMAGES = torch.randn(60, 1, 8, 8, generator=torch.Generator().manual_seed(1))


class Residual(nn.Module):
    """Two convolutions with batch normalization, a sum, pooling, a layer."""

    def __init__(self) -> None:
        super().__init__()
        self.first = nn.Conv2d(1, 4, 3, padding=1, bias=False)
        self.norm = nn.BatchNorm2d(4)
        self.second = nn.Conv2d(4, 4, 3, padding=1, groups=2)
        self.last = nn.Linear(16, 5)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        x = nn.functional.max_pool2d(torch.relu(self.norm(self.first(x))), 2)
        x = torch.relu(self.second(x)) + x
        x = nn.functional.avg_pool2d(x, 2)
        return self.last(torch.flatten(x, 1))


class Channels(nn.Module):
    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return x.reshape(-1, 2, 3)


def mlp() -> nn.Module:
    torch.manual_seed(0)
    return nn.Sequential(
        nn.Linear(6, 16),
        nn.BatchNorm1d(16),
        nn.ReLU(),
        nn.Dropout(0.1),
        nn.Linear(16, 8),
        nn.Tanh(),
        nn.Linear(8, 3),
    )


def residual() -> nn.Module:
    torch.manual_seed(0)
    return Residual()


def signal() -> nn.Module:
    torch.manual_seed(0)
    parts = [nn.Conv1d(2, 4, 2), nn.ReLU6(), nn.MaxPool1d(2), nn.Flatten(), nn.Linear(4, 2)]
    return nn.Sequential(Channels(), *parts)


class Words(nn.Module):
    """An embedding with padding, and layers of what is looked up."""

    def __init__(self) -> None:
        super().__init__()
        self.words = nn.Embedding(40, 5, padding_idx=0)
        self.first = nn.Linear(5, 7)
        self.last = nn.Linear(42, 3)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        x = torch.relu(self.first(self.words(x)))
        return self.last(torch.flatten(x, 1))


def words() -> nn.Module:
    torch.manual_seed(0)
    return Words()


TOKENS = torch.randint(0, 20, (400, 6), generator=torch.Generator().manual_seed(2))
NETWORKS = {
    "words": (words, TOKENS),
    "mlp": (mlp, X),
    "residual": (residual, IMAGES),
    "signal": (signal, X),
}


def trained(network: nn.Module, x: torch.Tensor, **kw: Any) -> nn.Module:
    """A network after a few steps in training mode, with statistics of batch normalization."""
    network.train()
    for _ in range(3):
        network(x)
    prepared = prepare_qat(network.eval(), x, **kw).train()
    optimizer = torch.optim.Adam(prepared.parameters(), lr=0.01)
    target = x.flatten(1)[:, :1].abs()
    with QATSchedule(prepared) as schedule:
        for _ in range(5):
            optimizer.zero_grad()
            (prepared(x) - target).square().mean().backward()
            optimizer.step()
            schedule.step()
    return prepared.eval()


def exact_outputs(graph: FloatGraph, x: np.ndarray) -> np.ndarray:
    """The graph in float64, node by node, of the float32 numbers that it holds."""
    constants = {n.outputs[0]: n.attributes["value"] for n in graph.nodes if not n.inputs}
    wide = {
        name: value.astype(np.float64) if value.dtype == np.float32 else value
        for name, value in {**graph.initializers, **constants}.items()
    }
    nodes = tuple(node for node in graph.nodes if node.inputs)
    inputs = tuple(
        TensorInfo(i.name, i.dtype.replace("float32", "float64"), i.shape) for i in graph.inputs
    )
    return NumpyModule(replace(graph, nodes=nodes, initializers=wide, inputs=inputs)).forward(x)


@pytest.mark.parametrize("name", list(NETWORKS))
@pytest.mark.parametrize("n_bits", [2, 3, 4, 8])
def test_codes_are_the_trained_network_s(name: str, n_bits: int) -> None:
    make, x = NETWORKS[name]
    prepared = trained(make(), x, n_bits=n_bits)
    module = convert_qat(prepared, x.numpy())
    result = module.forward(x.numpy())
    exact = exact_outputs(
        module.graph, x.numpy().astype(np.float64 if x.is_floating_point() else int)
    )
    np.testing.assert_allclose(result, exact, rtol=0, atol=1e-9 * np.abs(exact).max())
    floats = prepared(x).detach().numpy()
    differs = np.abs(result - floats).max(axis=1) > 1e-5 * np.abs(exact).max()
    assert differs.mean() <= 0.02  # rows in which float32 itself rounded across a tie
    weights = {q.n_bits for q in prepared.modules() if isinstance(q, FakeQuantizeImplBase)}
    assert weights == {n_bits}


def test_engines_agree() -> None:
    module = convert_qat(trained(residual(), IMAGES, n_bits=4), IMAGES.numpy())
    results = []
    for engine in ("reference", "numpy", "native"):
        with config_context(engine=engine):
            results.append(module.forward(IMAGES.numpy()))
    np.testing.assert_array_equal(results[1], results[0])
    np.testing.assert_array_equal(results[2], results[0])


def test_quantizers_stand_before_layers_and_once_for_each_value() -> None:
    prepared = prepare_qat(residual().eval(), IMAGES)
    names = {n for n, m in prepared.named_modules() if isinstance(m, FakeQuantizeImplBase)}
    weights = {n for n in names if n.endswith("weight_fake_quantize")}
    assert weights == {f"{n}.weight_fake_quantize" for n in ("first", "second", "last")}
    # the input, both sides of the sum, the sum (which is averaged), and the average
    assert len(names - weights) == 5
    assert not any(isinstance(m, nn.BatchNorm2d) for m in prepared.modules())


def test_the_module_given_is_not_changed() -> None:
    network = mlp()
    before = {name: value.clone() for name, value in network.state_dict().items()}
    prepared = prepare_qat(network, X, n_bits=3)
    prepared(X).sum().backward()
    assert all(torch.equal(value, before[name]) for name, value in network.state_dict().items())
    assert prepared.training == network.training
    convert_qat(prepared, X.numpy())
    assert any(isinstance(m, FakeQuantizeImplBase) for m in prepared.modules())


def test_an_embedding_is_looked_up_exactly() -> None:
    """Also words that the examples do not show; no quantizer stands before or after it."""
    prepared = trained(words(), TOKENS, n_bits=4)
    names = {n for n, m in prepared.named_modules() if isinstance(m, FakeQuantizeImplBase)}
    assert sum("words" in name for name in names) == 1
    module = convert_qat(prepared, TOKENS.numpy())
    x = torch.randint(0, 40, (100, 6), generator=torch.Generator().manual_seed(3))
    exact = exact_outputs(module.graph, x.numpy())
    result = module.forward(x.numpy())
    np.testing.assert_allclose(result, exact, rtol=0, atol=1e-9 * np.abs(exact).max())
    with pytest.raises(IndexError, match="index 40"):
        module.forward(np.full((1, 6), 40))
    alone = convert_qat(prepare_qat(nn.Embedding(9, 3), x % 9, n_bits=3))
    codes = {type(step).__name__ for step in alone.program.instructions}
    assert "Table" in codes
    assert alone.forward(x.numpy() % 9).shape == (100, 6, 3)


def test_an_embedding_that_changes_its_weights_is_refused() -> None:
    with pytest.raises(UnsupportedModelError, match=r"0 \(Embedding\) has max_norm"):
        prepare_qat(nn.Embedding(9, 3, max_norm=1.0), TOKENS % 9)


def test_a_layer_alone() -> None:
    module = convert_qat(prepare_qat(nn.Linear(6, 2), X))
    assert module.forward(X.numpy()).shape == (400, 2)


def test_static_weights_are_those_at_the_end() -> None:
    prepared = prepare_qat(nn.Linear(6, 2), X, n_bits=8)
    (layer,) = (m for m in prepared.modules() if isinstance(m, QATLayer))
    with torch.no_grad():
        layer.layer.weight.mul_(3)
    result = convert_qat(prepared, X.numpy()).forward(X.numpy())
    np.testing.assert_allclose(result, prepared.eval()(X).detach().numpy(), atol=1e-4)


def test_training_recovers_what_two_bits_lose() -> None:
    torch.manual_seed(0)
    target = torch.sin(2 * X[:, :1]) + X[:, 1:2] * X[:, 2:3]
    network = nn.Sequential(nn.Linear(6, 64), nn.ReLU(), nn.Linear(64, 1))

    def fit(module: nn.Module, steps: int) -> None:
        optimizer = torch.optim.Adam(module.parameters(), lr=0.01)
        for _ in range(steps):
            optimizer.zero_grad()
            (module(X) - target).square().mean().backward()
            optimizer.step()

    fit(network, 300)
    prepared = prepare_qat(network, X, n_bits=2)
    errors = []
    for steps in (0, 300):
        fit(prepared, steps)
        result = convert_qat(prepared, X.numpy()).forward(X.numpy())
        errors.append(((result - target.numpy()) ** 2).mean())
    assert errors[1] < 0.5 * errors[0]


# ------------------------------------------------------------------ refusals


def test_all_parts_without_integers_are_listed() -> None:
    network = nn.Sequential(nn.LSTM(6, 4), nn.Linear(4, 2), nn.InstanceNorm1d(2))
    with pytest.raises(UnsupportedModelError, match=r"LSTM.*InstanceNorm1d"):
        prepare_qat(network, X)


def test_what_cannot_be_traced_is_refused() -> None:
    class Branching(nn.Module):
        def forward(self, x: torch.Tensor) -> torch.Tensor:
            return x if x.sum() > 0 else -x

    with pytest.raises(UnsupportedModelError, match="Branching cannot be traced"):
        prepare_qat(Branching(), X)


def test_what_the_converter_refuses_is_refused_before_training() -> None:
    class MovesRows(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.linear = nn.Linear(6, 4)

        def forward(self, x: torch.Tensor) -> torch.Tensor:
            return torch.transpose(self.linear(x), 0, 1)

    with pytest.raises(UnsupportedModelError, match="rows"):
        prepare_qat(MovesRows(), X)


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        ({"n_bits": 1}, r"\[2, 8\]"),
        ({"n_bits": 4.0}, r"\[2, 8\]"),
        ({"weight_spec": QuantizationSpec(dtype="float8_e4m3fn")}, "integer dtype"),
        ({"activation_spec": QuantizationSpec(qformulation="minval")}, "formulation 'zp'"),
        (
            {"weight_spec": QuantizationSpec(granularity=PerBlockGranularity(block_size=(1, 2)))},
            "PerTensorGranularity or PerChannelGranularity",
        ),
    ],
)
def test_bad_arguments(arguments: dict[str, Any], reason: str) -> None:
    with pytest.raises(ValueError, match=reason):
        prepare_qat(nn.Linear(6, 2), X, **arguments)


def test_converting_needs_quantizers_that_are_on() -> None:
    with pytest.raises(ValueError, match="prepare_qat first"):
        convert_qat(nn.Linear(6, 2), X.numpy())
    prepared = prepare_qat(nn.Linear(6, 2), X)
    next(m for m in prepared.modules() if isinstance(m, FakeQuantizeImplBase)).disable_fake_quant()
    with pytest.raises(ValueError, match="is off"):
        convert_qat(prepared, X.numpy())


def test_given_specs_are_used() -> None:
    spec = QuantizationSpec(dtype="int4", granularity=PerTensorGranularity())
    prepared = prepare_qat(nn.Linear(6, 2), X, weight_spec=spec, n_bits=8)
    found = sorted(m.n_bits for m in prepared.modules() if isinstance(m, FakeQuantizeImplBase))
    assert found == [4, 8]


# ------------------------------------------------------------------ schedules


def switches(module: nn.Module) -> set[tuple[int, int]]:
    return {
        (int(m.observer_enabled), int(m.fake_quant_enabled))
        for m in module.modules()
        if isinstance(m, FakeQuantizeImplBase)
    }


def test_a_schedule_switches_by_step_and_goes_on_when_entered_again() -> None:
    prepared = prepare_qat(mlp(), X)
    schedule = QATSchedule(prepared, enable_observer=1, enable_fake_quant=2, disable_observer=4)
    seen = []
    for _ in range(2):
        with schedule:
            for _ in range(3):
                seen += switches(prepared)
                schedule.step()
        assert switches(prepared) == {(0, 1)}
    assert seen == [(0, 0), (1, 0), (1, 1), (1, 1), (0, 1), (0, 1)]
    assert schedule.step_count == 6


@pytest.mark.parametrize(
    "steps",
    [
        {"enable_observer": 2, "enable_fake_quant": 1},
        {"disable_observer": 0},
        {"enable_fake_quant": 5, "disable_observer": 4},
        {"enable_observer": -1},
        {"enable_fake_quant": 1.5},
    ],
)
def test_steps_out_of_order(steps: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="must be"):
        QATSchedule(prepare_qat(nn.Linear(6, 2), X), **steps)


def test_calibrating_observes_in_evaluation_mode() -> None:
    prepared = prepare_qat(mlp().train(), X[:2], n_bits=8)
    with calibrating(prepared):
        assert not prepared.training
        assert switches(prepared) == {(1, 0)}
        prepared(X)
    assert prepared.training
    assert switches(prepared) == {(0, 1)}
    with pytest.raises(ValueError, match="no fake quantizers"), calibrating(nn.Linear(2, 2)):
        pass


def test_names_are_listed() -> None:
    assert {"prepare_qat", "convert_qat", "QATSchedule"} <= set(dir(skq.training))
    with pytest.raises(AttributeError, match="nothing"):
        skq.training.nothing  # noqa: B018
