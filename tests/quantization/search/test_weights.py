"""Integer weights: never worse than min-max at the layer's output, and what each step does."""

import numpy as np
import pytest

from skq.quantization.search.settings import LAYERS
from skq.quantization.search.weights import quantize_weights


def layer(seed, n_rows=200, n_in=8, n_out=3):
    random = np.random.RandomState(seed)
    codes = random.randint(0, 16, (n_rows, n_in)).astype(float)
    return codes, random.standard_t(3, (n_in, n_out)), np.full(n_rows, 1 / n_rows)


def output_error(weights, integers, scale, codes, row_weight):
    """What the search lowers: variance of the output error, with the ridge."""
    centered = codes - row_weight @ codes
    difference = weights - integers * scale
    own = (LAYERS.ridge * (row_weight @ centered**2)[:, None] * difference**2).sum(axis=0)
    return row_weight @ (centered @ difference) ** 2 + own


@pytest.mark.parametrize("n_bits", [1, 2, 3, 4, 8])
@pytest.mark.parametrize("seed", range(5))
def test_auto_is_never_worse_than_minmax_in_any_channel(n_bits, seed):
    codes, weights, row_weight = layer(seed)
    errors = {}
    for method in ("auto", "minmax"):
        integers, scale = quantize_weights(weights, codes, n_bits, row_weight, method=method)
        errors[method] = output_error(weights, integers, scale, codes, row_weight)
    assert np.all(errors["auto"] <= errors["minmax"] * (1 + 1e-4) + 1e-9)


@pytest.mark.parametrize("n_bits", [2, 3, 4, 8])
def test_minmax_is_plain(n_bits):
    codes, weights, row_weight = layer(0)
    integers, scale = quantize_weights(weights, codes, n_bits, row_weight, method="minmax")
    top = 2 ** (n_bits - 1) - 1
    np.testing.assert_array_equal(scale, np.abs(weights).max(axis=0) / top)
    np.testing.assert_array_equal(integers, np.rint(weights / scale).astype(int))


@pytest.mark.parametrize("n_bits", [1, 2, 3, 5, 8])
def test_integers_are_symmetric_and_scales_positive(n_bits):
    codes, weights, row_weight = layer(3)
    integers, scale = quantize_weights(weights, codes, n_bits, row_weight)
    assert integers.dtype == np.int64
    assert np.abs(integers).max() <= max(1, 2 ** (n_bits - 1) - 1)
    assert np.all(scale > 0)


def test_one_bit_has_no_zero():
    codes, weights, row_weight = layer(1)
    integers, _ = quantize_weights(weights, codes, 1, row_weight)
    assert set(np.unique(integers)) == {-1, 1}


def test_weights_on_a_grid_are_exact():
    codes, _, row_weight = layer(2)
    exact = np.random.RandomState(0).randint(-7, 8, (8, 3))
    exact[0] = 7
    integers, scale = quantize_weights(exact * 0.25, codes, 4, row_weight)
    np.testing.assert_array_equal(integers, exact)
    np.testing.assert_allclose(scale, 0.25, rtol=1e-9)


def test_a_channel_of_zeros_stays_zero():
    codes, weights, row_weight = layer(4)
    weights[:, 1] = 0.0
    integers, scale = quantize_weights(weights, codes, 4, row_weight)
    assert not integers[:, 1].any()
    assert scale[1] > 0


def test_weights_count_as_repetitions():
    codes, weights, _ = layer(5, n_rows=40)
    repeats = np.random.RandomState(0).randint(1, 4, 40)
    repeated = quantize_weights(
        weights, np.repeat(codes, repeats, axis=0), 3, np.full(repeats.sum(), 1 / repeats.sum())
    )
    weighted = quantize_weights(weights, codes, 3, repeats / repeats.sum())
    np.testing.assert_array_equal(repeated[0], weighted[0])
    np.testing.assert_allclose(repeated[1], weighted[1], rtol=1e-9)
