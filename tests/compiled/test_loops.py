"""Compiled inner loops equal their NumPy functions to the bit."""

from dataclasses import replace

import numpy as np
import pytest
from sklearn.datasets import make_regression
from sklearn.ensemble import HistGradientBoostingRegressor

import skq
from skq.compiled import loops
from skq.graph.ops import tree_ensemble
from skq.numerics import quantize
from skq.quantization.search import descent, weights
from skq.quantization.search.candidates import candidates, rows_below, rows_below_in_numpy
from skq.quantization.search.fit_layer import LayerData, _Search, fit_layer
from skq.quantization.trees import bins, leaves, rounding, routing
from skq.quantization.trees.leaves import Leaves

needs_extension = pytest.mark.skipif(loops is None, reason="skq was installed without a compiler")


def layer(seed, *, n_out=3, input_bits=3, weight_bits=3, **options):
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(90, 6)) * 10.0 ** np.arange(-3, 3)
    x[:, 0] = rng.integers(0, 3, 90)  # many equal values
    x[:, 1] = np.round(x[:, 1], 2)
    real = rng.normal(size=(6, n_out)) / 10.0 ** np.arange(-3, 3)[:, None]
    row_weight = rng.uniform(0.5, 1.5, 90)
    error_weight = rng.uniform(0.5, 1.5, (90, n_out))
    return LayerData(
        x, real, x @ real, row_weight / row_weight.sum(), error_weight,
        np.minimum(x.min(axis=0), 0.0), np.maximum(x.max(axis=0), 0.0), input_bits, weight_bits,
        **options,
    )  # fmt: skip


def assert_same_fields(one, other):
    for name in vars(one):
        np.testing.assert_array_equal(getattr(one, name), getattr(other, name), err_msg=name)


@needs_extension
@pytest.mark.parametrize("holds_zero", [False, True])
@pytest.mark.parametrize(("input_bits", "weight_bits"), [(3, 1), (2, 2), (5, 5), (8, 8), (10, 5)])
@pytest.mark.parametrize("n_out", [1, 4])
def test_layers(monkeypatch, n_out, input_bits, weight_bits, holds_zero):
    data = layer(
        0,
        n_out=n_out,
        input_bits=input_bits,
        weight_bits=weight_bits,
        holds_zero=holds_zero,
        are_digits=input_bits > 8,
    )
    compiled, moments = fit_layer(data), _Search(data).problem
    for module in (descent, weights):
        monkeypatch.setattr(module, "loops", None)
    assert_same_fields(compiled, fit_layer(data))
    in_numpy = _Search(data).problem
    np.testing.assert_array_equal(moments.mean, in_numpy.mean)
    np.testing.assert_array_equal(moments.variance, in_numpy.variance)


@needs_extension
def test_one_round_of_the_descent():
    data = layer(1, n_out=2, input_bits=4)
    search = _Search(data)
    rng = np.random.default_rng(0)
    residual = rng.normal(size=data.target.shape)
    grid, integers = np.zeros(6, dtype=np.int64), rng.integers(-3, 4, (6, 2)).astype(float)
    results = []
    for function in (descent.descend_round, descent.descend_round_in_numpy):
        state = residual.copy(), grid.copy(), integers.copy()
        function(search.problem, np.array([0.3, 0.7]), *state)
        results.append(state)
    for one, other in zip(*results, strict=True):
        np.testing.assert_array_equal(one, other)
    assert results[0][1].any(), "no other grid was chosen"


@pytest.mark.parametrize("n_bits", [1, 2, 4, 8, 10])
def test_codes_of_candidates_are_those_of_quantize(n_bits):
    rng = np.random.default_rng(n_bits)
    for x in (rng.normal(size=200), np.round(rng.normal(size=200), 1), np.arange(200.0) % 7):
        grids = candidates(x, np.full(200, 1 / 200), x.min(), x.max(), n_bits)
        top = 2**n_bits - 1
        wanted = quantize(x, grids.scale[:, None], grids.zero_point[:, None], 0, top)
        np.testing.assert_array_equal(grids.codes, wanted)


def test_rows_below_with_values_next_to_a_tie():
    ties = np.array([0.05, 0.15, 0.25, 0.35])
    x = np.sort(np.concatenate([ties, np.nextafter(ties, 0), np.nextafter(ties, 1), ties]))
    first = rows_below(x, np.array([0.1]), np.array([0.0]), 4)[0]
    codes = quantize(x, 0.1, 0, 0, 4)
    np.testing.assert_array_equal(first, [(codes < level).sum() for level in (1, 2, 3, 4)])


@needs_extension
@pytest.mark.parametrize("top", [1, 3, 15, 255])
def test_rows_below_each_code(top):
    rng = np.random.default_rng(top)
    for ordered in (np.sort(rng.normal(size=1500)), np.zeros(1), np.arange(300.0) / 7):
        grids = rng.uniform(0.001, 0.5, 9), np.rint(rng.uniform(-top, 2 * top, 9))
        np.testing.assert_array_equal(
            rows_below(ordered, *grids, top), rows_below_in_numpy(ordered, *grids, top)
        )


def ensemble(seed, *, width=2, average=False, monotonic=False):
    rng = np.random.default_rng(seed)
    sizes = rng.integers(2, 9, 12)
    tree = np.repeat(np.arange(12), sizes)
    starts = np.cumsum(sizes) - sizes
    reached = starts + rng.integers(0, 1 << 30, (70, 12)) % sizes
    by_codes = np.where(
        rng.random((70, 12)) < 0.2, starts + rng.integers(0, 1 << 30, (70, 12)) % sizes, reached
    )
    row_weight = rng.uniform(0.5, 1.5, 70)
    return Leaves(
        rng.normal(size=(len(tree), width)) * rng.uniform(0.01, 1, 12)[tree, None],
        tree, rng.integers(0, 2, 12), width + 1, np.zeros(width + 1), average, reached, by_codes,
        row_weight / row_weight.sum(), monotonic,
    )  # fmt: skip


