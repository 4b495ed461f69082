"""The fast path of predict: taken for plain tables, the same answers, never stale."""

import copy
import pickle

import numpy as np
import pytest
from sklearn.base import clone, is_classifier
from sklearn.compose import ColumnTransformer
from sklearn.ensemble import RandomForestClassifier
from sklearn.exceptions import NotFittedError
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

import skq
from skq import (
    QuantizedClassifier,
    QuantizedRegressor,
    ensemble,
    linear_model,
    neural_network,
    tree,
)
from skq.engines import native
from skq.engines.session import Route, Session
from skq.kernels import layout
from skq.program import Quantize

N_FEATURES = 6
RNG = np.random.default_rng(0)
X = RNG.normal(size=(300, N_FEATURES))
Y = X @ RNG.normal(size=(N_FEATURES, 2))
LABELS = np.array(["a", "b", "c"])[np.digitize(Y[:, 0], [-1, 1])]

pytestmark = [
    pytest.mark.skipif(native.UNAVAILABLE is not None, reason=str(native.UNAVAILABLE)),
    pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning"),
]

CASES = {
    "labels": (linear_model.LogisticRegression(), LABELS),
    "binary": (ensemble.GradientBoostingClassifier(n_estimators=5), Y[:, 0] > 0),
    "network": (neural_network.MLPClassifier((9,), max_iter=5, random_state=0), LABELS),
    "forest": (ensemble.RandomForestClassifier(5, n_jobs=2, random_state=0), LABELS),
    "two outputs": (
        ensemble.RandomForestClassifier(5, random_state=0),
        np.stack([LABELS, np.flip(LABELS)], axis=1),
    ),
    "regression": (linear_model.Ridge(), Y[:, 0]),
    "two targets": (linear_model.Ridge(), Y),
    "tree": (tree.DecisionTreeRegressor(max_depth=4), Y[:, 0]),
}
METHODS = ("predict", "predict_proba", "decision_function")


@pytest.fixture(scope="module")
def fitted():
    return {name: clone(model).fit(X, y) for name, (model, y) in CASES.items()}


def assert_same(found, expected):
    if not isinstance(expected, list):
        found, expected = [found], [expected]
    for a, b in zip(found, expected, strict=True):
        assert a.dtype == b.dtype
        np.testing.assert_array_equal(a, b)


def forms(rows):
    """Tables that the kernels read as they stand."""
    wide = np.zeros((2 * len(rows), 3 * N_FEATURES))
    wide[::2, 1::3] = rows
    whole = np.rint(8 * rows)
    return [rows, np.asfortranarray(rows), wide[::2, 1::3], rows.astype(np.float32),
            whole.astype(np.int64), whole.astype(np.int8), rows > 0]  # fmt: skip


@pytest.mark.parametrize("n_rows", [1, 2, 15, 16, 300])
@pytest.mark.parametrize("name", CASES)
def test_the_fast_path_is_taken_and_answers_the_same(fitted, name, n_rows):
    model = fitted[name]
    for method in filter(lambda m: hasattr(model, m), METHODS):
        for table in forms(X[:n_rows]):
            quick = model._predict_table(method, table)
            assert quick is not None
            with skq.config_context(engine="reference"):
                assert model._predict_table(method, table) is None
                expected = model._predict_validated(method, table)
            assert_same(quick, expected)
            assert_same(getattr(model, method)(table), expected)


PARENTS = {
    "labels": LogisticRegression(),
    "forest": RandomForestClassifier(5, random_state=0),
    "two outputs": RandomForestClassifier(5, random_state=0),
    "regression": Ridge(),
}


