"""Input grids and weights chosen together."""

import numpy as np
import pytest

from skq.numerics import quantize
from skq.quantization.search.candidates import candidates
from skq.quantization.search.decisions import Decision
from skq.quantization.search.fit_layer import LayerData, fit_layer


def problem(seed, n_rows=300, n_in=6, n_out=2, heavy=True):
    random = np.random.RandomState(seed)
    x = random.standard_t(2, (n_rows, n_in)) if heavy else random.normal(size=(n_rows, n_in))
    weights = random.normal(size=(n_in, n_out))
    return x, weights, x @ weights, np.full(n_rows, 1 / n_rows)


def fit(x, weights, target, row_weight, n_bits, error_weight=None, **options):
    if error_weight is None:
        error_weight = np.ones_like(target)
    data = LayerData(
        x, weights, target, row_weight, error_weight, lo=x.min(axis=0), hi=x.max(axis=0),
        input_bits=n_bits, weight_bits=n_bits, **options,
    )  # fmt: skip
    return fit_layer(data)


def error_of(x, target, row_weight, n_bits, grids, integers, scale, share=None):
    """Mean squared error of the output, written anew: offset free, each output weighted."""
    codes = quantize(x, *grids, 0, 2**n_bits - 1)
    share = np.ones_like(target) if share is None else share
    share = share * row_weight[:, None]
    importance = share.sum(axis=0)
    share = share / importance
    difference = target - codes @ integers * scale
    difference = difference - (share * difference).sum(axis=0)
    return float((share * difference**2).sum(axis=0) @ (importance / importance.mean()))


def min_max_error(x, weights, target, row_weight, n_bits, share=None):
    step = (x.max(axis=0) - x.min(axis=0)) / (2**n_bits - 1)
    folded = weights * step[:, None]
    top = max(1, 2 ** (n_bits - 1) - 1)
    scale = np.abs(folded).max(axis=0) / top
    integers = np.rint(folded / scale) if n_bits > 1 else np.where(folded >= 0, 1, -1)
    grids = (step, np.rint(-x.min(axis=0) / step))
    return error_of(x, target, row_weight, n_bits, grids, integers, scale, share)


@pytest.mark.parametrize("decides", [False, True])
@pytest.mark.parametrize("n_bits", [1, 2, 3, 4, 6, 8])
@pytest.mark.parametrize("seed", range(4))
def test_never_worse_than_minmax(seed, n_bits, decides):
    x, weights, target, row_weight = problem(seed)
    share = Decision().weight(target, row_weight) if decides else None
    found = fit(x, weights, target, row_weight, n_bits, share)
    grids = (np.where(found.input_scale > 0, found.input_scale, 1.0), found.zero_point)
    error = error_of(x, target, row_weight, n_bits, grids, found.integers, found.scale, share)
    assert error == pytest.approx(found.error, rel=1e-6)
    assert error <= min_max_error(x, weights, target, row_weight, n_bits, share) * (1 + 1e-9)


@pytest.mark.parametrize(("n_bits", "factor"), [(2, 0.5), (3, 0.3), (4, 0.5)])
def test_heavy_tails_gain_much(n_bits, factor):
    x, weights, target, row_weight = problem(0, n_rows=1000)
    target = np.clip(target, *np.quantile(target, [0.02, 0.98]))
    found = fit(x, weights, target, row_weight, n_bits)
    assert found.error < factor * min_max_error(x, weights, target, row_weight, n_bits)


def test_is_deterministic():
    x, weights, target, row_weight = problem(1)
    first, second = (fit(x, weights, target, row_weight, 3) for _ in range(2))
    np.testing.assert_array_equal(first.integers, second.integers)
    np.testing.assert_array_equal(first.scale, second.scale)
    np.testing.assert_array_equal(first.input_scale, second.input_scale)


def test_constant_columns_and_columns_without_weight_do_not_matter():
    x, weights, _, row_weight = problem(2)
    x[:, 1] = 5.0
    weights[3] = 0.0
    found = fit(x, weights, x @ weights, row_weight, 4)
    assert not found.integers[[1, 3]].any()
    assert not found.input_scale[[1, 3]].any()


def test_no_column_matters():
    x, weights, target, row_weight = problem(2)
    found = fit(np.ones_like(x), weights, np.ones_like(target), row_weight, 4)
    assert not found.integers.any()
    assert np.all(found.scale > 0)


def test_columns_of_any_scale_fit_alike():
    x, weights, target, row_weight = problem(3, heavy=False)
    factor = 2.0 ** np.array([-300, 40, 0, -20, 100, 7])
    plain = fit(x, weights, target, row_weight, 4)
    scaled = fit(x * factor, weights / factor[:, None], target, row_weight, 4)
    np.testing.assert_array_equal(plain.integers, scaled.integers)
    np.testing.assert_array_equal(plain.input_scale * factor, scaled.input_scale)


@pytest.mark.parametrize("n_bits", [6, 8])
def test_one_row_does_not_decide_the_weights_of_a_column(n_bits):
    x, weights, _, row_weight = problem(5, heavy=False)
    x[:, 0] = 0.0
    furthest = np.abs(x @ weights).max(axis=1).argmax()
    x[furthest, 0] = 0.02
    data = LayerData(
        x, weights, x @ weights, row_weight, np.ones((len(x), 2)), lo=x.min(axis=0),
        hi=np.append(2.0, x.max(axis=0)[1:]), input_bits=n_bits, weight_bits=n_bits, clips=False,
    )  # fmt: skip
    found = fit_layer(data)
    assert found.input_scale[0] == 2.0 / (2**n_bits - 1)
    wanted = weights[0] * found.input_scale[0] / found.scale
    assert np.abs(found.integers[0] - wanted).max() <= 1.0


def test_code_zero_is_real_zero_where_asked():
    x, weights, _, row_weight = problem(4)
    x = np.maximum(x, 0.0)
    found = fit(x, weights, x @ weights, row_weight, 3, starts_at_zero=True)
    assert np.all(found.zero_point <= 0)


class TestCandidates:
    def test_first_is_minmax(self):
        x = np.random.RandomState(0).normal(size=100)
        grids = candidates(x, np.full(100, 0.01), x.min(), x.max(), 3)
        step = (x.max() - x.min()) / 7
        assert grids.scale[0] == pytest.approx(step, rel=1e-12)
        assert grids.zero_point[0] == np.rint(-x.min() / step)

    def test_all_differ_and_codes_are_of_the_grid(self):
        x = np.random.RandomState(1).exponential(size=200)
        grids = candidates(x, np.full(200, 1 / 200), x.min(), x.max(), 2)
        assert len(np.unique(grids.codes, axis=0)) == len(grids.scale) > 10
        for scale, zero_point, codes in zip(
            grids.scale, grids.zero_point, grids.codes, strict=True
        ):
            np.testing.assert_array_equal(codes, quantize(x, scale, zero_point, 0, 3))

    def test_two_values_need_few_grids(self):
        x = np.array([0.0, 1.0] * 50)
        assert len(candidates(x, np.full(100, 0.01), 0.0, 1.0, 2).scale) <= 4

    def test_huge_values(self):
        x = np.array([-1.7e308, 0.0, 1.7e308])
        grids = candidates(x, np.full(3, 1 / 3), x[0], x[2], 4)
        assert np.all(np.isfinite(grids.scale))
        assert list(grids.codes[0]) in ([0, 8, 15], [0, 7, 15])