@needs_extension
@pytest.mark.parametrize("range_method", ["minmax", "mse"])
@pytest.mark.parametrize("offset", rounding.OFFSETS)
@pytest.mark.parametrize("feedback", [False, True])
@pytest.mark.parametrize("width", [1, 2])
def test_rounding_of_trees(width, feedback, offset, range_method):
    rows = rounding.TreeRows(ensemble(0, width=width), 7)
    steps = np.random.default_rng(0).uniform(0.05, 0.3, (12, width))
    options = {"offset": offset, "feedback": feedback, "range_method": range_method}
    compiled = rounding.round_trees(rows, steps, **options)
    assert_same_fields(compiled, rounding.round_trees_in_numpy(rows, steps, **options))


def test_rounding_of_monotonic_trees_keeps_the_order():
    real = ensemble(1, width=1, monotonic=True)
    rows = rounding.TreeRows(real, 15)
    values = rounding.round_trees(
        rows, np.full((12, 1), 0.1), offset="least", feedback=True, range_method="minmax"
    ).values
    for t in range(12):
        part = slice(rows.first[t], rows.first[t + 1])
        order = np.argsort(real.weights[part, 0])
        assert np.all(np.diff(values[part, 0][order]) >= 0)


@needs_extension
@pytest.mark.parametrize("width", [1, 2])
def test_sums_over_trees(width):
    real = ensemble(3, width=width)
    arguments = real.output, real.reached, real.n_outputs
    for values in (real.weights, np.arange(real.weights.size).reshape(real.weights.shape)):
        np.testing.assert_array_equal(
            leaves.sums_over_trees(values, *arguments),
            leaves.sums_over_trees_in_numpy(values, *arguments),
        )


@pytest.fixture
def trees_and_rows():
    X, y = make_regression(300, 5, random_state=0)
    X[::7, 2] = np.nan
    model = skq.quantize(HistGradientBoostingRegressor(max_iter=5).fit(X, y), X)
    node = next(n for n in model.quantized_module_.graph.nodes if "Tree" in n.op_type)
    trees = tree_ensemble.TreeArrays.from_attributes(node.attributes)
    assert trees.missing_true.any()
    return trees, X


@needs_extension
def test_walks_of_trees(monkeypatch, trees_and_rows):
    trees, X = trees_and_rows
    for n_rows in (0, 1, 7, 300):
        compiled = trees.leaf_indices(X[:n_rows])
        with monkeypatch.context() as patch:
            patch.setattr(tree_ensemble, "loops", None)
            np.testing.assert_array_equal(compiled, trees.leaf_indices(X[:n_rows]))


@needs_extension
@pytest.mark.parametrize("n_columns", [5, 3])
def test_arrivals_at_nodes(monkeypatch, trees_and_rows, n_columns):
    trees, X = trees_and_rows
    reached, x = trees.leaf_indices(X), X[:, :n_columns]
    row_weight = np.random.default_rng(0).uniform(0.5, 1.5, 300) / 300
    results = []
    for extension in (loops, None):
        for module in (tree_ensemble, routing):
            monkeypatch.setattr(module, "loops", extension)
        met = routing.rows_met(trees, reached, row_weight)
        found = routing.Arrivals(trees, x, reached, row_weight, met, np.arange(len(met)))
        results.append([met, *(part for f in range(n_columns) for part in found.of(f))])
    for one, other in zip(*results, strict=True):
        np.testing.assert_array_equal(one, other)
    assert len(results[0]) == 1 + 3 * n_columns
    assert any(len(part) for part in results[0][1:])


@needs_extension
@pytest.mark.parametrize("count", [1, 3, 15])
def test_partitions(monkeypatch, count):
    rng = np.random.default_rng(count)
    for n in (1, 2, 40):
        position = np.sort(np.round(rng.random(n), 1))
        weight = rng.integers(0, 3, n) + 0.25
        compiled = bins.group_costs(position, weight)
        group = bins.partition(compiled, count)
        with monkeypatch.context() as patch:
            patch.setattr(bins, "loops", None)
            np.testing.assert_array_equal(compiled, bins.group_costs(position, weight))
            np.testing.assert_array_equal(group, bins.partition(compiled, count))


@needs_extension
def test_indices_that_do_not_exist_are_refused():
    search = _Search(layer(2))
    grids = search.grids
    wrong = replace(grids, order=grids.order + np.int32(1000))
    with pytest.raises(IndexError, match="does not exist"):
        wrong.moments(search.share)
    with pytest.raises(ValueError, match="another size"):
        replace(grids, order=grids.order[:, :5].copy()).moments(search.share)


@needs_extension
def test_arrays_of_any_memory_order():
    """Transposed networks have weights in Fortran order; results are written into them."""
    rng = np.random.default_rng(0)
    codes = rng.normal(size=(50, 6))
    gram = codes.T @ codes
    wanted, scale = rng.normal(size=(6, 4)), np.full(4, 0.3)
    results = []
    for order in ("C", "F"):
        integers = np.zeros((6, 4), order=order)
        residual = np.asarray(gram @ wanted, order=order)
        weights.sweep(np.asarray(gram, order=order), scale, integers, residual, 3)
        results.append((integers, residual))
    np.testing.assert_array_equal(*(r[0] for r in results))
    np.testing.assert_array_equal(*(r[1] for r in results))
    assert results[0][0].any()
