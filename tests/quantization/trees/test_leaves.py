"""Leaf values: the sum stays right, and no way is worse than min-max on the calibration rows."""

import numpy as np
import pytest

from skq.quantization.search.ranges import CALIBRATION_METHODS
from skq.quantization.trees.leaves import Leaves
from skq.quantization.trees.quantize_leaves import quantize_leaves


def make(seed, *, n_trees=10, n_leaves=8, width=1, average=False, misrouted=0.0, scales=None):
    random = np.random.RandomState(seed)
    weights = random.standard_t(3, (n_trees * n_leaves, width))
    if scales is not None:
        weights *= np.repeat(scales, n_leaves)[:, None]
    tree = np.repeat(np.arange(n_trees), n_leaves)
    reached = random.randint(0, n_leaves, (300, n_trees))
    moved = np.where(
        random.uniform(size=reached.shape) < misrouted, (reached + 1) % n_leaves, reached
    )
    start = np.arange(n_trees) * n_leaves
    return Leaves(
        weights=weights, tree=tree, output=np.zeros(n_trees, dtype=np.int64), n_outputs=width,
        base=np.zeros(width), average=average, reached=reached + start,
        reached_by_codes=moved + start, row_weight=np.full(300, 1 / 300),
    )  # fmt: skip


def distributions(seed, **options):
    leaves = make(seed, width=3, average=True, **options)
    random = np.random.RandomState(seed + 1)
    leaves.weights[:] = random.dirichlet(np.full(3, 0.5), len(leaves.weights))
    return leaves


def sums(leaves, found):
    values = found.values[leaves.reached_by_codes] * found.multiplier[None, :, None]
    return (values.sum(axis=1) - found.zero_point) * found.scale


def exact(leaves):
    total = leaves.weights[leaves.reached].sum(axis=1)
    return total / leaves.n_trees if leaves.average else total


def error(leaves, found):
    return float(((sums(leaves, found) - exact(leaves)) ** 2).mean())


KINDS = {
    "boosting": dict(scales=0.9 ** np.arange(10)),
    "forest": dict(average=True),
    "one tree": dict(n_trees=1, n_leaves=40),
    "two outputs": dict(width=2),
}


@pytest.mark.parametrize("misrouted", [0.0, 0.2])
@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("n_bits", [1, 2, 3, 4, 8])
def test_sums_are_never_worse_than_minmax(n_bits, kind, misrouted):
    for seed in range(3):
        leaves = make(seed, misrouted=misrouted, **KINDS[kind])
        auto, *named = (
            error(leaves, quantize_leaves(leaves, n_bits, method=method))
            for method in CALIBRATION_METHODS
        )
        assert auto <= min(named) * (1 + 1e-9)


@pytest.mark.parametrize("misrouted", [0.0, 0.2])
@pytest.mark.parametrize("n_bits", [1, 2, 4, 8])
def test_probabilities_are_never_worse_than_minmax(n_bits, misrouted):
    for seed in range(3):
        leaves = distributions(seed, misrouted=misrouted)
        auto, *named = (
            error(leaves, quantize_leaves(leaves, n_bits, method=method))
            for method in CALIBRATION_METHODS
        )
        assert auto <= min(named) * (1 + 1e-9)


@pytest.mark.parametrize("n_bits", [1, 2, 4, 8])
@pytest.mark.parametrize("misrouted", [0.0, 0.3])
def test_probabilities_keep_their_sum(n_bits, misrouted):
    found = quantize_leaves(distributions(0, misrouted=misrouted), n_bits)
    np.testing.assert_array_equal(found.values.sum(axis=1), 2**n_bits - 1)
    assert found.values.min() >= 0


def test_one_tree_of_distributions_keeps_its_labels():
    leaves = distributions(3, n_trees=1, n_leaves=50)
    for n_bits in (1, 2, 3):
        found = quantize_leaves(leaves, n_bits)
        wrong = found.values.argmax(axis=1) != leaves.weights.argmax(axis=1)
        ties = np.sort(found.values, axis=1)[:, -1] == np.sort(found.values, axis=1)[:, -2]
        assert not np.any(wrong & ~ties)


def test_misrouted_rows_bring_their_values_along():
    """A leaf that only strangers reach takes their value, if there are enough of them."""
    leaves = make(0, n_trees=1, n_leaves=4)
    leaves.weights[:, 0] = [0.0, 1.0, 2.0, 3.0]
    leaves.reached[:] = np.repeat([[0], [1], [2]], 100, axis=0)
    leaves.reached_by_codes[:] = np.repeat([[0], [1], [3]], 100, axis=0)
    found = quantize_leaves(leaves, 8)
    value = (found.values[3, 0] - found.zero_point[0]) * found.scale[0]
    assert value == pytest.approx(2.0, abs=0.05)


@pytest.mark.parametrize("n_bits", [2, 3, 4])
def test_the_mean_of_the_sum_is_right(n_bits):
    leaves = make(7, misrouted=0.1)
    difference = sums(leaves, quantize_leaves(leaves, n_bits)) - exact(leaves)
    np.testing.assert_allclose(difference.mean(axis=0), 0.0, atol=1e-9)


def test_integers_stay_in_their_width():
    for n_bits in (1, 2, 5, 8):
        values = quantize_leaves(make(2, scales=0.7 ** np.arange(10)), n_bits).values
        assert values.min() >= 0
        assert values.max() <= 2**n_bits - 1
