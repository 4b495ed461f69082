"""TreeEnsembleRegressor against its definition, node by node, and against scikit-learn."""

from __future__ import annotations

import operator

import numpy as np
import pytest
from scipy.special import expit, softmax
from sklearn.ensemble import HistGradientBoostingRegressor, RandomForestRegressor
from sklearn.tree import DecisionTreeRegressor

from skq.exceptions import ConversionError, UnsupportedModelError
from skq.frontend.numpy_module import NumpyModule
from skq.graph.graph import ML_DOMAIN, FloatGraph, Node, TensorInfo
from skq.graph.ops import ONNX_OPS_TO_NUMPY_IMPL, TreeArrays, tree_ensemble
from skq.graph.ops.tree_attributes import NODE_MODES

COMPARE = {
    "BRANCH_LEQ": operator.le,
    "BRANCH_LT": operator.lt,
    "BRANCH_GTE": operator.ge,
    "BRANCH_GT": operator.gt,
    "BRANCH_EQ": operator.eq,
    "BRANCH_NEQ": operator.ne,
}


def forest_attributes(estimators, **others):
    """Attributes of scikit-learn's own trees; a leaf's value is split over the targets."""
    columns = {
        name: []
        for name in (
            *("nodes_treeids", "nodes_nodeids", "nodes_featureids", "nodes_modes"),
            *("nodes_truenodeids", "nodes_falsenodeids", "nodes_values_as_tensor"),
            *("target_treeids", "target_nodeids", "target_ids", "target_weights_as_tensor"),
        )
    }
    n_targets = estimators[0].tree_.value.shape[1]
    for index, estimator in enumerate(estimators):
        tree = estimator.tree_
        is_leaf = tree.children_left < 0
        leaves = np.repeat(np.flatnonzero(is_leaf), n_targets)
        targets = np.tile(np.arange(n_targets), is_leaf.sum())
        for name, values in {
            "nodes_treeids": np.full(tree.node_count, index),
            "nodes_nodeids": np.arange(tree.node_count),
            "nodes_featureids": np.where(is_leaf, 0, tree.feature),
            "nodes_modes": np.where(is_leaf, "LEAF", "BRANCH_LEQ"),
            "nodes_truenodeids": np.where(is_leaf, 0, tree.children_left),
            "nodes_falsenodeids": np.where(is_leaf, 0, tree.children_right),
            "nodes_values_as_tensor": np.where(is_leaf, 0.0, tree.threshold),
            "target_treeids": np.full(len(leaves), index),
            "target_nodeids": leaves,
            "target_ids": targets,
            "target_weights_as_tensor": tree.value[leaves, targets, 0],
        }.items():
            columns[name].append(values)
    return {
        **{name: np.concatenate(values) for name, values in columns.items()},
        "n_targets": n_targets,
        **others,
    }


def random_attributes(rng, *, n_trees=4, depth=4, n_features=3, n_targets=2, modes=NODE_MODES[1:]):
    """Random trees with shuffled node ids, of small integer thresholds so that equality occurs."""
    rows, targets = [], []
    for tree in range(n_trees):
        ids = iter(rng.permutation(2 ** (depth + 1)).tolist())

        def grow(level, node_id, tree=tree, ids=ids):
            if level == depth or (level and rng.random() < 0.2):
                rows.append((tree, node_id, 0, "LEAF", 0, 0, 0.0, 0))
                for target in range(n_targets):
                    if rng.random() < 0.8:
                        targets.append((tree, node_id, target, rng.normal()))
                return
            true_id, false_id = next(ids), next(ids)
            mode, threshold = rng.choice(modes), float(rng.integers(-2, 3))
            feature, missing = int(rng.integers(n_features)), int(rng.integers(2))
            rows.append((tree, node_id, feature, mode, true_id, false_id, threshold, missing))
            grow(level + 1, true_id)
            grow(level + 1, false_id)

        grow(0, next(ids))
    order = rng.permutation(len(rows))
    node_names = ("treeids", "nodeids", "featureids", "modes", "truenodeids", "falsenodeids")
    node_names += ("values", "missing_value_tracks_true")
    columns = zip(*(rows[index] for index in order), strict=True)
    attributes = {f"nodes_{name}": column for name, column in zip(node_names, columns, strict=True)}
    target_names = ("treeids", "nodeids", "ids", "weights")
    columns = zip(*targets, strict=True)
    attributes |= {f"target_{name}": c for name, c in zip(target_names, columns, strict=True)}
    return {**attributes, "n_targets": n_targets}


