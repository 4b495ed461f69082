"""Choices that hold for a whole model while it is lowered."""

from __future__ import annotations

from dataclasses import dataclass

from skq.quantization.lower.rounding import Rounding


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
        Columns of codes that a feature may stand in; None: as many as the trees' splits need.
    monotonic : bool
        Whether trees have monotonic constraints. Weights of layers after them are then rounded to
        nearest, so that their signs do not change.
    """

    n_bits: dict[str, int]
    rounding: Rounding
    calibration: str = "auto"
    signed_weights: bool = True
    discrete: bool = False
    columns: int | None = 1
    monotonic: bool = False

    @property
    def searches(self) -> bool:
        """Whether parameters are chosen by the error at a layer's output."""
        return self.calibration == "auto" and not self.discrete

    @property
    def range_method(self) -> str:
        """How a range is chosen where no output is there to compare errors at."""
        return "minmax" if self.calibration == "auto" else self.calibration
