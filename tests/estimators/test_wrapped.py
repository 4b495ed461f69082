"""Wrapped Pipelines that select columns by name, outlier detectors, logarithms."""

import numpy as np
import pandas as pd
import polars as pl
import pytest
from sklearn.compose import make_column_transformer
from sklearn.datasets import load_iris
from sklearn.ensemble import IsolationForest
from sklearn.linear_model import LogisticRegression, Ridge, SGDOneClassSVM
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

import skq

X, Y = load_iris(return_X_y=True)
NAMES = ["a", "b", "c", "d"]


@pytest.mark.parametrize("frame", [pd.DataFrame, pl.DataFrame])
def test_columns_are_taken_by_name(frame, tmp_path):
    data = frame(dict(zip(NAMES, X.T, strict=True)))
    columns = make_column_transformer((StandardScaler(), ["a", "c"]), ("passthrough", ["d"]))
    pipeline = make_pipeline(columns, LogisticRegression()).fit(data, Y)
    model = skq.quantize(pipeline, data)
    expected = model.predict(data)
    skq.save(model, tmp_path / "model.skq")
    loaded = skq.load(tmp_path / "model.skq")
    other = {"d": X[:, 3], "more": np.ones(150), "c": X[:, 2], "a": X[:, 0]}
    for given in (other, {**other, "b": np.full(150, 1e6)}):
        for predictor in (model, loaded):
            np.testing.assert_array_equal(predictor.predict(frame(given)), expected)
            np.testing.assert_array_equal(
                predictor.predict_proba(frame(given)), model.predict_proba(data)
            )
        np.testing.assert_array_equal(pipeline.predict(frame(given)), pipeline.predict(data))
    del other["a"]
    for predictor in (pipeline, model, loaded):
        with pytest.raises(ValueError, match=r"columns are missing: \{'a'\}"):
            predictor.predict(frame(other))


def test_other_models_check_names_as_the_parent(tmp_path):
    data = pd.DataFrame(X, columns=NAMES)
    model = skq.QuantizedRegressor(Ridge()).fit(data, X[:, 0])
    with pytest.raises(ValueError, match="feature names should match"):
        model.predict(data[NAMES[::-1]])
    skq.save(model, tmp_path / "model.skq")
    with pytest.raises(ValueError, match="must have the columns"):
        skq.load(tmp_path / "model.skq").predict(data[NAMES[::-1]])


def test_a_loaded_model_takes_an_array_where_names_are_selected(tmp_path):
    data = pd.DataFrame(X, columns=NAMES)
    columns = make_column_transformer((StandardScaler(), ["d", "a"]), remainder="passthrough")
    model = skq.QuantizedRegressor(make_pipeline(columns, Ridge())).fit(data, X[:, 0])
    skq.save(model, tmp_path / "model.skq")
    loaded = skq.load(tmp_path / "model.skq")
    for given in (X, data, data[NAMES[::-1]]):
        np.testing.assert_array_equal(loaded.predict(given), model.predict(data))
    with pytest.raises(ValueError, match=r"columns are missing: \{'b'\}"):  # of the remainder
        loaded.predict(data[["a", "c", "d"]])


def test_logarithms_of_probabilities():
    model = skq.QuantizedClassifier(LogisticRegression(max_iter=1000)).fit(X, Y)
    np.testing.assert_array_equal(model.predict_log_proba(X), np.log(model.predict_proba(X)))
    assert not hasattr(skq.QuantizedRegressor(Ridge()), "predict_log_proba")


DETECTORS = [IsolationForest(n_estimators=30, random_state=0), SGDOneClassSVM(random_state=0)]


@pytest.mark.parametrize("scaled", [False, True], ids=["alone", "in a Pipeline"])
@pytest.mark.parametrize("detector", DETECTORS, ids=lambda d: type(d).__name__)
def test_outlier_detectors(detector, scaled, tmp_path):
    fitted = (make_pipeline(StandardScaler(), detector) if scaled else detector).fit(X)
    model = skq.quantize(fitted, X, n_bits=16)
    assert isinstance(model, skq.QuantizedOutlierDetector)
    assert np.mean(model.predict(X) == fitted.predict(X)) > 0.98
    skq.save(model, tmp_path / "model.skq")
    loaded = skq.load(tmp_path / "model.skq")
    for name in ("score_samples", "decision_function"):
        wanted = getattr(fitted, name)(X)
        got = getattr(model, name)(X)
        np.testing.assert_allclose(got, wanted, atol=2e-3 * np.ptp(wanted))
        np.testing.assert_array_equal(getattr(loaded, name)(X), got)
    np.testing.assert_array_equal(loaded.predict(X), model.predict(X))
    again = skq.QuantizedOutlierDetector(fitted, n_bits=16)
    assert np.mean(again.fit_predict(X) == fitted.predict(X)) > 0.98
