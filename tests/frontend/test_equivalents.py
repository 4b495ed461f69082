"""Fitted estimators as arrays: the forms compute what scikit-learn computes."""

import numpy as np
import pytest
from sklearn import ensemble, linear_model, neural_network, svm, tree
from sklearn.datasets import make_classification, make_regression
from sklearn.preprocessing import MinMaxScaler

from skq.exceptions import UnsupportedModelError
from skq.frontend.convert import float_graph
from skq.frontend.equivalents import sklearn_class, to_representation
from skq.frontend.equivalents.categories import Memberships
from skq.frontend.equivalents.combining import averaged, on_features, side_by_side
from skq.frontend.equivalents.weight_boosting import median_weights
from skq.frontend.numpy_module import NumpyModule
from skq.frontend.predictors import Layers, TreeEnsemble
from skq.frontend.tree_nodes import tree_attributes
from skq.graph.ops import TreeArrays
from skq.graph.ops.median import weighted_median
from skq.graph.ops.tree_ensemble import tree_sums


def scores_of(scores, X):
    """Scores of a form, in NumPy."""
    if isinstance(scores, TreeEnsemble):
        return tree_sums(TreeArrays.from_attributes(tree_attributes(scores)), X)
    assert isinstance(scores, Layers)
    for i, (weights, bias) in enumerate(zip(scores.weights, scores.biases, strict=True)):
        X = X @ weights + bias
        if i < len(scores.weights) - 1:
            X = np.maximum(X, 0.0)
    return X


def random_layers(rng, n_in=4, n_out=2):
    return Layers(
        (rng.normal(size=(n_in, 5)), rng.normal(size=(5, n_out))),
        (rng.normal(size=5), rng.normal(size=n_out)),
        "relu",
    )


def fitted_trees(seed, average, n_trees=3):
    X, y = make_regression(60, 4, random_state=seed)
    model = (
        ensemble.RandomForestRegressor(n_trees, random_state=seed)
        if average
        else ensemble.GradientBoostingRegressor(n_estimators=n_trees, random_state=seed)
    ).fit(X, np.stack([y, -y], axis=1) if average else y)
    return to_representation(model).scores


MEMBERS = {
    "layers": lambda seed: random_layers(np.random.default_rng(seed)),
    "forest": lambda seed: fitted_trees(seed, True),
    "uneven forests": lambda seed: fitted_trees(seed, True, n_trees=2 + seed),
    "boosting": lambda seed: fitted_trees(seed, False),
}


@pytest.mark.parametrize("make", MEMBERS.values(), ids=MEMBERS)
def test_members_side_by_side_and_averaged(make):
    members = [make(seed) for seed in range(3)]
    X = np.random.default_rng(9).normal(size=(50, 4)).astype(np.float32).astype(float)
    each = [scores_of(m, X) for m in members]
    np.testing.assert_allclose(
        scores_of(side_by_side(members), X), np.concatenate(each, axis=1), rtol=1e-12, atol=1e-9
    )
    np.testing.assert_allclose(
        scores_of(averaged(members), X), np.mean(each, axis=0), rtol=1e-12, atol=1e-9
    )


@pytest.mark.parametrize("make", MEMBERS.values(), ids=MEMBERS)
def test_scores_on_some_features_one_of_them_twice(make):
    features = np.array([5, 0, 5, 2])
    X = np.random.default_rng(9).normal(size=(50, 7)).astype(np.float32).astype(float)
    np.testing.assert_allclose(
        scores_of(on_features(make(1), features, 7), X), scores_of(make(1), X[:, features])
    )


def test_forms_that_do_not_combine_are_refused():
    with pytest.raises(UnsupportedModelError, match="base estimators"):
        side_by_side([MEMBERS["layers"](0), MEMBERS["forest"](0)])
    shallow = Layers((np.ones((4, 1)),), (np.zeros(1),))
    with pytest.raises(UnsupportedModelError, match="base estimators"):
        side_by_side([MEMBERS["layers"](0), shallow])


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("missing_left", [True, False])
def test_memberships_are_set_membership(seed, missing_left):
    rng = np.random.default_rng(seed)
    categories = np.unique(rng.choice(np.arange(-20, 20) / 2, 12))
    left = rng.random(len(categories)) < 0.5
    left[:2] = [True, False]
    memberships = Memberships(3)
    column = memberships.column(1, categories, left, missing_left)
    assert column == 3
    assert memberships.column(1, categories, left, missing_left) == column
    assert memberships.column(1, categories, ~left, missing_left) == column + 1
    x = np.concatenate([categories, categories + 0.25, categories - 1e-9, [np.nan, -1e300, 1e300]])
    X = np.stack([x * 0, x, x * 0], axis=1)
    bits = scores_of(memberships.ensemble(), X)[:, 0]
    known = dict(zip(categories, left, strict=True))
    np.testing.assert_array_equal(bits == 0, [known.get(v, missing_left) for v in x])


