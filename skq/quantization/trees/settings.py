"""Settings of the quantization of tree ensembles: one frozen object a stage."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True)
class EdgeSettings:
    """The choice of bin edges, of surrogate splits and of derived columns."""

    #: Up to this many thresholds the choice is optimal; more are grouped first.
    max_candidates: int = 192

    #: Above this many bins, groups of equal weight are as good as the optimum, and quick.
    max_exact_bins: int = 64

    #: Share of the rows by which `share_below` tells thresholds apart that no row lies between.
    trace: float = 1e-4

    #: More thresholds than this are thinned out first.
    max_thresholds: int = 96
    max_rounds: int = 8

    #: Above this many bits few rows are misrouted, and comparing ways to place edges takes its
    #: time.
    max_searched_bits: int = 5

    #: Leaves that calibration rows visit, at most, to tell by which nodes they come.
    max_visits: int = 200_000

    #: Rows that edges are learned from, evenly spaced, where there are more.
    max_training_rows: int = 200_000

    #: Up to this many bins edges are chosen by targets and ranks.
    max_chosen_bins: int = 32

    #: Groups of equal weight for each bin, among whose ends edges are chosen, and at most in all.
    groups_per_bin: int = 4
    max_groups: int = 64

    #: What the variance of ranks counts beside that of the targets.
    rank_share: float = 0.3

    #: Above this many bits few rows are misrouted.
    max_surrogate_bits: int = 3

    #: Columns among which nodes choose, at most: those that most nodes read.
    max_surrogate_columns: int = 64

    #: Rows that a split must win by against the nearest edge of the node's own column.
    surrogate_margin: float = 1.0

    #: Codes of a derived column have at most so many bits.
    max_derived_bits: int = 16

    #: They cover at least one in so many parts of what the sums span on calibration rows, and of
    #: the widest span one in its square: multipliers share one shift, and a column with thresholds
    #: next to each other would leave no bits to the others.
    least_derived_span: int = 16


EDGES = EdgeSettings()


@dataclass(frozen=True)
class LeafSettings:
    """The rounding of leaf values."""

    #: A leaf is corrected by ``n / (n + prior_rows)`` of the mean error of its n calibration rows.
    prior_rows: float = 20.0

    #: Steps of the finest tree's grid that the coarsest tree's may have.
    max_multiplier: int = 64

    #: Shares of the widest tree's range that the grid may cover, by the greatest code.
    range_shares: Mapping[int, tuple[float, ...]] = field(
        default_factory=lambda: {
            1: (1.0, 0.7, 0.5, 0.35),
            3: (1.0, 0.85, 0.7, 0.55, 0.42, 0.3),
            7: (1.0, 0.8, 0.6, 0.45),
        }
    )
    few_range_shares: tuple[float, ...] = (1.0, 0.8, 0.6)

    #: Above this many codes nothing is gained by a search, above this many trees it takes too
    #: long.
    max_searched_top: int = 63
    max_searched_trees: int = 400

    #: Places of a grid that are compared for one tree.
    n_places: int = 17


LEAVES = LeafSettings()
