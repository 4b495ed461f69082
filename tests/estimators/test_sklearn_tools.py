"""Quantized estimators inside scikit-learn's own tools, on frames and labels of all kinds."""

import pickle
import warnings

import joblib
import numpy as np
import pandas as pd
import polars as pl
import pytest
import sklearn.ensemble
from sklearn.base import clone
from sklearn.calibration import CalibratedClassifierCV
from sklearn.compose import ColumnTransformer
from sklearn.ensemble import BaggingClassifier, StackingClassifier, VotingClassifier
from sklearn.experimental import enable_halving_search_cv  # noqa: F401
from sklearn.feature_selection import RFE
from sklearn.frozen import FrozenEstimator
from sklearn.inspection import permutation_importance
from sklearn.model_selection import GridSearchCV, HalvingGridSearchCV, cross_val_predict
from sklearn.multiclass import OneVsRestClassifier
from sklearn.multioutput import MultiOutputRegressor
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import MinMaxScaler, StandardScaler

from skq import QuantizedClassifier, QuantizedOutlierDetector, QuantizedRegressor
from skq.ensemble import (
    GradientBoostingRegressor,
    IsolationForest,
    RandomForestClassifier,
    RandomForestRegressor,
)
from skq.linear_model import LinearRegression, LogisticRegression, Ridge
from skq.neural_network import MLPClassifier, MLPRegressor
from skq.svm import LinearSVC
from skq.tree import DecisionTreeClassifier, DecisionTreeRegressor
from tests.estimators.cases import (
    CLASSIFIERS,
    REGRESSORS,
    SAMPLE,
    name_of,
    parent_params,
    small_classification,
    small_data_for,
    small_regression,
)

each_estimator = pytest.mark.parametrize("estimator", SAMPLE, ids=name_of)
each_classifier = pytest.mark.parametrize("estimator", CLASSIFIERS, ids=name_of)
X, Y = small_classification()


@each_estimator
def test_pipeline_set_params_and_refit(estimator):
    features, y = small_data_for(estimator)
    pipe = make_pipeline(StandardScaler(), clone(estimator)).fit(features, y)
    step = pipe.steps[-1][0]
    at_8_bits = pipe.score(features, y)
    pipe.set_params(**{f"{step}__n_bits": 2}).fit(features, y)
    assert pipe[-1].quantized_module_.n_bits["op_weights"] == 2
    assert pipe.score(features, y) <= at_8_bits + 0.05


def test_column_transformer_in_front():
    frame = pd.DataFrame(X, columns=list("abcd"))
    scaled = ColumnTransformer([("s", StandardScaler(), ["a", "b"]), ("m", MinMaxScaler(), ["d"])])
    pipe = make_pipeline(scaled, LogisticRegression()).fit(frame, Y)
    assert pipe.score(frame, Y) > 0.9


@pytest.mark.parametrize("search", [GridSearchCV, HalvingGridSearchCV])
def test_searches_over_n_bits_in_two_processes(search):
    grid = {"logisticregression__n_bits": [2, 4, {"op_inputs": 8, "op_weights": 8}]}
    pipe = make_pipeline(StandardScaler(), LogisticRegression())
    found = search(pipe, grid, cv=3, n_jobs=2).fit(X, Y)
    assert found.best_params_["logisticregression__n_bits"] in grid["logisticregression__n_bits"]
    assert found.best_score_ > 0.9
    assert not np.isnan(found.cv_results_["mean_test_score"]).any()


@each_classifier
def test_cross_val_predict(estimator):
    method = "predict_proba" if hasattr(estimator, "predict_proba") else "decision_function"
    scores = cross_val_predict(estimator, X, Y, cv=3, method=method)
    assert np.mean(scores.argmax(axis=1) == Y) > 0.9


def test_calibrated_classifier_cv():
    assert CalibratedClassifierCV(LinearSVC(), cv=3).fit(X, Y).score(X, Y) > 0.9


def test_voting_and_stacking():
    members = [("f", RandomForestClassifier(5, random_state=0)), ("l", LogisticRegression())]
    assert VotingClassifier(members, voting="soft").fit(X, Y).score(X, Y) > 0.9
    final = LogisticRegression(n_bits=6)
    assert StackingClassifier(members, final_estimator=final, cv=3).fit(X, Y).score(X, Y) > 0.9


def test_one_vs_rest_and_bagging():
    assert OneVsRestClassifier(LogisticRegression()).fit(X, Y).score(X, Y) > 0.9
    bagging = BaggingClassifier(DecisionTreeClassifier(), 5, max_features=0.7, random_state=0)
    assert bagging.fit(X, Y).score(X, Y) > 0.9


def test_multi_output_regressor_and_rfe():
    features, y = small_regression()
    targets = np.column_stack([y, -3 * y])
    model = MultiOutputRegressor(GradientBoostingRegressor(n_estimators=5)).fit(features, targets)
    assert model.predict(features).shape == targets.shape
    assert RFE(Ridge(alpha=1e-3), n_features_to_select=3).fit(features, y).support_.sum() == 3


