"""Settings of the search for parameters: one frozen object a stage."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np


@dataclass(frozen=True)
class RangeSettings:
    """How the range of one tensor, and the grid of one feature, is chosen."""

    #: Percentile at which "percentile" ends a range; it begins at 100 minus this.
    percentile: float = 99.9

    #: Shares of the way from the median to an end that "mse" tries, coarsely and then around the
    #: best.
    coarse_shares: tuple[float, ...] = tuple((0.8 ** np.arange(1, 9)).tolist())
    fine_shares: tuple[float, ...] = (0.88, 0.94, 1.06, 1.13)

    #: Values of which "mse" takes the mean, and rows that it looks at in any case.
    mse_values: int = 50_000
    mse_rows: int = 200

    #: Share of the rows that each end of a range may cut off, by width.
    grid_tails: Mapping[int, tuple[float, ...]] = field(
        default_factory=lambda: {
            1: (0.0, 0.1, 0.25, 0.4),
            2: (0.0, 0.02, 0.06, 0.15, 0.25, 0.4),
            3: (0.0, 0.01, 0.04, 0.1, 0.2, 0.35),
            4: (0.0, 0.005, 0.02, 0.06, 0.15),
            5: (0.0, 0.002, 0.01, 0.03, 0.08),
            6: (0.0, 0.002, 0.01, 0.03, 0.08),
        }
    )
    few_grid_tails: tuple[float, ...] = (0.0, 0.001, 0.01)

    #: Steps that a range may span instead of all.
    grid_spans: Mapping[int, tuple[int, ...]] = field(
        default_factory=lambda: {
            1: (1,),
            2: (3, 2, 1),
            3: (7, 5, 3, 2),
            4: (15, 10, 6),
            5: (31, 18, 9, 4),
        }
    )


RANGES = RangeSettings()


@dataclass(frozen=True)
class ErrorSettings:
    """How an error inside of a float graph is valued."""

    #: What a label that changes counts; the square of a score that changes sides counts 4 at most.
    changed_label: float = 2.0

    #: Variance of an output, as a share of its mean square, that is the rounding of floats.
    negligible_spread: float = 1e-24

    #: Least weight of an error inside of the network, as a share of the mean: derivatives hold for
    #: small errors only.
    least_weight: float = 0.02


ERRORS = ErrorSettings()


@dataclass(frozen=True)
class LayerSettings:
    """The search for a layer's input grids and integer weights."""

    #: Pull of the integer weights to the real ones, as a share of the feature's variance; wide
    #: weights can afford to make up for what the codes of the inputs have lost. As they also reach
    #: far from the real ones, for a single row if need be, their variance counts as if there were
    #: one row more.
    pull: float = 0.05
    weak_pull: float = 0.005

    #: Where descents start: whether from min-max grids (or those whose codes are used most
    #: evenly), and a factor on the scales. With few levels a descent ends near where it starts.
    starts: Mapping[int, tuple[tuple[bool, float], ...]] = field(
        default_factory=lambda: {
            2: ((True, 1.0), (True, 0.7), (True, 1.4), (False, 1.0), (False, 0.7), (False, 1.4)),
            3: ((True, 1.0), (True, 0.7), (True, 1.4), (False, 1.0), (False, 0.7)),
            4: ((True, 1.0), (True, 0.75), (False, 1.0)),
        }
    )
    few_starts: tuple[tuple[bool, float], ...] = ((True, 1.0),)
    max_rounds: int = 6

    #: With wide weights the first rounds bring all there is.
    wide_weights: int = 5
    few_rounds: int = 2

    #: A round that lowers the error by less than this share is the last.
    tolerance: float = 2e-3

    #: Errors that differ by less than this share are equal: which is less may change with the
    #: order of the rows.
    tie: float = 1e-9

    #: Layers with more inputs have a handful of grids a feature.
    many_inputs: int = 128

    #: Layers with more weights start from two places only.
    many_weights: int = 1500

    #: Products of rows, grids, inputs and outputs that a round may cost.
    round_cost: float = 6e7
    min_rows: int = 500

    #: Weight of the plain weight error beside the error at the output: few rows do not tell all.
    ridge: float = 0.05

    #: Layers with more inputs are quantized without descent, and with the diagonal of G alone.
    max_descent_inputs: int = 1500
    sweeps: int = 4

    #: Products that all sweeps of a descent may cost together: one costs ``n_in**2 * n_out``, so
    #: that wide layers get fewer, or none.
    descent_cost: float = 4e8

    #: Widths above this are left to one grid for all inputs of a layer, and so are wider layers.
    max_fitted_bits: int = 8
    max_fitted_inputs: int = 1500

    #: Layers with more weights are not fitted: the cost grows with the weights times the rows, and
    #: takes tens of seconds a layer from here on.
    max_fitted_weights: int = 40_000

    #: Room beyond the range of an inner input for other rows, in standard deviations in front of
    #: its clip, and the width from which on: the most that costs no more than the better grids
    #: gain. So a neuron behind a ReLU that few calibration rows reach, and these barely, has as
    #: much as others.
    headrooms: tuple[float, ...] = (1.0, 0.6, 0.3)
    headroom_bits: int = 7

    #: Layers with more weights are fitted for clipped inputs alone, where clipping is better.
    max_tried_weights: int = 4000

    #: Shares that may be cut off at either end of all inputs of a layer.
    clipped_shares: tuple[float, ...] = (0.0, 0.001, 0.003, 0.01, 0.02, 0.04, 0.08)

    #: Share of the error that has to be left for it: other rows may lie further out.
    needed_gain: float = 0.8

    #: Relative squared errors that differ by less come from the rounding of floats.
    negligible: float = 1e-20

    #: Integer columns are codes as they are where the error is at most this much of the least, and
    #: where it is larger by no more than so many labels that change.
    whole_error: float = 1.25
    whole_labels: float = 0.002

    #: Integer columns are taken as they are, and other grids of them avoid ties, for weights of at
    #: least so many bits: narrower weights need the grids that are best for them.
    least_whole_weight_bits: int = 4


LAYERS = LayerSettings()