@pytest.fixture(
    scope="module",
    params=[(kind, name) for kind in ("wrapped", "loaded") for name in PARENTS],
)
def served(request, fitted, tmp_path_factory):
    """A meta-estimator, or a model that was saved and loaded."""
    kind, name = request.param
    if kind == "wrapped":
        kind_of = QuantizedClassifier if is_classifier(PARENTS[name]) else QuantizedRegressor
        return kind_of(make_pipeline(StandardScaler(), PARENTS[name])).fit(X, CASES[name][1])
    path = tmp_path_factory.mktemp("saved") / "model.skq"
    skq.save(fitted[name], path)
    return skq.load(path)


def answers_of(model, table, monkeypatch):
    """What each method answers, and whether by the fast path alone."""
    run_table, taken = Session.run_table, {}

    def recorded(self, method, *args):
        result = run_table(self, method, *args)
        taken[method] = result is not None
        return result

    with monkeypatch.context() as patch:
        patch.setattr(Session, "run_table", recorded)
        found = {}
        for method in METHODS:
            try:
                found[method] = getattr(model, method)(table)
            except AttributeError:
                continue
    return found, all(taken[method] for method in found)


@pytest.mark.parametrize("n_rows", [1, 300])
def test_wrappers_and_loaded_models_take_the_fast_path(served, n_rows, monkeypatch):
    for table in forms(X[:n_rows]):
        found, short = answers_of(served, table, monkeypatch)
        assert found
        assert short
        with skq.config_context(engine="reference"):
            expected, short = answers_of(served, table, monkeypatch)
        assert not short
        assert found.keys() == expected.keys()
        for method, answer in found.items():
            assert_same(answer, expected[method])


def test_wrappers_and_loaded_models_refuse_the_same(served):
    for table, message in (
        (X[:3, :-1], "features|shape"),
        (X[0], "2D array|shape"),
        (np.where(X[:3] > 1, np.nan, X[:3]), "NaN"),
        (np.where(X[:3] > 1, np.inf, X[:3]), "infinity"),
    ):
        if message == "NaN" and getattr(served, "allow_nan", False):
            continue
        with pytest.raises(ValueError, match=message):
            served.predict(table)


TAKE_MISSING = {
    "trees": ensemble.HistGradientBoostingClassifier(max_iter=5),
    "imputer, linear": QuantizedClassifier(make_pipeline(SimpleImputer(), LogisticRegression())),
    "imputer, trees": QuantizedClassifier(
        make_pipeline(SimpleImputer(), RandomForestClassifier(5, random_state=0))
    ),
    "dropped, linear": QuantizedClassifier(
        make_pipeline(
            ColumnTransformer([("i", SimpleImputer(), [0, 1]), ("d", "drop", [2, 3, 4, 5])]),
            LogisticRegression(),
        )
    ),
}


@pytest.mark.parametrize("name", TAKE_MISSING)
@pytest.mark.parametrize("load", [False, True], ids=["fitted", "loaded"])
def test_missing_values_take_the_fast_path_once_they_are_known_to_be_taken(
    name, load, monkeypatch, tmp_path
):
    table = np.where(RNG.random(X.shape) < 0.2, np.nan, X)
    model = clone(TAKE_MISSING[name]).fit(table if name == "trees" else X, LABELS)
    if load:
        skq.save(model, tmp_path / "model.skq")
        model = skq.load(tmp_path / "model.skq")
    expected, short = answers_of(model, table, monkeypatch)
    assert not short
    for rows in (table, table[:1], table.astype(np.float32)):
        found, short = answers_of(model, rows, monkeypatch)
        assert short
        with skq.config_context(engine="reference"):
            expected, _ = answers_of(model, rows, monkeypatch)
        for method, answer in found.items():
            assert_same(answer, expected[method])
    for value in (np.inf, -np.inf):
        rows = np.where(np.arange(N_FEATURES) == 1, value, table)
        if name == "trees":  # histogram boosting takes infinity
            with skq.config_context(engine="reference"):
                expected = model.predict(rows)
            assert_same(model.predict(rows), expected)
        else:
            with pytest.raises(ValueError, match="infinity"):
                model.predict(rows)


