"""Ranges by name: what each method promises of the tensor itself."""

import numpy as np
import pytest

from skq.numerics import dequantize, quantize
from skq.quantization.search.ranges import (
    CALIBRATION_METHODS,
    check_calibration,
    find_joint_range,
    find_range,
    find_reach,
)
from skq.quantization.search.settings import RANGES


def values(seed=0, n_rows=2500, n_columns=4):
    return np.random.RandomState(seed).standard_t(2, (n_rows, n_columns))


def ranges(x, n_bits, method, weight=None):
    weight = np.ones(len(x)) if weight is None else weight
    return find_range(x, weight, x.min(axis=0), x.max(axis=0), n_bits, method)


def own_error(x, lo, hi, n_bits):
    scale = (hi - lo) / (2**n_bits - 1)
    zero_point = np.rint(-lo / scale)
    codes = quantize(x, scale, zero_point, 0, 2**n_bits - 1)
    return ((dequantize(codes, scale, zero_point) - x) ** 2).sum(axis=0)


def test_minmax_is_the_range():
    x = values()
    lo, hi = ranges(x, 4, "minmax")
    np.testing.assert_array_equal(lo, x.min(axis=0))
    np.testing.assert_array_equal(hi, x.max(axis=0))


def test_percentile_cuts_off_a_share_of_the_weight():
    x = values()
    lo, hi = ranges(x, 4, "percentile")
    share = 1 - RANGES.percentile / 100
    np.testing.assert_array_equal(lo, np.quantile(x, share, axis=0, method="inverted_cdf"))
    np.testing.assert_array_equal(hi, np.quantile(x, 1 - share, axis=0, method="inverted_cdf"))


@pytest.mark.parametrize("n_bits", [1, 2, 4, 8])
def test_mse_is_no_worse_than_the_others_and_better_on_heavy_tails(n_bits):
    x = values(1, n_rows=900)
    mse, plain = (own_error(x, *ranges(x, n_bits, method), n_bits) for method in ("mse", "minmax"))
    assert np.all(mse <= plain)
    if n_bits <= 4:
        assert np.all(mse < plain)


@pytest.mark.parametrize("method", ["percentile", "mse"])
def test_weights_count_as_repetitions(method):
    x = values(2, n_rows=80)
    repeats = np.random.RandomState(0).randint(0, 4, 80)
    lo, hi = x.min(axis=0), x.max(axis=0)
    rows = np.repeat(x, repeats, axis=0)
    repeated = find_range(rows, np.ones(len(rows)), lo, hi, 3, method)
    weighted = find_range(x, repeats.astype(float), lo, hi, 3, method)
    np.testing.assert_array_equal(repeated, weighted)


@pytest.mark.parametrize("method", ["percentile", "mse"])
def test_missing_values_count_as_absent(method):
    x = values(3, n_rows=60)
    lo, hi = x.min(axis=0), x.max(axis=0)
    with_missing = np.concatenate([x, np.full((5, 4), np.nan)])
    np.testing.assert_array_equal(
        find_range(with_missing, np.ones(65), lo, hi, 3, method),
        find_range(x, np.ones(60), lo, hi, 3, method),
    )


@pytest.mark.parametrize("method", CALIBRATION_METHODS[1:])
@pytest.mark.parametrize(
    "column",
    [np.zeros(9), np.full(9, 7.0), np.r_[np.zeros(2000), 1.0], np.array([-1.7e308, 0, 1.7e308])],
    ids=["zero", "constant", "one outlier", "huge"],
)
def test_degenerate_columns_keep_a_range_within_their_own(column, method):
    x = column[:, None]
    lo, hi = ranges(x, 4, method)
    assert column.min() <= lo[0] <= hi[0] <= column.max()
    assert hi[0] > lo[0] or column.min() == column.max()


def test_columns_of_any_scale_are_treated_alike():
    x, factor = values(4, n_rows=200), 2.0 ** np.array([-300, -20, 40, 300])
    lo, hi = ranges(x, 3, "mse")
    scaled = ranges(x * factor, 3, "mse")
    np.testing.assert_allclose(scaled, [lo * factor, hi * factor], rtol=1e-12)


def test_joint_range_is_that_of_all_elements():
    x = values(5, n_rows=100).reshape(100, 2, 2)
    flat = x.reshape(-1, 1)
    for method in CALIBRATION_METHODS[1:]:
        joint = find_joint_range(x, np.ones(100), 4, method)
        np.testing.assert_array_equal(joint, np.ravel(ranges(flat, 4, method)))


@pytest.mark.parametrize("n_bits", [1, 2, 4, 8])
def test_reach_of_weights(n_bits):
    weights = values(6, n_rows=2500)
    widest = np.abs(weights).max(axis=0)
    top = max(1, 2 ** (n_bits - 1) - 1)

    def error(reach):
        scale = reach / top
        steps = quantize(np.abs(weights), scale, 0, int(n_bits == 1), top)
        return ((np.abs(weights) - steps * scale) ** 2).sum(axis=0)

    np.testing.assert_array_equal(find_reach(weights, n_bits, "minmax"), widest)
    percentile, mse = (find_reach(weights, n_bits, method) for method in ("percentile", "mse"))
    assert np.all(((np.abs(weights) > percentile).sum(axis=0) <= 2) & (percentile < widest))
    assert np.all(error(mse) <= error(widest))


@pytest.mark.parametrize("value", ["best", "MinMax", None, 1, ["auto"]])
def test_other_names_are_refused_with_the_list(value):
    with pytest.raises(ValueError, match="'auto', 'minmax', 'percentile', 'mse'"):
        check_calibration(value)
