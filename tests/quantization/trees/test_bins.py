"""Which thresholds become edges: optimal where that is promised, and always a partition."""

import itertools

import numpy as np
import pytest

from skq.quantization.trees.bins import SortedValues, select_edges


def cost(position, weight, kept):
    """Rows misrouted when each threshold moves to the nearest kept one of its group."""
    return sum(
        w * min(abs(p - position[k]) for k in kept) for p, w in zip(position, weight, strict=True)
    )


@pytest.mark.parametrize("seed", range(6))
@pytest.mark.parametrize("budget", [1, 2, 3])
def test_the_choice_is_optimal(seed, budget):
    random = np.random.RandomState(seed)
    position = np.sort(random.uniform(size=8))
    weight = random.exponential(size=8)
    kept, assigned = select_edges(position, weight, budget)
    found = sum(
        w * abs(p - position[kept[a]]) for p, w, a in zip(position, weight, assigned, strict=True)
    )
    best = min(cost(position, weight, c) for c in itertools.combinations(range(8), budget))
    # a trace of weight is added to every threshold
    assert found <= best * 1.02 + 1e-9


@pytest.mark.parametrize("n", [1, 3, 7])
def test_all_are_kept_where_they_fit(n):
    kept, assigned = select_edges(np.linspace(0, 1, n), np.ones(n), 7)
    np.testing.assert_array_equal(kept, np.arange(n))
    np.testing.assert_array_equal(assigned, np.arange(n))


@pytest.mark.parametrize(("n", "budget"), [(50, 3), (500, 7), (500, 63), (3000, 255)])
def test_groups_are_runs_around_their_edge(n, budget):
    random = np.random.RandomState(n)
    kept, assigned = select_edges(
        np.sort(random.uniform(size=n)), random.exponential(size=n), budget
    )
    assert len(kept) <= budget
    assert np.all(np.diff(kept) > 0)
    assert np.all(np.diff(assigned) >= 0)
    np.testing.assert_array_equal(assigned[kept], np.arange(len(kept)))


def test_each_of_few_values_gets_its_own_bin():
    """A one-hot encoder's bits have two thresholds a category, with no row between categories."""
    values = np.arange(200.0)
    thresholds = np.sort(np.concatenate([np.nextafter(values, -1), values]))
    position = SortedValues.of(values, np.full(200, 1 / 200)).share_below(thresholds)
    kept, assigned = select_edges(position, np.ones(400), 255, n_values=200)
    bins = np.searchsorted(thresholds[kept], values)  # right unless x <= threshold
    assert len(kept) == 255
    assert len(np.unique(bins)) == 200
    moved = thresholds[kept][assigned]
    np.testing.assert_array_equal(
        values[:, np.newaxis] <= thresholds, values[:, np.newaxis] <= moved
    )


def test_no_edge_at_all():
    kept, assigned = select_edges(np.array([0.2, 0.4]), np.ones(2), 0)
    assert len(kept) == 0
    np.testing.assert_array_equal(assigned, [0, 0])


def test_a_heavy_threshold_is_kept():
    weight = np.ones(20)
    weight[13] = 1000.0
    kept, _ = select_edges(np.linspace(0, 1, 20), weight, 2)
    assert 13 in kept


def test_sorted_values_with_missing_and_infinite_ones():
    x = np.array([2.0, np.nan, -np.inf, 1.0, np.inf, 2.0])
    values = SortedValues.of(x, np.full(6, 0.25))
    np.testing.assert_array_equal(values.values, [-np.inf, 1.0, 2.0, 2.0, np.inf])
    assert values.n_distinct == 4
    np.testing.assert_allclose(values.share_below(np.array([0.0, 2.0])), [0.25, 1.0], atol=1e-3)
    np.testing.assert_array_equal(values.finite.values, [1.0, 2.0, 2.0])
    assert SortedValues.of(np.full(3, np.nan), np.full(3, 0.3)).n_distinct == 0