def test_a_saturation_warning_is_given_by_the_fallback(served):
    if any(isinstance(s, Quantize) for s in served.quantized_module_.program.instructions):
        with skq.config_context(saturation_warning=0.0), pytest.warns(UserWarning, match="range"):
            served.predict(100 * X)


def test_what_is_missing_stays_missing(fitted, tmp_path):
    with pytest.raises(NotFittedError):
        QuantizedClassifier(LogisticRegression()).predict(X)
    skq.save(fitted["regression"], tmp_path / "model.skq")
    with pytest.raises(AttributeError, match="has no predict_proba"):
        skq.load(tmp_path / "model.skq").predict_proba(X[:1])


class Table(np.ndarray):
    """Any subclass: what its methods do is not known."""


@pytest.mark.parametrize(
    "table",
    [
        X[:3].tolist(), X[0], X[:0], X[:3, :-1], np.zeros((3, N_FEATURES + 1)), X[:3].view(Table),
        X[:3].astype(object), X[:3].astype(complex), X[:3].astype(np.float16),
        X[:3].astype(">f8"), np.where(X[:3] > 1, np.nan, X[:3]), np.where(X[:3] > 1, -np.inf, 1),
        np.zeros((2, 1, N_FEATURES)), np.array(1.0),
    ],
)  # fmt: skip
def test_the_fallback_takes_anything_else(fitted, table):
    for name in ("labels", "forest", "tree"):
        assert fitted[name]._predict_table("predict", table) is None


def test_not_fitted():
    assert linear_model.Ridge()._predict_table("predict", X) is None


def test_nothing_prepared_survives_another_fit():
    model = linear_model.Ridge().fit(X, Y[:, 0])
    first = model.predict(X)
    model.fit(X, -Y[:, 0])
    np.testing.assert_array_equal(model.predict(X[:1]), model.predict(X)[:1])
    assert np.corrcoef(first, model.predict(X))[0, 1] < -0.9
    other = RNG.normal(size=(300, N_FEATURES + 2))
    model.set_params(alpha=2.0).fit(other, other[:, 0])
    assert model._predict_table("predict", X) is None
    assert model.predict(other[:1]).shape == (1,)


def test_pickles_leave_what_is_prepared_behind(fitted):
    model = fitted["forest"]
    expected = model.predict(X)
    module = model.quantized_module_
    assert len(module.session.plans) == 1
    assert len(pickle.loads(pickle.dumps(module)).session.plans) == 0
    again = pickle.loads(pickle.dumps(model))
    np.testing.assert_array_equal(again.predict(X), expected)


def test_copies_share_the_module_which_never_changes(fitted):
    module = fitted["forest"].quantized_module_
    assert copy.copy(module) is module
    assert copy.deepcopy(fitted["forest"]).quantized_module_ is module


def test_the_engine_is_asked_for_at_each_call(fitted, monkeypatch):
    model = fitted["labels"]
    expected = model.predict(X[:1])
    taken = []
    run = Session.run_table
    monkeypatch.setattr(
        Session, "run_table", lambda *a: taken.append(run(*a) is not None) or run(*a)
    )
    for engine in ("auto", "native", "numpy", "reference"):
        with skq.config_context(engine=engine):
            np.testing.assert_array_equal(model.predict(X[:1]), expected)
    assert taken == [True, True, True, False]


@pytest.mark.parametrize("engine", ["native", "numpy"])
def test_two_outputs_of_one_value(fitted, engine):
    session = fitted["labels"].quantized_module_.session
    route = Route(session, session.output_names[:1])
    route.needed, route.targets = 2 * route.needed[:1], 2 * route.targets[:1]
    first, second = route.prepare(engine)([X], len(X), 1, layout.REFUSE["nonfinite"])
    np.testing.assert_array_equal(first, second)
    (alone,) = session.run({0: X}, route.targets[:1])
    np.testing.assert_array_equal(first, alone)
