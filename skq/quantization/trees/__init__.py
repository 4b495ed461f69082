"""Tree ensembles → integers: bins at the thresholds, leaf values on a grid."""
