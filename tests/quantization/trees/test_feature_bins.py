"""Bins that trees are trained on: edges, representatives, and thresholds that move to edges."""

import numpy as np
import pytest
from scipy import sparse

from skq.quantization.trees.bins import partition
from skq.quantization.trees.feature_bins import FeatureBins


def skewed(n_rows=2000, n_features=4, seed=0):
    return np.exp(2 * np.random.RandomState(seed).normal(size=(n_rows, n_features)))


def codes(bins, X, feature):
    return np.searchsorted(bins.edges[feature], X[:, feature], side="left")


@pytest.mark.parametrize("n_bits", [1, 2, 3, 4, 6])
@pytest.mark.parametrize("target", [None, "first feature"])
def test_as_many_bins_as_codes(n_bits, target):
    X = skewed()
    y = None if target is None else (X[:, :1] > 3).astype(float)
    bins = FeatureBins.of(X, n_bits, target=y)
    for edges, representatives in zip(bins.edges, bins.representatives, strict=True):
        assert len(edges) == 2**n_bits - 1
        assert len(representatives) == 2**n_bits
        assert np.all(np.diff(edges) > 0)
        assert np.all(representatives[:-1] <= edges)
        assert np.all(edges < representatives[1:])


@pytest.mark.parametrize("n_bits", [6, 8])
def test_many_bins_weigh_the_same(n_bits):
    X = skewed(8192)
    counts = np.bincount(codes(FeatureBins.of(X, n_bits), X, 0))
    assert counts.max() <= 8192 / 2**n_bits + 1
    assert counts.min() >= 8192 / 2**n_bits - 1


def test_few_values_all_have_a_bin():
    X = np.random.RandomState(0).randint(0, 4, (100, 3)).astype(float) * 7
    bins = FeatureBins.of(X, 2)
    for edges, representatives in zip(bins.edges, bins.representatives, strict=True):
        np.testing.assert_array_equal(edges, [3.5, 10.5, 17.5])
        np.testing.assert_array_equal(representatives, [0, 7, 14, 21])
    np.testing.assert_array_equal(bins.represent(X), X)


def test_a_heavy_value_takes_one_bin():
    X = np.concatenate([np.zeros(5000), np.random.RandomState(0).uniform(1, 2, 5000)])[:, None]
    counts = np.bincount(codes(FeatureBins.of(X, 6), X, 0))
    assert len(counts) == 64
    assert counts[0] == 5000
    assert counts[1:].max() <= 5000 / 63 + 1


def test_edges_stand_where_the_target_changes():
    """Of 4 bins, edges at the 3 jumps of a step function, far from the quartiles."""
    X = np.linspace(0, 1, 1000)[:, None]
    y = np.searchsorted([0.1, 0.2, 0.9], X[:, 0])[:, None] % 2.0
    (edges,) = FeatureBins.of(X, 2, target=y).edges
    np.testing.assert_allclose(edges, [0.1, 0.2, 0.9], atol=0.04)
    (quartiles,) = FeatureBins.of(X, 2).edges
    np.testing.assert_allclose(quartiles, [0.25, 0.5, 0.75], atol=0.04)


def test_weights_are_repetitions_and_zeros_are_absent():
    X = skewed(300)
    weight = np.random.RandomState(1).randint(0, 4, 300)
    y = X[:, :1] + X[:, 1:2]
    weighted = FeatureBins.of(X, 3, sample_weight=weight.astype(float), target=y)
    rows = np.repeat(np.arange(300), weight)
    repeated = FeatureBins.of(X[rows], 3, target=y[rows])
    for own, expected in zip(weighted.edges, repeated.edges, strict=True):
        np.testing.assert_array_equal(own, expected)


def test_missing_values_take_a_code():
    X = skewed(500)
    X[::7, 1] = np.nan
    bins = FeatureBins.of(X, 2)
    assert [len(edges) for edges in bins.edges] == [2, 2, 2, 2]
    found = bins.represent(X)
    np.testing.assert_array_equal(np.isnan(found), np.isnan(X))


def test_sparse_is_dense():
    X = np.where(np.random.RandomState(0).uniform(size=(600, 5)) < 0.6, 0, skewed(600, 5) - 2)
    y = (X[:, :1] > 0).astype(float)
    weight = np.linspace(0, 2, 600)
    dense = FeatureBins.of(X, 2, sample_weight=weight, target=y)
    for make in (sparse.csr_matrix, sparse.csc_matrix):
        bins = FeatureBins.of(make(X), 2, sample_weight=weight, target=y)
        for own, expected in zip(bins.edges, dense.edges, strict=True):
            np.testing.assert_allclose(own, expected, rtol=1e-12)
        found = bins.represent(make(X))
        assert found.format == make(X).format
        np.testing.assert_array_equal(found.toarray(), dense.represent(X))


def test_skipped_features_stay():
    X = skewed(100, 3)
    bins = FeatureBins.of(X, 1, skip={1})
    found = bins.represent(X)
    np.testing.assert_array_equal(found[:, 1], X[:, 1])
    assert len(np.unique(found[:, 0])) == 2
    np.testing.assert_array_equal(bins.to_edges(np.array([3.0]), np.array([1])), [3.0])


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_moved_thresholds_part_values_as_thresholds_part_representatives(dtype):
    random = np.random.RandomState(0)
    X = skewed(1000).astype(dtype)
    bins = FeatureBins.of(X, 3)
    feature = random.randint(0, 4, 200)
    low, high = (np.array([f(r) for r in bins.representatives]) for f in (min, max))
    threshold = random.uniform(low[feature], high[feature])
    moved = bins.to_edges(threshold, feature)
    new = skewed(500, seed=1).astype(dtype)
    np.testing.assert_array_equal(
        new[:, feature] <= moved, bins.represent(new)[:, feature] <= threshold
    )
    np.testing.assert_array_equal(bins.to_edges(np.full(4, np.inf), np.arange(4)), np.inf)


def test_extreme_and_constant_values():
    X = np.array([[-1e308, 5.0], [1e308, 5.0], [np.nextafter(1e308, np.inf), 5.0]])
    bins = FeatureBins.of(X, 8)
    assert np.all(np.isfinite(bins.edges[0]))
    np.testing.assert_array_equal(codes(bins, X, 0), [0, 1, 2])
    assert len(bins.edges[1]) == 0
    empty = FeatureBins.of(np.full((3, 1), np.nan), 2)
    assert np.isnan(empty.represent(np.full((3, 1), np.nan))).all()


def test_the_partition_is_the_cheapest():
    import itertools

    random = np.random.RandomState(0)
    cost = np.where(np.tri(8, 8).T > 0, random.uniform(size=(8, 8)), np.inf)
    group = partition(cost, 3)
    starts = np.flatnonzero(np.diff(group, prepend=-1))
    ends = np.append(starts[1:], 8) - 1
    found = cost[starts, ends].sum()
    every = [
        sum(cost[i, j - 1] for i, j in itertools.pairwise([0, *cuts, 8]))
        for k in range(3)
        for cuts in itertools.combinations(range(1, 8), k)
    ]
    assert found == pytest.approx(min(every))
