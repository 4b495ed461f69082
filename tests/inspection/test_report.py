"""`quantization_report` says what is true of the model."""

import re

import numpy as np
import pandas as pd
import pytest
from sklearn.base import clone
from sklearn.datasets import load_diabetes, load_iris
from sklearn.feature_selection import SelectKBest
from sklearn.linear_model import LogisticRegression as FloatLogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

import skq
from skq import QuantizedClassifier
from skq.ensemble import RandomForestClassifier
from skq.inspection import quantization_report
from skq.linear_model import LogisticRegression, Ridge
from skq.quantization import NumpyModule, PostTrainingAffineQuantization


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


def test_html_has_scoped_style_for_light_and_dark_and_no_script(iris):
    X, y = iris
    frame = pd.DataFrame(X, columns=["a<b", "b", "c", "d"])
    report = quantization_report(LogisticRegression(max_iter=500, n_bits=4).fit(frame, y), frame, y)
    text = report._repr_html_()
    assert "<script" not in text
    assert "a&lt;b" in text
    style = text[text.index("<style>") + 7 : text.index("</style>")]
    assert "prefers-color-scheme: dark" in style
    rules = re.findall(r"([^{}]+)\{", re.sub(r"@media[^{]*\{", "", style))
    selectors = [one.strip() for rule in rules for one in rule.split(",")]
    assert selectors
    assert all(selector.startswith(".skq-report") for selector in selectors)
    assert text.count("--share") == 1 + 5  # the rule, and a bar for each part with a ratio


def test_features_have_their_names_behind_a_scaler(iris):
    X, y = load_iris(return_X_y=True, as_frame=True)
    steps = StandardScaler(), LogisticRegression(n_bits=4)
    fitted_on_frame = make_pipeline(*steps).fit(X, y)
    fitted_on_array = make_pipeline(*(clone(step) for step in steps)).fit(X.to_numpy(), y)
    selected = make_pipeline(SelectKBest(k=2), *(clone(step) for step in steps)).fit(X, y)
    wrapped = QuantizedClassifier(make_pipeline(StandardScaler(), FloatLogisticRegression()))
    for model in (fitted_on_frame, wrapped.fit(X, y), fitted_on_array):
        given = X if model is not fitted_on_array else X.to_numpy()
        names = [part.name for part in quantization_report(model, given).parts[:4]]
        assert names == (["x0", "x1", "x2", "x3"] if model is fitted_on_array else list(X.columns))
    names = [part.name for part in quantization_report(selected, X).parts[:2]]
    assert names == list(X.columns[selected[0].get_support()])


@pytest.mark.parametrize("model", [LogisticRegression(max_iter=500), RandomForestClassifier(5)])
def test_loaded_models(iris, model, tmp_path):
    X, y = iris
    model = clone(model).fit(X, y)
    skq.save(model, tmp_path / "model.skq")
    loaded = skq.load(tmp_path / "model.skq")
    report, known = quantization_report(loaded, X, y), quantization_report(model, X, y)
    assert report.model == type(model).__name__
    assert report.score == known.score
    assert report.agreement is report.float_score is None
    assert "agreement" not in str(report)
    assert np.isnan(report.parts[-1].sqnr_db)
    assert known.parts[-1].sqnr_db > 20
    for part, same in zip(report.parts[:-1], known.parts[:-1], strict=True):
        assert (part.name, part.used_codes, part.bits) == (same.name, same.used_codes, same.bits)
    regression = load_diabetes(return_X_y=True)
    skq.save(Ridge().fit(*regression), tmp_path / "ridge.skq")
    report = quantization_report(skq.load(tmp_path / "ridge.skq"), *regression)
    assert report.score == Ridge().fit(*regression).score(*regression)


def test_layers_of_torch_modules():
    torch = pytest.importorskip("torch")
    torch.manual_seed(0)
    net = torch.nn.Sequential(
        torch.nn.Conv2d(2, 4, 3), torch.nn.ReLU(), torch.nn.Conv2d(4, 4, 3, groups=2),
        torch.nn.Flatten(), torch.nn.Linear(16, 3),
    )  # fmt: skip
    X = np.random.default_rng(0).normal(size=(60, 2, 6, 6))
    evaluator = NumpyModule(net, torch.zeros(2, 2, 6, 6))
    ratios = {}
    for n_bits in (4, 8):
        module = PostTrainingAffineQuantization(n_bits, evaluator).quantize_module(X)
        report = quantization_report(module, X)
        assert report.model == "QuantizedModule"
        layers = [part for part in report.parts if part.kind == "layer"]
        # the groups of a convolution are multiplied one by one
        assert [part.name for part in layers] == ["/0/Conv", "/2/Conv", "/2/Conv", "/4/Gemm"]
        ratios[n_bits] = np.array([part.sqnr_db for part in layers])
        assert report.agreement > 0.9
    assert (ratios[8] > ratios[4] + 12).all()


def test_modules_of_several_inputs():
    torch = pytest.importorskip("torch")

    class Two(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.a, self.b = torch.nn.Linear(3, 2), torch.nn.Linear(2, 2)

        def forward(self, x, y):
            return self.a(x) + self.b(y)

    torch.manual_seed(0)
    rng = np.random.default_rng(0)
    x, y = rng.normal(size=(50, 3)), rng.normal(size=(50, 2))
    evaluator = NumpyModule(Two(), (torch.zeros(2, 3), torch.zeros(2, 2)))
    module = PostTrainingAffineQuantization(8, evaluator).quantize_module(x, y)
    report = quantization_report(module, (x, y))
    features = [part for part in report.parts if part.kind == "feature"]
    assert len(features) == 5
    assert len({part.name for part in features}) == 5
    assert all(part.sqnr_db > 30 for part in report.parts)
    with pytest.raises(ValueError, match="y must be None"):
        quantization_report(module, (x, y), np.zeros(50))


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
