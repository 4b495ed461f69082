"""`BitWidthSearchCV` finds the cheapest widths that keep the score."""

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.datasets import load_breast_cancer, load_diabetes, load_iris
from sklearn.exceptions import FitFailedWarning
from sklearn.linear_model import LogisticRegression as FloatLogisticRegression
from sklearn.linear_model import Ridge as FloatRidge
from sklearn.model_selection import KFold, StratifiedKFold, cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

import skq
from skq import QuantizedRegressor
from skq.ensemble import RandomForestClassifier
from skq.linear_model import LogisticRegression, Ridge
from skq.model_selection import COSTS, BitWidthSearchCV
from skq.tree import DecisionTreeClassifier


@pytest.fixture(scope="module")
def iris():
    return load_iris(return_X_y=True)


def search_on(estimator, data, **options):
    return BitWidthSearchCV(estimator, **{"n_bits": [2, 3, 5, 8], "cv": 3} | options).fit(*data)


def test_scores_are_those_of_cross_validation(iris):
    search = search_on(DecisionTreeClassifier(random_state=0), iris)
    cv = StratifiedKFold(3)
    for i, n in enumerate((2, 3, 5, 8)):
        expected = cross_val_score(DecisionTreeClassifier(random_state=0, n_bits=n), *iris, cv=cv)
        got = [search.cv_results_[f"split{k}_test_score"][i] for k in range(3)]
        np.testing.assert_array_equal(got, expected)
    expected = cross_val_score(FloatRidge(), *load_diabetes(return_X_y=True), cv=KFold(3))
    regression = search_on(Ridge(), load_diabetes(return_X_y=True))
    assert regression.float_score_ == pytest.approx(expected.mean(), abs=1e-12)


def test_the_choice_is_the_cheapest_within_the_loss():
    data = load_breast_cancer(return_X_y=True)
    model = make_pipeline(StandardScaler(), LogisticRegression())
    search = search_on(model, data, max_loss=0.02)
    results = search.cv_results_
    good = results["mean_test_score"] >= search.float_score_ - 0.02
    assert good[search.best_index_]
    assert results["mean_cost"][search.best_index_] == results["mean_cost"][good].min()
    assert search.best_params_ == results["params"][search.best_index_]
    assert list(search.best_params_) == ["logisticregression__n_bits"]
    assert search.best_estimator_[-1].n_bits == search.best_params_["logisticregression__n_bits"]


def test_trees_on_bins_are_trained_at_each_width(iris):
    model = DecisionTreeClassifier(random_state=0, fit_on_bins=True)
    search = search_on(
        model, iris, n_bits=[{"op_inputs": 2, "op_weights": 2, "model_inputs": 2}, 8]
    )
    cv = StratifiedKFold(3)
    for i, params in enumerate(search.cv_results_["params"]):
        expected = cross_val_score(clone(model).set_params(**params), *iris, cv=cv)
        got = [search.cv_results_[f"split{k}_test_score"][i] for k in range(3)]
        np.testing.assert_array_equal(got, expected)
    expected = cross_val_score(clone(model).set_params(fit_on_bins=False, n_bits=16), *iris, cv=cv)
    assert search.float_score_ == pytest.approx(expected.mean(), abs=1e-12)


def test_trains_once_a_fold(iris, monkeypatch):
    fits = []
    parent_fit = FloatLogisticRegression.fit
    monkeypatch.setattr(
        FloatLogisticRegression,
        "fit",
        lambda self, *args, **kwargs: fits.append(1) or parent_fit(self, *args, **kwargs),
    )
    wrapped = pytest.importorskip("skq").QuantizedClassifier(FloatLogisticRegression(max_iter=300))
    search_on(wrapped, iris, refit=False)
    assert len(fits) == 3


@pytest.mark.parametrize("cost", [*COSTS, lambda module: -module.nbytes])
def test_costs(iris, cost):
    search = search_on(LogisticRegression(max_iter=300), iris, cost=cost, max_loss=1.0)
    costs = search.cv_results_["mean_cost"]
    assert search.best_index_ == costs.argmin()
    assert search.best_index_ == (3 if callable(cost) else 0)


def test_bytes_are_those_of_the_saved_model(iris, tmp_path):
    forest = RandomForestClassifier(10, random_state=0, n_bits=2).fit(*iris)
    skq.save(forest, tmp_path / "forest.skq")
    saved = skq.load(tmp_path / "forest.skq").quantized_module_.nbytes
    assert COSTS["bytes"](forest.quantized_module_) == saved < forest.quantized_module_.nbytes


def test_no_width_within_the_loss_warns_and_takes_the_best():
    data = load_diabetes(return_X_y=True)
    with pytest.warns(UserWarning, match="No candidate stays within max_loss"):
        search = search_on(Ridge(), data, n_bits=[1, 2], max_loss=0.0)
    assert search.best_score_ == search.cv_results_["mean_test_score"].max()


