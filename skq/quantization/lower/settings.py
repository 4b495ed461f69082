"""Settings of the lowering."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class LoweringSettings:
    """Widths and limits of values between layers."""

    #: Tensors of different scales are added and compared on a common grid. It has this many bits
    #: more than the codes of inner layers, and at most `common_bits`.
    finer_bits: int = 10
    common_bits: int = 22

    #: Width of the common grid where grids are trained; sums are then as exact as a multiplier of
    #: 31 bits.
    trained_bits: int = 30

    #: A weight is on a grid when it is at most this fraction of a step away from it.
    grid_noise: float = 1e-3

    #: Rows of a layer (positions of a convolution count each) that its weights are fitted to.
    max_layer_rows: int = 20_000

    #: Inner codes of at least this width get ranges that are widened by `headroom` at either end,
    #: indices of tables by `table_headroom`.
    spare_bits: int = 12
    headroom: float = 0.5
    table_headroom: float = 0.1

    #: Bits by which scores of several channels are refined when they are brought to one scale.
    align_bits: int = 24


LOWERING = LoweringSettings()
