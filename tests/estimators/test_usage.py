"""The suite as scikit-learn users use it: batches, sparse X, stages, leaves, several outputs."""

import numpy as np
import pandas as pd
import pytest
import sklearn.ensemble
from scipy import sparse
from sklearn import linear_model as floats
from sklearn.datasets import load_breast_cancer, load_wine, make_multilabel_classification
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from skq.ensemble import (
    AdaBoostClassifier,
    AdaBoostRegressor,
    BaggingClassifier,
    ExtraTreesRegressor,
    GradientBoostingClassifier,
    GradientBoostingRegressor,
    HistGradientBoostingClassifier,
    HistGradientBoostingRegressor,
    IsolationForest,
    RandomForestClassifier,
    RandomForestRegressor,
)
from skq.exceptions import UnsupportedModelError
from skq.linear_model import (
    ARDRegression,
    BayesianRidge,
    LogisticRegression,
    Perceptron,
    Ridge,
    RidgeClassifier,
    SGDClassifier,
    SGDOneClassSVM,
    SGDRegressor,
)
from skq.neural_network import MLPClassifier, MLPRegressor
from skq.serving import predictions
from skq.svm import LinearSVC
from skq.tree import DecisionTreeClassifier, DecisionTreeRegressor
from tests.estimators.cases import classes, data_for, quick

name_of = lambda e: type(e).__name__  # noqa: E731


@pytest.fixture(scope="module")
def wine():
    X, y = load_wine(return_X_y=True)
    return StandardScaler().fit_transform(X), y


@pytest.fixture(scope="module")
def cancer():
    X, y = load_breast_cancer(return_X_y=True)
    return StandardScaler().fit_transform(X), y


def in_float(estimator, X, method="predict", *args):
    with estimator._answering_in_float():
        result = getattr(estimator, method)(X, *args)
        return list(result) if method.startswith("staged") else result


PARTIAL = [
    SGDClassifier(random_state=0),
    Perceptron(random_state=0),
    MLPClassifier((8,), random_state=0),
    SGDRegressor(random_state=0),
    SGDOneClassSVM(random_state=0),
    MLPRegressor(hidden_layer_sizes=(8,), random_state=0),
]


@pytest.mark.parametrize("estimator", PARTIAL, ids=name_of)
def test_partial_fit_learns_from_all_batches(estimator, wine):
    X, y = wine
    X = X[np.argsort(X[:, 0])]  # every batch has another range
    estimator.set_params(n_bits=12)
    arguments = (
        {"classes": [0, 1, 2]}
        if hasattr(estimator, "predict_proba") or isinstance(estimator, Perceptron | SGDClassifier)
        else {}
    )
    for start in range(0, len(X), 60):
        batch = slice(start, start + 60)
        estimator.partial_fit(X[batch], y[batch], **arguments)
        estimator.predict(X)  # between batches
    data = estimator._pending.collected()
    np.testing.assert_array_equal(data.ranges.lo, X.min(axis=0))
    np.testing.assert_array_equal(data.ranges.hi, X.max(axis=0))
    assert data.weight.sum() == pytest.approx(len(X))
    expected, got = in_float(estimator, X), estimator.predict(X)
    if expected.dtype.kind == "f":
        assert np.std(got - expected) < 5e-3 * np.std(expected)
    else:
        assert np.mean(got == expected) > 0.98


def test_fit_after_partial_fit_starts_anew(wine):
    X, y = wine
    estimator = SGDClassifier(random_state=0).partial_fit(X * 100, y, classes=[0, 1, 2]).fit(X, y)
    fresh = SGDClassifier(random_state=0).fit(X, y)
    assert str(estimator.quantized_module_.program) == str(fresh.quantized_module_.program)


@pytest.mark.parametrize(
    "estimator",
    [
        GradientBoostingClassifier(n_estimators=3, warm_start=True, n_bits=16),
        RandomForestClassifier(3, warm_start=True, random_state=0, n_bits=16),
        HistGradientBoostingClassifier(max_iter=3, warm_start=True, n_bits=16),
    ],
    ids=name_of,
)
def test_warm_start_adds_trees(estimator, wine):
    X, y = wine
    more = "max_iter" if "max_iter" in estimator.get_params() else "n_estimators"
    first = str(estimator.fit(X, y).quantized_module_.program)
    estimator.set_params(**{more: 6}).fit(X, y)
    assert str(estimator.quantized_module_.program) != first
    np.testing.assert_array_equal(estimator.predict(X), in_float(estimator, X))