def walk(attributes, x):
    """The operator by its definition: one row, one tree, one node at a time."""
    nodes = {}
    for values in zip(
        *(attributes[f"nodes_{name}"] for name in ("treeids", "nodeids", "featureids", "modes")),
        *(attributes[f"nodes_{name}"] for name in ("truenodeids", "falsenodeids", "values")),
        attributes["nodes_missing_value_tracks_true"],
        strict=True,
    ):
        nodes[values[:2]] = values[2:]
    children = {
        (tree, child)
        for (tree, _), (_, mode, *both, _, _) in nodes.items()
        if mode != "LEAF"
        for child in both
    }
    weights = {}
    for tree, node, target, weight in zip(
        *(attributes[f"target_{name}"] for name in ("treeids", "nodeids", "ids", "weights")),
        strict=True,
    ):
        weights.setdefault((tree, node), {})[target] = weight
    reached = [[[] for _ in range(attributes["n_targets"])] for _ in x]
    for row, scores in zip(x, reached, strict=True):
        for root in sorted(set(nodes) - children):
            key = root
            while nodes[key][1] != "LEAF":
                feature, mode, true_id, false_id, threshold, missing = nodes[key]
                holds = COMPARE[mode](row[feature], threshold)
                holds = holds or (missing and np.isnan(row[feature]))
                key = (key[0], true_id if holds else false_id)
            for target, weight in weights.get(key, {}).items():
                scores[target].append(weight)
    return reached


def evaluate(attributes, x):
    return ONNX_OPS_TO_NUMPY_IMPL["TreeEnsembleRegressor"](x, **attributes)


@pytest.fixture
def x_with_nan():
    rng = np.random.default_rng(11)
    x = rng.integers(-3, 4, size=(60, 3)).astype(np.float64)
    x[rng.random(x.shape) < 0.15] = np.nan
    return x


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("modes", [NODE_MODES[1:], ("BRANCH_LEQ",), ("BRANCH_GT", "BRANCH_EQ")])
def test_all_modes_follow_the_definition(seed, modes, x_with_nan):
    attributes = random_attributes(np.random.default_rng(seed), modes=modes)
    expected = [[sum(values) for values in row] for row in walk(attributes, x_with_nan)]
    np.testing.assert_allclose(evaluate(attributes, x_with_nan), expected, rtol=1e-13, atol=1e-14)


@pytest.mark.parametrize(("aggregate", "divisor"), [("SUM", 1), ("AVERAGE", 3)])
@pytest.mark.parametrize("one_each", [False, True])
def test_many_targets(aggregate, divisor, one_each, x_with_nan):
    """Where each tree has one target, the leaves hold one column of weights."""
    attributes = random_attributes(
        np.random.default_rng(8), n_trees=3, n_targets=1 if one_each else 40
    )
    if one_each:
        targets = [13 * (2 - tree) for tree in attributes["target_treeids"]]
        attributes |= {"n_targets": 40, "target_ids": targets}
    assert TreeArrays.from_attributes(attributes).leaf_weights.shape[1] == (1 if one_each else 40)
    expected = [[sum(values) for values in row] for row in walk(attributes, x_with_nan)]
    found = evaluate({**attributes, "aggregate_function": aggregate}, x_with_nan)
    np.testing.assert_allclose(found, np.array(expected) / divisor, rtol=1e-13, atol=1e-14)


@pytest.mark.parametrize(
    ("aggregate", "join"),
    [
        ("SUM", sum),
        ("AVERAGE", lambda values: sum(values) / 4),
        ("MIN", lambda values: min(values, default=0)),
        ("MAX", lambda values: max(values, default=0)),
    ],
)
@pytest.mark.parametrize(
    ("post_transform", "function"),
    [("NONE", np.asarray), ("LOGISTIC", expit), ("SOFTMAX", lambda s: softmax(s, axis=1))],
)
def test_aggregates_base_values_and_post_transforms(
    aggregate, join, post_transform, function, x_with_nan
):
    attributes = random_attributes(np.random.default_rng(5))
    reached = walk(attributes, x_with_nan)
    scores = np.array([[join(values) for values in row] for row in reached])
    scores += np.array([0.5, -1.5])
    result = evaluate(
        {
            **attributes,
            "aggregate_function": aggregate,
            "base_values": (0.5, -1.5),
            "post_transform": post_transform,
        },
        x_with_nan,
    )
    np.testing.assert_allclose(result, function(scores), rtol=1e-13, atol=1e-14)