def test_default_candidates_split_codes_and_weights(iris):
    search = search_on(DecisionTreeClassifier(random_state=0), iris, n_bits=None)
    widths = {
        (p["n_bits"]["op_inputs"], p["n_bits"]["op_weights"]) for p in search.cv_results_["params"]
    }
    assert len(widths) == 25
    assert search.best_score_ >= search.float_score_ - 0.01


def test_predictions_are_the_best_estimators(iris):
    X, y = iris
    search = search_on(LogisticRegression(max_iter=300), iris)
    refitted = clone(search.estimator).set_params(**search.best_params_).fit(X, y)
    np.testing.assert_array_equal(search.predict(X), refitted.predict(X))
    np.testing.assert_array_equal(search.predict_proba(X), refitted.predict_proba(X))
    np.testing.assert_array_equal(search.classes_, [0, 1, 2])
    assert search.score(X, y) == refitted.score(X, y)
    assert search.n_features_in_ == 4


def test_wrappers_and_other_scorings():
    data = load_diabetes(return_X_y=True)
    wrapped = QuantizedRegressor(make_pipeline(StandardScaler(), FloatRidge()))
    search = search_on(wrapped, data, scoring="neg_mean_absolute_error", max_loss=2.0)
    assert search.best_score_ < 0
    assert not hasattr(search, "predict_proba")


def test_threads_change_nothing(iris):
    one, two = (search_on(LogisticRegression(max_iter=300), iris, n_jobs=n) for n in (1, 2))
    np.testing.assert_array_equal(
        one.cv_results_["mean_test_score"], two.cv_results_["mean_test_score"]
    )


def test_is_cloned_with_its_parameters():
    search = BitWidthSearchCV(Ridge(), n_bits=[2, 4], max_loss=0.1, cost="bytes")
    assert clone(search).get_params()["cost"] == "bytes"
    assert search.get_params()["estimator__alpha"] == 1.0


@pytest.mark.parametrize(
    ("options", "error", "match"),
    [
        ({"n_bits": []}, ValueError, "at least one width"),
        ({"n_bits": 8}, ValueError, "sequence of widths"),
        ({"n_bits": [0]}, ValueError, "from 1 to 16"),
        ({"cost": "euros"}, ValueError, "cost must be one of"),
        ({"max_loss": -1}, ValueError, "max_loss"),
        ({"error_score": "ignore"}, ValueError, "error_score must be 'raise' or a number"),
    ],
)
def test_wrong_parameters(iris, options, error, match):
    with pytest.raises(error, match=match):
        search_on(LogisticRegression(), iris, **options)


def test_float_estimators_are_refused(iris):
    with pytest.raises(TypeError, match="QuantizedClassifier"):
        search_on(FloatLogisticRegression(), iris)


def failing_cost(module):
    """A cost of narrow models alone."""
    if module.n_bits["op_weights"] > 3:
        raise ArithmeticError("too wide")
    return float(module.nbytes)


def test_candidates_that_fail_have_the_error_score(iris):
    with pytest.warns(FitFailedWarning, match=r"6 of 12 runs.*\n  5: ArithmeticError: too wide"):
        search = search_on(LogisticRegression(), iris, cost=failing_cost, max_loss=1.0)
    results = search.cv_results_
    np.testing.assert_array_equal(np.isnan(results["mean_test_score"]), [False, False, True, True])
    assert list(results["rank_test_score"][2:]) == [3, 3]
    assert search.best_index_ == 0
    with pytest.warns(FitFailedWarning, match="error_score=0.0"):
        search = search_on(LogisticRegression(), iris, cost=failing_cost, error_score=0.0)
    np.testing.assert_array_equal(search.cv_results_["mean_test_score"][2:], [0.0, 0.0])


def test_errors_are_raised_where_they_cannot_be_scored(iris):
    with pytest.raises(ArithmeticError, match="too wide"):
        search_on(LogisticRegression(), iris, cost=failing_cost, error_score="raise")
    with pytest.raises(ValueError, match="Every candidate failed"):
        search_on(LogisticRegression(), iris, cost=failing_cost, n_bits=[5, 8])
    with pytest.raises(ValueError, match="must be a float in the range"):  # of the float model
        search_on(LogisticRegression(C=-1.0), iris)


def test_verbose_prints_as_it_goes(iris, capsys):
    search_on(LogisticRegression(), iris)
    assert capsys.readouterr().out == ""
    search = search_on(LogisticRegression(), iris, verbose=1)
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == "3 folds, 4 candidates on each"
    assert [line.split(" done")[0] for line in lines[1:4]] == [f"fold {k} of 3" for k in (1, 2, 3)]
    assert f"{search.best_score_:.4f}" in lines[4]
    search_on(LogisticRegression(), iris, verbose=2)
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == 5 + 3 * 4
    assert lines[1].startswith("fold 1 of 3: 2 scores ")
