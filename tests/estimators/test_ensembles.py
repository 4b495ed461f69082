"""Votes, calibrated classifiers and bags of members that normalize, against the float parent."""

import warnings
from functools import cache

import numpy as np
import pytest
from sklearn.calibration import CalibratedClassifierCV
from sklearn.datasets import load_breast_cancer, load_iris, make_classification, make_regression
from sklearn.decomposition import PCA
from sklearn.ensemble import (
    BaggingClassifier,
    BaggingRegressor,
    ExtraTreesClassifier,
    GradientBoostingClassifier,
    HistGradientBoostingClassifier,
    RandomForestClassifier,
    RandomForestRegressor,
    VotingClassifier,
    VotingRegressor,
)
from sklearn.frozen import FrozenEstimator
from sklearn.linear_model import LinearRegression, LogisticRegression, PoissonRegressor, Ridge
from sklearn.naive_bayes import GaussianNB
from sklearn.neural_network import MLPClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import LinearSVC
from sklearn.tree import DecisionTreeClassifier

import skq
from skq.exceptions import UnsupportedModelError

LOGISTIC = LogisticRegression(max_iter=500)
FOREST = RandomForestClassifier(8, max_depth=6, random_state=0)
TREE = DecisionTreeClassifier(max_depth=6, random_state=0)
NETWORK = MLPClassifier((8,), max_iter=60, solver="lbfgs", random_state=0)
PIPELINE = make_pipeline(StandardScaler(), LinearSVC())


def votes(*members, **parameters):
    return VotingClassifier([(f"m{k}", m) for k, m in enumerate(members)], **parameters)


def bag(member, **parameters):
    return BaggingClassifier(member, n_estimators=4, random_state=0, **parameters)


CLASSIFIERS = {
    "sigmoid": CalibratedClassifierCV(LOGISTIC, cv=3),
    "sigmoid, not an ensemble": CalibratedClassifierCV(LinearSVC(), cv=3, ensemble=False),
    "sigmoid of a forest": CalibratedClassifierCV(FOREST, cv=3),
    "sigmoid of a pipeline": CalibratedClassifierCV(PIPELINE, cv=3),
    "isotonic": CalibratedClassifierCV(LOGISTIC, method="isotonic", cv=3),
    "isotonic, not an ensemble": CalibratedClassifierCV(
        FOREST, method="isotonic", cv=3, ensemble=False
    ),
    "isotonic of a network": CalibratedClassifierCV(NETWORK, method="isotonic", cv=3),
    "isotonic of boosting": CalibratedClassifierCV(
        HistGradientBoostingClassifier(max_iter=8), method="isotonic", cv=3
    ),
    "soft vote": votes(LOGISTIC, FOREST, NETWORK, voting="soft", weights=[2, 1, 1]),
    "soft vote of forests": votes(
        FOREST, ExtraTreesClassifier(8, max_depth=6, random_state=0), voting="soft"
    ),
    "soft vote of pipelines": votes(
        make_pipeline(StandardScaler(), LOGISTIC),
        make_pipeline(PCA(5), LOGISTIC),
        voting="soft",
    ),
    "soft vote of calibrated": votes(CalibratedClassifierCV(LOGISTIC, cv=2), FOREST, voting="soft"),
    "hard vote": votes(LOGISTIC, FOREST, LinearSVC()),
    "hard vote with weights": votes(LOGISTIC, FOREST, LinearSVC(), weights=[1, 2.5, 2]),
    "hard vote of calibrated": votes(CalibratedClassifierCV(LOGISTIC, cv=2), FOREST, LinearSVC()),
    "bag": bag(LOGISTIC),
    "bag on some features": bag(LOGISTIC, max_features=0.6),
    "bag of networks": bag(NETWORK),
    "bag of pipelines": bag(make_pipeline(StandardScaler(), LOGISTIC), max_features=0.6),
    "bag of scaled trees": bag(make_pipeline(StandardScaler(), TREE), max_features=0.6),
    "bag of reduced trees": bag(make_pipeline(PCA(4), TREE), max_features=0.8),
    "bag of boosting": bag(GradientBoostingClassifier(n_estimators=5)),
    "bag of bags": bag(BaggingClassifier(LOGISTIC, n_estimators=2, random_state=0)),
    "bag of few rows": bag(LOGISTIC, max_samples=5),
}


@cache
def data(n_classes):
    """Training rows and labels, and held-out rows that lie in their range."""
    X, y = make_classification(
        1200, 10, n_informative=6, n_classes=n_classes, class_sep=2.0, flip_y=0.0, random_state=0
    )
    train, test = slice(0, None, 2), slice(1, None, 2)
    inside = np.all((X[test] >= X[train].min(axis=0)) & (X[test] <= X[train].max(axis=0)), axis=1)
    return X[train], np.array(["a", "b", "c"])[y[train]], X[test][inside]


@cache
def fitted(name, n_classes):
    X, y, _ = data(n_classes)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return CLASSIFIERS[name].fit(X, y)


#: Those that take another way with two classes.
BINARY = (
    "sigmoid",
    "sigmoid, not an ensemble",
    "isotonic",
    "isotonic, not an ensemble",
    "soft vote",
    "hard vote",
    "bag",
    "bag of pipelines",
)