def test_weights_of_one_leaf_and_target_add_up():
    attributes = random_attributes(np.random.default_rng(6))
    names = ("target_treeids", "target_nodeids", "target_ids", "target_weights")
    twice = {**attributes, **{name: attributes[name] * 2 for name in names}}
    x = np.random.default_rng(7).normal(size=(20, 3))
    np.testing.assert_allclose(evaluate(twice, x), 2 * evaluate(attributes, x), rtol=1e-14)


def test_random_forest_is_reproduced():
    rng = np.random.default_rng(0)
    x = rng.normal(size=(300, 6)).astype(np.float32)
    y = np.stack([x[:, 0] * x[:, 1], x[:, 2] ** 2], axis=1)
    forest = RandomForestRegressor(12, random_state=0).fit(x, y)
    attributes = forest_attributes(forest.estimators_, aggregate_function="AVERAGE")
    exact = evaluate(attributes, x.astype(np.float64))
    assert exact.dtype == np.float64
    np.testing.assert_allclose(exact, forest.predict(x), rtol=1e-13)
    single = evaluate(attributes, x)
    assert single.dtype == np.float32
    np.testing.assert_array_equal(single, exact.astype(np.float32))


def test_leaves_and_depth_are_those_of_scikit_learn():
    rng = np.random.default_rng(1)
    x = rng.normal(size=(200, 4)).astype(np.float32)
    estimators = [
        DecisionTreeRegressor(max_depth=depth, random_state=0).fit(x, x @ rng.normal(size=4))
        for depth in (1, 3, 7)
    ]
    arrays = TreeArrays.from_attributes(forest_attributes(estimators))
    offsets = np.cumsum([0, *(estimator.tree_.node_count for estimator in estimators)])[:-1]
    node_of_leaf = np.flatnonzero(arrays.leaf >= 0)
    expected = np.stack([e.apply(x) for e in estimators], axis=1) + offsets
    np.testing.assert_array_equal(node_of_leaf[arrays.leaf_indices(x)], expected)
    np.testing.assert_array_equal(arrays.roots, offsets)
    assert arrays.depth == 7
    assert (arrays.n_trees, arrays.n_targets, arrays.n_features) == (3, 1, 4)


def test_missing_values_follow_histogram_gradient_boosting():
    rng = np.random.default_rng(2)
    x = rng.normal(size=(400, 4))
    y = x[:, 0] + np.where(np.isnan(x[:, 1]), 2.0, x[:, 1])
    x[rng.random(x.shape) < 0.2] = np.nan
    model = HistGradientBoostingRegressor(max_iter=8, random_state=0).fit(x, y)
    predictors = [stage[0].nodes for stage in model._predictors]
    nodes = np.concatenate(predictors)
    is_leaf = nodes["is_leaf"] != 0
    tree_ids = np.repeat(np.arange(len(predictors)), [len(tree) for tree in predictors])
    node_ids = np.concatenate([np.arange(len(tree)) for tree in predictors])
    attributes = {
        "nodes_treeids": tree_ids,
        "nodes_nodeids": node_ids,
        "nodes_featureids": np.where(is_leaf, 0, nodes["feature_idx"]),
        "nodes_modes": np.where(is_leaf, "LEAF", "BRANCH_LEQ"),
        "nodes_truenodeids": nodes["left"].astype(np.int64),
        "nodes_falsenodeids": nodes["right"].astype(np.int64),
        "nodes_values_as_tensor": np.where(is_leaf, 0.0, nodes["num_threshold"]),
        "nodes_missing_value_tracks_true": nodes["missing_go_to_left"].astype(np.int64),
        "target_treeids": tree_ids[is_leaf],
        "target_nodeids": node_ids[is_leaf],
        "target_ids": np.zeros(is_leaf.sum(), np.int64),
        "target_weights_as_tensor": nodes["value"][is_leaf],
        "base_values_as_tensor": np.ravel(model._baseline_prediction),
        "n_targets": 1,
    }
    np.testing.assert_allclose(evaluate(attributes, x)[:, 0], model.predict(x), rtol=1e-12)


def test_blocks_of_rows_change_nothing(monkeypatch):
    attributes = random_attributes(np.random.default_rng(8))
    x = np.random.default_rng(9).normal(size=(37, 3))
    whole = evaluate(attributes, x)
    monkeypatch.setattr(tree_ensemble, "BLOCK_VALUES", 40)
    np.testing.assert_array_equal(evaluate(attributes, x), whole)