def test_a_subclass_has_its_parents_form():
    class Own(linear_model.Ridge):
        pass

    assert sklearn_class(Own()) is linear_model.Ridge
    X, y = make_regression(30, 3, random_state=0)
    own, parent = (
        to_representation(Own().fit(X, y)),
        to_representation(linear_model.Ridge().fit(X, y)),
    )
    np.testing.assert_array_equal(own.scores.weights[0], parent.scores.weights[0])


def test_a_clipping_scaler_is_refused_and_unknown_models_have_no_form():
    with pytest.raises(UnsupportedModelError, match=r"MinMaxScaler\(clip=True\)"):
        to_representation(MinMaxScaler(clip=True))
    assert to_representation(object()) is None


@pytest.mark.parametrize(
    ("model", "n_classes"),
    [
        (linear_model.SGDClassifier(loss="modified_huber", random_state=0), 2),
        (linear_model.SGDClassifier(loss="modified_huber", random_state=0), 3),
        (linear_model.SGDClassifier(loss="log_loss", random_state=0), 3),
        (linear_model.RidgeClassifierCV(), 3),
        (ensemble.AdaBoostClassifier(n_estimators=4, random_state=0), 2),
        (ensemble.AdaBoostClassifier(n_estimators=4, random_state=0), 3),
        (ensemble.AdaBoostClassifier(linear_model.RidgeClassifier(), n_estimators=3), 3),
        (ensemble.AdaBoostClassifier(tree.ExtraTreeClassifier(max_depth=2, random_state=0)), 3),
        (ensemble.BaggingClassifier(svm.LinearSVC(), n_estimators=3, random_state=0), 3),
        (ensemble.BaggingClassifier(linear_model.LogisticRegression(), n_estimators=3), 2),
        (ensemble.BaggingClassifier(n_estimators=3, max_samples=4, random_state=0), 3),
        (ensemble.HistGradientBoostingClassifier(max_iter=3), 3),
        (ensemble.GradientBoostingClassifier(n_estimators=3, loss="exponential"), 2),
    ],
    ids=lambda value: str(value),
)
def test_the_float_graph_passes_the_parity_check(model, n_classes):
    X, y = make_classification(
        150, 6, n_informative=4, n_classes=n_classes, random_state=0, class_sep=2.0
    )
    model.fit(X, y)
    graph = float_graph(model, X)  # raises where it differs
    outputs = NumpyModule(graph).run({"X": X}, graph.output_names)
    assert "predict" in outputs
    for name in ("predict_proba", "decision_function"):
        assert (name in outputs) == hasattr(model, name)


@pytest.mark.parametrize("loss", ["linear", "square", "exponential"])
def test_the_median_of_adaboost(loss):
    X, y = make_regression(200, 5, noise=20, random_state=0)
    model = ensemble.AdaBoostRegressor(n_estimators=9, loss=loss, random_state=0).fit(X, y)
    graph = float_graph(model, X)
    (got,) = NumpyModule(graph).run({"X": X}, ("predict",)).values()
    np.testing.assert_allclose(got, model.predict(X), rtol=1e-10, atol=1e-9)


def test_adaboost_of_a_single_tree_without_weight():
    rng = np.random.RandomState(0)
    X = rng.uniform(size=(40, 3)) * (rng.uniform(size=(40, 3)) > 0.7)
    y = rng.randint(0, 4, size=40).astype(float)
    models = (ensemble.AdaBoostRegressor(n_estimators=5, random_state=s) for s in range(200))
    model = next(m for m in models if not m.fit(X, y).estimator_weights_.any())
    graph = float_graph(model, X)
    (got,) = NumpyModule(graph).run({"X": X}, ("predict",)).values()
    np.testing.assert_allclose(got, model.predict(X), rtol=1e-12)


@pytest.mark.parametrize("base", [linear_model.Ridge(), linear_model.PoissonRegressor()])
def test_the_median_of_linear_models(base):
    X, y = make_regression(200, 5, noise=20, random_state=0)
    model = ensemble.AdaBoostRegressor(base, n_estimators=9, random_state=0)
    graph = float_graph(model.fit(X, np.exp(y / 200)), X)
    (got,) = NumpyModule(graph).run({"X": X}, ("predict",)).values()
    np.testing.assert_allclose(got, model.predict(X), rtol=1e-10, atol=1e-9)


