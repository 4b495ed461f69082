"""A `CodeNetwork` as a torch module whose integers, steps and offsets are trained."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import torch
from torch import nn

from skq.training.code_network import FUNCTIONS, CodeLayer, CodeNetwork, Floats


@dataclass(frozen=True)
class Constraints:
    """Properties that the trained network must have.

    Parameters
    ----------
    has_bias : bool
        False: features of 0 have a code, and give exactly 0.
    nonnegative : bool
        Whether no weight may be below 0.
    whole_zeros : bool
        Whether the zero points of features are whole numbers. Otherwise codes may lie anywhere;
        the program then compares with edges.
    """

    has_bias: bool = True
    nonnegative: bool = False
    whole_zeros: bool = False


class _RoundAndClip(torch.autograd.Function):
    """``clip(round(x), lo, hi)``; the gradient passes where the code is not clipped."""

    @staticmethod
    def forward(ctx: Any, x: torch.Tensor, lo: float, hi: float) -> torch.Tensor:
        """Return the codes."""
        codes = torch.round(x)
        ctx.save_for_backward((codes >= lo) & (codes <= hi))
        return codes.clamp_(lo, hi)

    @staticmethod
    def backward(ctx: Any, *gradients: torch.Tensor) -> Any:
        """Return the gradient of x."""
        (passes,) = ctx.saved_tensors
        return gradients[0] * passes, None, None


class _Sign(torch.autograd.Function):
    """-1 or 1; the gradient passes within [-1.5, 1.5]."""

    @staticmethod
    def forward(ctx: Any, x: torch.Tensor) -> torch.Tensor:
        """Return the signs."""
        ctx.save_for_backward(x.abs() <= 1.5)
        return torch.where(x >= 0, 1.0, -1.0).to(x.dtype)

    @staticmethod
    def backward(ctx: Any, *gradients: torch.Tensor) -> Any:
        """Return the gradient of x."""
        (passes,) = ctx.saved_tensors
        return gradients[0] * passes


def as_tensor(values: Any) -> torch.Tensor:
    """Reals as a tensor of float64."""
    return torch.from_numpy(np.array(values, dtype=np.float64))


class _Layer(nn.Module):
    """One layer: integers, a positive scale and an offset for each output, all trained.

    Parameters
    ----------
    layer : CodeLayer
        Layer from which training starts.
    center : ndarray of shape (n_in,)
        Codes from which sums are counted.
    spread : ndarray of shape (n_out,)
        Unit of the offsets while they are trained.
    """

    def __init__(
        self,
        layer: CodeLayer,
        center: Floats,
        spread: Floats,
        weight_bits: int,
        constraints: Constraints,
    ) -> None:
        super().__init__()
        self.start, self.bits, self.constraints = layer, weight_bits, constraints
        self.top = float(max(1, 2 ** (weight_bits - 1) - 1))
        self.least = 0.0 if constraints.nonnegative else -self.top
        self.integers = nn.Parameter(as_tensor(layer.integers))
        self.log_scale = nn.Parameter(torch.zeros(len(layer.scale), dtype=torch.float64))
        self.moved = nn.Parameter(torch.zeros(len(layer.scale), dtype=torch.float64))
        self.moved.requires_grad_(constraints.has_bias)
        self.scale, self.center, self.spread = map(as_tensor, (layer.scale, center, spread))
        self.offset = as_tensor(layer.offset + layer.scale * (center @ layer.integers))

    def rounded(self) -> torch.Tensor:
        """The integers."""
        if self.bits == 1 and not self.constraints.nonnegative:
            signs: torch.Tensor = _Sign.apply(self.integers)
            return signs
        result: torch.Tensor = _RoundAndClip.apply(self.integers, self.least, self.top)
        return result

    def scales(self) -> torch.Tensor:
        """The scale of each output."""
        return self.scale * self.log_scale.exp()

    def forward(self, codes: torch.Tensor, integers: torch.Tensor) -> torch.Tensor:
        """Return the results for codes."""
        sums = (codes - self.center) @ integers
        return sums * self.scales() + (self.offset + self.spread * self.moved)

    def trained(self) -> CodeLayer:
        """The layer in NumPy."""
        with torch.no_grad():
            integers, scale = self.rounded(), self.scales()
            offset = self.offset + self.spread * self.moved - scale * (self.center @ integers)
        return replace(
            self.start,
            integers=integers.numpy().astype(np.int64),
            scale=scale.numpy().copy(),
            offset=offset.numpy().copy(),
        )


class FakeQuantizedNetwork(nn.Module):
    """A network that computes with the codes of a `CodeNetwork` and passes gradients through them.

    Parameters
    ----------
    start : CodeNetwork
    X : ndarray of shape (n_rows, n_features)
        Training rows.
    constraints : Constraints
    """

    def __init__(self, start: CodeNetwork, X: Floats, constraints: Constraints) -> None:
        super().__init__()
        self.start, self.constraints = start, constraints
        codes = start.input_codes(X)
        center = codes.mean(axis=0) if constraints.has_bias else start.input_zero
        self.center, self.zero = as_tensor(center), as_tensor(start.input_zero)
        self.log_step = nn.Parameter(torch.zeros(X.shape[1], dtype=torch.float64))
        self.moved = nn.Parameter(torch.zeros(X.shape[1], dtype=torch.float64))
        self.moved.requires_grad_(constraints.has_bias)
        layers = []
        for index, layer in enumerate(start.layers):
            results = layer(codes)
            spread = np.maximum(results.std(axis=0), 1e-9 * np.abs(results).max(axis=0) + 1e-300)
            layers.append(_Layer(layer, center, spread, start.weight_bits, constraints))
            if index < len(start.layers) - 1:
                codes = start.hidden_codes(results, layer)
                center = codes.mean(axis=0)
        self.layers = nn.ModuleList(layers)

    def prepared(self, X: Floats) -> torch.Tensor:
        """Rows in steps of the first grids, not rounded, counted from the centers."""
        return as_tensor(X / self.start.input_scale + (self.start.input_zero - self.center.numpy()))

    def _zeros(self) -> tuple[torch.Tensor, torch.Tensor]:
        """Zero points, and what they have moved by in codes."""
        zero = (self.zero - self.center) * (-self.log_step).exp() + self.center + self.moved
        if not self.constraints.whole_zeros:
            return zero, self.moved
        whole = zero.detach().round()
        return whole, self.moved + (whole - zero.detach())

    def forward(self, rows: torch.Tensor) -> tuple[torch.Tensor, list[torch.Tensor]]:
        """Return the scores of prepared rows, and the integers of each layer."""
        moved = self.center + self._zeros()[1]
        values = rows * (-self.log_step).exp() + moved
        codes = _RoundAndClip.apply(values, 0.0, float(self.start.input_top))
        used: list[torch.Tensor] = []
        for index, layer in enumerate(self.integer_layers()):
            used.append(layer.rounded())
            results = layer(codes, used[-1])
            if index < len(self.layers) - 1:
                codes = self._hidden_codes(results, layer)
        return results, used

    def _hidden_codes(self, results: torch.Tensor, layer: _Layer) -> torch.Tensor:
        activation = self.start.activation
        if activation in FUNCTIONS:
            function = torch.tanh if activation == "tanh" else torch.sigmoid
            base, unit = float(layer.start.base[0]), float(layer.start.unit[0])
            results = (function(results) - base) / unit
        codes: torch.Tensor = _RoundAndClip.apply(results, 0.0, float(self.start.hidden_top))
        return codes

    def integer_layers(self) -> list[_Layer]:
        """The layers, in order."""
        return [layer for layer in self.layers if isinstance(layer, _Layer)]

    def intercepts(self, integers: list[torch.Tensor]) -> torch.Tensor:
        """Scores for features of 0 of a network of one layer."""
        layer = self.integer_layers()[-1]
        zero = self._zeros()[0] if len(self.layers) == 1 else layer.center
        result: torch.Tensor = layer(zero, integers[-1])
        return result

    def real_weights(self, integers: list[torch.Tensor]) -> list[torch.Tensor]:
        """Weights of the float network that the integers stand for, as regularizers count them."""
        step = as_tensor(self.start.input_scale) * self.log_step.exp()
        result = []
        for index, (layer, codes) in enumerate(zip(self.integer_layers(), integers, strict=True)):
            scale, unit = layer.scales(), as_tensor(layer.start.unit)
            if index < len(self.layers) - 1 and self.start.activation not in FUNCTIONS:
                scale = scale * unit
            result.append(codes * scale / step[:, None])
            step = unit
        return result

    def project(self) -> None:
        """Hold the integers in reach of their codes, where they may not be negative."""
        if self.constraints.nonnegative:
            for layer in self.integer_layers():
                layer.integers.data.clamp_(min=0.0)

    def trained(self) -> CodeNetwork:
        """The network in NumPy."""
        with torch.no_grad():
            scale = as_tensor(self.start.input_scale) * self.log_step.exp()
            zero = self._zeros()[0]
        if not self.constraints.has_bias:
            zero = self.zero
        return replace(
            self.start,
            input_scale=scale.numpy().copy(),
            input_zero=zero.numpy().copy(),
            layers=tuple(layer.trained() for layer in self.integer_layers()),
        )