@pytest.mark.parametrize("form", [sparse.csr_matrix, sparse.csc_matrix, sparse.csr_array])
@pytest.mark.parametrize(
    "estimator",
    [
        LogisticRegression(max_iter=200),
        LinearSVC(),
        SGDClassifier(random_state=0),
        RandomForestClassifier(4, random_state=0),
        BaggingClassifier(n_estimators=3, random_state=0),
        IsolationForest(n_estimators=4, random_state=0),
        MLPClassifier((8,), max_iter=20, random_state=0),
    ],
    ids=name_of,
)
def test_sparse_and_dense_rows_predict_the_same(estimator, form, cancer):
    X, y = cancer
    X = np.where(np.abs(X) > 1, X, 0.0)
    estimator.fit(form(X), y)
    got = estimator.predict(form(X))
    np.testing.assert_array_equal(got, estimator.predict(X))
    assert got.shape == (len(X),)


def test_sparse_rows_are_made_dense_by_the_block(monkeypatch):

    rng = np.random.default_rng(0)
    X = sparse.random(400, 5000, density=0.002, random_state=0, format="csr")
    y = rng.integers(0, 2, 400)
    estimator = SGDClassifier(random_state=0, max_iter=5).fit(X, y)
    whole = estimator.predict(X)
    monkeypatch.setattr(predictions, "BLOCK_VALUES", 5000 * 7)
    largest = []
    forward = type(estimator.quantized_module_).forward
    monkeypatch.setattr(
        type(estimator.quantized_module_),
        "forward",
        lambda self, x, **kw: largest.append(len(x)) or forward(self, x, **kw),
    )
    np.testing.assert_array_equal(estimator.predict(X), whole)
    assert max(largest) == 7


@pytest.mark.parametrize(
    "estimator",
    [
        GradientBoostingRegressor(n_estimators=6),
        GradientBoostingRegressor(n_estimators=6, loss="huber"),
        GradientBoostingClassifier(n_estimators=6),
        HistGradientBoostingRegressor(max_iter=6, loss="poisson"),
        HistGradientBoostingClassifier(max_iter=6),
        AdaBoostClassifier(n_estimators=6, random_state=0),
        AdaBoostRegressor(n_estimators=6, random_state=0),
        AdaBoostClassifier(floats.LogisticRegression(C=1e-4), n_estimators=6),
        AdaBoostClassifier(LinearSVC(C=1e-5), n_estimators=5, random_state=0),
        AdaBoostClassifier(floats.SGDClassifier(alpha=3.0, random_state=0), n_estimators=4),
        AdaBoostClassifier(
            sklearn.ensemble.RandomForestClassifier(3, max_depth=1, random_state=0), n_estimators=4
        ),
    ],
    ids=lambda e: name_of(e) + type(getattr(e, "estimator", None)).__name__,
)
@pytest.mark.parametrize("n_classes", [2, 3])
@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
def test_stages_end_at_the_prediction_and_follow_the_parents(estimator, n_classes, wine):
    X, y = wine
    X, y = X[y < n_classes], y[y < n_classes]
    if not hasattr(estimator, "predict_proba"):
        y = X[:, 0] ** 2 + X[:, 1] + 4.0 * n_classes
        y -= y.min()
    estimator.set_params(n_bits=16).fit(X, y)
    for method in ("staged_predict", "staged_predict_proba", "staged_decision_function"):
        if not hasattr(estimator, method):
            continue
        got, expected = list(getattr(estimator, method)(X)), in_float(estimator, X, method)
        assert len(got) == len(expected) > 1
        for stage, wanted in zip(got, expected, strict=True):
            np.testing.assert_allclose(stage, wanted, rtol=1e-3, atol=1e-3 * np.std(expected[-1]))
            assert stage.shape == wanted.shape
        last = getattr(estimator, method.removeprefix("staged_"))(X)
        np.testing.assert_array_equal(got[-1].reshape(last.shape), last)
    if hasattr(estimator, "staged_score"):
        scores = list(estimator.staged_score(X, y))
        np.testing.assert_allclose(
            scores, in_float(estimator, X, "staged_score", y), rtol=1e-3, atol=1e-3
        )
        assert scores[-1] == estimator.score(X, y)