def test_no_rows_and_a_lone_leaf():
    attributes = random_attributes(np.random.default_rng(8), depth=0, n_targets=1)
    assert evaluate(attributes, np.zeros((0, 3))).shape == (0, 1)
    expected = sum(attributes["target_weights"])
    np.testing.assert_allclose(evaluate(attributes, np.zeros((2, 3))), expected, rtol=1e-14)


def test_module_reads_the_attributes_once(monkeypatch):
    attributes = random_attributes(np.random.default_rng(8))
    node = Node("TreeEnsembleRegressor", ("x",), ("y",), attributes, domain=ML_DOMAIN)
    graph = FloatGraph(
        nodes=(node,),
        initializers={},
        inputs=(TensorInfo("x", "float64", (None, 3)),),
        outputs=(TensorInfo("y", "float32", (None, 2)),),
        opsets={"": 17, ML_DOMAIN: 3},
    )
    x = np.random.default_rng(9).normal(size=(5, 3))
    expected = evaluate(attributes, x)
    module = NumpyModule(graph)
    monkeypatch.delattr(TreeArrays, "from_attributes")
    np.testing.assert_array_equal(module(x), expected)


def test_too_narrow_input_is_refused():
    attributes = random_attributes(np.random.default_rng(8), depth=6)
    with pytest.raises(ValueError, match=r"n_features >= 3.*Got shape \(4, 2\)"):
        evaluate(attributes, np.zeros((4, 2)))


STUMP = {
    "nodes_treeids": (0, 0, 0),
    "nodes_nodeids": (0, 1, 2),
    "nodes_featureids": (0, 0, 0),
    "nodes_modes": ("BRANCH_LEQ", "LEAF", "LEAF"),
    "nodes_truenodeids": (1, 0, 0),
    "nodes_falsenodeids": (2, 0, 0),
    "nodes_values": (0.5, 0.0, 0.0),
    "target_treeids": (0, 0),
    "target_nodeids": (1, 2),
    "target_ids": (0, 0),
    "target_weights": (-1.0, 1.0),
    "n_targets": 1,
}


def test_the_stump_is_well_formed():
    np.testing.assert_array_equal(evaluate(STUMP, np.array([[0.5], [0.6]])), [[-1.0], [1.0]])


@pytest.mark.parametrize(
    ("change", "error", "message"),
    [
        ({"nodes_falsenodeids": (1, 0, 0)}, ConversionError, "must form trees"),
        ({"nodes_falsenodeids": (7, 0, 0)}, ConversionError, "node 7 of tree 0"),
        ({"nodes_truenodeids": (0, 0, 0)}, ConversionError, "must form trees"),
        ({"nodes_nodeids": (0, 1, 1)}, ConversionError, "must be unique"),
        ({"nodes_nodeids": (0, 1, -2)}, ConversionError, "not negative"),
        ({"nodes_featureids": (-1, 0, 0)}, ConversionError, "must not be negative"),
        ({"nodes_values": (0.5,)}, ConversionError, "nodes_values must have 3 values"),
        ({"nodes_values_as_tensor": np.zeros(3)}, ConversionError, "Only one of nodes_values"),
        ({"target_nodeids": (0, 2)}, ConversionError, "must name leaves"),
        ({"target_ids": (0, 1)}, ConversionError, "n_targets=1"),
        ({"base_values": (1.0, 2.0)}, ConversionError, "one value per target, 1. Got 2"),
        ({"nodes_mode": ()}, ConversionError, "unknown attributes .'nodes_mode'"),
        ({"nodes_modes": ("BRANCH_IN", "LEAF", "LEAF")}, UnsupportedModelError, "BRANCH_IN"),
        ({"aggregate_function": "MEDIAN"}, UnsupportedModelError, "SUM, AVERAGE, MIN, MAX"),
        ({"post_transform": "PROBIT"}, UnsupportedModelError, "Got 'PROBIT'"),
    ],
)
def test_malformed_trees_are_refused(change, error, message):
    with pytest.raises(error, match=message):
        TreeArrays.from_attributes({**STUMP, **change})


def test_missing_attribute_is_named():
    attributes = {name: value for name, value in STUMP.items() if name != "nodes_modes"}
    with pytest.raises(ConversionError, match=r"missing attributes .'nodes_modes'"):
        TreeArrays.from_attributes(attributes)
