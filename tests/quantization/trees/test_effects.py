"""Edges chosen by the effect of a feature on the sum over the trees."""

import itertools

import numpy as np
import pytest
from sklearn.ensemble import GradientBoostingRegressor

from skq.frontend.convert import float_graph
from skq.graph.ops import TreeArrays
from skq.quantization.trees.bins import SortedValues
from skq.quantization.trees.effects import edges_by_effect


def boosted(effect, n_values):
    """An ensemble whose first feature has an effect on the target, and its thresholds."""
    random = np.random.default_rng(0)
    X = np.stack([random.integers(0, n_values, 600), random.integers(0, 3, 600)], axis=1)
    y = effect[X[:, 0]] + 0.1 * X[:, 1]
    model = GradientBoostingRegressor(max_depth=2, n_estimators=100).fit(X, y)
    node = next(n for n in float_graph(model, X.astype(float)).nodes if "Tree" in n.op_type)
    trees = TreeArrays.from_attributes(node.attributes)
    thresholds = np.unique(trees.threshold[(trees.leaf < 0) & (trees.feature == 0)])
    return trees, X.astype(float), thresholds


def test_steps_of_the_effect_become_edges():
    effect = np.zeros(24)
    effect[[3, 4, 5]] = 4.0
    effect[[11, 12]] = -3.0
    trees, X, thresholds = boosted(effect, 24)
    share = SortedValues.of(X[:, 0], np.full(600, 1 / 600)).share_below(thresholds)
    chosen, _ = edges_by_effect(trees, X[:40], 0, thresholds, share, 4)
    np.testing.assert_allclose(thresholds[chosen], [2.5, 5.5, 10.5, 12.5])


@pytest.mark.parametrize("budget", [1, 2, 5])
def test_every_threshold_is_moved_to_a_near_edge(budget):
    effect = np.random.default_rng(1).normal(size=16)
    trees, X, thresholds = boosted(effect, 16)
    share = SortedValues.of(X[:, 0], np.full(600, 1 / 600)).share_below(thresholds)
    chosen, assigned = edges_by_effect(trees, X[:40], 0, thresholds, share, budget)
    assert 1 <= len(chosen) <= budget
    assert np.all(np.diff(chosen) > 0)
    assert np.all(np.diff(assigned) >= 0)
    np.testing.assert_array_equal(assigned[chosen], np.arange(len(chosen)))


def test_near_the_best_of_all_choices():
    effect = np.random.default_rng(2).normal(size=8)
    trees, X, thresholds = boosted(effect, 8)
    weight = np.bincount(X[:, 0].astype(int), minlength=8) / 600
    share = SortedValues.of(X[:, 0], np.full(600, 1 / 600)).share_below(thresholds)

    def lost(edges):
        group = np.searchsorted(thresholds[list(edges)], np.arange(8), side="left")
        mean = np.bincount(group, weight * effect) / np.bincount(group, weight)
        return weight @ (effect - mean[group]) ** 2

    chosen, _ = edges_by_effect(trees, X[:60], 0, thresholds, share, 3)
    best = min(lost(edges) for edges in itertools.combinations(range(len(thresholds)), 3))
    assert lost(chosen) <= 1.2 * best + 1e-6
