"""`onnx_model_`: a valid ONNX model, which ONNX Runtime and skq compute as the parent does."""

import numpy as np
import onnx
import onnxruntime
import pandas as pd
import pytest
from sklearn import ensemble, linear_model, tree
from sklearn.base import clone, is_classifier
from sklearn.calibration import CalibratedClassifierCV
from sklearn.compose import ColumnTransformer
from sklearn.datasets import make_regression
from sklearn.decomposition import PCA
from sklearn.impute import SimpleImputer
from sklearn.neural_network import MLPRegressor
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import (
    KBinsDiscretizer,
    OneHotEncoder,
    PolynomialFeatures,
    StandardScaler,
)

import skq
from skq.graph.double_trees import with_onnx_types
from skq.graph.evaluator import GraphEvaluator
from skq.quantization import NumpyModule
from tests.estimators import cases

#: Trees return float32 in ONNX: 2**-24 of the spread of their sums.
TOLERANCE = 1e-6


def run(proto, X):
    """Outputs by name, from ONNX Runtime."""
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    session = onnxruntime.InferenceSession(
        proto.SerializeToString(), options, providers=["CPUExecutionProvider"]
    )
    names = [info.name for info in session.get_outputs()]
    return dict(zip(names, session.run(None, {"X": X}), strict=True))


def assert_follows(proto, parent, X):
    """The checker, ONNX Runtime and `NumpyModule` agree with the methods of a float model."""
    onnx.checker.check_model(proto, full_check=True)
    X = np.asarray(X, dtype=np.float64)
    outputs = run(proto, X)
    module = NumpyModule(proto)
    in_numpy = module.run({"X": X}, outputs)
    assert outputs
    for name, found in outputs.items():
        method, _, number = name.partition("_output_")
        assert hasattr(parent, method), name
        expected = getattr(parent, method)(X)
        expected = expected[int(number)] if number else expected
        if method == "predict" and hasattr(parent, "classes_"):
            expected = np.searchsorted(parent.classes_, expected)
        assert found.shape == np.shape(expected), name
        scale = max(1.0, np.std(expected)) * TOLERANCE
        np.testing.assert_allclose(found, expected, rtol=TOLERANCE, atol=scale, err_msg=name)
        np.testing.assert_allclose(in_numpy[name], found, rtol=TOLERANCE, atol=scale, err_msg=name)
        assert in_numpy[name].dtype == found.dtype, name


@pytest.mark.parametrize("cls", cases.classes(), ids=lambda cls: cls.__name__)
def test_of_every_class(cls):
    X, X_test, y, _ = cases.data_for(cls)
    model = cases.quick(cls).fit(X, y)
    assert_follows(model.onnx_model_, model._as_parent(), X_test)


def regression(missing=False):
    X, y = make_regression(300, 6, n_informative=4, noise=1.0, random_state=0)
    if missing:
        X[np.random.default_rng(0).random(X.shape) < 0.1] = np.nan
    return X, y


def labels_of(y, n_classes=3):
    return np.digitize(y, np.quantile(y, np.arange(1, n_classes) / n_classes))


FOREST = ensemble.RandomForestRegressor(5, max_depth=5, random_state=0)
WRAPPED = {
    "scaler": make_pipeline(StandardScaler(), FOREST),
    "products": make_pipeline(PolynomialFeatures(2), linear_model.Ridge()),
    "products for trees": make_pipeline(PolynomialFeatures(2), FOREST),
    "projection": make_pipeline(PCA(3), MLPRegressor(hidden_layer_sizes=(8,), random_state=0)),
    "projection for trees": make_pipeline(PCA(3), FOREST),
    "bins": make_pipeline(KBinsDiscretizer(4, strategy="uniform"), linear_model.Ridge()),
    "voting": ensemble.VotingRegressor(
        [("a", linear_model.Ridge()), ("b", linear_model.LinearRegression())]
    ),
    "voting of trees": ensemble.VotingRegressor(
        [("a", FOREST), ("b", ensemble.HistGradientBoostingRegressor(max_iter=5))]
    ),
    "bagging": ensemble.BaggingRegressor(linear_model.Ridge(), n_estimators=3, random_state=0),
    "boosted lines": ensemble.AdaBoostClassifier(
        linear_model.LogisticRegression(), n_estimators=3, random_state=0
    ),
    "poisson": ensemble.HistGradientBoostingRegressor(loss="poisson", max_iter=5),
    "classes": ensemble.GradientBoostingClassifier(n_estimators=4, random_state=0),
    "vote": ensemble.VotingClassifier(
        [("a", linear_model.LogisticRegression()), ("b", linear_model.RidgeClassifier())]
    ),
    "mean probability": ensemble.VotingClassifier(
        [("a", tree.DecisionTreeClassifier(max_depth=4)), ("b", ensemble.ExtraTreesClassifier(5))],
        voting="soft",
    ),
    "calibrated": CalibratedClassifierCV(linear_model.RidgeClassifier(), cv=2),
    "calibrated trees": CalibratedClassifierCV(tree.DecisionTreeClassifier(max_depth=3), cv=2),
    "boosted stumps": ensemble.AdaBoostClassifier(n_estimators=5, random_state=0),
}


@pytest.mark.parametrize("name", WRAPPED)
def test_of_wrapped_models(name):
    X, y = regression()
    model = WRAPPED[name]
    if is_classifier(model):
        y = labels_of(y)
    y = np.abs(y) if name == "poisson" else y
    fitted = clone(model).fit(X, y)
    assert_follows(skq.quantize(fitted, X).onnx_model_, fitted, X)


