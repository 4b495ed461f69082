"""Monotonic constraints hold exactly, at every width, for every class that has them."""

import numpy as np
import pytest
from sklearn import ensemble, tree
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

import skq
import skq.ensemble
import skq.estimators.requantize
import skq.tree
from skq.frontend.monotonic import is_monotonic

CONSTRAINTS = [1, -1, 0, 1]

#: All roles at one width, so that thresholds have to share edges.
WIDTHS = [1, 2, 4, 16]

REGRESSORS = [
    skq.ensemble.HistGradientBoostingRegressor(max_iter=20, random_state=0),
    skq.ensemble.RandomForestRegressor(10, random_state=0),
    skq.ensemble.ExtraTreesRegressor(10, random_state=0),
    skq.tree.DecisionTreeRegressor(random_state=0),
    skq.tree.ExtraTreeRegressor(random_state=0),
]
CLASSIFIERS = [
    skq.ensemble.HistGradientBoostingClassifier(max_iter=20, random_state=0),
    skq.ensemble.RandomForestClassifier(10, random_state=0),
    skq.ensemble.ExtraTreesClassifier(10, random_state=0),
    skq.tree.DecisionTreeClassifier(random_state=0),
    skq.tree.ExtraTreeClassifier(random_state=0),
]


def data(seed=0, n_rows=300):
    """Rows, and a target that breaks the constraints."""
    random = np.random.default_rng(seed)
    X = random.normal(size=(n_rows, 4))
    X[:, 3] = random.integers(0, 6, n_rows)
    y = 2 * X[:, 0] - 2 * np.sin(3 * X[:, 1]) - X[:, 1] + X[:, 2] * X[:, 0]
    return X, y + 0.5 * (X[:, 3] - 2) ** 2 + random.normal(0, 0.7, n_rows)


def labels(y):
    """Two classes of equal size."""
    return (y > np.median(y)).astype(int)


def strict(width):
    """This many bits for everything."""
    roles = ("op_inputs", "op_weights", "model_inputs", "model_outputs")
    return dict.fromkeys(roles, width)


def largest_break(model, X, methods=("predict",), constraints=CONSTRAINTS):
    """How far predictions go the wrong way, at most, along each constrained feature."""
    worst = 0.0
    for feature, sign in enumerate(constraints):
        values = X[~np.isnan(X[:, feature]), feature]
        steps = [np.linspace(-5, 7, 301), values, np.nextafter(values, np.inf)]
        grid = np.unique(np.concatenate(steps))
        rows = np.repeat(X[:8], len(grid), axis=0)
        rows[:, feature] = np.tile(grid, 8)
        for method in methods:
            answer = np.asarray(getattr(model, method)(rows))
            answer = answer[:, -1] if answer.ndim == 2 else answer  # the positive class
            rise = sign * np.diff(answer.reshape(8, -1), axis=1)
            worst = max(worst, float(-rise.min()))
    return worst


@pytest.mark.parametrize("width", WIDTHS)
@pytest.mark.parametrize("model", REGRESSORS, ids=lambda model: type(model).__name__)
def test_regressors_keep_their_constraints(model, width):
    X, y = data()
    model.set_params(monotonic_cst=CONSTRAINTS, n_bits=strict(width)).fit(X, y)
    assert largest_break(model, X) == 0
    assert np.ptp(model.predict(X)) > 0


@pytest.mark.parametrize("width", WIDTHS)
@pytest.mark.parametrize("model", CLASSIFIERS, ids=lambda model: type(model).__name__)
def test_classifiers_keep_their_constraints(model, width):
    X, y = data()
    model.set_params(monotonic_cst=CONSTRAINTS, n_bits=strict(width)).fit(X, labels(y))
    assert largest_break(model, X, ("predict", "predict_proba")) == 0
    assert len(np.unique(model.predict(X))) == 2


@pytest.mark.parametrize("model", [REGRESSORS[0], CLASSIFIERS[0]], ids=["regressor", "classifier"])
@pytest.mark.parametrize("n_bits", [4, "lossless"])
def test_boosting_with_missing_values_and_categories(model, n_bits):
    X, y = data()
    X[::9, 0] = np.nan
    y = y if model is REGRESSORS[0] else (labels(y))
    options = {"monotonic_cst": [1, -1, 0, 0], "categorical_features": [3], "n_bits": n_bits}
    model.set_params(**options).fit(X, y)
    assert largest_break(model, X, constraints=[1, -1]) == 0
    model.set_params(categorical_features="from_dtype")


