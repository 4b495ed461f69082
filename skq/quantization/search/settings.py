"""Settings of the search for parameters: one frozen object per stage."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np


@dataclass(frozen=True)
class RangeSettings:
    """The choice of the range of a tensor and of the grid of a feature."""

    #: Percentile at which "percentile" ends a range; it begins at 100 minus this.
    percentile: float = 99.9

    #: Shares of the way from the median to an end that "mse" tries, coarsely and then around the
    #: best.
    coarse_shares: tuple[float, ...] = tuple((0.8 ** np.arange(1, 9)).tolist())
    fine_shares: tuple[float, ...] = (0.88, 0.94, 1.06, 1.13)

    #: Greatest number of values that "mse" uses; at least this many rows are always used.
    mse_values: int = 50_000
    mse_rows: int = 200

    #: Candidate shares of the rows to clip at each end of a range, by width.
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

    #: Candidate numbers of steps that a range spans, by width; fewer than all leave codes unused.
    grid_spans: Mapping[int, tuple[int, ...]] = field(
        default_factory=lambda: {
            1: (1,),
            2: (3, 2, 1),
            3: (7, 5, 3, 2),
            4: (15, 10, 6),
            5: (31, 18, 9, 4),
        }
    )

    #: The same for codes of several digits, at any width; spans as shares of all codes.
    digit_tails: tuple[float, ...] = (0.0, 0.01, 0.05)
    digit_spans: tuple[float, ...] = tuple((2.0 ** -(np.arange(13) / 6)).tolist())
    few_digit_spans: tuple[float, ...] = (1.0, 0.8, 0.63, 0.5, 0.35)


RANGES = RangeSettings()


@dataclass(frozen=True)
class ErrorSettings:
    """The weights of errors inside a float graph."""

    #: Weight of a label that changes. The squared difference of a score is at most 4.
    changed_label: float = 2.0

    #: Variance of an output, as a share of its mean square, up to which it is constant
    #: except for float rounding.
    negligible_spread: float = 1e-24

    #: Least weight of an error inside of the network, as a share of the mean: derivatives hold for
    #: small errors only.
    least_weight: float = 0.02


ERRORS = ErrorSettings()


@dataclass(frozen=True)
class LayerSettings:
    """The search for a layer's input grids and integer weights."""

    #: Regularization of the integer weights towards the real ones, as a share of the feature's
    #: variance. It is weaker for wide weights, which can correct errors of the input codes. Because
    #: these might overfit single rows, their variance is computed with one more row.
    pull: float = 0.05
    weak_pull: float = 0.005

    #: Starts of the descent: whether from min-max grids (otherwise from grids whose codes have the
    #: greatest entropy), and a factor of the scales. With few levels a descent ends near its start.
    starts: Mapping[int, tuple[tuple[bool, float], ...]] = field(
        default_factory=lambda: {
            2: ((True, 1.0), (True, 0.7), (True, 1.4), (False, 1.0), (False, 0.7), (False, 1.4)),
            3: ((True, 1.0), (True, 0.7), (True, 1.4), (False, 1.0), (False, 0.7)),
            4: ((True, 1.0), (True, 0.75), (False, 1.0)),
        }
    )
    few_starts: tuple[tuple[bool, float], ...] = ((True, 1.0),)
    max_rounds: int = 6

    #: Weights of at least `wide_weights` bits converge in `few_rounds` rounds.
    wide_weights: int = 5
    few_rounds: int = 2

    #: A round that lowers the error by less than this share is the last.
    tolerance: float = 2e-3

    #: Errors that differ by less than this share are equal: the order of the rows may change which
    #: one is less.
    tie: float = 1e-9

    #: Layers with more inputs have few candidate grids a feature.
    many_inputs: int = 128

    #: Layers with more weights have two starts only.
    many_weights: int = 1500

    #: Products of rows, grids, inputs and outputs that a round may cost.
    round_cost: float = 6e7
    min_rows: int = 500

    #: Weight of the error of the weights relative to the error of the output; it regularizes, as
    #: there are few rows.
    ridge: float = 0.05

    #: Layers with more inputs are quantized without descent, and with the diagonal of G alone.
    max_descent_inputs: int = 1500
    sweeps: int = 4

    #: Products that all sweeps of a descent may cost in total: one costs ``n_in**2 * n_out``, so
    #: wide layers get fewer, or none.
    descent_cost: float = 4e8

    #: Weights whose widths of the grid are tried side by side.
    weights_at_once: int = 1 << 19

    #: Greatest width of codes and number of inputs for which grids are fitted input by input; other
    #: layers have one grid for all inputs.
    max_fitted_bits: int = 8
    max_fitted_inputs: int = 1500

    #: Layers with more weights are not fitted: the cost grows with the weights times the rows, and
    #: takes tens of seconds a layer from here on.
    max_fitted_weights: int = 40_000

    #: Candidate extensions of the range of an inner input for other rows, in standard deviations of
    #: the input before its clip, and the least width at which they are tried. The first one that is
    #: no worse than the range methods is taken. It matters for a neuron that a ReLU sets to zero in
    #: almost all calibration rows, whose range would be too small.
    headrooms: tuple[float, ...] = (1.0, 0.6, 0.3)
    headroom_bits: int = 7

    #: If clipped inputs are better, layers with more weights are fitted for clipped inputs only.
    max_tried_weights: int = 4000

    #: Candidate shares of rows to clip at either end of all inputs of a layer.
    clipped_shares: tuple[float, ...] = (0.0, 0.001, 0.003, 0.01, 0.02, 0.04, 0.08)

    #: Clipping is used if the error falls to at most this share, because other rows may have larger
    #: values.
    needed_gain: float = 0.8

    #: Relative squared errors that differ by less come from the rounding of floats.
    negligible: float = 1e-20

    #: Integer columns get the scale 1 if the error is at most this factor of the least error, plus
    #: this share of changed labels.
    whole_error: float = 1.25
    whole_labels: float = 0.002

    #: Integer columns have the scale 1, and other grids of them avoid ties, for weights of at
    #: least so many bits: narrower weights need the grids that are best for them.
    least_whole_weight_bits: int = 4


LAYERS = LayerSettings()
