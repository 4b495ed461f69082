"""Leaves are moved against the error that the sum has left."""

from dataclasses import replace

import numpy as np
import pytest

from skq.quantization.trees.descent import descend
from skq.quantization.trees.leaves import QuantizedLeaves, sum_error
from skq.quantization.trees.sums import quantize_sums
from tests.quantization.trees.test_leaves import make


@pytest.mark.parametrize("average", [False, True])
@pytest.mark.parametrize("width", [1, 3])
@pytest.mark.parametrize("top", [1, 3, 7])
def test_the_error_never_rises_and_integers_stay_in_range(top, width, average):
    for seed in range(5):
        leaves = make(seed, width=width, average=average, misrouted=0.3)
        before = quantize_sums(leaves, top, method="minmax")
        after = descend(leaves, before, top)
        assert sum_error(leaves, after) < sum_error(leaves, before)
        assert after.values.min() >= 0
        assert after.values.max() <= top
        np.testing.assert_array_equal(after.multiplier, before.multiplier)


def test_a_wrong_leaf_is_moved_back():
    leaves = make(0, n_trees=1, n_leaves=4)
    codes = np.arange(4)[:, None]
    leaves = replace(leaves, weights=codes * 0.5)
    right = QuantizedLeaves(codes, np.ones(1, np.int64), np.array(0.5), np.array(0.0))
    wrong = replace(right, values=np.array([[0], [3], [2], [3]]))
    found = descend(leaves, wrong, 3)
    np.testing.assert_array_equal(found.values, codes)
    np.testing.assert_allclose(sum_error(leaves, found), 0, atol=1e-12)


def test_monotonic_leaves_keep_their_order():
    leaves = replace(make(0, misrouted=0.3), monotonic=True)
    before = quantize_sums(leaves, 3)
    assert descend(leaves, before, 3) is before
