"""`quantization_report` says what is true of the model."""

import numpy as np
import pandas as pd
import pytest
from sklearn.datasets import load_diabetes, load_iris
from sklearn.linear_model import LogisticRegression as FloatLogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from skq import QuantizedClassifier
from skq.ensemble import RandomForestClassifier
from skq.inspection import quantization_report
from skq.linear_model import LogisticRegression, Ridge


@pytest.fixture(scope="module")
def iris():
    return load_iris(return_X_y=True)


def test_figures_of_the_model(iris):
    X, y = iris
    model = LogisticRegression(max_iter=500, n_bits=3).fit(X, y)
    report = quantization_report(model, X, y)
    floats = FloatLogisticRegression(max_iter=500).fit(X, y)
    assert report.score == model.score(X, y)
    assert report.float_score == floats.score(X, y)
    assert report.agreement == np.mean(model.predict(X) == floats.predict(X))
    assert report.accumulator_bits == model.quantized_module_.max_accumulator_bits
    assert report.nbytes == model.quantized_module_.nbytes
    assert report.n_bits["op_weights"] == 3


def test_parts_of_a_linear_model(iris):
    X, y = iris
    report = quantization_report(LogisticRegression(max_iter=500, n_bits=8).fit(X, y), X)
    features, layers = report.parts[:4], report.parts[4:]
    assert [part.name for part in features] == ["x0", "x1", "x2", "x3"]
    assert [(part.kind, part.name) for part in layers] == [("layer", "MatMul 1")]
    assert all(part.sqnr_db > 30 for part in features)
    assert layers[0].sqnr_db > 25
    assert all(part.bits == 8 and part.codes == 256 for part in features)
    assert report.score is report.float_score is None


def test_ratio_falls_with_the_bits():
    X, y = load_diabetes(return_X_y=True)
    ratios = [
        quantization_report(Ridge(n_bits=n).fit(X, y), X).parts[-1].sqnr_db for n in (8, 5, 3)
    ]
    assert ratios[0] > ratios[1] + 6
    assert ratios[1] > ratios[2]


def test_rows_beyond_the_grid_count_as_saturated():
    X, y = load_diabetes(return_X_y=True)
    model = Ridge(n_bits=9).fit(X, y)
    inside, outside = (quantization_report(model, rows).parts[0].saturated for rows in (X, X + 9))
    assert inside == 0.0
    assert outside == 1.0


def test_parts_of_a_forest_that_loses_nothing(iris):
    X, y = iris
    report = quantization_report(RandomForestClassifier(5, random_state=0).fit(X, y), X, y)
    assert report.agreement == 1.0
    assert report.parts[-1].name == "Trees 1"
    assert report.parts[-1].sqnr_db > 40
    assert all(part.used_codes <= part.codes for part in report.parts)
    assert all(np.isnan(part.sqnr_db) for part in report.parts[:-1])


def test_forms(iris):
    frame_in = load_iris(as_frame=True)
    X, y = frame_in.data, frame_in.target
    report = quantization_report(LogisticRegression(max_iter=500, n_bits=4).fit(X, y), X, y)
    frame = report.to_frame()
    assert isinstance(frame, pd.DataFrame)
    assert list(frame["name"]) == [*X.columns, "MatMul 1"]
    for text in (str(report), report._repr_html_()):
        assert "sepal length (cm)" in text
        assert f"{report.score:.4f}" in text
    assert "<script>" not in report._repr_html_()


def test_pipelines_inside_and_outside(iris):
    X, y = iris
    inside = QuantizedClassifier(
        make_pipeline(StandardScaler(), FloatLogisticRegression()), n_bits=4
    ).fit(X, y)
    outside = make_pipeline(StandardScaler(), LogisticRegression(n_bits=4)).fit(X, y)
    for model in (inside, outside):
        report = quantization_report(model, X, y)
        assert report.score == model.score(X, y)
        assert len(report.parts) == 5


def test_float_estimators_are_refused(iris):
    X, y = iris
    with pytest.raises(TypeError, match="QuantizedClassifier"):
        quantization_report(FloatLogisticRegression(max_iter=500).fit(X, y), X)
