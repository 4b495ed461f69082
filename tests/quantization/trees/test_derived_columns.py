"""Sums that trees compare: thresholds on integers, and how they are rescaled to codes."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from skq.frontend.numpy_module import NumpyModule
from skq.graph.graph import ML_DOMAIN, FloatGraph, Node, TensorInfo
from skq.graph.ops import TreeArrays
from skq.program import Requantize
from skq.quantization.lower.context import Settings
from skq.quantization.lower.lowering import Lowering
from skq.quantization.lower.rounding import get_rounding
from skq.quantization.n_bits import get_n_bits_dict
from skq.quantization.post_training import PostTrainingAffineQuantization
from skq.quantization.search.model_error import ModelError
from skq.quantization.search.tree_inputs import read_by_trees, weights_by_variance
from skq.quantization.trees.derived_columns import DerivedColumns


def stumps(feature, threshold):
    """One tree of two leaves for each threshold; leaf 1 is on the left."""
    n = len(feature)
    nodes = np.arange(n)
    return {
        "n_targets": n,
        "nodes_treeids": np.repeat(nodes, 3),
        "nodes_nodeids": np.tile([0, 1, 2], n),
        "nodes_featureids": np.repeat(feature, 3),
        "nodes_modes": np.tile(np.array(["BRANCH_LEQ", "LEAF", "LEAF"]), n),
        "nodes_values_as_tensor": np.repeat(np.asarray(threshold, dtype=np.float64), 3),
        "nodes_truenodeids": np.tile([1, 0, 0], n),
        "nodes_falsenodeids": np.tile([2, 0, 0], n),
        "target_treeids": np.repeat(nodes, 2),
        "target_nodeids": np.tile([1, 2], n),
        "target_ids": np.repeat(nodes, 2),
        "target_weights_as_tensor": np.tile([1.0, 0.0], n),
    }


def derived(integers, lo, hi, scale, zero_point, feature, threshold, rounding=None):
    """Codes of integers that stand behind no features, and the greatest code left at each stump."""
    n_bits = get_n_bits_dict(8)
    low = Lowering(Settings(n_bits, get_rounding(rounding)), np.full(len(integers), 1.0))
    tensor = low.codes_input(integers, lo, hi, scale, zero_point)
    trees = TreeArrays.from_attributes(stumps(feature, threshold))
    found = DerivedColumns.of(low, [tensor], trees, tensor.reals(integers))
    (value,) = found.values
    return low.sample(value), found.node_threshold[trees.roots]


@settings(deadline=None, max_examples=60)
@given(st.integers(0, 2**32 - 1), st.integers(3, 40), st.sampled_from([None, 5]))
def test_a_threshold_moves_by_half_a_code_at_most(seed, width, rounding):
    """And by nothing where the thresholds span no more integers than there are codes."""
    rng = np.random.default_rng(seed)
    n_columns, n_stumps = 3, 30
    lo, hi = -(2**width), 2**width
    integers = rng.integers(lo, hi, size=(400, n_columns), endpoint=True)
    integers[rng.random(integers.shape) < 0.5] //= 2 ** int(rng.integers(0, width))
    scale, zero_point = rng.lognormal(0, 3, n_columns), rng.normal(size=n_columns) * 2**width / 4
    feature = rng.integers(0, n_columns, n_stumps)
    limit = integers[rng.integers(0, 400, n_stumps), feature]
    threshold = (limit + rng.uniform(0.05, 0.95, n_stumps) - zero_point[feature]) * scale[feature]
    codes, most = derived(integers, lo, hi, scale, zero_point, feature, threshold, rounding)

    goes_left = codes[:, feature] <= most
    should = integers[:, feature] <= limit
    top = 2 ** (rounding or 16) - 1
    span = np.array([np.ptp(limit[feature == j]) for j in range(n_columns)])
    if np.all(span < top):
        np.testing.assert_array_equal(goes_left, should)
    spread = np.ptp(integers, axis=0)
    widest = np.maximum(np.maximum(span, spread / 16), spread.max() / 256)
    off = np.abs(integers[:, feature] - limit)
    wrong = goes_left != should
    assert np.all((off / widest[feature])[wrong] <= 0.51 / (top - 2) + 1 / widest[feature].min())
    assert codes.max() <= top


def test_columns_may_fall():
    integers = np.stack([np.arange(-50, 50)] * 2, axis=1)
    scale, zero = np.array([-2.0, 0.5]), np.array([3.0, 0.0])
    codes, most = derived(integers, -50, 50, scale, zero, [0, 1, 0], [10.5, 10.5, -7.0])
    reals = (integers - zero) * scale
    np.testing.assert_array_equal(
        codes[:, [0, 1, 0]] <= most, reals[:, [0, 1, 0]] <= [10.5, 10.5, -7]
    )


def test_bits_become_codes_0_and_1():
    integers = np.array([[0, 255], [255, 0], [255, 255]])
    codes, most = derived(integers, 0, 255, np.array(1 / 255), np.array(0.0), [0, 1], [0.5, 0.5])
    np.testing.assert_array_equal(codes, integers // 255)
    np.testing.assert_array_equal(most, [0, 0])


@pytest.mark.parametrize("threshold", [-1e300, 1e300, -np.inf])
def test_thresholds_out_of_reach_send_all_rows_one_way(threshold):
    integers = np.arange(-50, 50)[:, None]
    one, zero = np.array(1.0), np.array(0.0)
    codes, most = derived(integers, -50, 50, one, zero, [0, 0], [3.5, threshold])
    np.testing.assert_array_equal(codes[:, 0] <= most[0], integers[:, 0] <= 3)
    assert np.all((codes[:, 0] <= most[1]) == (threshold > 0))


def projected(threshold):
    """``x @ w`` behind ``x``, and stumps that read the sums."""
    n_features, n_sums = 4, 2
    weights = np.random.default_rng(1).normal(size=(n_features, n_sums)) * [1, 50]
    feature = n_features + np.arange(n_sums)
    return FloatGraph(
        nodes=(
            Node("MatMul", ("x", "w"), ("z",)),
            Node("Concat", ("x", "z"), ("xz",), {"axis": 1}),
            Node(
                "TreeEnsembleRegressor", ("xz",), ("y",), stumps(feature, threshold), "", ML_DOMAIN
            ),
        ),
        initializers={"w": weights},
        inputs=(TensorInfo("x", "float64", (None, n_features)),),
        outputs=(TensorInfo("y", "float64", (None, n_sums)),),
        opsets={"": 17, ML_DOMAIN: 3},
    )


def test_rows_on_a_threshold_do_not_count_in_the_leaves():
    """A third of the rows has the threshold's very value: rounding may send them either way."""
    rng = np.random.default_rng(0)
    rows = rng.normal(size=(2000, 4))
    for seed in range(6):
        X = np.random.default_rng(seed).normal(size=(900, 4))
        X[::3] = X[0]
        graph = projected((X[:1] @ projected([0, 0]).initializers["w"])[0])
        module = PostTrainingAffineQuantization(8, NumpyModule(graph)).quantize_module(X)
        got = module.forward(rows)
        assert np.abs(got - np.rint(got)).max() < 0.03
        assert np.mean(np.abs(got - NumpyModule(graph)(rows)) > 0.5) < 0.02


