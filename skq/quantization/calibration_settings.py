"""Settings of the calibration."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class CalibrationSettings:
    """Rows that a model is calibrated on."""

    #: Calibration rows on which layers are run; ranges of the inputs are taken over all rows.
    max_rows: int = 2000

    #: Elements that these rows have at most in all, where an input has rows of more than one axis.
    max_elements: int = 500_000

    #: An ensemble with at least this many nodes is large, and is calibrated on fewer rows.
    large_ensemble_nodes: int = 20_000
    max_ensemble_rows: int = 1000

    #: Up to this many bits of the codes of X, forests keep all rows: most thresholds move, and how
    #: nodes split instead is learned from the rows.
    max_narrow_bits: int = 3

    #: Networks with at least this many weights are first lowered without a search, so that errors
    #: are raised before the slow search.
    large_network_weights: int = 20_000


CALIBRATION = CalibrationSettings()