def test_permutation_importance():
    model = RandomForestClassifier(8, random_state=0).fit(X, Y)
    importance = permutation_importance(model, X, Y, n_repeats=3, random_state=0)
    assert importance.importances_mean.argmax() in (2, 3)


@each_estimator
def test_clone_pickle_and_joblib(estimator, tmp_path):
    features, y = small_data_for(estimator)
    model = clone(estimator).set_params(n_bits=5).fit(features, y)
    assert clone(model).get_params() == model.get_params()
    expected = model.predict(features)
    joblib.dump(model, tmp_path / "model.joblib")
    for copy in (pickle.loads(pickle.dumps(model)), joblib.load(tmp_path / "model.joblib")):
        np.testing.assert_array_equal(copy.predict(features), expected)
        assert str(copy.quantized_module_.program) == str(model.quantized_module_.program)


@each_estimator
def test_pandas_and_polars_frames(estimator):
    features, y = small_data_for(estimator)
    names = [f"f{i}" for i in range(features.shape[1])]
    for frame in (pd.DataFrame(features, columns=names), pl.DataFrame(features, schema=names)):
        with warnings.catch_warnings():
            warnings.filterwarnings("error", message="X does not have valid feature names")
            model = clone(estimator).fit(frame, y)
        # scikit-learn 1.6 does not see the names of a polars frame of today
        parent = type(estimator)._parent(**parent_params(estimator)).fit(frame, y)
        assert hasattr(model, "feature_names_in_") == hasattr(parent, "feature_names_in_")
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", message="X does not have valid feature names")
            np.testing.assert_array_equal(model.predict(frame), model.predict(frame.to_numpy()))
    model = clone(estimator).fit(pd.DataFrame(features, columns=names), y)
    assert model.feature_names_in_.tolist() == names
    swapped = pd.DataFrame(features, columns=names)[names[::-1]]
    with pytest.raises(ValueError, match="feature names"):
        model.predict(swapped)


@each_classifier
@pytest.mark.parametrize("kind", ["str", "object", "bool", "float", "sparse ints"])
def test_labels_of_all_kinds(estimator, kind):
    binary = {"bool": (Y == 0)}
    labels = {
        "str": np.array(["setosa", "versicolor", "virginica"])[Y],
        "object": np.array(["a", "bb", "ccc"], dtype=object)[Y],
        "float": Y.astype(float) - 1.0,
        "sparse ints": np.array([-7, 3, 1000])[Y],
        **binary,
    }[kind]
    model = clone(estimator).fit(X, labels)
    predicted = model.predict(X)
    assert predicted.dtype == model.classes_.dtype
    assert set(predicted) <= set(labels)
    assert np.mean(predicted == labels) > 0.9


@each_classifier
def test_two_classes_with_features_of_all_scales(estimator):
    features, y = small_classification("binary")
    model = clone(estimator).fit(features, y)
    with model._answering_in_float():
        expected = model.predict(features)
    # an MLP on such columns is as steep as they are: a little is lost on rows near its boundary
    least = 0.9 if isinstance(model, MLPClassifier) else 0.97
    assert np.mean(model.predict(features) == expected) > least
    if hasattr(model, "decision_function"):
        assert model.decision_function(features).shape == (len(y),)
    if hasattr(model, "predict_proba"):
        assert model.predict_proba(features).shape == (len(y), 2)
        np.testing.assert_array_equal(
            model.predict_log_proba(features), np.log(model.predict_proba(features))
        )


WEIGHTED = [e for e in SAMPLE if not name_of(e).startswith("MLP")]


@pytest.mark.parametrize("estimator", WEIGHTED, ids=name_of)
def test_rows_of_zero_weight_do_not_move_the_calibrated_ranges(estimator):
    features, y = small_data_for(estimator)
    outlier = np.vstack([features, 1e4 * np.ones((5, features.shape[1]))])
    weight = np.append(np.ones(len(y)), np.zeros(5))
    labels = np.append(y, y[:5])
    # of the very same float model, so that a forest's bootstrap draws no other rows
    fitted = type(estimator)._parent(**parent_params(estimator)).fit(features, y)
    wrapper = QuantizedClassifier if estimator in CLASSIFIERS else QuantizedRegressor
    wrapped = wrapper(FrozenEstimator(fitted))
    weighted = clone(wrapped).fit(outlier, labels, sample_weight=weight)
    plain = clone(wrapped).fit(features, y)
    codes = [m.quantized_module_.quantize_input(features) for m in (weighted, plain)]
    np.testing.assert_array_equal(*codes)
    np.testing.assert_array_equal(weighted.predict(features), plain.predict(features))


@pytest.mark.parametrize(
    "estimator",
    [e for e in CLASSIFIERS if "class_weight" in e.get_params()],
    ids=name_of,
)
def test_class_weight(estimator):
    model = clone(estimator).set_params(class_weight={0: 1, 1: 1, 2: 50}).fit(X[:, :1], Y)
    with model._answering_in_float():
        expected = model.predict(X[:, :1])
    assert np.mean(model.predict(X[:, :1]) == expected) > 0.95
    assert np.sum(expected == 2) >= 50