def test_sums_are_quantized_for_their_own_sake():
    graph = projected([0.0, 0.0])
    assert read_by_trees(graph) == {"z", "xz"}
    X = np.random.default_rng(0).normal(size=(300, 4))
    share = np.full(300, 1 / 300)
    module = NumpyModule(graph)
    floats = {"x": X, **module.run({"x": X}, ("z", "xz", "y")), **graph.initializers}
    weights = weights_by_variance(graph, floats, share)["z"]
    np.testing.assert_allclose(weights[0], 1 / np.var(floats["z"], axis=0))
    error = ModelError(graph, floats, ["y"], share)
    assert error.of("z", floats["z"] + 1.0) is None
    assert error.of("y", floats["y"] + 1.0) > 0


def test_one_requantization_stands_between_the_sums_and_the_trees():
    X = np.random.default_rng(0).normal(size=(300, 4))
    graph = projected([0.1, 3.0])
    program = PostTrainingAffineQuantization(8, NumpyModule(graph)).quantize_module(X).program
    names = [type(step).__name__ for step in program.instructions]
    assert names[:4] == ["Quantize", "MatMul", "Requantize", "Trees"]
    step = next(step for step in program.instructions if isinstance(step, Requantize))
    assert (step.lo, step.hi, step.shift) == (0, 1, 0), "one threshold a column: bits"
