"""Every estimator as an ONNX model predicts what its integers predict, at every width."""

import warnings

import numpy as np
import pytest
from sklearn.datasets import load_breast_cancer, make_multilabel_classification
from sklearn.ensemble import (
    HistGradientBoostingClassifier,
    RandomForestClassifier,
    RandomForestRegressor,
    VotingClassifier,
)
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression
from sklearn.neural_network import MLPClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import KBinsDiscretizer, PolynomialFeatures, StandardScaler

import skq
from skq import ensemble
from skq.estimators.requantize import requantized
from skq.export import to_onnx
from tests.estimators.cases import answers_labels, classes, data_for, quick
from tests.export.onnx_cases import (
    assert_equal_to,
    assert_follows,
    expected_of,
    outputs_of,
    outputs_of_evaluator,
    session,
)

FORMS = ["integer", "fast"]
ROWS = (1, 7, 1000)


def fitted(cls, **parameters):
    X, held_out, y, _ = data_for(cls)
    if answers_labels(cls):
        y = np.array(["red", "green", "blue"])[y]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        model = quick(cls, **parameters).fit(X, y)
    beyond = np.concatenate([held_out * 3, held_out, X])  # some beyond the calibrated range
    return model, X, np.resize(beyond, (max(ROWS), X.shape[1]))


@pytest.mark.parametrize("cls", classes(), ids=lambda cls: cls.__name__)
def test_every_class_at_every_width(cls):
    depth = {"max_depth": 6} if "max_depth" in quick(cls).get_params() else {}
    model, X, rows = fitted(cls, **depth)
    for n_bits in range(1, 17):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            narrow = requantized(model, X, n_bits)
        dtype = ("float64", "float32")[n_bits % 2]
        x, expected = rows.astype(dtype), None
        for form in FORMS:
            run = session(to_onnx(narrow, form=form, input_dtype=dtype))
            if expected is None:
                names = [info.name for info in run.get_outputs()]
                expected = expected_of(narrow, names, x)
            for n_rows in ROWS:
                first = {name: values[:n_rows] for name, values in expected.items()}
                assert_equal_to(outputs_of(run, x[:n_rows]), first, narrow)


def _binary():
    X, y = load_breast_cancer(return_X_y=True)
    return X[:, :8], np.array(["malignant", "benign"])[y]


def _with_missing():
    X, y = _binary()
    X = X.copy()
    X[np.random.default_rng(0).random(X.shape) < 0.1] = np.nan
    return X, y


WRAPPED = {
    "logistic": (LogisticRegression(max_iter=3000), _binary),
    "mlp": (MLPClassifier((8,), max_iter=40, random_state=0), _binary),
    "polynomial": (
        make_pipeline(StandardScaler(), PolynomialFeatures(2), LogisticRegression()),
        _binary,
    ),
    "bins": (
        make_pipeline(KBinsDiscretizer(4, encode="onehot-dense"), LogisticRegression()),
        _binary,
    ),
    "vote": (
        VotingClassifier(
            [("a", LogisticRegression()), ("b", RandomForestClassifier(4, random_state=0))],
            voting="soft",
        ),
        _binary,
    ),
    "missing, trees": (HistGradientBoostingClassifier(max_iter=5), _with_missing),
    "missing, forest": (RandomForestClassifier(5, random_state=0), _with_missing),
    "missing, imputed": (
        make_pipeline(SimpleImputer(add_indicator=True), StandardScaler(), LogisticRegression()),
        _with_missing,
    ),
}


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("name", WRAPPED)
@pytest.mark.parametrize("n_bits", [2, 8, 16])
def test_wrapped_estimators(name, form, n_bits):
    estimator, data = WRAPPED[name]
    X, y = data()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        model = skq.QuantizedClassifier(estimator, n_bits=n_bits).fit(X, y)
    for dtype in ("float64", "float32"):
        run = session(to_onnx(model, form=form, input_dtype=dtype))
        for n_rows in (1, 7, len(X)):
            x = X[-n_rows:].astype(dtype)
            assert_follows(outputs_of(run, x), model, x)


@pytest.mark.parametrize(
    ("form", "dtype"),
    [("integer", "float64"), ("fast", "float32")],  # onnx 1.16 reads no trees in float64
)
def test_onnx_reference_evaluator(form, dtype):
    X, y = _binary()
    x = X[:50].astype(dtype)
    for estimator in (LogisticRegression(max_iter=3000), RandomForestClassifier(3, max_depth=4)):
        model = skq.QuantizedClassifier(estimator).fit(X, y)
        proto = to_onnx(model, form=form, input_dtype=dtype)
        assert_follows(outputs_of_evaluator(proto, x), model, x)


@pytest.mark.parametrize("form", FORMS)
def test_several_outputs(form):
    X, y = make_multilabel_classification(200, 5, n_classes=3, random_state=0)
    model = ensemble.RandomForestClassifier(4, random_state=0).fit(X, y)
    found = outputs_of(to_onnx(model, form=form), X)
    np.testing.assert_array_equal(found["label"], model.predict(X))
    for k, expected in enumerate(model.predict_proba(X)):
        np.testing.assert_array_equal(found[f"probabilities_{k}"], expected)
    texts = np.array(["no", "yes"])[y]
    model = ensemble.RandomForestClassifier(4, random_state=0).fit(X, texts)
    found = outputs_of(to_onnx(model, form=form), X)
    np.testing.assert_array_equal(found["label"], model.predict(X))
    values = X[:, :2] - X[:, 2:4]
    model = skq.QuantizedRegressor(RandomForestRegressor(4, random_state=0)).fit(X, values)
    assert_follows(outputs_of(to_onnx(model, form=form), X), model, X)
    model = skq.QuantizedClassifier(MLPClassifier((8,), max_iter=30, random_state=0)).fit(X, y)
    found = outputs_of(to_onnx(model, form=form), X)
    np.testing.assert_array_equal(found["label"], model.predict(X))