MULTI_OUTPUT = [
    LinearRegression(),
    Ridge(),
    DecisionTreeRegressor(max_depth=5),
    RandomForestRegressor(5, random_state=0),
    MLPRegressor(hidden_layer_sizes=(8,), solver="lbfgs", max_iter=200, random_state=0),
]


@pytest.mark.parametrize("estimator", MULTI_OUTPUT, ids=name_of)
def test_several_regression_outputs(estimator):
    features, y = small_regression()
    targets = np.column_stack([y, -3 * y, np.abs(y)])
    model = clone(estimator).fit(features, targets)
    with model._answering_in_float():
        expected = model.predict(features)
    assert model.predict(features).shape == expected.shape == targets.shape
    assert np.all(np.std(model.predict(features) - expected, axis=0) < 0.05 * targets.std(axis=0))


@pytest.mark.parametrize(
    "estimator", [DecisionTreeClassifier(), RandomForestClassifier(5, random_state=0)], ids=name_of
)
def test_several_class_outputs(estimator):
    targets = np.column_stack([Y, (Y == 1).astype(int)])
    model = clone(estimator).fit(X, targets)
    probabilities = model.predict_proba(X)
    assert [p.shape for p in probabilities] == [(150, 3), (150, 2)]
    assert np.mean(model.predict(X) == targets) > 0.97
    text = np.array([["a", "b"], ["c", "b"], ["a", "d"]])[Y]
    assert np.mean(clone(estimator).fit(X, text).predict(X) == text) > 0.97


def test_multilabel_mlp():
    targets = np.column_stack([Y == 0, Y == 2]).astype(int)
    model = MLPClassifier(hidden_layer_sizes=(8,), solver="lbfgs", random_state=0).fit(X, targets)
    assert np.mean(model.predict(X) == targets) > 0.95
    assert model.predict_proba(X).shape == (150, 2)


@pytest.mark.parametrize("estimator", [RandomForestClassifier(8), DecisionTreeRegressor()])
def test_missing_values_go_where_the_parent_sends_them(estimator):
    rng = np.random.default_rng(0)
    features = rng.integers(0, 12, (300, 3)).astype(float)
    features[rng.random(features.shape) < 0.2] = np.nan
    y = (np.nan_to_num(features[:, 0], nan=9) + np.isnan(features[:, 1]) > 6).astype(int)
    model = clone(estimator).set_params(random_state=0, n_bits=16).fit(features, y)
    with model._answering_in_float():
        expected = model.predict(features)
    np.testing.assert_allclose(model.predict(features), expected, atol=1e-4)


def test_early_stopping_and_out_of_bag_scores_see_the_float_model():
    boosting = GradientBoostingRegressor(n_estimators=30, n_iter_no_change=3, random_state=0)
    features, y = small_regression()
    parent = GradientBoostingRegressor._parent(n_estimators=30, n_iter_no_change=3, random_state=0)
    assert boosting.fit(features, y).n_estimators_ == parent.fit(features, y).n_estimators_
    forest = RandomForestClassifier(20, oob_score=True, random_state=0, n_bits=2).fit(X, Y)
    plain = RandomForestClassifier._parent(20, oob_score=True, random_state=0).fit(X, Y)
    assert forest.oob_score_ == plain.oob_score_
    mlp = MLPClassifier(hidden_layer_sizes=(8,), early_stopping=True, random_state=0, max_iter=40)
    twin = MLPClassifier._parent(
        hidden_layer_sizes=(8,), early_stopping=True, random_state=0, max_iter=40
    )
    assert mlp.fit(X, Y).validation_scores_ == twin.fit(X, Y).validation_scores_


def test_regressors_stay_close_at_8_bits():
    features, y = small_regression()
    for estimator in REGRESSORS:
        model = clone(estimator).fit(features, y)
        with model._answering_in_float():
            expected = model.predict(features)
        assert np.std(model.predict(features) - expected) < 0.03 * y.std(), name_of(estimator)


@pytest.mark.filterwarnings("error")
def test_outlier_detectors_of_a_dataframe_warn_of_nothing():
    frame = pd.DataFrame(X, columns=list("abcd"))
    parameters = {"contamination": 0.1, "n_estimators": 8, "random_state": 0}
    forest = IsolationForest(**parameters).fit(frame)
    assert np.mean(forest.predict(frame) == -1) == pytest.approx(0.1, abs=0.02)
    np.testing.assert_array_equal(
        IsolationForest(**parameters).fit_predict(frame), forest.predict(frame)
    )
    wrapped = QuantizedOutlierDetector(sklearn.ensemble.IsolationForest(**parameters)).fit(frame)
    assert list(wrapped.feature_names_in_) == list(forest.feature_names_in_) == list("abcd")
    assert np.mean(wrapped.predict(frame) == -1) == pytest.approx(0.1, abs=0.05)
