"""Settings of the quantization of tree ensembles: one frozen object per stage."""

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

    #: Share of the rows by which `SortedValues.share_below` separates thresholds with no row
    #: between them.
    trace: float = 1e-4

    #: With more thresholds only a sample of them may become edges.
    max_thresholds: int = 96
    max_rounds: int = 8

    #: Greatest width at which several choices of edges are compared: with more bits few rows are
    #: misrouted, and the comparison is slow.
    max_searched_bits: int = 5

    #: Greatest number of (row, tree) pairs for which arrivals at nodes are counted.
    max_visits: int = 200_000

    #: Greatest number of rows that edges are chosen from; a sample if there are more.
    max_training_rows: int = 200_000

    #: Up to this many bins edges are chosen by targets and ranks.
    max_chosen_bins: int = 32

    #: Up to this width of the codes, trees that are trained on bins take the edges that are chosen
    #: for the float model.
    max_model_bits: int = 3

    #: Candidate edges lie between groups of equal weight: so many groups a bin, and at most so
    #: many in all.
    groups_per_bin: int = 4
    max_groups: int = 64

    #: Weight of the variance of ranks relative to that of the targets.
    rank_share: float = 0.3

    #: Edges by effect: most cells of a feature, most values that are tried in all, most targets,
    #: and the distance in shares of the rows at which a curve counts 1/e.
    max_cells: int = 48
    max_curve_values: int = 3000
    max_curve_targets: int = 10
    curve_width: float = 0.25

    #: Greatest width at which surrogate splits are searched: with more bits few rows are misrouted.
    max_surrogate_bits: int = 3

    #: Greatest number of columns that surrogate splits may read: those that most nodes read.
    max_surrogate_columns: int = 64

    #: Number of rows by which a surrogate split must be better than the nearest edge of the node's
    #: original column.
    surrogate_margin: float = 1.0

    #: Codes of a derived column have at most so many bits.
    max_derived_bits: int = 16

    #: Codes of a derived column cover at least ``1 / least_derived_span`` of the span of its sums
    #: on the calibration rows, and ``1 / least_derived_span**2`` of the widest span. All columns
    #: share one shift, so a column with thresholds close to each other would leave few bits for
    #: the multipliers of the others.
    least_derived_span: int = 16


EDGES = EdgeSettings()


@dataclass(frozen=True)
class LeafSettings:
    """The rounding of leaf values."""

    #: A leaf is corrected by ``n / (n + prior_rows)`` of the mean error of its n calibration rows.
    prior_rows: float = 20.0

    #: Greatest ratio between the steps of the coarsest and the finest tree's grid.
    max_multiplier: int = 64

    #: Shares of the widest tree's range that the grid may cover, by the greatest code; then for
    #: other codes.
    range_shares: Mapping[int, tuple[float, ...]] = field(
        default_factory=lambda: {
            1: (1.0, 0.7, 0.5, 0.35),
            3: (1.0, 0.85, 0.7, 0.55, 0.42, 0.3),
            7: (1.0, 0.8, 0.6, 0.45),
        }
    )
    few_range_shares: tuple[float, ...] = (1.0, 0.8, 0.6)

    #: Greatest code and number of trees for which ranges are searched: with larger codes there is
    #: nothing to gain, with more trees it is slow.
    max_searched_top: int = 63
    max_searched_trees: int = 400

    #: Visits of all trees in which leaves are moved, and the greatest code for which it is done. It
    #: is done for several outputs only: single sums fit the calibration rows well enough.
    max_sweeps: int = 4
    max_descent_top: int = 7

    #: Offsets of the grid that are compared for one tree.
    n_places: int = 17


LEAVES = LeafSettings()
