"""`CalibrationData`: exact ranges, a weighted sample of rows, merging."""

import numpy as np
import pytest
from scipy import sparse

from skq.estimators.calibration import CalibrationData
from skq.quantization.calibration_settings import CALIBRATION


def rows(n, seed=0):
    return np.random.default_rng(seed).normal(size=(n, 3))


def test_few_rows_are_all_kept_and_equal_rows_are_one():
    X = rows(5)
    data = CalibrationData.of(np.concatenate([X, X[:2]]))
    np.testing.assert_array_equal(data.rows, X[np.lexsort(X.T[::-1])])
    assert sorted(data.weight) == [1, 1, 1, 2, 2]
    weighted = CalibrationData.of(X, [2, 2, 1, 1, 1])
    np.testing.assert_array_equal(weighted.rows, data.rows)
    np.testing.assert_array_equal(weighted.weight, data.weight)


def test_ranges_are_of_all_rows_though_a_sample_is_kept():
    X = rows(10_001)
    X[5] = 99.0
    data = CalibrationData.of(X)
    assert len(data.rows) == CALIBRATION.max_rows
    assert data.weight.sum() == pytest.approx(len(X))
    np.testing.assert_array_equal(data.ranges.hi, [99.0] * 3)
    np.testing.assert_array_equal(data.ranges.lo, X.min(axis=0))


def test_rows_of_weight_zero_are_absent_unless_all_are():
    X = rows(4)
    data = CalibrationData.of(X, [1, 0, 1, 0])
    np.testing.assert_array_equal(data.ranges.lo, X[::2].min(axis=0))
    assert len(data.rows) == 2
    assert len(CalibrationData.of(X, np.zeros(4)).rows) == 4


@pytest.mark.parametrize("form", [sparse.csr_matrix, sparse.csc_matrix, sparse.csr_array])
def test_sparse_rows_give_the_same(form):
    X = np.where(np.abs(rows(3000)) > 1, rows(3000), 0.0)
    dense, data = CalibrationData.of(X), CalibrationData.of(form(X))
    np.testing.assert_array_equal(data.rows, dense.rows)
    np.testing.assert_array_equal(data.ranges.lo, dense.ranges.lo)
    np.testing.assert_array_equal(data.ranges.hi, dense.ranges.hi)


def test_missing_values_are_left_out_of_ranges_and_noted():
    X = rows(50)
    X[3, 0] = X[:, 2] = np.nan
    for given in (X, sparse.csr_matrix(X)):
        ranges = CalibrationData.of(given).ranges
        assert ranges.has_missing
        assert ranges.hi[0] == np.nanmax(X[:, 0])
        assert ranges.lo[2] == ranges.hi[2] == 0
    assert not CalibrationData.of(rows(50)).ranges.has_missing


@pytest.mark.parametrize(("n_first", "n_second"), [(10, 20), (5000, 40), (40, 5000), (3000, 9000)])
def test_merging_keeps_shares_and_ranges(n_first, n_second):
    first, second = rows(n_first, 1), rows(n_second, 2) + 50.0
    merged = CalibrationData.of(first).merged(CalibrationData.of(second))
    assert len(merged.rows) <= CALIBRATION.max_rows
    assert merged.weight.sum() == pytest.approx(n_first + n_second)
    own = merged.rows[:, 0] < 25
    assert merged.weight[own].sum() == pytest.approx(n_first, rel=0.05, abs=2)
    np.testing.assert_array_equal(merged.ranges.lo, np.minimum(first.min(0), second.min(0)))
    np.testing.assert_array_equal(merged.ranges.hi, np.maximum(first.max(0), second.max(0)))