def test_the_median_of_hundreds_of_deep_trees():
    """No table: each leaf has one weight, whatever the number of trees."""
    X, y = make_regression(400, 5, noise=20, random_state=0)
    model = ensemble.AdaBoostRegressor(tree.DecisionTreeRegressor(), n_estimators=200).fit(X, y)
    assert sum(t.get_n_leaves() for t in model.estimators_) > 20_000
    graph = float_graph(model, X)
    (got,) = NumpyModule(graph).run({"X": X}, ("predict",)).values()
    np.testing.assert_array_equal(got, model.predict(X))
    trees = next(node for node in graph.nodes if node.op_type == "TreeEnsembleRegressor")
    assert TreeArrays.from_attributes(trees.attributes).leaf_weights.shape[1] == 1


class Constants:
    """An estimator that was trained as scikit-learn's median needs it: each member a constant."""

    def __init__(self, column):
        self.column = column

    def predict(self, X):
        return X[:, self.column]


def sklearn_median(values, weights):
    """What AdaBoostRegressor predicts where its members predict the columns of `values`."""
    model = ensemble.AdaBoostRegressor()
    model.estimators_ = [Constants(column) for column in range(values.shape[1])]
    model.estimator_weights_ = np.asarray(weights, dtype=np.float64)
    return model._get_median_predict(values, values.shape[1])


@pytest.mark.parametrize("n", [1, 2, 3, 4, 7, 10, 20, 41, 300])
@pytest.mark.parametrize("kind", ["random", "equal", "tiny", "zeros", "wide"])
def test_integer_weights_decide_as_scikit_learns_sums(n, kind):
    rng = np.random.default_rng(n)
    weights = {
        "random": rng.uniform(0.1, 3, n),
        "equal": np.full(n, rng.uniform(0.05, 3)),
        "tiny": rng.uniform(0.1, 3, n) * 1e-300,
        "zeros": rng.uniform(0.1, 3, n) * (rng.random(n) < 0.5) + 1e-9 * (n == 1),
        "wide": 10.0 ** rng.uniform(-12, 3, n),
    }[kind]
    values = np.concatenate([rng.normal(size=(200, n)), rng.integers(0, 4, (200, n))])
    got = weighted_median(values, *median_weights(weights))
    np.testing.assert_array_equal(got[:, 0], sklearn_median(values, weights))


def test_coefficients_that_are_not_finite_are_refused():
    model = linear_model.PoissonRegressor().fit(np.ones((8, 2)), np.zeros(8))
    assert model.intercept_ == -np.inf
    with pytest.raises(UnsupportedModelError, match=r"PoissonRegressor.*infinite or NaN.*log link"):
        to_representation(model)


def test_an_isolation_forest_of_equal_rows():
    X = np.ones((8, 3))
    model = ensemble.IsolationForest(n_estimators=10, random_state=0).fit(X)
    assert np.abs(model.decision_function(X)).max() < 1e-12  # all that is left is rounding
    graph = float_graph(model, X)  # raises where it differs
    assert {"predict", "decision_function"} <= set(graph.output_names)


def test_isolation_forest_scores():
    X, _ = make_regression(300, 5, random_state=0)
    model = ensemble.IsolationForest(
        n_estimators=7, max_features=0.6, contamination=0.1, random_state=0
    ).fit(X)
    graph = float_graph(model, X)
    outputs = NumpyModule(graph).run({"X": X}, graph.output_names)
    np.testing.assert_allclose(outputs["score_samples"], model.score_samples(X), rtol=1e-10)
    np.testing.assert_allclose(outputs["decision_function"], model.decision_function(X), atol=1e-10)
    np.testing.assert_array_equal(outputs["predict"], model.predict(X))


@pytest.mark.parametrize(
    ("hidden", "n_layers"), [((30, 20), 1), ((3,), 2), ((30, 3, 30, 20), 2)], ids=str
)
def test_layers_with_nothing_in_between_are_one_if_that_has_no_more_weights(hidden, n_layers):
    X, y = make_regression(80, 12, n_targets=10, random_state=0)
    model = neural_network.MLPRegressor(
        hidden_layer_sizes=hidden, activation="identity", solver="lbfgs", tol=0.1, random_state=0
    ).fit(X, y / 100)
    layers = to_representation(model).scores
    assert len(layers.weights) == n_layers
    found = X
    for weights, bias in zip(layers.weights, layers.biases, strict=True):
        found = found @ weights + bias
    np.testing.assert_allclose(found, model.predict(X), rtol=1e-9, atol=1e-9)