def test_fit_on_bins_keeps_constraints():
    X, y = data()
    model = skq.ensemble.HistGradientBoostingRegressor(
        max_iter=20, monotonic_cst=CONSTRAINTS, n_bits=strict(3), fit_on_bins=True
    )
    assert largest_break(model.fit(X, y), X) == 0


STUMP = tree.DecisionTreeRegressor(max_depth=3, monotonic_cst=CONSTRAINTS, random_state=0)
BOOSTING = ensemble.HistGradientBoostingRegressor(max_iter=10, monotonic_cst=CONSTRAINTS)


@pytest.mark.parametrize("width", [1, 2, 4, 8])
@pytest.mark.parametrize(
    "model",
    [
        ensemble.BaggingRegressor(STUMP, 6, random_state=0),
        ensemble.AdaBoostRegressor(STUMP, n_estimators=6, random_state=0),
        ensemble.VotingRegressor([("a", BOOSTING), ("b", STUMP)]),
        make_pipeline(StandardScaler(), BOOSTING),
    ],
    ids=["bagging", "adaboost", "voting", "pipeline"],
)
def test_models_of_constrained_trees_keep_their_constraints(model, width):
    X, y = data()
    assert largest_break(skq.QuantizedRegressor(model, n_bits=strict(width)).fit(X, y), X) == 0


@pytest.mark.parametrize("width", [1, 2, 4, 8])
def test_boosted_votes_of_constrained_trees_keep_their_constraints(width):
    X, y = data()
    inner = tree.DecisionTreeClassifier(max_depth=3, monotonic_cst=CONSTRAINTS, random_state=0)
    model = ensemble.AdaBoostClassifier(inner, n_estimators=8, random_state=0)
    model = skq.QuantizedClassifier(model, n_bits=strict(width)).fit(X, labels(y))
    assert largest_break(model, X, ("predict", "predict_proba", "decision_function")) == 0


@pytest.mark.parametrize("width", [2, 4, 16])
@pytest.mark.parametrize("library", ["lightgbm", "xgboost"])
def test_other_libraries_constraints_hold(library, width):
    module = pytest.importorskip(library)
    X, y = data()
    if library == "lightgbm":
        model = module.LGBMRegressor(
            n_estimators=20, monotone_constraints=CONSTRAINTS, verbose=-1, n_jobs=1
        )
    else:
        constraints = tuple(CONSTRAINTS)
        model = module.XGBRegressor(n_estimators=20, monotone_constraints=constraints, n_jobs=1)
    assert largest_break(skq.quantize(model.fit(X, y), X, n_bits=strict(width)), X) == 0


def test_constraints_are_known_after_another_width_and_a_file(tmp_path):
    X, y = data()
    model = REGRESSORS[1].set_params(monotonic_cst=CONSTRAINTS, n_bits=8).fit(X, y)
    again = skq.estimators.requantize.requantized(model, X, strict(2))
    assert largest_break(again, X) == 0
    skq.save(again, tmp_path / "model.skq")
    assert largest_break(skq.load(tmp_path / "model.skq"), X) == 0


def test_without_constraints_leaves_make_up_for_lost_splits():
    """The data do break the constraints, and what holds them costs unconstrained models nothing."""
    X, y = data()
    model = REGRESSORS[0].set_params(monotonic_cst=None, n_bits=strict(4)).fit(X, y)
    assert largest_break(model, X) > 0.1


@pytest.mark.parametrize(
    ("value", "expected"),
    [(None, False), ([0, 0], False), ([0, -1], True), ({"a": 0}, False), ({"a": 1}, True)],
)
def test_is_monotonic_reads_constraints(value, expected):
    inner = ensemble.HistGradientBoostingRegressor(monotonic_cst=value)
    assert is_monotonic(inner) is expected
    assert is_monotonic(make_pipeline(StandardScaler(), inner)) is expected
    assert is_monotonic(skq.QuantizedRegressor(inner)) is expected
