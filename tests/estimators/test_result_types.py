"""Results have the data types that the scikit-learn parent returns."""

import warnings

import numpy as np
import pytest
from sklearn.linear_model import Ridge
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

import skq
from tests.estimators.cases import classes, data_for, quick

METHODS = ("predict", "predict_proba", "predict_log_proba", "decision_function", "score_samples")


@pytest.mark.parametrize("trained_on", ["float32", "float64"])
@pytest.mark.parametrize("cls", classes(), ids=lambda cls: cls.__name__)
def test_as_the_parent(cls, trained_on):
    X, _, y, _ = data_for(cls)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        y = y.astype(trained_on) if y.dtype.kind == "f" else y
        model = quick(cls).fit(X[:60].astype(trained_on), y[:60])
        parent = model._as_parent()
        for method in METHODS:
            if hasattr(parent, method):
                for dtype in ("float32", "float64"):
                    rows = X[:5].astype(dtype)
                    wanted, got = (getattr(m, method)(rows) for m in (parent, model))
                    assert got.dtype == wanted.dtype, (method, dtype)


def test_of_a_pipeline_and_of_a_file(tmp_path):
    X, _, y, _ = data_for(skq.linear_model.Ridge)
    X, y = X.astype(np.float32), y.astype(np.float32)
    model = skq.QuantizedRegressor(make_pipeline(StandardScaler(), Ridge())).fit(X, y)
    skq.save(model, tmp_path / "model.skq")
    loaded = skq.load(tmp_path / "model.skq")
    for predictor in (model, loaded):
        assert predictor.predict(X).dtype == np.float32
        assert predictor.predict(X.astype(np.float64)).dtype == np.float64
    np.testing.assert_array_equal(model.predict(X), loaded.predict(X))
