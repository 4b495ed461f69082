"""A million rows: quantizing and predicting take little memory beside X itself."""

import numpy as np
import pytest
from sklearn.calibration import CalibratedClassifierCV
from sklearn.ensemble import HistGradientBoostingRegressor
from sklearn.linear_model import LogisticRegression, Ridge

import skq
from tests.peak_memory import peak_of

N_ROWS, N_FEATURES, N_TRAIN = 1_000_000, 20, 5000


@pytest.fixture(scope="module")
def table():
    """80 MB of float32, and a target."""
    X = np.random.default_rng(0).standard_normal((N_ROWS, N_FEATURES), dtype=np.float32)
    return X, X[:, 0] + X[:, 1] * X[:, 2]


@pytest.mark.parametrize(
    ("model", "columns"),
    [
        (Ridge(), 1),
        (LogisticRegression(), 1),
        (HistGradientBoostingRegressor(max_iter=5), 1),
        (CalibratedClassifierCV(LogisticRegression(), method="isotonic", cv=2), 4),
    ],
    ids=lambda value: type(value).__name__,
)
def test_a_million_rows_take_little_memory(model, columns, table):
    X, y = table
    is_classifier = hasattr(model, "predict_proba")
    model.fit(X[:N_TRAIN], y[:N_TRAIN] > 0 if is_classifier else y[:N_TRAIN])
    skq.quantize(model, X[:N_TRAIN])  # what is imported then does not count
    quantized, of_quantizing = peak_of(lambda: skq.quantize(model, X))
    assert of_quantizing < 0.6 * X.nbytes
    predicted, of_predicting = peak_of(lambda: quantized.predict(X))
    assert len(predicted) == N_ROWS
    assert of_predicting < 8 * N_ROWS * columns + 0.5 * X.nbytes


def test_fitting_a_million_rows_takes_little_more_than_the_parent(table):
    X, y = table
    Ridge().fit(X[:N_TRAIN], y[:N_TRAIN])
    _, of_parent = peak_of(lambda: Ridge().fit(X, y))
    model, of_ours = peak_of(lambda: skq.linear_model.Ridge().fit(X, y))
    assert of_ours < of_parent + 0.6 * X.nbytes
    assert np.corrcoef(model.predict(X[:1000]), y[:1000])[0, 1] > 0.6
