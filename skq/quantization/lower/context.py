"""Choices that hold for a whole model while it is lowered."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from skq.quantization.lower.rounding import Rounding
from skq.quantization.n_bits import LAYERS


@dataclass(frozen=True)
class Settings:
    """Choices that hold for a whole model.

    Parameters
    ----------
    n_bits : dict of str to int
        As `get_n_bits_dict` gives it.
    rounding : Rounding
    calibration : {"auto", "minmax", "percentile", "mse"}
        How the range of each tensor is chosen; see `skq.quantization.search.ranges`.
    signed_weights : bool
        Whether weights are on symmetric grids; else on affine ones, from least to greatest weight.
    discrete : bool
        Whether weights and activations lie on grids already, which are detected and used.
    columns : int or None
        Maximum number of columns of codes of a feature. None means as many as the splits need.
    monotonic : bool
        Whether trees have monotonic constraints. Weights of layers after them are then rounded to
        nearest, so that their signs do not change.
    layers : mapping of str to mapping of str to int
        ``op_inputs`` and ``op_weights`` of layers with separate widths, by node.
    """

    n_bits: dict[str, int]
    rounding: Rounding
    calibration: str = "auto"
    signed_weights: bool = True
    discrete: bool = False
    columns: int | None = 1
    monotonic: bool = False
    layers: Mapping[str, Mapping[str, int]] = field(default_factory=dict)

    def of_node(self, name: str) -> Settings:
        """The settings by which a node is lowered."""
        if name not in self.layers:
            return self
        return replace(self, n_bits={**self.n_bits, **self.layers[name]})

    @property
    def all_widths(self) -> dict[str, Any]:
        """`n_bits` with the widths of layers, as a module has them."""
        layers = {name: dict(widths) for name, widths in self.layers.items()}
        return {**self.n_bits, LAYERS: layers} if layers else dict(self.n_bits)

    @property
    def searches(self) -> bool:
        """Whether parameters are chosen by the error at a layer's output."""
        return self.calibration == "auto" and not self.discrete

    @property
    def range_method(self) -> str:
        """How a range is chosen if there is no output for comparing errors."""
        return "minmax" if self.calibration == "auto" else self.calibration
