"""Calibration on Dask collections, searches on Dask workers, and boosters that Dask has trained."""

import joblib
import numpy as np
import pytest
from sklearn.compose import make_column_transformer
from sklearn.ensemble import RandomForestClassifier
from sklearn.linear_model import LinearRegression
from sklearn.linear_model import LogisticRegression as FloatLogisticRegression
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler

import skq
from skq.linear_model import LogisticRegression
from skq.model_selection import BitWidthSearchCV
from tests.distributed.cases import FRAME, LABELS, X, Y

da = pytest.importorskip("dask.array")
dd = pytest.importorskip("dask.dataframe")
distributed = pytest.importorskip("distributed")

#: More rows than are taken for calibration.
rng = np.random.default_rng(0)
MANY = rng.normal(size=(5000, 4)) * [1.0, 1e3, 1e-3, 7.0] + 5.0


def same_integers(one, other):
    return str(one.quantized_module_.program) == str(other.quantized_module_.program)


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
@pytest.mark.parametrize("chunks", [(5000, 4), (700, 2)])
def test_arrays_give_the_integers_of_the_array_in_memory(dtype, chunks):
    rows = MANY.astype(dtype)
    y = rows[:, 1] > 5.0
    for model in (
        make_pipeline(StandardScaler(), FloatLogisticRegression()).fit(rows, y),
        RandomForestClassifier(5, max_depth=5, random_state=0).fit(rows, y),
    ):
        local = skq.quantize(model, rows, n_bits=4)
        assert same_integers(skq.quantize(model, da.from_array(rows, chunks), n_bits=4), local)


def test_unknown_chunk_sizes():
    lazy = da.from_array(MANY, (700, 4))
    model = LinearRegression().fit(MANY, MANY.sum(axis=1))
    found = skq.quantize(model, lazy[lazy[:, 0] > 7.0])
    assert same_integers(found, skq.quantize(model, MANY[MANY[:, 0] > 7.0]))


def test_dataframes_of_numbers():
    model = FloatLogisticRegression(max_iter=1000).fit(FRAME, LABELS)
    found = skq.quantize(model, dd.from_pandas(FRAME, npartitions=4))
    assert same_integers(found, skq.quantize(model, FRAME))
    np.testing.assert_array_equal(found.feature_names_in_, FRAME.columns)


def test_dataframes_of_texts():
    frame = FRAME.assign(colour=np.repeat(["red", "green", "blue", "rare", "red"], 30))
    encoder = make_column_transformer(
        (OneHotEncoder(handle_unknown="ignore"), ["colour"]), remainder=StandardScaler()
    )
    model = make_pipeline(encoder, FloatLogisticRegression(max_iter=1000)).fit(frame, LABELS)
    found = skq.quantize(model, dd.from_pandas(frame, npartitions=6))
    local = skq.quantize(model, frame)
    assert same_integers(found, local)
    other = frame.assign(colour=np.tile(["rare", "new", "blue"], 50))
    np.testing.assert_array_equal(found.predict_proba(other), local.predict_proba(other))


def test_refusals():
    model = LinearRegression().fit(X, Y)
    lazy = da.from_array(X, (40, 4))
    with pytest.raises(ValueError, match="NaN"):
        skq.quantize(model, da.where(lazy > 7.8, np.nan, lazy))
    with pytest.raises(ValueError, match="X has no rows"):
        skq.quantize(model, lazy[lazy[:, 0] > 100])
    with pytest.raises(ValueError, match=r"shape \(n_samples, n_features\)"):
        skq.quantize(model, lazy[:, 0])


# ---------------------------------------------------------------------- on two processes


def test_calibration_on_workers(client):
    model = FloatLogisticRegression(max_iter=1000).fit(FRAME, LABELS)
    found = skq.quantize(model, dd.from_pandas(FRAME, npartitions=4))
    assert same_integers(found, skq.quantize(model, FRAME))


def test_searches_on_workers(client):
    model = LogisticRegression(max_iter=200)
    searches = [
        lambda: GridSearchCV(model, {"n_bits": [3, 8]}, cv=2, n_jobs=2),
        lambda: BitWidthSearchCV(model, n_bits=[3, 8], cv=2, n_jobs=2),
    ]
    for make in searches:
        local = make().fit(X, Y)
        with joblib.parallel_config(backend="dask"):
            found = make().fit(X, Y)
        np.testing.assert_array_equal(
            found.cv_results_["mean_test_score"], local.cv_results_["mean_test_score"]
        )
        assert same_integers(found.best_estimator_, local.best_estimator_)


def test_boosters_trained_by_dask(client):
    lightgbm = pytest.importorskip("lightgbm")
    xgboost_dask = pytest.importorskip("xgboost.dask")
    rows, labels = da.from_array(X, (75, 4)), da.from_array(Y, 75)
    options = {"n_estimators": 3, "max_depth": 3}
    for model in (
        xgboost_dask.DaskXGBClassifier(**options),
        lightgbm.DaskLGBMClassifier(verbose=-1, **options),
    ):
        model.client = client
        model.fit(rows, labels)
        found = skq.quantize(model, rows)
        assert np.mean(found.predict(X) == model.predict(rows).compute()) > 0.98