@pytest.mark.parametrize(
    ("name", "n_classes"), [*((name, 3) for name in CLASSIFIERS), *((name, 2) for name in BINARY)]
)
def test_labels_and_probabilities_are_the_parents(name, n_classes):
    X, _, X_test = data(n_classes)
    model = fitted(name, n_classes)
    by_width = {n_bits: skq.quantize(model, X, n_bits=n_bits) for n_bits in (16, 8)}
    for n_bits, agreement in ((16, 0.999), (8, 0.99)):
        quantized = by_width[n_bits]
        share = np.mean(quantized.predict(X_test) == model.predict(X_test))
        print(f"\n{name:28} {n_classes} classes {n_bits:2} bits  {share:.5f}", end="")
        assert share >= agreement
        for method in ("predict_proba", "decision_function"):
            assert hasattr(quantized, method) == hasattr(model, method)
    first = X_test[:60]
    results = []
    for engine in ("auto", "numpy", "reference"):
        with skq.config_context(engine=engine):
            results.append(quantized.predict(first))
    assert all(np.array_equal(results[0], result) for result in results)
    if hasattr(model, "predict_proba"):
        fine = by_width[16]
        close = np.abs(fine.predict_proba(X_test) - model.predict_proba(X_test)).mean(axis=0)
        assert close.max() < 1e-4
        np.testing.assert_allclose(fine.predict_proba(X_test).sum(axis=1), 1.0, atol=1e-6)


@pytest.mark.parametrize("n_classes", [2, 3])
@pytest.mark.parametrize("inner", [LOGISTIC, FOREST], ids=lambda m: type(m).__name__)
def test_temperature_calibration(inner, n_classes):
    X, y, X_test = data(n_classes)
    model = CalibratedClassifierCV(inner, method="temperature", cv=3)
    try:
        model.fit(X, y)
    except ValueError:
        pytest.skip("not in this scikit-learn")
    quantized = skq.quantize(model, X, n_bits=16)
    assert np.mean(quantized.predict(X_test) == model.predict(X_test)) >= 0.999


def test_members_are_integers_and_calibration_is_not():
    X, _, _ = data(3)
    module = skq.quantize(fitted("isotonic", 3), X, n_bits=8).quantized_module_
    assert str(module.program).count("MatMul(") == 1, "three members, one product"
    assert {node.op_type for node in module.epilogue.nodes} >= {"Clip", "ArgMax"}
    module = skq.quantize(fitted("hard vote", 3), X, n_bits=8).quantized_module_
    assert not module.epilogue.nodes, "votes are counted in integers"


REGRESSORS = {
    "vote of linear models": VotingRegressor([("a", Ridge()), ("b", LinearRegression())]),
    "vote of two kinds": VotingRegressor(
        [("a", Ridge()), ("b", RandomForestRegressor(8, max_depth=5, random_state=0))],
        weights=[1, 3],
    ),
    "vote of pipelines": VotingRegressor(
        [("a", make_pipeline(StandardScaler(), Ridge())), ("b", make_pipeline(PCA(4), Ridge()))]
    ),
    "bag of pipelines": BaggingRegressor(
        make_pipeline(StandardScaler(), Ridge()), n_estimators=3, max_features=0.7, random_state=0
    ),
    "vote with a link": VotingRegressor([("a", PoissonRegressor(alpha=1e-3)), ("b", Ridge())]),
}


@pytest.mark.parametrize("name", REGRESSORS)
def test_values_are_the_parents(name):
    X, y = make_regression(900, 8, n_informative=5, noise=10.0, random_state=0)
    y = np.exp(y / y.std() / 2) if "link" in name else y
    model = REGRESSORS[name].fit(X[::2], y[::2])
    lo, hi = X[::2].min(axis=0), X[::2].max(axis=0)
    rows = np.clip(X[1::2], lo, hi)
    for n_bits, error in ((16, 1e-3), (8, 2e-2)):
        quantized = skq.quantize(model, X[::2], n_bits=n_bits)
        difference = np.sqrt(np.mean((quantized.predict(rows) - model.predict(rows)) ** 2))
        print(f"\n{name:28} {n_bits:2} bits  {difference / y.std():.5f}", end="")
        assert difference <= error * y.std()


def test_a_frozen_member_and_a_file(tmp_path):
    X, y = load_breast_cancer(return_X_y=True)
    inner = make_pipeline(StandardScaler(), LOGISTIC).fit(X, y)
    model = CalibratedClassifierCV(FrozenEstimator(inner), method="isotonic").fit(X, y)
    quantized = skq.quantize(model, X, n_bits=12)
    assert np.mean(quantized.predict(X) == model.predict(X)) > 0.995
    skq.save(quantized, tmp_path / "model.skq")
    loaded = skq.load(tmp_path / "model.skq")
    np.testing.assert_array_equal(loaded.predict(X), quantized.predict(X))
    np.testing.assert_array_equal(loaded.predict_proba(X), quantized.predict_proba(X))


def test_the_class_of_its_own_bags_members_that_normalize():
    X, y = load_iris(return_X_y=True)
    ours = skq.ensemble.BaggingClassifier(LOGISTIC, n_estimators=5, random_state=0, n_bits=16)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        ours.fit(X, y)
    with ours._answering_in_float():
        expected = ours.predict(X)
    np.testing.assert_array_equal(ours.predict(X), expected)
    assert ours.decision_function(X).shape == (150, 3)


def test_refusals():
    X, y = load_iris(return_X_y=True)
    for model in (votes(LOGISTIC, GaussianNB(), voting="soft"), bag(GaussianNB())):
        with pytest.raises(UnsupportedModelError, match="GaussianNB cannot be quantized: .*use"):
            skq.quantize(model.fit(X, y), X)
    quantized = FrozenEstimator(skq.tree.DecisionTreeClassifier(n_bits=3).fit(X, y))
    with pytest.raises(UnsupportedModelError, match="quantized already.*parent"):
        skq.QuantizedClassifier(votes(quantized, LOGISTIC)).fit(X, y)