@pytest.mark.parametrize(
    "estimator",
    [
        DecisionTreeClassifier(random_state=0),
        DecisionTreeRegressor(random_state=0),
        RandomForestClassifier(4, random_state=0),
        ExtraTreesRegressor(4, random_state=0),
        GradientBoostingClassifier(n_estimators=3),
        GradientBoostingRegressor(n_estimators=3),
    ],
    ids=name_of,
)
def test_apply_and_decision_path(estimator, wine):
    X, y = wine
    estimator.set_params(n_bits=16).fit(X, y)
    got, expected = estimator.apply(X), in_float(estimator, X, "apply")
    np.testing.assert_array_equal(got, expected)
    assert got.shape == expected.shape
    if hasattr(estimator, "decision_path"):
        path, wanted = estimator.decision_path(X), in_float(estimator, X, "decision_path")
        if isinstance(path, tuple):
            np.testing.assert_array_equal(path[1], wanted[1])
            path, wanted = path[0], wanted[0]
        assert (path != wanted).nnz == 0


def test_apply_at_few_bits_is_the_leaf_that_predicts(wine):
    X, y = wine
    tree = DecisionTreeRegressor(random_state=0, n_bits=2).fit(X, y + X[:, 1])
    leaves, predictions = tree.apply(X), tree.predict(X)
    for leaf in np.unique(leaves):
        assert len(np.unique(predictions[leaves == leaf])) == 1
    assert np.mean(leaves == in_float(tree, X, "apply")) < 1.0


@pytest.mark.parametrize(
    "estimator",
    [
        MLPClassifier((8,), max_iter=50, random_state=0),
        RidgeClassifier(),
        RandomForestClassifier(5, random_state=0),
        DecisionTreeClassifier(random_state=0),
    ],
    ids=name_of,
)
def test_multilabel(estimator):
    X, Y = make_multilabel_classification(200, 8, n_classes=3, random_state=0)
    estimator.set_params(n_bits=16).fit(X, Y)
    np.testing.assert_array_equal(estimator.predict(X), in_float(estimator, X))


@pytest.mark.parametrize(
    "cls",
    [
        c
        for c in classes()
        if c.__name__
        in (
            "LinearRegression",
            "Ridge",
            "RidgeCV",
            "Lasso",
            "ElasticNet",
            "Lars",
            "LassoLars",
            "OrthogonalMatchingPursuit",
            "MLPRegressor",
            "RandomForestRegressor",
            "ExtraTreeRegressor",
        )
    ],
    ids=lambda c: c.__name__,
)
@pytest.mark.parametrize("n_outputs", [1, 2])
def test_several_targets(cls, n_outputs):
    X, _, y, _ = data_for(cls)
    Y = np.stack([y, y + X[:, 0]], axis=1)[:, :n_outputs]
    estimator = quick(cls, n_bits=16).fit(X, Y)
    got, expected = estimator.predict(X), in_float(estimator, X)
    assert got.shape == expected.shape
    assert np.std(got - expected) < 1e-3 * np.std(Y)


@pytest.mark.parametrize(
    "member",
    [
        None,
        floats.LogisticRegression(),
        floats.RidgeClassifier(),
        floats.Perceptron(),
    ],
    ids=repr,
)
@pytest.mark.parametrize("ensemble", [BaggingClassifier, AdaBoostClassifier])
def test_ensembles_of_any_member(ensemble, member, cancer):
    X, y = cancer
    estimator = ensemble(member, n_estimators=4, random_state=0, n_bits=16)
    if ensemble is BaggingClassifier:
        estimator.set_params(max_features=0.5, bootstrap_features=True)
    estimator.fit(X, y)
    assert np.mean(estimator.predict(X) == in_float(estimator, X)) > 0.998
    for method in ("predict_proba", "decision_function", "predict_log_proba"):
        if hasattr(estimator, method) and method != "predict_log_proba":
            np.testing.assert_allclose(
                getattr(estimator, method)(X), in_float(estimator, X, method), atol=2e-3, rtol=1e-3
            )
    np.testing.assert_allclose(estimator.predict_proba(X).sum(axis=1), 1.0)


@pytest.mark.parametrize(
    "member", [floats.LogisticRegression(max_iter=300), floats.Perceptron()], ids=repr
)
def test_bagging_over_three_classes(member, wine):
    X, y = wine
    estimator = BaggingClassifier(
        member, n_estimators=4, max_features=0.7, random_state=0, n_bits=16
    ).fit(X, y)
    np.testing.assert_array_equal(estimator.predict(X), in_float(estimator, X))
    error = estimator.predict_proba(X) - in_float(estimator, X, "predict_proba")
    assert np.mean(np.abs(error).max(axis=1) < 1e-3) > 0.99, "a vote may flip, where it is close"


def test_gradient_boosting_on_top_of_another_model_is_refused(wine):
    X, y = wine
    with pytest.raises(UnsupportedModelError, match=r"GradientBoostingRegressor with init=Ridge"):
        GradientBoostingRegressor(n_estimators=3, init=floats.Ridge()).fit(X, y)