@pytest.mark.parametrize(
    "model",
    [
        ensemble.HistGradientBoostingRegressor(max_iter=5),
        ensemble.HistGradientBoostingClassifier(max_iter=5),
        FOREST,
        make_pipeline(SimpleImputer(), linear_model.Ridge()),
        make_pipeline(SimpleImputer(add_indicator=True), linear_model.Ridge()),
        make_pipeline(SimpleImputer(add_indicator=True), FOREST),
    ],
    ids=str,
)
def test_with_missing_values(model):
    X, y = regression(missing=True)
    fitted = clone(model).fit(X, labels_of(y) if is_classifier(model) else y)
    assert_follows(skq.quantize(fitted, X).onnx_model_, fitted, X)


@pytest.mark.parametrize(
    "model",
    [
        ensemble.HistGradientBoostingRegressor(max_iter=5, categorical_features=[0, 1]),
        make_pipeline(OneHotEncoder(sparse_output=False), linear_model.Ridge()),
        make_pipeline(OneHotEncoder(handle_unknown="ignore", sparse_output=False), FOREST),
    ],
    ids=str,
)
def test_with_categories(model):
    X = np.random.default_rng(0).integers(0, 6, (300, 2)).astype(float)
    fitted = clone(model).fit(X, np.sin(X[:, 0] * 2) + (X[:, 1] == 3))
    assert_follows(skq.quantize(fitted, X).onnx_model_, fitted, X)


@pytest.mark.parametrize("library", ["lightgbm.LGBM", "xgboost.XGB"])
@pytest.mark.parametrize("kind", ["Regressor", "Classifier"])
def test_of_boosting_libraries(library, kind):
    name, _, prefix = library.partition(".")
    module = pytest.importorskip(name)
    X, y = regression(missing=True)
    model = getattr(module, prefix + kind)(n_estimators=5, n_jobs=1, verbosity=0)
    fitted = model.fit(X, labels_of(y) if kind == "Classifier" else y)
    assert_follows(skq.quantize(fitted, X).onnx_model_, fitted, X)


def test_of_a_table_with_texts():
    rng = np.random.default_rng(0)
    table = pd.DataFrame({"color": rng.choice([*"abcd"], 200), "weight": rng.normal(size=200)})
    columns = ColumnTransformer(
        [("texts", OneHotEncoder(), ["color"])], remainder="passthrough", sparse_threshold=0
    )
    y = table["weight"] + (table["color"] == "b")
    fitted = make_pipeline(columns, clone(FOREST)).fit(table, y)
    model = skq.quantize(fitted, table)
    proto = model.onnx_model_  # reads the codes that the lookup stage makes
    onnx.checker.check_model(proto, full_check=True)
    codes = model._validated(table)
    np.testing.assert_allclose(run(proto, codes)["predict"], fitted.predict(table), atol=TOLERANCE)


@pytest.mark.parametrize("scale", [1.0, 0.01])
@pytest.mark.parametrize(
    "model",
    [
        FOREST,
        ensemble.ExtraTreesRegressor(7, max_depth=4, random_state=0),
        ensemble.GradientBoostingRegressor(n_estimators=20, random_state=0),
        ensemble.HistGradientBoostingRegressor(max_iter=20),
    ],
    ids=str,
)
def test_a_large_mean_costs_no_precision(model, scale):
    X, y = regression()
    y = y / y.std() * scale + 1e8
    fitted = clone(model).fit(X, y)
    found = run(skq.quantize(fitted, X).onnx_model_, X)["predict"]
    np.testing.assert_allclose(found, fitted.predict(X), rtol=0, atol=TOLERANCE * scale + 1e-7)


def test_of_several_outputs():
    X, y = regression()
    both = np.stack([y, 1e6 - y], axis=1)
    fitted = clone(FOREST).fit(X, both)
    assert_follows(skq.quantize(fitted, X).onnx_model_, fitted, X)
    classes = np.stack([labels_of(y), labels_of(-y, 2)], axis=1)
    forest = ensemble.RandomForestClassifier(5, random_state=0).fit(X, classes)
    proto = skq.quantize(forest, X).onnx_model_
    onnx.checker.check_model(proto, full_check=True)
    outputs = run(proto, X)
    for k, expected in enumerate(forest.predict_proba(X)):
        np.testing.assert_allclose(outputs[f"predict_proba_{k}"], expected, atol=TOLERANCE)


def test_the_written_graph_is_the_same_in_double_precision():
    X, y = regression()
    graph = skq.quantize(clone(FOREST).fit(X, y), X).quantized_module_.graph
    written = with_onnx_types(graph)
    assert [node.op_type for node in written.nodes].count("Cast") > 0
    np.testing.assert_allclose(
        GraphEvaluator(written)(X), GraphEvaluator(graph)(X), rtol=1e-12, atol=1e-12
    )


def test_names_of_nodes_are_distinct_and_those_of_the_report():
    X, y = regression()
    model = skq.quantize(make_pipeline(PolynomialFeatures(2), FOREST).fit(X, y), X)
    names = [node.name for node in model.onnx_model_.graph.node]
    assert len(set(names)) == len(names)
    report = model.quantized_module_.bitwidth_and_range_report()
    assert {entry["node"] for entry in report.values()} <= set(names)
    assert "TreeEnsemble" in names


def test_a_graph_that_is_read_back_gives_a_program_that_predicts_the_same():
    X, y = regression()
    fitted = ensemble.GradientBoostingRegressor(n_estimators=10, random_state=0).fit(X, y)
    model = skq.quantize(fitted, X)
    again = skq.quantization.PostTrainingAffineQuantization(8, NumpyModule(model.onnx_model_))
    module = again.quantize_module(X)
    error = np.abs(module.forward(X) - model.predict(X)).max()
    assert error < 0.02 * np.std(y)