@pytest.mark.parametrize("estimator", [BayesianRidge, ARDRegression])
def test_the_standard_deviation_is_the_float_models(estimator, wine):
    X, y = wine
    model = estimator(n_bits=4).fit(X, y)
    mean, std = model.predict(X, return_std=True)
    np.testing.assert_array_equal(mean, model.predict(X))
    parent = estimator._parent().fit(X, y)
    np.testing.assert_array_equal(std, parent.predict(X, return_std=True)[1])
    assert not np.array_equal(mean, parent.predict(X))
    assert "standard deviation" in estimator.predict.__doc__
    assert np.array_equal(model.predict(X, return_std=False), mean)


@pytest.mark.parametrize("loss", ["log_loss", "modified_huber"])
def test_probabilities_of_sgd(loss, wine, cancer):
    for X, y in (wine, cancer):
        model = SGDClassifier(loss=loss, random_state=0, n_bits=16).fit(X, y)
        expected = in_float(model, X, "predict_proba")
        np.testing.assert_allclose(model.predict_proba(X), expected, atol=0.02)
    assert not hasattr(SGDClassifier(loss="hinge"), "predict_proba")


def test_metadata_routing_set_output_and_weights(cancer):
    X, y = cancer
    weight = np.linspace(0.1, 2.0, len(X))
    with sklearn.config_context(enable_metadata_routing=True, transform_output="pandas"):
        model = Ridge().set_fit_request(sample_weight=True)
        scaler = StandardScaler().set_fit_request(sample_weight=False)
        frame = pd.DataFrame(X).add_prefix("x")
        fitted = make_pipeline(scaler, model).fit(frame, y, sample_weight=weight)
        assert list(fitted[-1].feature_names_in_) == list(frame.columns)
        assert np.std(fitted.predict(frame) - y) < 0.4
    direct = Ridge().fit(fitted[0].transform(frame), y, sample_weight=weight)
    np.testing.assert_array_equal(direct.coef_, fitted[-1].coef_)


def test_out_of_bag_scores_and_early_stopping_see_floats(wine):
    X, y = wine
    ours = RandomForestRegressor(20, oob_score=True, random_state=0, n_bits=2).fit(X, y)
    theirs = RandomForestRegressor._parent(20, oob_score=True, random_state=0).fit(X, y)
    assert ours.oob_score_ == theirs.oob_score_
    mlp = {"hidden_layer_sizes": (8,), "early_stopping": True, "max_iter": 30, "random_state": 0}
    ours = MLPClassifier(**mlp, n_bits=2).fit(X, y)
    theirs = MLPClassifier._parent(**mlp).fit(X, y)
    assert ours.validation_scores_ == theirs.validation_scores_


@pytest.mark.parametrize("dtype", [np.float32, np.int64, np.uint8])
def test_any_dtype_read_only_and_memory_mapped(dtype, tmp_path, wine):
    X = np.clip(np.rint(wine[0] * 20 + 100), 0, 255).astype(dtype)
    model = RandomForestClassifier(5, random_state=0).fit(X, wine[1])
    np.save(tmp_path / "X.npy", X)
    mapped = np.load(tmp_path / "X.npy", mmap_mode="r")
    X.flags.writeable = False
    np.testing.assert_array_equal(model.predict(mapped), model.predict(X))
    np.testing.assert_array_equal(model.predict(np.asfortranarray(X)), model.predict(X))
    np.testing.assert_array_equal(model.predict(X.astype(np.float64)), model.predict(X))


def test_wide_and_long_rows():
    rng = np.random.default_rng(0)
    wide = rng.normal(size=(60, 5000))
    model = Ridge().fit(wide, wide[:, 0])
    assert np.std(model.predict(wide) - wide[:, 0]) < 0.2
    long = rng.normal(size=(300_000, 3)).astype(np.float32)
    model = Ridge().fit(long, long[:, 0])
    assert model.predict(long).shape == (300_000,)
    assert np.std(model.predict(long) - long[:, 0]) < 0.05


@pytest.mark.parametrize(
    "model",
    [
        Ridge(),
        RandomForestRegressor(3, random_state=0),
        AdaBoostRegressor(n_estimators=3, random_state=0),
        MLPRegressor(hidden_layer_sizes=(3,), max_iter=200, random_state=0),
    ],
    ids=lambda model: type(model).__name__,
)
def test_fit_and_predict_write_nothing(model, capfd):
    X = np.linspace(0, 1, 120).reshape(40, 3)
    model.fit(X, X[:, 0]).predict(X)
    written = capfd.readouterr()
    assert written.out == written.err == ""
